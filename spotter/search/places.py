"""From candidates to places: of the many spans about one place one is left, and signs compete for the same stretch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Places", "as_frequent", "by_sign", "competing", "distinct", "places_of"]

OVERLAP = 0.2
"""IoU above which two spans are the same place, as is a span of which more than half is shared."""

ALIKE = 0.5
"""IoU above which spans of one place count for its boundaries."""

FLOOR = -7.0
"""Log odds below which a candidate is no place: one in a thousand."""

USUAL_RATE, RATE_WEIGHT, RATE_LIMIT = 30.0, 0.3, 3.0
"""Occurrences of a sign an hour at which log odds stay as they are; by how much they grow with the logarithm of a rate
that differs from it; and at most."""

Floats = NDArray[np.float64]


class Places(NamedTuple):
    """P distinct places of signs in a video.

    Attributes:
        sign: (P,) number of the sign.
        spans: (P, 2) frames.
        log_odds: (P,) that the sign is there.
        row: (P,) index of the best candidate there.
    """

    sign: NDArray[np.intp]
    spans: Floats
    log_odds: Floats
    row: NDArray[np.intp]


def places_of(signs: NDArray[np.intp], spans: Floats, log_odds: Floats, keep_best: bool = False) -> Places:
    """Distinct places, those of each sign together, best first.

    A place's log odds are those of its best candidate; its span is the mean of all candidates alike, weighed by their
    probabilities (weighted boxes fusion, Solovyev et al. 2021).

    Args:
        signs: (N,); spans: (N, 2) frames; log_odds: (N,).
        keep_best: at least one place of each sign, however unlikely.
    """
    found: list[tuple[int, float, float, float, int]] = []
    able = log_odds > FLOOR
    if keep_best:
        able |= ~np.isin(signs, signs[able])
    for sign, rows in by_sign(signs, able):
        mine, odds = spans[rows], log_odds[rows]
        near = _Neighbours(mine)
        weight = 1 / (1 + np.exp(-np.clip(odds, -20, 20)))
        for at in distinct(mine, odds):
            about = near.of(at)
            about = about[_iou(mine[about], mine[at]) > ALIKE]
            start, end = (mine[about] * weight[about, None]).sum(axis=0) / weight[about].sum()
            found.append((sign, float(start), float(end), float(odds[at]), int(rows[at])))
    columns = np.array(found, np.float64).reshape(-1, 5)
    return Places(columns[:, 0].astype(np.intp), columns[:, 1:3], columns[:, 3], columns[:, 4].astype(np.intp))


def by_sign(signs: NDArray[np.intp], able: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each sign, ascending, and where in `signs` (N,) it is, ascending, among those that are able (N,)."""
    places = np.flatnonzero(able)
    order = places[np.argsort(signs[places], kind="stable")]
    firsts = np.flatnonzero(np.diff(signs[order], prepend=-1))
    for rows in np.split(order, firsts[1:]) if len(order) else ():
        yield int(signs[rows[0]]), rows


def distinct(spans: Floats, scores: Floats) -> list[int]:
    """Indexes of spans (N, 2) that are no place of a better one, best first; of equals the earlier in the list."""
    near, alive = _Neighbours(spans), np.ones(len(spans), bool)
    chosen = []
    for at in np.argsort(-scores, kind="stable").tolist():
        if not alive[at]:
            continue
        chosen.append(at)
        about = near.of(at)
        inner = np.maximum(np.minimum(spans[about, 1], spans[at, 1]) - np.maximum(spans[about, 0], spans[at, 0]), 0)
        lengths = spans[about, 1] - spans[about, 0]
        own = spans[at, 1] - spans[at, 0]
        alive[about[(inner > 0.5 * np.minimum(lengths, own)) | (inner > OVERLAP * (lengths + own - inner))]] = False
    return chosen


def competing(log_odds: Floats, spans: Floats) -> Floats:
    """(P,) probabilities of places (P, 2) of which at most one is right where they share most of a stretch.

    Each place's odds against "nothing there" and against all that overlap it by more than half of the shorter one.
    """
    odds = np.exp(np.clip(log_odds, -25, 25))
    total, near = 1 + odds, _Neighbours(spans)
    lengths = spans[:, 1] - spans[:, 0]
    for at in range(len(odds)):
        about = near.of(at)
        inner = np.minimum(spans[about, 1], spans[at, 1]) - np.maximum(spans[about, 0], spans[at, 0])
        rivals = about[(inner > 0.5 * np.minimum(lengths[about], lengths[at])) & (about != at)]
        total[at] += odds[rivals].sum()
    return odds / total


def as_frequent(log_odds: Floats, spans: Floats, hours: float) -> Floats:
    """(P,) log odds, higher in a video whose signs look frequent, lower in one where they look rare.

    The places' own probabilities say how many are expected. A judge that does not know how frequent signs are expects
    too few where they are frequent and too many where they are rare, so the rate that it expects moves all odds, by a
    part of what Bayes' rule would ask for if the rate were known.

    Args:
        spans: (P, 2) frames.
        hours: length of the video times the number of signs looked for.
    """
    if len(log_odds) == 0 or not hours > 0:
        return log_odds
    rate = max(float(competing(log_odds, spans).sum()) / hours, 1e-3)
    moved: Floats = log_odds + np.clip(RATE_WEIGHT * np.log(rate / USUAL_RATE), -RATE_LIMIT, RATE_LIMIT)
    return moved


class _Neighbours:
    """Which spans may meet a span: those that start near enough, found in the sorted starts."""

    def __init__(self, spans: Floats) -> None:
        self.spans = spans
        self.order = np.argsort(spans[:, 0], kind="stable")
        self.starts = spans[self.order, 0]
        self.longest = float((spans[:, 1] - spans[:, 0]).max(initial=0.0))

    def of(self, at: int) -> NDArray[np.intp]:
        first = np.searchsorted(self.starts, self.spans[at, 0] - self.longest, side="left")
        last = np.searchsorted(self.starts, self.spans[at, 1], side="right")
        return self.order[first:last]


def _iou(spans: Floats, one: Floats) -> Floats:
    inner = np.maximum(np.minimum(spans[:, 1], one[1]) - np.maximum(spans[:, 0], one[0]), 0)
    made: Floats = inner / (np.maximum(spans[:, 1], one[1]) - np.minimum(spans[:, 0], one[0]))
    return made
