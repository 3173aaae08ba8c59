"""Evidence for candidates: what windows and alignment say, each compared with what chance would give here.

Two searches over blocks of exemplars (`block_candidates`: similarity track and alignment profiles, never held for more
than a few exemplars at once), then one pass over all candidates (`compared`: vectors of their own spans, the best other
sign there). Everything is arrays over candidates; the cost grows in line with the video and with the gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from .alignment import SCALES, SHORTEST, UNREACHED, Profiles, profiles, unit_rows
from .candidates import Candidates, aligned_spans, allowed_places, peaks_of, track_spans
from .cohort import Cohort, chance_tail, log_chance, robust_spread
from .query import EXEMPLARS_AT_ONCE, SPANS_AT_ONCE, Query

__all__ = ["EVIDENCE", "PACE", "Examples", "gathered", "with_pace"]

EVIDENCE: tuple[str, ...] = (
    "match", "lead", "above_cohort", "above_video", "chance", "behind_best", "path", "length_ratio", "length",
)  # fmt: skip
"""What a candidate is judged by, apart from the video's pace.

*match*: cosine of its span with the exemplar minus the cost of aligning the exemplar there. *lead*: by how much both
exceed the best other sign there, of the gallery or of the cohort. *above_cohort*: by how many standard deviations they
exceed the cohort's best; *above_video*: what this exemplar usually gets in this video. *chance*: logarithm of how many
peaks as high as this one the video would hold by chance. *behind_best*: match minus that of the sign's best candidate
in the video. *path*: IoU of the span with the path of its alignment. *length_ratio*: logarithm of its length over the
exemplar's; *length*: logarithm of the exemplar's length in frames."""

PACE: tuple[str, ...] = ("pace", "off_pace", "abs_off_pace")
"""What is added when the video's pace is known: *pace*: the usual `length_ratio` of the signs in it; *off_pace*:
`length_ratio` minus that; *abs_off_pace*: its absolute value."""

NEAR = 4
"""Frames around a span's end in which the path of its alignment may end."""

MISPLACED = 0.5
"""What the cost of a path grows by when the path covers none of the span."""

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


@dataclass(eq=False)
class _BestOther:
    """The two cheapest alignments of different signs that end about each frame."""

    frames: int
    best: NDArray[np.float32] = field(init=False)
    second: NDArray[np.float32] = field(init=False)
    sign: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        self.best, self.second = (np.full(self.frames, UNREACHED, np.float32) for _ in range(2))
        self.sign = np.full(self.frames, -1, np.intp)

    def add(self, sign: int, cost: NDArray[np.float32]) -> None:
        mine, better = self.sign == sign, cost < self.best
        # what was best becomes second unless it is this sign's own
        np.copyto(self.second, self.best, where=better & ~mine)
        np.copyto(self.second, cost, where=~better & ~mine & (cost < self.second))
        np.copyto(self.best, cost, where=better)
        self.sign[better] = sign

    def without(self, signs: NDArray[np.intp], frames: NDArray[np.intp]) -> NDArray[np.float32]:
        """(N,) cheapest alignment of any other sign at these frames."""
        return np.where(self.sign[frames] == signs, self.second[frames], self.best[frames])


def gathered(query: Query, examples: Examples, cohort: Cohort, wanted: NDArray[np.bool_] | None = None) -> Candidates:
    """Every candidate of a query with its evidence (`EVIDENCE`).

    Args:
        wanted: (E,) exemplars that candidates are made of; the others still count as other signs. None: all.
    """
    others = _BestOther(query.frames)
    features = unit_rows(query.features)
    parts = []
    for first in range(0, len(examples.vectors), EXEMPLARS_AT_ONCE):
        rows = np.arange(first, min(first + EXEMPLARS_AT_ONCE, len(examples.vectors)))
        parts += _block(query, features, examples, rows, others, wanted)
    candidates = Candidates.joined(parts)
    if len(candidates) == 0:
        return candidates
    return _compared(query, examples, cohort, candidates, others, cohort.costs(features))


