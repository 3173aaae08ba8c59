"""The HTML report: one self-contained file that a person looks at.

Per video a timeline (detections, ground truth, similarity tracks), playable when the video lies where it lay; below,
every detection beside its exemplar. No external resources; all text is escaped; without JavaScript it still reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from _sign_spotter import module_name
from eval.segments import Segments
from safe_files import write_text

from ..scoring import segments_from
from .facts import VideoFacts, collect, is_video
from .table import Picture, hit_table
from .timeline import Hit, clock, timeline

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["write_report"]

PLAYABLE = (".mp4", ".m4v", ".webm", ".mov", ".ogv", ".mkv")
"""Videos that browsers may play; thumbnails are taken from any video."""
PICTURED = 240
"""Most detections with pictures, the surest first: about 10 kB each, so the file stays below some 4 MB."""
ROWS = 40
"""Most signs a timeline shows."""
IDLE_ROWS = 4
"""Signs whose tracks are shown where nothing was found and nothing is known to be there."""


def write_report(
    path: str | Path,
    results: Iterable[Any],
    media: Mapping[str, str | Path] | None = None,
    gallery: Gallery | str | Path | None = None,
    truth: str | Path | Segments | None = None,
    exemplars: Mapping[str, str | Path] | None = None,
    title: str = "Sign spotting report",
) -> Path:
    """Writes the report.

    Args:
        path: the HTML file.
        results: `SpottingResult`s, or plain `Detection`s.
        media: video name → file, for pictures and playing (linked by a path relative to the report).
        gallery: tells which file and span each exemplar is.
        truth: ground truth, a file (see `read_segments`) or video → segments; a video listed without any holds no sign.
        exemplars: file stem or sign → the exemplar's video, for its picture.

    Returns:
        The file written.

    Raises:
        ValueError: the file cannot be written, or the ground truth's cannot be read.
    """
    path = Path(path)
    files_of = {name: Path(file) for name, file in (media or {}).items()}
    videos = collect(results, files_of, None if truth is None else segments_from(truth))
    pictures = _hit_pictures(videos)
    examples = _example_pictures(videos, gallery, {k: Path(v) for k, v in (exemplars or {}).items()})
    with_truth = any(video.truth is not None for video in videos)
    page = Template(_template("report.html")).substitute(
        title=escape(title),
        style=_template("report.css") + "".join(p.rule for p in examples.values()),
        script=_template("report.js"),
        summary=_summary(videos, with_truth),
        legend=_legend(with_truth, any(v.track is not None for v in videos)),
        videos="\n".join(_section(video, path) for video in videos),
        table=hit_table([(v.name, h) for v in videos for h in v.hits], pictures, examples, with_truth),
    )
    write_text(path, page)
    return path


def _template(name: str) -> str:
    return (files(module_name("spotter")) / "templates" / name).read_text(encoding="utf-8")


def _hit_pictures(videos: Sequence[VideoFacts]) -> dict[int, str]:
    """Detection number → picture strip, for the surest of them."""
    from .pictures import strips

    surest = sorted((h for v in videos for h in v.hits), key=lambda h: (-h.detection.score, h.number))[:PICTURED]
    chosen = {hit.number for hit in surest}
    pictures: dict[int, str] = {}
    for video in videos:
        hits = [hit for hit in video.hits if hit.number in chosen]
        if is_video(video.file) and hits:
            urls = strips(Path(str(video.file)), [(h.detection.start, h.detection.end) for h in hits])
            pictures |= {hit.number: url for hit, url in zip(hits, urls, strict=True) if url}
    return pictures


def _example_pictures(
    videos: Sequence[VideoFacts], gallery: Gallery | str | Path | None, files_of: Mapping[str, Path]
) -> dict[str, Picture]:
    """Sign → its first exemplar's strip, kept once as a style rule and used in every row: from the files given, else as
    the gallery keeps it, else from where it was enrolled."""
    from .pictures import data_url, strips

    signs = sorted({d.sign for video in videos for d in video.detections})
    exemplars = _exemplars(gallery, set(signs))
    pictures: dict[str, Picture] = {}
    for sign in signs:
        example = exemplars.get(sign, _Exemplar())
        file = files_of.get(Path(example.source).stem) if example.source else None
        file = file if file is not None else next((f for n, f in files_of.items() if n.partition("~")[0] == sign), None)
        url = ""
        if is_video(file):
            (url,) = strips(Path(str(file)), [example.span if example.span is not None else _whole(Path(str(file)))])
        if not url and example.thumbnail is not None:
            url = data_url(example.thumbnail)
        if not url and example.span is not None and example.path is not None and is_video(example.path):
            (url,) = strips(example.path, [example.span])
        if url:
            pictures[sign] = Picture(f"example-{len(pictures)}", url)
    return pictures


@dataclass(frozen=True)
class _Exemplar:
    """What a gallery says of a sign's first exemplar."""

    source: str = ""
    span: tuple[float, float] | None = None
    path: Path | None = None
    thumbnail: bytes | None = None


