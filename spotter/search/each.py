"""The candidates of each exemplar, with what its own track and its own alignments say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from .alignment import SCALES, SHORTEST, UNREACHED, Profiles, profiles
from .candidates import Candidates, aligned_spans, allowed_places, peaks_of, track_spans
from .cohort import chance_tail, log_chance, robust_spread
from .query import EXEMPLARS_AT_ONCE, Query
from .rivals import BestTwo

__all__ = ["MISPLACED", "NEAR", "Examples", "Search", "nearest_windows", "searched"]

NEAR = 4
"""Frames around a span's end in which the path of its alignment may end."""

MISPLACED = 0.5
"""What the cost of a path grows by when the path covers none of the span."""

COUNTED_SECONDS = 180.0
"""So long a part of a video the peaks of chance are counted for. The videos that judges are fitted on are shorter; an
hour's peaks, counted all, would make every candidate look like chance, however many true ones that hour holds."""

APART_SECONDS = 0.32
"""By how much the peaks are apart from which the tail of chance is fitted."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Exemplars as arrays.

    Attributes:
        vectors: (E, D) unit rows.
        features: E frame features (T_e, F); an exemplar without any is searched by windows alone.
        signs: (E,) number of each one's sign.
        lengths: (E,) frames.
    """

    vectors: NDArray[np.float32]
    features: Sequence[NDArray[np.float32] | None]
    signs: NDArray[np.intp]
    lengths: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Search:
    """What searching a query with each exemplar for itself gives.

    Attributes:
        candidates: of all exemplars, those of each together, with the evidence *cost* and *path* of their alignment
            (NaN and 1 where there is none), *chance*, and *window*: the cosine of the nearest window.
        aligned: the cheapest alignments of different signs that end about each frame (T,), as their negative.
        windows: the most similar signs at each window length and centre (G, W).
    """

    candidates: Candidates
    aligned: BestTwo
    windows: BestTwo


def searched(query: Query, examples: Examples, wanted: NDArray[np.bool_] | None = None) -> Search:
    """Searches a query with every exemplar; tracks and alignments are held for a few exemplars at a time.

    Args:
        wanted: (E,) exemplars that candidates are made of; the others still count as other signs. None: all.
    """
    count = len(examples.vectors)
    made: list[Candidates] = []
    search = Search(
        Candidates.joined([]), BestTwo((query.frames,), -float(UNREACHED)),
        BestTwo((len(query.plan.lengths), len(query.centres)), -1.0),
    )  # fmt: skip
    for first in range(0, count, EXEMPLARS_AT_ONCE):
        rows = np.arange(first, min(first + EXEMPLARS_AT_ONCE, count))
        made += _block(query, examples, rows, search, wanted)
    return Search(Candidates.joined(made), search.aligned, search.windows)


def nearest_windows(query: Query, candidates: Candidates) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(window length, centre), indexes (N,), of the window that is most like each span."""
    spans = candidates.spans
    stride = float(query.centres[1] - query.centres[0]) if len(query.centres) > 1 else 1.0
    centre = np.rint((spans.mean(axis=1) - 0.5) / stride).astype(np.intp)
    lengths = np.log(query.plan.lengths.astype(np.float64))
    between = np.exp((lengths[1:] + lengths[:-1]) / 2)
    return np.searchsorted(between, spans[:, 1] - spans[:, 0]), np.clip(centre, 0, len(query.centres) - 1)


def _block(
    query: Query, examples: Examples, rows: NDArray[np.intp], search: Search, wanted: NDArray[np.bool_] | None
) -> list[Candidates]:
    """The candidates of a few exemplars; what they get is added to the search's tables."""
    windows = query.cosines(examples.vectors[rows])
    cosine, length = query.best_windows(windows, rows)
    aligned = [row for row in rows.tolist() if (given := examples.features[row]) is not None and len(given)]
    found = profiles([examples.features[row] for row in aligned], query.features)  # type: ignore[misc]
    cheapest = found.cost.min(axis=1) if len(aligned) else np.zeros((0, query.frames), np.float32)
    about = minimum_filter1d(cheapest, 5, axis=1)
    made = []
    for at, row in enumerate(rows.tolist()):
        sign = int(examples.signs[row])
        search.windows.add(sign, windows[:, :, at])
        own, usual = None, None
        if row in aligned:
            place = aligned.index(row)
            search.aligned.add(sign, -about[place])
            own, usual = Profiles(found.cost[place], found.length[place]), cheapest[place]
        if wanted is None or wanted[row]:
            one = _of_exemplar(query, examples, row, cosine[:, at], length[:, at], own, usual)
            made.append(one.with_evidence(window=windows[(*nearest_windows(query, one), at)]))
    return made


