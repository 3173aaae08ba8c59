"""What the report knows about each query: its detections judged by the ground truth, its length, its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.recordings.kinds import kind_of
from eval.segments import Segment

from ..detection import Detection

if TYPE_CHECKING:
    from ..search.track import SimilarityTrack

__all__ = ["Hit", "VideoFacts", "clock", "collect", "is_video"]


@dataclass(frozen=True)
class Hit:
    """A detection in the report: its number and, with ground truth, whether it is right (None: not known)."""

    number: int
    detection: Detection
    right: bool | None


def clock(seconds: float) -> str:
    """Seconds as m:ss.s, with hours where there are any."""
    tenths = round(seconds * 10)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600 / 10
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


@dataclass
class VideoFacts:
    """What the report knows about one query."""

    name: str
    detections: list[Detection]
    track: SimilarityTrack | None
    duration: float
    error: str
    file: Path | None
    truth: Sequence[Segment] | None
    hits: list[Hit]
    missed: list[bool]
    calibrated: bool = False
    warning: str = ""


def collect(
    results: Iterable[Any], media: Mapping[str, Path], truth: Mapping[str, Sequence[Segment]] | None
) -> list[VideoFacts]:
    """Facts of every video that a result, a media file or the ground truth names, in that order."""
    videos: dict[str, VideoFacts] = {}

    def video(name: str) -> VideoFacts:
        own = None if truth is None else truth.get(name)
        return videos.setdefault(name, VideoFacts(name, [], None, 0.0, "", media.get(name), own, [], []))

    for result in results:
        if isinstance(result, Detection):
            video(result.video).detections.append(result)
            continue
        one = video(result.video)
        one.detections += result.detections
        one.track, one.duration, one.error = result.track, result.duration, result.error
        one.calibrated, one.warning = result.calibrated, result.warning
    for name in [*media, *(truth or {})]:
        video(name)
    number = 0
    for one in videos.values():
        one.detections.sort(key=lambda d: (d.start, d.end, d.sign))
        one.duration = _duration(one)
        right, one.missed = _judge(one)
        for d, fact in zip(one.detections, right, strict=True):
            number += 1
            one.hits.append(Hit(number, d, fact))
    return list(videos.values())


def _duration(video: VideoFacts) -> float:
    ends = [video.duration, *(d.end for d in video.detections), *(s.end for s in video.truth or ())]
    if video.track is not None and len(video.track.centres):
        ends.append(float(video.track.seconds[-1]))
    if video.duration == 0 and is_video(video.file):
        from embeddings.video import VideoError, probe

        try:
            ends.append(probe(str(video.file)).duration)
        except VideoError as error:
            video.error = video.error if video.error else str(error)
    return max(ends)


def is_video(file: Path | None) -> bool:
    """Whether the file is there and may be a video."""
    if file is None or not file.is_file():
        return False
    kind = kind_of(file)
    return kind is None or kind.filmed


def _judge(video: VideoFacts) -> tuple[list[bool | None], list[bool]]:
    """Which detections agree with the ground truth (one to one, IoU ≥ 0.5), and which of its segments were missed."""
    if video.truth is None:
        return [None] * len(video.detections), []
    from eval.spotting import match

    pairs = match(video.truth, video.detections)
    matched, right = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    return [j in right for j in range(len(video.detections))], [i not in matched for i in range(len(video.truth))]
