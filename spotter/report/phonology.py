"""Phonological descriptions as files: ELAN (a tier per parameter and hand), CSV, and a page with the video."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import quote

from _sign_spotter import module_name
from eval.segments import Segment
from safe_files import whole_file, write_text

from ..formats.elan import EafDocument
from .facts import clock

if TYPE_CHECKING:
    from embeddings.phonology.describe import ParameterValue

__all__ = ["write_description"]

ENDINGS = (".eaf", ".csv", ".html")
COLUMNS = ("parameter", "hand", "value", "start", "end", "confidence")
ROW, BAR, AXIS = 30, 20, 22


def write_description(
    path: str | Path, values: Sequence[ParameterValue], video: str, media: Path | None = None
) -> Path:
    """Writes a description in the format of the ending: .eaf, .csv or .html.

    Args:
        video: its name.
        media: its file, linked from the ELAN file and played on the page.

    Raises:
        ValueError: unknown ending, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path}: ending {path.suffix!r} is not known; expected one of {', '.join(ENDINGS)}")
    writer = {".eaf": _write_eaf, ".csv": _write_csv, ".html": _write_page}[path.suffix.lower()]
    writer(path, values, video, media)
    return path


def _tier(value: ParameterValue) -> str:
    return value.parameter if value.hand == "both" else f"{value.parameter} {value.hand}"


def _write_eaf(path: Path, values: Sequence[ParameterValue], video: str, media: Path | None) -> None:
    document = EafDocument(video)
    if media is not None:
        document.link_media(media, path)
    for name in dict.fromkeys(_tier(s) for s in values):
        document.add_tier(name)
    for s in sorted(values, key=lambda s: (s.start, s.end)):
        document.add(_tier(s), Segment(video, s.value, s.start, s.end, s.confidence))
    document.save(path)


def _write_csv(path: Path, values: Sequence[ParameterValue], video: str, media: Path | None) -> None:
    import pandas as pd

    table = pd.DataFrame([(video, *(getattr(s, c) for c in COLUMNS)) for s in values], columns=["video", *COLUMNS])
    with whole_file(path) as partial:
        table.to_csv(partial, index=False, encoding="utf-8", lineterminator="\n")


def _write_page(path: Path, values: Sequence[ParameterValue], video: str, media: Path | None) -> None:
    def text(name: str) -> str:
        return (files(module_name("spotter")) / "templates" / name).read_text(encoding="utf-8")

    title = f"Phonology of {video}"
    player = ""
    if media is not None and media.is_file():
        link = quote(Path(os.path.relpath(media.resolve(), path.resolve().parent)).as_posix())
        label = escape(f"Video {video}", quote=True)
        player = (
            f'<video controls muted preload="metadata" src="./{escape(link, quote=True)}" aria-label="{label}"></video>'
        )
    duration = max((s.end for s in values), default=1.0)
    names = list(dict.fromkeys(_tier(s) for s in values))
    page = Template(text("phonology.html")).substitute(
        title=escape(title),
        style=text("report.css") + text("phonology.css"),
        script=text("phonology.js"),
        player=player,
        names="".join(f"<div>{escape(name)}</div>" for name in names),
        now="".join(f'<dt>{escape(name)}</dt><dd data-tier="{k}">–</dd>' for k, name in enumerate(names)),
        svg=_score(values, names, duration),
    )
    write_text(path, page)


def _score(values: Sequence[ParameterValue], names: Sequence[str], duration: float) -> str:
    """The rows of values over time, as SVG; a value's words stand in its bar where they fit."""
    width = int(min(max(900, duration * 90), 12000))
    scale, height = width / duration, AXIS + ROW * len(names)
    parts = [
        f'<svg class="timeline" width="{width}" height="{height}" role="group" aria-label="Values over time" '
        f'data-scale="{scale:.6f}">'
    ]
    step = 1 if scale > 40 else 10
    for k in range(0, int(duration) + 1, step):
        x = k * scale
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{AXIS - 5}" y2="{height}"/>')
        parts.append(f'<text class="time" x="{x + 3:.1f}" y="13">{clock(k)[:-2]}</text>')
    for s in values:
        row = names.index(_tier(s))
        x, y, wide = s.start * scale, AXIS + ROW * row + 5, max((s.end - s.start) * scale - 1, 1.0)
        label = escape(f"{_tier(s)}: {s.value}, {clock(s.start)} to {clock(s.end)}, confidence {s.confidence:.2f}")
        short = s.value if len(s.value) * 6.2 < wide else s.value[: max(0, int(wide / 6.2) - 1)]
        parts.append(
            f'<g class="value{" unsure" if s.confidence < 0.4 else ""}" data-tier="{row}" data-start="{s.start:.3f}" '
            f'data-end="{s.end:.3f}" data-value="{escape(s.value, quote=True)}"><title>{label}</title>'
            f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}" rx="3"/>'
            f'<text x="{x + 4:.1f}" y="{y + 14}">{escape(short)}</text></g>'
        )
    parts.append(f'<line class="cursor" hidden="hidden" x1="0" x2="0" y1="0" y2="{height}"/></svg>')
    return "".join(parts)