def _exemplars(gallery: Gallery | str | Path | None, signs: set[str]) -> dict[str, _Exemplar]:
    if gallery is None:
        return {}
    if isinstance(gallery, str | Path):
        from gallery import Gallery as Opened

        gallery = Opened.load(gallery)
    exemplars: dict[str, _Exemplar] = {}
    for name, label, facts in zip(gallery.ids, gallery.exemplar_labels, gallery.facts, strict=True):
        if label not in signs or label in exemplars:
            continue
        start, end = facts.get("start"), facts.get("end")
        span = None if start is None or end is None or end <= start else (float(start), float(end))
        path = Path(facts["path"]) if facts.get("path") else None
        exemplars[label] = _Exemplar(str(facts.get("source", "")), span, path, gallery.thumbnail(name))
    return exemplars


def _whole(file: Path) -> tuple[float, float]:
    from embeddings.video import VideoError, probe

    try:
        return 0.0, max(probe(file).duration, 0.1)
    except VideoError:
        return 0.0, 1.0  # `strips` reads it again and says what is wrong


def _summary(videos: Sequence[VideoFacts], with_truth: bool) -> str:
    hits = [hit for video in videos for hit in video.hits]
    tiles = [
        ("Videos", str(len(videos)), f"{sum(v.duration for v in videos) / 60:.1f} minutes"),
        ("Detections", str(len(hits)), f"{len({h.detection.sign for h in hits})} different signs"),
    ]
    if hits and all(video.calibrated for video in videos if video.hits):
        right = sum(hit.detection.score for hit in hits)
        tiles.append(("Expected to be right", f"{right:.0f}", f"of {len(hits)}, by their probabilities"))
    failed = sum(1 for video in videos if video.error)
    if failed:
        tiles.append(("Not readable", str(failed), "see below"))
    warned = sum(1 for video in videos if video.warning)
    if warned:
        tiles.append(("With a warning", str(warned), "searched in part, or nobody is seen: see below"))
    if with_truth:
        tiles += _scores(videos)
    inner = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{value}<small>{escape(note)}</small></dd></div>'
        for name, value, note in tiles
    )
    return f'<dl class="tiles">{inner}</dl>'


def _scores(videos: Sequence[VideoFacts]) -> list[tuple[str, str, str]]:
    import warnings

    from eval.spotting import challenge_f1, one_to_one_f1

    truth = {v.name: v.truth for v in videos if v.truth is not None}
    predictions = {v.name: v.detections for v in videos}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the page itself shows that nothing was found
        strict, challenge = one_to_one_f1(truth, predictions), challenge_f1(truth, predictions)
    counts = [f"{s.tp} right, {s.fp} false, {s.fn} missed" for s in (strict, challenge)]
    return [
        ("F1, one to one, IoU ≥ 0.5", f"{strict.f1:.3f}", counts[0]),
        ("F1, challenge, IoU 0.2 … 0.8", f"{challenge.f1:.3f}", f"{counts[1]} (13 thresholds)"),
    ]


