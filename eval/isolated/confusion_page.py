"""The confused pairs as a page: each pair with its clips, playable where the browser can, linked where it cannot."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from safe_files import write_text

from .confusion import ConfusedPair

__all__ = ["clip_files", "write_pairs_page"]

VIDEO = {".mp4", ".webm", ".mov", ".m4v", ".mkv"}

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}"
    "h2{font-size:1.05rem;margin:1.6rem 0 .4rem}figure{display:inline-block;margin:0 .8rem .8rem 0}"
    "video{width:14rem;background:#eee;display:block}figcaption{font-size:.85rem}.none{color:#777}"
)


def clip_files(folder: str | Path, clips: Iterable[str]) -> dict[str, Path]:
    """Clip id → its file in the folder, by the path inside it or by the name, with or without the ending.

    Raises:
        ValueError: there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"{root}: no such folder; expected the one with the clips")
    known: dict[str, Path] = {}
    # videos last, so that they win over poses of the same name
    files = [f for f in root.rglob("*") if f.is_file() and not f.name.startswith(".")]
    for file in sorted(files, key=lambda f: (f.suffix.lower() in VIDEO, f)):
        inside = file.relative_to(root)
        for name in (file.stem, file.name, inside.with_suffix("").as_posix(), inside.as_posix()):
            known[name] = file
    return {clip: known[clip] for clip in clips if clip in known}


def write_pairs_page(
    pairs: Sequence[ConfusedPair], files: Mapping[str, Path], path: str | Path, shown: int = 12
) -> None:
    """Writes the page, whole or not at all; files are linked relative to it.

    Args:
        files: clip id → file; a clip without one is named only.
        shown: clips per pair.
    """
    path = Path(path)
    parts = [f"<!doctype html><meta charset=utf-8><title>Confused signs</title><style>{STYLE}</style>"]
    parts.append("<h1>Signs taken for others</h1>" + ("" if pairs else "<p>None: every clip was named rightly.</p>"))
    for pair in pairs:
        parts.append(
            f"<h2>{escape(pair.sign)} taken for {escape(pair.taken_for)}: "
            f"{pair.count} of {pair.clips_of_sign} clips</h2>"
        )
        parts += [_figure(clip, files.get(clip), path.parent) for clip in pair.clips[:shown]]
        if len(pair.clips) > shown:
            parts.append(f"<p>… and {len(pair.clips) - shown} more</p>")
    write_text(path, "\n".join(parts) + "\n")


def _figure(clip: str, file: Path | None, beside: Path) -> str:
    if file is None:
        return f"<figure><figcaption class=none>{escape(clip)} (no file)</figcaption></figure>"
    link = quote(Path(os.path.relpath(file.resolve(), beside.resolve())).as_posix())
    video = f'<video src="{link}" controls muted loop preload=metadata></video>' if file.suffix.lower() in VIDEO else ""
    return f'<figure>{video}<figcaption><a href="{link}">{escape(clip)}</a></figcaption></figure>'
