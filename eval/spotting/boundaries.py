"""How well a detection is placed: hits within a tolerance, and the error of its start and end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from ..segments import Segments, as_segments
from .f1 import match, milliseconds

__all__ = ["BoundaryErrors", "HitRate", "boundary_errors", "hit_rate"]


@dataclass(frozen=True)
class HitRate:
    """References of which a detection lies within the tolerance (seconds), each detection used once."""

    hits: int
    references: int
    tolerance: float

    @property
    def rate(self) -> float:
        return self.hits / self.references if self.references else 0.0


def hit_rate(truth: Segments, predictions: Segments, tolerance: float) -> HitRate:
    """References hit by the middle of a detection of their sign, at most `tolerance` outside [start, end].

    One detection hits one reference at most (maximum matching). The usual score of systems that give a moment, not
    an interval. `tolerance` is in seconds.

    Raises:
        ValueError: the tolerance is negative.
    """
    if tolerance < 0:
        raise ValueError(f"the tolerance is {tolerance}; expected at least 0")
    hits, predicted = 0, as_segments(predictions)
    for video, references in as_segments(truth).items():
        for sign in {s.sign for s in references}:
            intervals = milliseconds([s for s in references if s.sign == sign])
            middles = milliseconds([s for s in predicted.get(video, ()) if s.sign == sign]).mean(axis=1)
            hits += _matched(intervals, middles, round(1000 * tolerance, 6))
    return HitRate(hits, sum(len(rows) for rows in truth.values()), tolerance)


def _matched(intervals: NDArray[np.float64], middles: NDArray[np.float64], tolerance: float) -> int:
    if not len(middles):
        return 0
    middles = np.sort(middles)
    low = np.searchsorted(middles, intervals[:, 0] - tolerance, side="left")
    count = np.searchsorted(middles, intervals[:, 1] + tolerance, side="right") - low
    row = np.repeat(np.arange(len(intervals)), count)
    column = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    graph = coo_array((np.ones(len(row)), (row, column)), shape=(len(intervals), len(middles))).tocsr()
    return int(np.count_nonzero(maximum_bipartite_matching(graph, perm_type="column") >= 0))


@dataclass(frozen=True)
class BoundaryErrors:
    """Signed errors of matched detections (detection − reference; positive: late), in seconds.

    Attributes:
        start, end: (N,) one per matched pair.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]

    def summary(self) -> dict[str, float]:
        """Median and 90th percentile of the absolute error, and the mean signed error, of starts and ends."""
        result: dict[str, float] = {"pairs": float(len(self.start))}
        for name, errors in (("start", self.start), ("end", self.end)):
            size = np.abs(errors)
            result[f"{name}_median"] = float(np.median(size)) if len(size) else float("nan")
            result[f"{name}_p90"] = float(np.quantile(size, 0.9)) if len(size) else float("nan")
            result[f"{name}_bias"] = float(errors.mean()) if len(size) else float("nan")
        return result


def boundary_errors(truth: Segments, predictions: Segments, threshold: float = 0.1) -> BoundaryErrors:
    """Errors of start and end over the one-to-one pairs with IoU ≥ `threshold`.

    A low threshold keeps the badly placed ones in; a high one would flatter the error.
    """
    detections, parts = as_segments(predictions), [np.zeros((0, 2))]
    for video, references in as_segments(truth).items():
        predicted = detections.get(video, [])
        pairs = np.array([pair[:2] for pair in match(references, predicted, threshold)], np.intp).reshape(-1, 2)
        parts.append(milliseconds(predicted)[pairs[:, 1]] - milliseconds(references)[pairs[:, 0]])
    errors = np.concatenate(parts) / 1000
    return BoundaryErrors(errors[:, 0], errors[:, 1])
