"""How well a detection is placed: hits within a tolerance, and the error of its start and end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from .f1 import Segments, match

__all__ = ["BoundaryErrors", "HitRate", "boundary_errors", "hit_rate"]


@dataclass(frozen=True)
class HitRate:
    """References of which a detection lies within the tolerance, each detection used once."""

    hits: int
    references: int
    tolerance: float

    @property
    def rate(self) -> float:
        return self.hits / self.references if self.references else 0.0


def hit_rate(truth: Segments, predictions: Segments, tolerance: float) -> HitRate:
    """References hit by the middle of a detection of their sign, at most `tolerance` outside [start, end].

    One detection hits one reference at most (maximum matching). The usual score of systems that give a moment, not
    an interval. `tolerance` is in the unit of the input.

    Raises:
        ValueError: the tolerance is negative.
    """
    if tolerance < 0:
        raise ValueError(f"the tolerance is {tolerance}; expected at least 0")
    hits = 0
    for video, references in truth.items():
        predicted = predictions.get(video, ())
        for sign in {row[0] for row in references}:
            wanted = np.array([row[1:3] for row in references if row[0] == sign], np.float64)
            middles = np.array([(row[1] + row[2]) / 2 for row in predicted if row[0] == sign], np.float64)
            hits += _matched(wanted, middles, tolerance)
    return HitRate(hits, sum(len(rows) for rows in truth.values()), tolerance)


def _matched(wanted: NDArray[np.float64], middles: NDArray[np.float64], tolerance: float) -> int:
    if not len(middles):
        return 0
    middles = np.sort(middles)
    low = np.searchsorted(middles, wanted[:, 0] - tolerance, side="left")
    count = np.searchsorted(middles, wanted[:, 1] + tolerance, side="right") - low
    row = np.repeat(np.arange(len(wanted)), count)
    column = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    graph = coo_array((np.ones(len(row)), (row, column)), shape=(len(wanted), len(middles))).tocsr()
    return int(np.count_nonzero(maximum_bipartite_matching(graph, perm_type="column") >= 0))


@dataclass(frozen=True)
class BoundaryErrors:
    """Signed errors of matched detections (detection − reference; positive: late), in the unit of the input.

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
    pairs = [
        (predictions[video][p][1] - references[r][1], predictions[video][p][2] - references[r][2])
        for video, references in truth.items()
        for r, p, _ in match(references, predictions.get(video, ()), threshold)
    ]
    errors = np.array(pairs, np.float64).reshape(-1, 2)
    return BoundaryErrors(errors[:, 0], errors[:, 1])
