"""Intervals in time: intersection over union. Unit-free: seconds, milliseconds or frames, all half-open."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_intervals", "iou", "merge", "overlapping"]


def as_intervals(values: ArrayLike) -> NDArray[np.float64]:
    """(N, 2) float64 of [start, end) rows.

    Raises:
        ValueError: wrong shape, not finite, or an end before its start; the message has the row.
    """
    rows = np.asarray(values, np.float64).reshape(-1, 2) if np.size(values) else np.zeros((0, 2))
    for i, (start, end) in enumerate(rows):
        if not (np.isfinite(start) and np.isfinite(end)):
            raise ValueError(f"interval {i} is [{start}, {end}); expected finite numbers")
        if end < start:
            raise ValueError(f"interval {i} is [{start}, {end}); its end lies before its start")
    return rows


def iou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union (N, M) of two lists of intervals (N, 2) and (M, 2), in [0, 1].

    Two intervals of length zero have none, also with themselves (0/0 never matches).
    """
    a = np.asarray(first, np.float64).reshape(-1, 2)[:, None]
    b = np.asarray(second, np.float64).reshape(-1, 2)[None]
    # The challenge's form: the union of two overlapping intervals is their hull.
    inner = np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0])
    hull = np.maximum(a[..., 1], b[..., 1]) - np.minimum(a[..., 0], b[..., 0])
    return np.maximum(0.0, np.divide(inner, hull, out=np.zeros_like(inner), where=hull > 0))


def overlapping(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Every pair of intervals of (N, 2) and (M, 2) that share time: (i, j, IoU > 0), sorted by i, then j.

    What `iou` holds beyond zeros, without its N x M memory: hours of dense predictions fit.

    Raises:
        ValueError: a time is not finite.
    """
    a = np.asarray(first, np.float64).reshape(-1, 2)
    b = np.asarray(second, np.float64).reshape(-1, 2)
    for rows in (a, b):
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            start, end = rows[bad[0]]
            raise ValueError(f"interval {bad[0]} is [{start}, {end}); expected finite numbers")
    if not len(a) or not len(b):
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    order = np.argsort(b[:, 0], kind="stable")
    starts = b[order, 0]
    # A partner starts before this one ends, and no earlier than the longest partner could have.
    longest = float((b[:, 1] - b[:, 0]).max())
    low = np.searchsorted(starts, a[:, 0] - longest, side="left")
    count = np.maximum(np.searchsorted(starts, a[:, 1], side="left") - low, 0)
    i = np.repeat(np.arange(len(a)), count)
    j = order[np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)]
    inner = np.minimum(a[i, 1], b[j, 1]) - np.maximum(a[i, 0], b[j, 0])
    shared = inner > 0
    i, j, inner = i[shared], j[shared], inner[shared]
    value = inner / (np.maximum(a[i, 1], b[j, 1]) - np.minimum(a[i, 0], b[j, 0]))
    sort = np.lexsort((j, i))
    return i[sort], j[sort], value[sort]


def merge(values: ArrayLike, gap: float = 0.0) -> NDArray[np.float64]:
    """Sorted intervals in which those that touch, overlap or lie at most `gap` apart are one: (K, 2)."""
    rows = as_intervals(values)
    merged: list[list[float]] = []
    for start, end in rows[np.lexsort((rows[:, 1], rows[:, 0]))]:
        if merged and start <= merged[-1][1] + gap:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, np.float64).reshape(-1, 2)
