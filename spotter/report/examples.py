"""Pictures of the report: the surest detections, and an exemplar of every sign, within a budget of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .facts import Hit, VideoFacts, is_video

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["example_pictures", "hit_pictures"]

PICTURED = 150
"""Most detections with pictures; each costs up to a quarter of a second, since videos are read from a key frame on."""
HIT_BYTES, EXAMPLE_BYTES = 2_400_000, 900_000
"""Characters of the data URLs of all detections and of all exemplars, so that a report stays below 5 MB."""


def hit_pictures(videos: Sequence[VideoFacts]) -> dict[int, str]:
    """Detection number → picture strip: of the best detection of every sign, then of the surest."""
    from .pictures import strips

    shown = [(video, hit) for video in videos if is_video(video.file) for hit in video.hits]
    shown.sort(key=lambda pair: (-pair[1].detection.score, pair[1].number))
    best: dict[str, int] = {}
    for _, hit in shown:
        best.setdefault(hit.detection.sign, hit.number)
    first = set(best.values())
    chosen = sorted(shown, key=lambda pair: pair[1].number not in first)[:PICTURED]
    waiting: dict[str, list[Hit]] = {}
    for video, hit in chosen:
        waiting.setdefault(video.name, []).append(hit)
    pictures: dict[int, str] = {}
    for video in videos:
        hits = waiting.get(video.name, [])
        if hits:
            urls = strips(Path(str(video.file)), [(h.detection.start, h.detection.end) for h in hits])
            pictures |= {hit.number: url for hit, url in zip(hits, urls, strict=True) if url}
    budget, within = HIT_BYTES, dict[int, str]()
    for _, hit in chosen:
        url = pictures.get(hit.number, "")
        if url and len(url) <= budget:
            within[hit.number] = url
            budget -= len(url)
    return within


def example_pictures(
    videos: Sequence[VideoFacts], gallery: Gallery | str | Path | None, files_of: Mapping[str, Path]
) -> dict[str, str]:
    """Sign → its first exemplar's strip, those with most detections first: from the files given, else as the gallery
    keeps it, else from where it was enrolled."""
    from .pictures import data_url, strips

    counts: dict[str, int] = {}
    for d in (d for video in videos for d in video.detections):
        counts[d.sign] = counts.get(d.sign, 0) + 1
    signs, budget = sorted(counts, key=lambda sign: (-counts[sign], sign)), EXAMPLE_BYTES
    exemplars = _exemplars(gallery, set(signs))
    pictures: dict[str, str] = {}
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
        if url and len(url) <= budget:
            pictures[sign] = url
            budget -= len(url)
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