def _block(
    query: Query, features: NDArray[np.float32], examples: Examples, rows: NDArray[np.intp], others: _BestOther,
    wanted: NDArray[np.bool_] | None,
) -> list[Candidates]:  # fmt: skip
    """The candidates of a few exemplars, with what their own tracks say."""
    cosine, length = query.similarity(examples.vectors, rows)
    aligned = [row for row in rows if (given := examples.features[row]) is not None and len(given)]
    found = profiles([examples.features[row] for row in aligned], features)  # type: ignore[misc]
    cheapest = found.cost.min(axis=1) if len(aligned) else np.zeros((0, query.frames), np.float32)
    about = minimum_filter1d(cheapest, 5, axis=1)
    made = []
    for at, row in enumerate(rows.tolist()):
        if row in aligned:
            place = aligned.index(row)
            others.add(int(examples.signs[row]), about[place])
            own = Profiles(found.cost[place], found.length[place])
            usual = cheapest[place]
        else:
            own, usual = None, None
        if wanted is None or wanted[row]:
            made.append(_of_exemplar(query, examples, row, cosine[:, at], length[:, at], own, usual))
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
    cost_middle, cost_spread = 0.0, 1.0
    if own is not None and cheapest is not None:
        cost_middle, cost_spread = (float(x) for x in robust_spread(cheapest, 0, 0.01))
        scaled = [max(SHORTEST, round(frames * scale)) for scale in SCALES]
        spans.append(aligned_spans(own, scaled, cost_middle - 0.5 * cost_spread, most))
    made = Candidates.of_spans(row, np.concatenate(spans), query.frames)
    centre = np.rint(((made.start + made.end) / 2 - 0.5) / stride).astype(np.intp)
    track = np.stack([cosine[np.clip(centre + step, 0, len(cosine) - 1)] for step in (-1, 0, 1)]).max(axis=0)
    apart = APART_SECONDS * query.fps
    chance = log_chance(track, chance_tail(cosine[peaks_of(cosine, max(1, round(apart / stride)))]))
    if own is None or cheapest is None:
        nothing = np.zeros(len(made))
        return made.with_evidence(
            cost=np.full(len(made), np.nan), path=nothing + 1, chance=2 * chance, track_middle=nothing + middle,
            track_spread=nothing + spread, cost_middle=nothing, cost_spread=nothing + 1,
        )  # fmt: skip
    cost, path = _path_costs(own, made)
    chance = chance + log_chance(-cost, chance_tail(-cheapest[peaks_of(-cheapest, round(apart))]))
    same = np.ones(len(made))
    return made.with_evidence(
        cost=cost, path=path, chance=chance, track_middle=same * middle, track_spread=same * spread,
        cost_middle=same * cost_middle, cost_spread=same * cost_spread,
    )  # fmt: skip


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


def _compared(
    query: Query, examples: Examples, cohort: Cohort, candidates: Candidates, others: _BestOther,
    by_chance: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Candidates:  # fmt: skip
    """The evidence that needs the vectors of the spans and the other signs."""
    cosine, other, mean, spread = _span_cosines(query, examples, cohort, candidates)
    seen = candidates.evidence
    last = np.clip(np.rint(candidates.end).astype(np.intp) - 1, 0, query.frames - 1)
    signs = examples.signs[candidates.exemplar]
    usual, deviation = by_chance[0][last], by_chance[1][last]
    unaligned = np.isnan(seen["cost"])
    cost = np.where(unaligned, usual, seen["cost"])
    cost_middle = np.where(unaligned, cost, seen["cost_middle"])
    match = cosine - cost
    ratio = np.log((candidates.end - candidates.start) / examples.lengths[candidates.exemplar])
    return Candidates(
        candidates.exemplar, candidates.start, candidates.end, {}
    ).with_evidence(
        match=match,
        lead=cosine - np.maximum(other, mean) + np.minimum(others.without(signs, last), usual) - cost,
        above_cohort=(cosine - mean) / spread + (usual - cost) / deviation,
        above_video=(cosine - seen["track_middle"]) / seen["track_spread"] + (cost_middle - cost) / seen["cost_spread"],
        chance=seen["chance"],
        behind_best=match - _best_of_sign(match, signs),
        path=seen["path"],
        length_ratio=ratio,
        length=np.log(examples.lengths[candidates.exemplar]),
    )  # fmt: skip


def _span_cosines(
    query: Query, examples: Examples, cohort: Cohort, candidates: Candidates
) -> tuple[NDArray[np.float32], ...]:
    """(N,) of each span: cosine with its exemplar, with the best other sign; mean and spread of the cohort."""
    spans = candidates.spans
    made: list[tuple[NDArray[np.float32], ...]] = []
    step = max(64, min(SPANS_AT_ONCE, 4_000_000 // max(len(examples.vectors), 1)))
    for first in range(0, len(spans), step):
        rows = candidates.exemplar[first : first + step]
        vectors = query.embed(spans[first : first + step])
        similarity = vectors @ examples.vectors.T
        own = similarity[np.arange(len(rows)), rows].copy()
        similarity[examples.signs[None] == examples.signs[rows][:, None]] = -1.0
        made.append((own, similarity.max(axis=1), *cohort.statistics(vectors)))
    own, other, mean, spread = (np.concatenate(column) for column in zip(*made, strict=True))
    return own, other, mean, spread


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
    return candidates.with_evidence(pace=np.full(len(candidates), pace), off_pace=off, abs_off_pace=np.abs(off))
