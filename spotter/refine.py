"""Boundary refinement: align an exemplar's frames with the query around a peak, so that the span is the sign's own.

Subsequence dynamic time warping (Müller 2007, Information Retrieval for Music and Motion, ch. 4.4): the exemplar is
matched as a whole with the stretch of the query that costs least; the stretch is the refined span.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["align", "frame_costs", "subsequence_dtw"]


def frame_costs(exemplar: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """(E, Q) one minus the cosine of frame features (E, F) and (Q, F)."""
    a = exemplar / np.maximum(np.linalg.norm(exemplar, axis=1, keepdims=True), 1e-8)
    b = query / np.maximum(np.linalg.norm(query, axis=1, keepdims=True), 1e-8)
    return 1.0 - a @ b.T


def subsequence_dtw(costs: NDArray[np.floating]) -> tuple[float, int, int]:
    """(total cost, start column, end column) of the cheapest path from the first row to the last.

    Rows are the exemplar's frames, columns the query's; the path may start and end in any column and takes the steps
    (1, 0), (0, 1), (1, 1). Both columns belong to the path. Ties go to the earlier column.

    Raises:
        ValueError: an empty table.
    """
    if costs.size == 0:
        raise ValueError(f"a cost table of shape {costs.shape}; expected at least one frame on each side")
    costs = np.asarray(costs, np.float64)
    rows, columns = costs.shape
    index = np.arange(columns)
    # a path may start anywhere in the first row, and staying in it never pays: costs are not negative
    total, start = costs[0].copy(), index.copy()
    for i in range(1, rows):
        before = np.concatenate([[np.inf], total[:-1]])
        diagonal = before <= total
        entry = np.where(diagonal, before, total) + costs[i]
        origin = np.where(diagonal, np.concatenate([[0], start[:-1]]), start)
        # moving along the row: total[j] = min over k <= j of entry[k] + costs[i, k+1 .. j]
        along = np.cumsum(costs[i])
        reach = entry - along
        best = np.minimum.accumulate(reach)
        source = np.maximum.accumulate(np.where(reach <= best, index, 0))
        total, start = best + along, origin[source]
    end = int(total.argmin())
    return float(total[end]), int(start[end]), end


def align(
    exemplar: NDArray[np.float32], query: NDArray[np.float32], start: float, end: float, reach: float = 0.6
) -> tuple[float, float, float]:
    """(start, end, mean cost) of the stretch of the query, around frames [start, end), that the exemplar covers best.

    Args:
        exemplar: (E, F) frame features; query: (Q, F).
        start, end: the peak's window in frames.
        reach: how far beyond the window, in window lengths, the alignment may look.
    """
    length = end - start
    first = int(np.clip(np.floor(start - reach * length), 0, len(query) - 1))
    last = int(np.clip(np.ceil(end + reach * length), first + 1, len(query)))
    cost, a, b = subsequence_dtw(frame_costs(exemplar, query[first:last]))
    return float(first + a), float(first + b + 1), cost / len(exemplar)
