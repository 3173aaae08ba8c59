"""Evidence for candidates: what windows and alignment say, each compared with what chance would give here.

Every exemplar is searched for itself (`each`), then all candidates are compared at once: with the best other sign, with
the cohort, with the sign's best candidate. Everything is arrays over candidates; the cost grows in line with the video
and with the gallery.

From coarse to fine: a candidate's own span is embedded where there are few candidates (`FINE_PER_HOUR`). A dictionary
of thousands of signs has a hundred times as many; then the nearest window, which is embedded already, speaks for each
candidate first, and only those that it likes best get a vector of their own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .calibrate import Calibration
from .candidates import Candidates
from .cohort import Cohort
from .each import Examples, Search, nearest_windows, searched
from .evidence_names import EVIDENCE, PACE
from .query import SPANS_AT_ONCE, Query

__all__ = ["EVIDENCE", "FINE_AT_LEAST", "FINE_PER_HOUR", "PACE", "Examples", "gathered", "with_pace"]

FINE_PER_HOUR, FINE_AT_LEAST = 300_000, 100_000
"""Candidates that are embedded, an hour of video and at least: all of them up to about 240 signs."""


class SpanCosines(NamedTuple):
    """Of each candidate's span (N,): cosine with its exemplar; with the best other sign or the cohort, the higher."""

    own: NDArray[np.float32]
    other: NDArray[np.float32]


def gathered(
    query: Query, examples: Examples, cohort: Cohort, wanted: NDArray[np.bool_] | None = None,
    first_look: Calibration | None = None,
) -> Candidates:  # fmt: skip
    """Every candidate of a query with its evidence (`EVIDENCE`).

    Args:
        wanted: (E,) exemplars that candidates are made of; the others still count as other signs. None: all.
        first_look: weighs what windows say where there are more candidates than are embedded. None: all are embedded.
    """
    search = searched(query, examples, wanted)
    candidates = search.candidates
    if len(candidates) == 0:
        return candidates
    by_chance = cohort.costs(query.features)[0]
    fine = max(FINE_AT_LEAST, round(FINE_PER_HOUR * query.frames / query.fps / 3600))
    if first_look is None or len(candidates) <= fine:
        cosines = _span_cosines(query, examples, cohort, candidates)
    else:
        cosines = _window_cosines(query, examples, cohort, search)
        odds = first_look.log_odds(_compared(query, examples, search, cosines, by_chance).evidence)
        chosen = np.sort(np.argpartition(-odds, fine)[:fine])
        for coarse, exact in zip(cosines, _span_cosines(query, examples, cohort, candidates.rows(chosen)), strict=True):
            coarse[chosen] = exact
    return _compared(query, examples, search, cosines, by_chance)


def _compared(
    query: Query, examples: Examples, search: Search, cosines: SpanCosines,
    by_chance: NDArray[np.float32],
) -> Candidates:  # fmt: skip
    """The candidates with what they are compared with.

    Args:
        by_chance: (T,) mean of the costs of the cohort's best alignments.
    """
    candidates, seen = search.candidates, search.candidates.evidence
    cosine, other = cosines
    row = candidates.exemplar
    last = np.clip(np.rint(candidates.end).astype(np.intp) - 1, 0, query.frames - 1)
    signs = examples.signs[row]
    usual = by_chance[last]
    cost = np.where(np.isnan(seen["cost"]), usual, seen["cost"])
    match = cosine - cost
    cheapest_other = -search.aligned.without(signs, (last,))
    return Candidates(
        row, candidates.start, candidates.end, {}
    ).with_evidence(
        match=match,
        lead=cosine - other + np.minimum(cheapest_other, usual) - cost,
        chance=seen["chance"],
        behind_best=match - _best_of_sign(match, signs),
        path=seen["path"],
        length_ratio=np.log((candidates.end - candidates.start) / examples.lengths[row]),
        length=np.log(examples.lengths[row]),
    )  # fmt: skip


def _span_cosines(query: Query, examples: Examples, cohort: Cohort, candidates: Candidates) -> SpanCosines:
    """From vectors of the candidates' own spans."""
    spans, rivals = candidates.spans, _Rivals(examples)
    made: list[tuple[NDArray[np.float32], ...]] = []
    step = max(64, min(SPANS_AT_ONCE, 4_000_000 // max(len(examples.vectors), 1)))
    for first in range(0, len(spans), step):
        rows = candidates.exemplar[first : first + step]
        vectors = query.embed(spans[first : first + step])
        similarity = vectors @ examples.vectors.T
        own = similarity[np.arange(len(rows)), rows].copy()
        made.append((own, np.maximum(rivals.best(similarity, rows), cohort.statistics(vectors)[0])))
    return SpanCosines(*(np.concatenate(column) for column in zip(*made, strict=True)))


def _window_cosines(query: Query, examples: Examples, cohort: Cohort, search: Search) -> SpanCosines:
    """From the nearest window of each candidate."""
    signs = examples.signs[search.candidates.exemplar]
    places = nearest_windows(query, search.candidates)
    lengths = query.plan.lengths.tolist()
    usual = np.stack([cohort.statistics(query.windows(length).astype(np.float32))[0] for length in lengths])[places]
    other = np.maximum(search.windows.without(signs, places), usual)
    return SpanCosines(search.candidates.evidence["window"].copy(), other)


class _Rivals:
    """Which exemplars are of the same sign as each one."""

    def __init__(self, examples: Examples) -> None:
        self.signs = examples.signs
        self.order = np.argsort(examples.signs, kind="stable")
        self.first = np.searchsorted(examples.signs[self.order], np.arange(examples.signs.max() + 2))

    def best(self, similarity: NDArray[np.float32], rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """(N,) highest similarity (N, E) of another sign than that of each one's exemplar; overwrites the others."""
        sign = self.signs[rows]
        count = self.first[sign + 1] - self.first[sign]
        at = np.repeat(np.arange(len(rows)), count)
        within = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
        similarity[at, self.order[np.repeat(self.first[sign], count) + within]] = -1.0
        made: NDArray[np.float32] = similarity.max(axis=1)
        return made


def _best_of_sign(match: NDArray[np.float32], signs: NDArray[np.intp]) -> NDArray[np.float32]:
    """(N,) the highest match of each candidate's sign."""
    best = np.full(int(signs.max()) + 1, -np.inf, np.float32)
    np.maximum.at(best, signs, match)
    return best[signs]


def with_pace(candidates: Candidates, pace: float) -> Candidates:
    """The candidates with `PACE`.

    Args:
        pace: usual logarithm of a sign's length over its exemplar's, in this video.
    """
    off = candidates.evidence["length_ratio"] - np.float32(pace)
    return candidates.with_evidence(pace=np.full(len(candidates), pace), off_pace=off)
