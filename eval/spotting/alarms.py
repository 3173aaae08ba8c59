"""False alarms: how often a detection points at nothing, an hour of video."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..segments import Segments, as_segments
from .f1 import match

__all__ = ["FalseAlarms", "false_alarms", "false_alarms_on_negatives"]


@dataclass(frozen=True)
class FalseAlarms:
    """Wrong detections and the hours searched for them."""

    count: int
    hours: float

    @property
    def per_hour(self) -> float:
        return self.count / self.hours if self.hours > 0 else float("nan")


def _seconds(durations: Mapping[str, float], video: str) -> float:
    seconds = durations.get(video)
    if seconds is None or not seconds > 0:
        raise ValueError(f"video {video!r} has the duration {seconds}; expected its seconds (more than 0)")
    return seconds


def false_alarms(
    truth: Segments, predictions: Segments, durations: Mapping[str, float], threshold: float = 0.5
) -> FalseAlarms:
    """Detections that match no reference, an hour of video.

    Args:
        durations: video → seconds, for every video of the ground truth.
    """
    count, seconds = 0, 0.0
    for video, references in truth.items():
        predicted = predictions.get(video, ())
        count += len(predicted) - len(match(references, predicted, threshold))
        seconds += _seconds(durations, video)
    return FalseAlarms(count, seconds / 3600)


def false_alarms_on_negatives(
    truth: Segments, predictions: Segments, durations: Mapping[str, float], signs: Iterable[str] | None = None
) -> FalseAlarms:
    """Detections of a sign in videos that do not hold it, an hour of searching one sign.

    Each pair of a video and a sign that the video lacks counts the video's duration once: one sign looked for in
    ten hours without it, and ten signs in one hour, are both ten hours.

    Args:
        signs: the signs looked for; by default all that the ground truth or the predictions name.
    """
    references, predicted = as_segments(truth), as_segments(predictions)
    if signs is None:
        signs = {s.sign for rows in (*references.values(), *predicted.values()) for s in rows}
    searched = set(signs)
    count, seconds = 0, 0.0
    for video, rows in references.items():
        absent = searched - {s.sign for s in rows}
        count += sum(s.sign in absent for s in predicted.get(video, ()))
        seconds += len(absent) * _seconds(durations, video)
    return FalseAlarms(count, seconds / 3600)