def _of_exemplar(
    query: Query, examples: Examples, row: int, cosine: NDArray[np.float32], length: NDArray[np.float32],
    own: Profiles | None, cheapest: NDArray[np.float32] | None,
) -> Candidates:  # fmt: skip
    """The candidates of one exemplar with what its track and its profiles say of them."""
    most, frames = allowed_places(query.frames, query.fps), float(examples.lengths[row])
    stride = float(query.centres[1] - query.centres[0]) if len(query.centres) > 1 else 1.0
    middle, spread = (float(x) for x in robust_spread(cosine, 0, 0.02))
    # in a short video that says the sign twice, the sign itself is the background
    least = min(middle + spread, 0.5, float(cosine.max())) if len(cosine) > 8 else -1.0
    spans = [track_spans(cosine, length, query.centres, frames, max(1, round(0.2 * frames / stride)), least, most)]
    if own is not None and cheapest is not None:
        cost_middle, cost_spread = (float(x) for x in robust_spread(cheapest, 0, 0.01))
        scaled = [max(SHORTEST, round(frames * scale)) for scale in SCALES]
        spans.append(aligned_spans(own, scaled, cost_middle - 0.5 * cost_spread, most))
    made = Candidates.of_spans(row, np.concatenate(spans), query.frames)
    centre = np.rint(((made.start + made.end) / 2 - 0.5) / stride).astype(np.intp)
    track = np.stack([cosine[np.clip(centre + step, 0, len(cosine) - 1)] for step in (-1, 0, 1)]).max(axis=0)
    apart, share = APART_SECONDS * query.fps, min(1.0, COUNTED_SECONDS * query.fps / query.frames)
    chance = log_chance(track, chance_tail(cosine[peaks_of(cosine, max(1, round(apart / stride)))]), share)
    if own is None or cheapest is None:
        return made.with_evidence(cost=np.full(len(made), np.nan), path=np.ones(len(made)), chance=2 * chance)
    cost, path = _path_costs(own, made)
    chance = chance + log_chance(-cost, chance_tail(-cheapest[peaks_of(-cheapest, round(apart))]), share)
    return made.with_evidence(cost=cost, path=path, chance=chance)


def _path_costs(own: Profiles, candidates: Candidates) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(cost, IoU of the path with the span), each (N,), of the alignment that fits each span best.

    A path that covers another stretch than the span costs more: `MISPLACED` times what it misses.
    """
    frames = own.cost.shape[1]
    last = np.rint(candidates.end).astype(np.intp) - 1
    best = np.full(len(candidates), np.inf, np.float32)
    covered = np.zeros(len(candidates), np.float32)
    for step in range(-NEAR, NEAR + 1):
        at = np.clip(last + step, 0, frames - 1)
        for cost, length in zip(own.cost, own.length, strict=True):
            end = at + 1
            start = end - length[at]
            inner = np.minimum(end, candidates.end) - np.maximum(start, candidates.start)
            union = np.maximum(end, candidates.end) - np.minimum(start, candidates.start)
            iou = np.clip(inner / union, 0, 1).astype(np.float32)
            value = cost[at] + MISPLACED * (1 - iou)
            better = value < best
            np.copyto(best, value, where=better)
            np.copyto(covered, iou, where=better)
    return best, covered
