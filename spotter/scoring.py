"""Ground truth and detections from whatever a user has them in, checked against each other and scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.segments import Segment, Segments, as_segments, by_video, read_segments

if TYPE_CHECKING:
    from eval.spotting.report import SpottingReport

__all__ = ["check_truth", "score", "segments_from"]


def segments_from(
    source: str | Path | Segments | Iterable[Segment],
    unit: str | None = None,
    fps: float | None = None,
    tiers: Sequence[str] | None = None,
) -> dict[str, list[Segment]]:
    """Video → segments.

    Args:
        source: a file (see `read_segments`, also for the other arguments), video → segments, or a list of segments.

    Raises:
        ValueError: the file cannot be read.
    """
    if isinstance(source, str | Path):
        return read_segments(source, unit, fps, tiers)
    return as_segments(source) if isinstance(source, Mapping) else by_video(source)


def check_truth(truth: Segments, detections: Segments) -> None:
    """Refuses ground truth and detections that can have nothing to do with each other (`eval.spotting.mismatch`).

    Raises:
        ValueError: no video or no sign in common, or different units.
    """
    from eval.spotting import mismatch

    if why := mismatch(truth, detections):
        raise ValueError(why)


def score(
    truth: str | Path | Segments | Iterable[Segment],
    detections: str | Path | Segments | Iterable[Segment],
    **options: Any,
) -> SpottingReport:
    """Every spotting figure of detections against ground truth, each with its counts.

    Args:
        truth, detections: a file of any form that `read_segments` reads, video → segments, or a list of segments.
        options: see `eval.spotting.report.spotting_report`: threshold, tolerance, durations, signers, seed.

    Raises:
        ValueError: a file cannot be read; no video or no sign in common, or different units.
    """
    from eval.spotting.report import spotting_report

    references, predictions = segments_from(truth), segments_from(detections)
    check_truth(references, predictions)
    return spotting_report(references, predictions, **options)
