"""Alignment of exemplars with a query, frame by frame: where an exemplar fits, at which cost, and which span it covers.

Subsequence dynamic time warping (Müller 2007, Information Retrieval for Music and Motion, ch. 4.4) with the steps 1-1,
2-1 and 1-2, as in the organisers' baseline of the 2022 challenge: a path matches the exemplar as a whole with a stretch
of the query that is between half and twice as long, and cannot collapse onto a few frames. Signs in a sentence may last
a quarter of their dictionary form, so every exemplar is aligned at several lengths (`SCALES`).

All exemplars of one length advance together through the frames of the query, row by row of the exemplar, so the cost of
a query of T frames is that of a few passes over arrays of T numbers for each frame of an exemplar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCALES", "Profiles", "align", "align_everywhere", "profiles", "resampled", "unit_rows"]

SCALES: tuple[float, ...] = (0.3, 0.45, 0.67, 1.0)
"""Lengths at which an exemplar is aligned, as shares of its own; with the steps they cover 0.15 to 2 times it."""

SHORTEST = 4
"""Frames; a shorter exemplar is a posture."""

UNREACHED = np.float32(2.0)
"""Mean cost where no path ends: no alignment costs more, a frame's cost is at most 2."""

CHUNK = 4096
"""Frames of the query that are aligned together: few enough for the processor's cache."""

Array = NDArray[np.float32]


class Profiles(NamedTuple):
    """The cheapest alignment that ends at each frame of a query.

    Attributes:
        cost: (…, T) mean cost of a frame, in [0, 2]; `UNREACHED` where no path ends.
        length: (…, T) int16, frames of the query that the path covers, its last one included.
    """

    cost: Array
    length: NDArray[np.int16]


def unit_rows(features: NDArray[np.floating]) -> Array:
    """Features (…, F) divided by their length."""
    rows = np.asarray(features, np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-8)


def resampled(features: NDArray[np.floating], length: int) -> Array:
    """Features (E, F) at `length` evenly spaced moments, linearly interpolated; the middles of equal shares."""
    features = np.asarray(features, np.float32)
    positions = np.clip((np.arange(length) + 0.5) * len(features) / length - 0.5, 0, len(features) - 1)
    low = np.floor(positions).astype(np.intp)
    weight = (positions - low).astype(np.float32)[:, None]
    high = np.minimum(low + 1, len(features) - 1)
    return features[low] * (1 - weight) + features[high] * weight


def profiles(exemplars: Sequence[NDArray[np.floating]], query: Array, scales: Sequence[float] = SCALES) -> Profiles:
    """Every exemplar at every scale, aligned everywhere: arrays (E, scales, T).

    Args:
        exemplars: E frame features (T_e, F).
        query: (T, F) unit rows.
    """
    shape = (len(exemplars), len(scales), len(query))
    found = Profiles(np.full(shape, UNREACHED, np.float32), np.ones(shape, np.int16))
    places: dict[int, list[tuple[int, int]]] = {}
    for e, features in enumerate(exemplars):
        for s, scale in enumerate(scales):
            places.setdefault(max(SHORTEST, round(len(features) * scale)), []).append((e, s))
    for length, group in places.items():
        templates = np.stack([unit_rows(resampled(exemplars[e], length)) for e, _ in group])
        made = align_everywhere(templates, query)
        rows, columns = (list(axis) for axis in zip(*group, strict=True))
        found.cost[rows, columns], found.length[rows, columns] = made.cost, made.length
    return found


