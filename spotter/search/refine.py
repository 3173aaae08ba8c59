"""Boundary refinement: align an exemplar's frames with the query around a peak, so that the span is the sign's own.

Subsequence dynamic time warping (Müller 2007, Information Retrieval for Music and Motion, ch. 4.4): the exemplar is
matched as a whole with the stretch of the query that costs least; the stretch is the refined span.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embeddings.interpolation import rows_at

from .windows import SHORTEST

__all__ = ["align", "dtw_profile", "frame_costs", "resampled", "subsequence_dtw"]


def frame_costs(exemplar: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """(E, Q) one minus the cosine of frame features (E, F) and (Q, F)."""
    a = exemplar / np.maximum(np.linalg.norm(exemplar, axis=1, keepdims=True), 1e-8)
    b = query / np.maximum(np.linalg.norm(query, axis=1, keepdims=True), 1e-8)
    return 1.0 - a @ b.T


def subsequence_dtw(costs: NDArray[np.floating]) -> tuple[float, int, int]:
    """(total cost, start column, end column) of the cheapest path from the first row to the last.

    Rows are the exemplar's frames, columns the query's; the path may start and end in any column. Steps are 1-1, 2-1
    and 1-2 (as the challenge organisers' baseline has them), so the query may be between half and twice as fast as
    the exemplar and a path cannot collapse onto a few frames. Each row counts once: a 2-1 step pays for both rows, a
    1-2 step the mean of both columns. Both end columns belong to the path. Ties go to the 1-1 step, then 2-1.

    Raises:
        ValueError: an empty table.
    """
    total, start = dtw_profile(costs)
    end = int(total.argmin())
    return float(total[end]), int(start[end]), end


def dtw_profile(costs: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """(total cost, start column), each (Q,), of the cheapest path that ends in each column; see `subsequence_dtw`.

    Raises:
        ValueError: an empty table.
    """
    if costs.size == 0:
        raise ValueError(f"a cost table of shape {costs.shape}; expected at least one frame on each side")
    costs = np.asarray(costs, np.float64)
    rows, columns = costs.shape
    total = np.full((rows, columns), np.inf)
    start = np.zeros((rows, columns), np.intp)
    total[0], start[0] = costs[0], np.arange(columns)
    for i in range(1, rows):
        steps, origins = np.full((3, columns), np.inf), np.zeros((3, columns), np.intp)
        steps[0, 1:], origins[0, 1:] = total[i - 1, :-1] + costs[i, 1:], start[i - 1, :-1]
        if i > 1:
            steps[1, 1:] = total[i - 2, :-1] + costs[i - 1, 1:] + costs[i, 1:]
            origins[1, 1:] = start[i - 2, :-1]
        steps[2, 2:] = total[i - 1, :-2] + 0.5 * (costs[i, 1:-1] + costs[i, 2:])
        origins[2, 2:] = start[i - 1, :-2]
        best = steps.argmin(axis=0)
        total[i] = np.take_along_axis(steps, best[None], axis=0)[0]
        start[i] = np.take_along_axis(origins, best[None], axis=0)[0]
    return total[-1], start[-1]


def resampled(features: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Features (E, F) at `length` evenly spaced moments, linearly interpolated; the middles of equal shares."""
    return rows_at(features, (np.arange(length) + 0.5) * len(features) / length - 0.5)


def align(
    exemplar: NDArray[np.float32], query: NDArray[np.float32], start: float, end: float, reach: float = 0.6
) -> tuple[float, float, float]:
    """(start, end, mean cost) of the stretch of the query, around frames [start, end), that the exemplar covers best.

    The exemplar is first brought to the window's length: a sign in a sentence may last a third of what it does in a
    dictionary, and the steps of the alignment allow half to twice the window.

    Args:
        exemplar: (E, F) frame features; query: (Q, F).
        start, end: the peak's window in frames.
        reach: how far beyond the window, in window lengths, the alignment may look.
    """
    length = end - start
    first = int(np.clip(np.floor(start - reach * length), 0, len(query) - 1))
    last = int(np.clip(np.ceil(end + reach * length), first + 1, len(query)))
    exemplar = resampled(exemplar, max(SHORTEST, round(length)))
    costs = frame_costs(exemplar, query[first:last])
    total, a, b = subsequence_dtw(costs)
    if not np.isfinite(total):
        # the stretch is less than half as long as the window: nothing to align, the window stands
        return start, end, float(costs.mean())
    return float(first + a), float(first + b + 1), total / len(exemplar)
