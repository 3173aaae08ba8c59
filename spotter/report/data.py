"""What the report's program draws from: videos, detections, ground truth, tracks and pictures as one JSON object."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ..search.track import SimilarityTrack
from .facts import VideoFacts, is_video

__all__ = ["as_script", "page_data", "packed_track"]

PLAYABLE = (".mp4", ".m4v", ".webm", ".mov", ".ogv", ".mkv")
"""Videos that browsers may play; pictures are taken from any video."""
TRACK_BYTES = 900_000
"""Values of all tracks together, a byte each."""
POINTS = 1500
"""Most values of a track."""
DEFAULT_FPS = 25.0


def page_data(
    videos: Sequence[VideoFacts], report: Path, pictures: Mapping[int, str], examples: Mapping[str, str]
) -> dict[str, Any]:
    """The object that `templates/report.js` reads.

    Args:
        report: the page's file, from which videos are linked.
        pictures: detection number → data URL.
        examples: sign → data URL.
    """
    names = {d.sign for v in videos for d in v.detections} | {s.sign for v in videos for s in v.truth or ()}
    tracked = {sign for v in videos if v.track is not None for sign in v.track.signs}
    signs = sorted(names | tracked)
    index = {sign: i for i, sign in enumerate(signs)}
    rows = sum(len(v.track.signs) for v in videos if v.track is not None)
    bins = min(POINTS, TRACK_BYTES // max(rows, 1))
    verdicts = {None: 0, True: 1, False: 2}
    return {
        "signs": signs,
        "truth": any(v.truth is not None for v in videos),
        "videos": [_video(v, report, index, bins) for v in videos],
        "hits": [
            [
                at, index[h.detection.sign], round(h.detection.start, 3), round(h.detection.end, 3),
                round(h.detection.score, 4), verdicts[h.right],
            ]
            for at, v in enumerate(videos)
            for h in v.hits
        ],
        "pictures": {str(number): url for number, url in pictures.items()},
        "examples": {str(index[sign]): url for sign, url in examples.items() if sign in index},
    }  # fmt: skip


def as_script(data: Mapping[str, Any]) -> str:
    """JSON that can stand in a script element, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _video(video: VideoFacts, report: Path, index: Mapping[str, int], bins: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": video.name, "duration": round(video.duration, 3), "fps": DEFAULT_FPS, "src": ""}
    if video.error or video.warning:
        facts["error"] = " · ".join(why for why in (video.error, video.warning) if why)
    if is_video(video.file) and video.file is not None and video.file.suffix.lower() in PLAYABLE:
        facts |= {"src": _link(video.file, report), "fps": _rate(video.file)}
    if video.truth is not None:
        facts["truth"] = [
            [index[s.sign], round(s.start, 3), round(s.end, 3), int(miss)]
            for s, miss in zip(video.truth, video.missed, strict=True)
        ]
    if video.track is not None and len(video.track.centres) and bins > 0:
        facts["track"] = packed_track(video.track, index, bins)
    return facts


def _link(file: Path, report: Path) -> str:
    try:
        link = quote(Path(os.path.relpath(file.resolve(), report.resolve().parent)).as_posix())
    except ValueError:  # another drive on Windows
        return file.resolve().as_uri()
    return link if link.startswith(".") else f"./{link}"


def _rate(file: Path) -> float:
    from embeddings.video import VideoError, probe

    try:
        return round(probe(file).fps, 3) or DEFAULT_FPS
    except (VideoError, OSError):
        return DEFAULT_FPS


def packed_track(track: SimilarityTrack, index: Mapping[str, int], bins: int) -> dict[str, Any]:
    """A track in bytes: a row per sign, 0 for the usual similarity (the 0.3 quantile of all) or less, 255 for the best.

    Of long tracks every bin shows its maximum, so that no peak is lost.
    """
    values = np.where(np.isfinite(track.values), track.values, -np.inf)
    together = -(-len(values) // bins)
    pad = np.full((-len(values) % together, values.shape[1]), -np.inf, np.float32)
    best = np.concatenate([values, pad]).reshape(-1, together, values.shape[1]).max(axis=1)
    finite = values[np.isfinite(values)]
    low, high = (float(np.quantile(finite, 0.3)), float(finite.max())) if len(finite) else (0.0, 1.0)
    levels = np.clip((best - low) / max(high - low, 0.05), 0, 1)
    seconds = track.seconds
    step = float(seconds[1] - seconds[0]) if len(seconds) > 1 else 1.0
    return {
        "signs": [index[sign] for sign in track.signs],
        "start": round(float(seconds[0]), 3),
        "step": round(step * together, 5),
        "bins": len(best),
        "values": base64.b64encode(np.round(255 * levels).astype(np.uint8).T.tobytes()).decode(),
    }
