"""Pictures of a gallery's exemplars: taken afterwards where there are none, and shown on a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.recordings import Recording, find_recordings, read_recording
from safe_files import write_text

from .facts import is_video
from .pictures import data_url, jpeg_strips
from .skeletons import skeleton_strip

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["add_thumbnails", "thumbnail_page"]

STYLE = """:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 1320px; padding: 24px; font: 15px/1.45 system-ui, sans-serif; }
.grid { display: flex; flex-wrap: wrap; gap: 16px; } figure { margin: 0; max-width: 100%; }
img { display: block; max-width: 100%; border-radius: 8px; } figcaption { margin-top: 4px; overflow-wrap: anywhere; }
small { opacity: .7; }"""


def add_thumbnails(gallery: Gallery, media: Sequence[Path] = ()) -> tuple[int, list[str]]:
    """Gives exemplars without a picture one.

    Args:
        media: recordings, or folders of them, where clips are looked for by file name and name; then the place where
            they were enrolled.

    Returns:
        (pictures taken, ids of exemplars that have none still).

    Raises:
        ValueError: a path in `media` holds no recording.
    """
    by_name: dict[str, Recording] = {}
    for recording in find_recordings(media, ("frames",), recursive=True) if media else ():
        by_name.setdefault(recording.path.name, recording)
        by_name.setdefault(recording.name, recording)
    waiting: dict[Recording, list[int]] = {}
    for row, name in enumerate(gallery.ids):
        shown = _recording(gallery.facts[row], by_name)
        if gallery.thumbnail(name) is None and shown is not None:
            waiting.setdefault(shown, []).append(row)
    added = 0
    for recording, rows in waiting.items():
        spans = [(float(gallery.facts[row]["start"]), float(gallery.facts[row]["end"])) for row in rows]
        for row, picture in zip(rows, _pictures(recording, spans), strict=True):
            if picture:
                gallery.set_thumbnail(gallery.ids[row], picture)
                added += 1
    return added, [name for name in gallery.ids if gallery.thumbnail(name) is None]


def _recording(facts: dict[str, object], by_name: dict[str, Recording]) -> Recording | None:
    source, path = str(facts.get("source", "")), str(facts.get("path", ""))
    if "start" not in facts or "end" not in facts:
        return None
    found = by_name.get(source, by_name.get(Path(source).stem))
    if found is None and path and Path(path).exists():
        found = find_recordings([path])[0]
    return found


def _pictures(recording: Recording, spans: Sequence[tuple[float, float]]) -> list[bytes | None]:
    film = recording.media
    if film is not None and is_video(film):
        return [picture or None for picture in jpeg_strips(film, spans)]
    if recording.filmed:
        return [None] * len(spans)
    try:
        pose = read_recording(recording, ("pose",)).pose
    except ValueError:
        pose = None
    if pose is None:
        return [None] * len(spans)
    return [skeleton_strip(pose, round(start * pose.fps), round(end * pose.fps)) for start, end in spans]


def thumbnail_page(path: Path, gallery: Gallery, title: str) -> None:
    """An HTML page with every exemplar's picture, by sign."""
    figures = []
    for sign in gallery.labels:
        for name, label, facts in zip(gallery.ids, gallery.exemplar_labels, gallery.facts, strict=True):
            if label != sign:
                continue
            picture = gallery.thumbnail(name)
            shown = "<p>no picture</p>" if picture is None else f'<img alt="{escape(name)}" src="{data_url(picture)}">'
            source = escape(str(facts.get("source", "")))
            figures.append(
                f"<figure>{shown}<figcaption><b>{escape(name)}</b> <small>{source}</small></figcaption></figure>"
            )
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    name, counted = escape(title), f"{len(gallery.labels)} signs, {len(gallery)} exemplars"
    body = f'<h1>{name}</h1><p>{counted}</p><div class="grid">{"".join(figures)}</div>'
    head += f"<title>{name}</title><style>{STYLE}</style>"
    write_text(path, f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n')