def align_everywhere(templates: Array, query: Array, chunk: int = CHUNK) -> Profiles:
    """Templates of one length, aligned with every stretch of a query: arrays (B, T).

    Args:
        templates: (B, R, F) unit rows; query: (T, F) unit rows.
        chunk: frames of the query at a time; the result does not depend on it.
    """
    count, rows, width = templates.shape
    frames = len(query)
    found = Profiles(np.full((count, frames), UNREACHED, np.float32), np.ones((count, frames), np.int16))
    flat = templates.reshape(count * rows, width)
    for first in range(0, frames, chunk):
        # a path covers at most two frames of the query for each of the template's
        low, end = max(0, first - 2 * rows), min(frames, first + chunk)
        costs = (1.0 - flat @ query[low:end].T).reshape(count, rows, end - low)
        total, start = _cheapest_paths(costs)
        kept = slice(first - low, None)
        columns = np.arange(first - low, end - low, dtype=np.int32)
        found.cost[:, first:end] = np.minimum(total[:, kept] / np.float32(rows), UNREACHED)
        found.length[:, first:end] = columns - start[:, kept] + 1
    return found


def _cheapest_paths(costs: Array) -> tuple[Array, NDArray[np.int32]]:
    """(total cost, start column), each (B, Q), of the cheapest path over all rows that ends in each column.

    Each row counts once: a 2-1 step pays for both rows, a 1-2 step the mean of both columns. Of equal paths the 1-1
    step is taken, then 2-1.

    Args:
        costs: (B, R, Q).
    """
    count, rows, columns = costs.shape
    shape = (count, columns)
    last, last_start = costs[:, 0].copy(), np.broadcast_to(np.arange(columns, dtype=np.int32), shape).copy()
    before, before_start = last, last_start
    step = np.empty(shape, np.float32)
    better = np.empty(shape, bool)
    for r in range(1, rows):
        here = costs[:, r]
        total, start = np.full(shape, np.inf, np.float32), np.zeros(shape, np.int32)
        np.add(last[:, :-1], here[:, 1:], out=total[:, 1:])
        start[:, 1:] = last_start[:, :-1]
        if r > 1:
            two = step[:, 1:]
            np.add(before[:, :-1], costs[:, r - 1, 1:], out=two)
            two += here[:, 1:]
            np.less(two, total[:, 1:], out=better[:, 1:])
            np.copyto(total[:, 1:], two, where=better[:, 1:])
            np.copyto(start[:, 1:], before_start[:, :-1], where=better[:, 1:])
        two = step[:, 2:]
        np.add(here[:, 1:-1], here[:, 2:], out=two)
        two *= np.float32(0.5)
        two += last[:, :-2]
        np.less(two, total[:, 2:], out=better[:, 2:])
        np.copyto(total[:, 2:], two, where=better[:, 2:])
        np.copyto(start[:, 2:], last_start[:, :-2], where=better[:, 2:])
        before, before_start, last, last_start = last, last_start, total, start
    unreached = ~np.isfinite(last)
    last_start[unreached] = np.broadcast_to(np.arange(columns, dtype=np.int32), shape)[unreached]
    return last, last_start


def align(
    exemplar: NDArray[np.floating], query: NDArray[np.floating], start: float, end: float, reach: float = 0.6
) -> tuple[float, float, float]:
    """(start, end, mean cost) of the stretch of the query, around frames [start, end), that the exemplar covers best.

    The exemplar is first brought to the window's length: a sign in a sentence may last a third of what it does in a
    dictionary, and the steps of the alignment allow half to twice the window.

    Args:
        exemplar: (E, F) frame features; query: (Q, F).
        start, end: the window in frames.
        reach: how far beyond the window, in window lengths, the alignment may look.
    """
    length = end - start
    first = int(np.clip(np.floor(start - reach * length), 0, len(query) - 1))
    last = int(np.clip(np.ceil(end + reach * length), first + 1, len(query)))
    template = unit_rows(resampled(exemplar, max(SHORTEST, round(length))))
    near = unit_rows(query[first:last])
    cost, covered = (values[0] for values in align_everywhere(template[None], near))
    at = int(cost.argmin())
    if cost[at] >= UNREACHED:
        # the stretch is less than half as long as the window: nothing to align, the window stands
        return start, end, float((1.0 - template @ near.T).mean())
    return float(first + at + 1 - int(covered[at])), float(first + at + 1), float(cost[at])
