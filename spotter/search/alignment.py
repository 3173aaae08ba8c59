"""Alignment of exemplars with a query, frame by frame: where an exemplar fits, at which cost, and which span it covers.

Subsequence dynamic time warping (Müller 2007, Information Retrieval for Music and Motion, ch. 4.4) with the steps 1-1,
2-1 and 1-2, as in the organisers' baseline of the 2022 challenge: a path matches the exemplar as a whole with a stretch
of the query that is between half and twice as long, and cannot collapse onto a few frames. Signs in a sentence may last
a quarter of their dictionary form, so every exemplar is aligned at several lengths (`SCALES`).

Many exemplars advance together through the frames of the query, row by row of the exemplar, so the cost of a query of T
frames is that of a few passes over arrays of T numbers for each frame of an exemplar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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

TOGETHER = 32768
"""Cells of a row that are computed together: as many as the processor's cache holds of all that a step needs."""

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
    low, high, weight = _mixture(len(features), length)
    return np.asarray(features[low] * (1 - weight[:, None]) + features[high] * weight[:, None], np.float32)


def _mixture(rows: int, length: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """(row before, row after, share of the one after), each (length,), of evenly spaced moments of so many rows."""
    positions = np.clip((np.arange(length) + 0.5) * rows / length - 0.5, 0, rows - 1)
    low = np.floor(positions).astype(np.intp)
    return low, np.minimum(low + 1, rows - 1), (positions - low).astype(np.float32)


def profiles(exemplars: Sequence[NDArray[np.floating]], query: Array, scales: Sequence[float] = SCALES) -> Profiles:
    """Every exemplar at every scale, aligned everywhere: arrays (E, scales, T).

    Args:
        exemplars: E frame features (T_e, F).
        query: (T, F) frame features.
    """
    shape = (len(exemplars), len(scales), len(query))
    if len(exemplars) == 0:
        return Profiles(np.zeros(shape, np.float32), np.zeros(shape, np.int16))
    firsts = np.cumsum([0, *(len(features) for features in exemplars)])
    templates = [
        _Template.resampled(features, first, max(SHORTEST, round(len(features) * scale)))
        for features, first in zip(exemplars, firsts.tolist(), strict=False)
        for scale in scales
    ]
    rows = np.concatenate([np.asarray(features, np.float32) for features in exemplars])
    made = _aligned(rows, templates, query, CHUNK)
    return Profiles(made.cost.reshape(shape), made.length.reshape(shape))


def align_everywhere(templates: Array, query: Array, chunk: int = CHUNK) -> Profiles:
    """Templates of one length, aligned with every stretch of a query: arrays (B, T).

    Args:
        templates: (B, R, F) unit rows; query: (T, F) frame features.
        chunk: frames of the query at a time; the result does not depend on it.
    """
    count, length, width = templates.shape
    everything = [_Template.whole(b * length, length) for b in range(count)]
    return _aligned(templates.reshape(count * length, width), everything, query, chunk)


@dataclass(frozen=True, eq=False)
class _Template:
    """Which mixture of two feature rows each row of a template is, scaled to length 1: arrays (R,)."""

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    low_share: Array
    high_share: Array

    @classmethod
    def whole(cls, first: int, length: int) -> _Template:
        """Unit rows as they are, from row `first` on."""
        rows = np.arange(first, first + length)
        return cls(rows, rows, np.ones(length, np.float32), np.zeros(length, np.float32))

    @classmethod
    def resampled(cls, features: NDArray[np.floating], first: int, length: int) -> _Template:
        """`unit_rows(resampled(features, length))`, where the features are rows from `first` on."""
        low, high, weight = _mixture(len(features), length)
        norms = np.maximum(np.linalg.norm(resampled(features, length), axis=1), 1e-8).astype(np.float32)
        return cls(first + low, first + high, (1 - weight) / norms, weight / norms)

    def __len__(self) -> int:
        return len(self.low)


def _aligned(rows: Array, templates: Sequence[_Template], query: Array, chunk: int) -> Profiles:
    """Templates, aligned with every stretch of a query: arrays (B, T).

    The similarity of a mixture of rows is the mixture of their similarities, so that each row is compared with the
    query once however many templates are made of it.

    Args:
        rows: (N, F) that the templates are mixtures of; query: (T, F) frame features.
    """
    frames, count = len(query), len(templates)
    found = Profiles(np.full((count, frames), UNREACHED, np.float32), np.ones((count, frames), np.int16))
    # together those of like length: a row of all of them is one operation, and the longest come first
    order = sorted(range(count), key=lambda b: -len(templates[b]))
    reach = 2 * max(map(len, templates), default=0)
    for first in range(0, frames, chunk):
        end = min(frames, first + chunk)
        # a path covers at most two frames of the query for each of the template's
        low = max(0, first - reach)
        similarity = rows @ unit_rows(query[low:end]).T
        together = max(1, TOGETHER // (end - low))
        for at in range(0, count, together):
            places = order[at : at + together]
            cost, length = _cheapest_paths([templates[b] for b in places], similarity)
            found.cost[places, first:end] = cost[:, first - low :]
            found.length[places, first:end] = length[:, first - low :]
    return found


def _cheapest_paths(templates: Sequence[_Template], similarity: Array) -> Profiles:
    """The cheapest path over all rows of each template that ends in each column: arrays (B, Q).

    Each row counts once: a 2-1 step pays for both rows, a 1-2 step the mean of both columns. Of equal paths the
    shortest is taken.

    Costs of a frame are multiples of 2^-24 (single precision, 1 minus a number up to 1), totals of 2^-25. So in a
    double a total leaves room for the column where its path starts, which is carried along as its last bits: the
    minimum of two totals chooses both.

    Args:
        templates: the longest first.
        similarity: (N, Q) of the rows that they are mixtures of.
    """
    count, columns = len(templates), similarity.shape[1]
    found = Profiles(np.full((count, columns), UNREACHED, np.float32), np.ones((count, columns), np.int16))
    # all templates in one line, each after two columns that no path can cross
    width = columns + 2
    here = np.full((count, width), np.inf)
    last, total, one, before, two = (np.full(count * width, np.inf) for _ in range(5))
    starts = np.arange(columns, 0, -1) * _start_unit(columns)
    lengths = np.array([len(template) for template in templates])
    low, high, low_share, high_share = (_rows_together(parts) for parts in zip(*map(_parts, templates), strict=True))
    for r in range(int(lengths[0])):
        active = int(np.searchsorted(-lengths, -r, side="left"))
        costs = similarity[low[r, :active]]
        costs *= low_share[r, :active, None]
        if high_share[r, :active].any():
            more = similarity[high[r, :active]]
            more *= high_share[r, :active, None]
            costs += more
        here[:active, 2:] = np.subtract(np.float32(1), costs, out=costs)
        n, line = active * width, here.reshape(-1)
        if r == 0:
            last[:] = line
            last.reshape(count, width)[:, 2:] += starts
        else:
            np.add(last[: n - 1], line[1:n], out=one[1:n])  # step 1-1
            np.add(line[: n - 1], line[1:n], out=two[1:n])  # step 1-2
            two[1:n] *= 0.5
            two[2:n] += last[: n - 2]
            np.minimum(one[:n], two[:n], out=total[:n])
            if r > 1:
                before[:n] += line[:n]  # step 2-1: what would have been the last 1-1, and this row
                np.minimum(total[:n], before[:n], out=total[:n])
            last, total, one, before = total, last, before, one
        for b in range(active - 1, -1, -1):
            if lengths[b] > r + 1:
                break
            found.cost[b], found.length[b] = _unpacked(last[b * width + 2 : (b + 1) * width], r + 1)
    return found


def _start_unit(columns: int) -> float:
    """What a column counts in the start that a total carries: all of them less than two totals differ at least."""
    return 2.0 ** -(26 + columns.bit_length())


def _parts(template: _Template) -> tuple[NDArray[Any], ...]:
    return template.low, template.high, template.low_share, template.high_share


def _rows_together(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """(R, B) of B arrays, the longest first; what is beyond the end of one is 0."""
    together = np.zeros((len(parts[0]), len(parts)), parts[0].dtype)
    for b, values in enumerate(parts):
        together[: len(values), b] = values
    return together


def _unpacked(packed: NDArray[np.float64], rows: int) -> tuple[Array, NDArray[np.int16]]:
    """(mean cost, length of the path), each (Q,), from totals with starts in their last bits."""
    reached = np.isfinite(packed)
    scaled = np.where(reached, packed, 0) * 2.0**25
    whole = np.floor(scaled)
    columns = np.arange(len(packed))
    start = len(packed) - np.rint((scaled - whole) * 2.0**-25 / _start_unit(len(packed)))
    cost = np.where(reached, whole * (2.0**-25 / rows), UNREACHED)
    length = np.where(reached, columns - start + 1, 1)
    return np.minimum(cost, UNREACHED).astype(np.float32), length.astype(np.int16)


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
    near = query[first:last]
    cost, covered = (values[0] for values in align_everywhere(template[None], near))
    at = int(cost.argmin())
    if cost[at] >= UNREACHED:
        # the stretch is less than half as long as the window: nothing to align, the window stands
        return start, end, float((1.0 - template @ unit_rows(near).T).mean())
    return float(first + at + 1 - int(covered[at])), float(first + at + 1), float(cost[at])