def _legend(with_truth: bool, with_track: bool) -> str:
    def item(shape: str, text: str) -> str:
        return f'<li><svg width="26" height="12" aria-hidden="true">{shape}</svg>{text}</li>'

    bar = '<rect class="bar" x="1" y="1.5" width="24" height="9" rx="2"/>'
    rows = [item(f'<g class="hit">{bar}</g>', "detection with its score" + (" (✓ agrees)" if with_truth else ""))]
    if with_truth:
        rows += [
            item(f'<g class="hit wrong">{bar}</g>', "✗ detection that is not in the ground truth"),
            item('<g class="truth"><rect x="1" y="1.5" width="24" height="9"/></g>', "ground truth"),
            item('<g class="truth missed"><rect x="1" y="1.5" width="24" height="9"/></g>', "ground truth, missed"),
        ]
    if with_track:
        rows.append(item('<polygon class="area" points="1,11 8,4 14,7 20,1 25,11"/>', "similarity to the exemplar"))
    return f'<ul class="legend" aria-label="Legend">{"".join(rows)}</ul>'


def _section(video: VideoFacts, report: Path) -> str:
    name = escape(video.name, quote=True)
    heading = f"{clock(video.duration)} · {_count(len(video.hits), 'detection')}"
    if video.truth is not None:
        heading += f" · {_count(len(video.truth), 'sign')} in the ground truth, {sum(video.missed)} missed"
    error = "".join(f'<p class="error">{escape(why)}</p>' for why in (video.error, video.warning) if why)
    head = f'<div class="head"><h2>{name}</h2><p>{heading}</p>{error}</div>'
    player = _player(video, report)
    signs, left_out = _rows(video)
    lanes = '<p class="note">Nothing was found in this video.</p>' if not video.error else ""
    if signs and video.duration > 0:
        svg = timeline(video.name, video.duration, signs, _shown(video, signs), video.truth, video.missed, video.track)
        names = "".join(f"<div>{escape(sign)}{_note(video, sign)}</div>" for sign in signs)
        lanes = (lanes if not video.hits else "") + (
            f'<div class="lanes"><div class="names">{names}</div>'
            f'<div class="scroll" tabindex="0" role="region" aria-label="Timeline of {name}">{svg}</div></div>'
        )
    more = (
        f'<p class="note">{_count(left_out, "further sign")} not shown here; the table has all.</p>' if left_out else ""
    )
    kind = "view plays" if player else "view"
    body = f'<div class="{kind}">{player}<div>{lanes}{more}</div></div>'
    return f'<section class="card" data-video="{name}">{head}{body}</section>'


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _shown(video: VideoFacts, signs: Sequence[str]) -> list[Hit]:
    return [hit for hit in video.hits if hit.detection.sign in signs]


def _rows(video: VideoFacts) -> tuple[list[str], int]:
    """Signs found or known to be there, else those whose tracks rise highest; and how many are left out."""
    signs = sorted({s.sign for s in (*video.detections, *(video.truth or ()))})
    if not signs and video.track is not None and len(video.track.centres):
        best = video.track.values.max(axis=0)
        order = sorted(range(len(best)), key=lambda i: (-best[i], video.track.signs[i] if video.track else ""))
        return [video.track.signs[i] for i in order[:IDLE_ROWS]], 0
    return signs[:ROWS], max(0, len(signs) - ROWS)


def _note(video: VideoFacts, sign: str) -> str:
    count = sum(1 for d in video.detections if d.sign == sign)
    return f"<small>{count} found</small>" if count else "<small>not found</small>"


def _player(video: VideoFacts, report: Path) -> str:
    if not is_video(video.file) or video.file is None or video.file.suffix.lower() not in PLAYABLE:
        return ""
    try:
        link = quote(Path(os.path.relpath(video.file.resolve(), report.resolve().parent)).as_posix())
    except ValueError:  # another drive on Windows
        link = video.file.resolve().as_uri()
    label = escape(f"Video {video.name}", quote=True)
    link = escape(link if link.startswith(("file:", ".")) else f"./{link}", quote=True)
    return (
        f'<div class="player"><video controls preload="metadata" muted src="{link}" aria-label="{label}"></video>'
        '<p aria-live="off">Choose a detection to play it.</p></div>'
    )
