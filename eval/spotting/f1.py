"""Spotting scores: the ECCV 2022 sign spotting challenge's F1, and a strict one-to-one F1.

Truth and predictions are `eval.segments.Segments`, video → segments in seconds. Both scores are computed in
milliseconds, rounded to the nanosecond: an IoU that is exactly at a threshold counts, whichever file the times came
from, and the challenge's files score as its own program scores them. Every score carries its counts; every figure
should say which of the two it is.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from ..intervals import overlapping
from ..segments import Segment, Segments, as_segments, of_rows
from ..shared import nothing_shared

__all__ = [
    "CHALLENGE_THRESHOLDS", "SpottingScore", "challenge_f1", "match", "milliseconds", "mismatch", "one_to_one_f1",
    "pairs_by_sign",
]  # fmt: skip

CHALLENGE_THRESHOLDS: NDArray[np.float64] = np.arange(0.2, 0.8 + 0.0499, 0.05)
"""The challenge's 13 thresholds; this very expression, whose rounding lets an IoU of exactly 0.6 or 0.8 count."""
SCALE = 30.0
"""Median lengths of ground truth and predictions that differ by more than this factor are in different units."""


@dataclass(frozen=True)
class SpottingScore:
    """Counts first, ratios from them.

    Attributes:
        kind: "challenge" or "one-to-one", with the IoU.
        tp, fp, fn: true positives, false positives, false negatives. The challenge counts every threshold, and its
            `fp` may be negative (one prediction can match two references).
    """

    kind: str
    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp else 0.0

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn) if self.tp else 0.0

    @property
    def f1(self) -> float:
        if self.tp == 0:
            return 0.0
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __str__(self) -> str:
        return f"{self.kind} F1 {self.f1:.4f} (TP {self.tp}, FP {self.fp}, FN {self.fn})"


def mismatch(truth: Segments, predictions: Segments) -> str:
    """Why the predictions can have nothing to do with the ground truth, "" where they can.

    That is so where both hold segments and share no video or no sign, or where the lengths of their segments say that
    they are in different units.
    """
    references = [s for rows in as_segments(truth).values() for s in rows]
    predicted = [s for rows in as_segments(predictions).values() for s in rows]
    if not references or not predicted:
        return ""
    why = nothing_shared("video", truth, (video for video, rows in predictions.items() if len(rows)))
    why = why if why else nothing_shared("sign", (s.sign for s in references), (s.sign for s in predicted))
    if why:
        return why
    lengths = [median(s.duration for s in rows) for rows in (references, predicted)]
    if min(lengths) > 0 and max(lengths) / min(lengths) > SCALE:
        return (
            f"the segments of the ground truth last {lengths[0]:.3g} s at the median, those of the predictions "
            f"{lengths[1]:.3g} s: one of them is in another unit (s, ms or frames) than it was read as"
        )
    return ""


def _videos(truth: Segments, predictions: Segments) -> list[tuple[list[Segment], list[Segment]]]:
    """(references, predictions) of each video of the ground truth; warns where no score can be above 0."""
    # a warning is of this line, not of the caller's: it is shown once, however many figures are asked for
    predicted = as_segments(predictions)
    videos = [(references, predicted.get(video, [])) for video, references in as_segments(truth).items()]
    if not any(references for references, _ in videos):
        warnings.warn("the ground truth holds no segment; every F1 is 0", stacklevel=1)
    elif why := mismatch(truth, predictions):
        warnings.warn(why, stacklevel=1)
    elif not any(detections for _, detections in videos):
        warnings.warn("no video of the ground truth has a prediction; every F1 is 0", stacklevel=1)
    return videos


def milliseconds(segments: Sequence[Segment]) -> NDArray[np.float64]:
    """(N, 2) starts and ends in milliseconds, rounded to the nanosecond."""
    return np.round(1000 * np.array([(s.start, s.end) for s in segments], np.float64).reshape(-1, 2), 6)


def challenge_f1(truth: Segments, predictions: Segments) -> SpottingScore:
    """The challenge's micro-averaged F1 over all videos, signs and 13 IoU thresholds, to the last digit.

    Of two predictions of one sign that follow each other in time (with no other sign's start between) and overlap,
    the EARLIER is dropped before matching; matching is not one-to-one; videos only in the predictions are ignored.
    Warns where `mismatch` says why the score is 0.
    """
    tp = fp = fn = 0
    for references, predicted in _videos(truth, predictions):
        best = _best_iou(references, _without_earlier(predicted))
        for threshold in CHALLENGE_THRESHOLDS:
            hits = int(np.count_nonzero((best >= threshold) & (best > 0)))
            tp += hits
            fn += len(references) - hits
            fp += len(predicted) - hits
    return SpottingScore("challenge", tp, fp, fn)


def _without_earlier(predicted: Sequence[Segment]) -> list[Segment]:
    """By start, without each that overlaps the next one of the same sign."""
    times = milliseconds(predicted)
    order = np.argsort(times[:, 0], kind="stable").tolist()
    return [
        predicted[i]
        for i, after in zip_longest(order, order[1:])
        if after is None or predicted[i].sign != predicted[after].sign or times[i, 1] <= times[after, 0]
    ]


def _best_iou(references: Sequence[Segment], predicted: Sequence[Segment]) -> NDArray[np.float64]:
    """(len(references),) the best IoU of each with a prediction of the same sign; 0 where there is none."""
    best = np.zeros(len(references))
    for rows, _, (i, _, values) in pairs_by_sign(references, predicted):
        np.maximum.at(best, rows[i], values)
    return best


Pairs = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]


def pairs_by_sign(
    references: Sequence[Segment], predicted: Sequence[Segment]
) -> Iterable[tuple[NDArray[np.intp], NDArray[np.intp], Pairs]]:
    """Per sign: the rows of its references, of its predictions, and which of them overlap (i, j, IoU > 0)."""
    times, others = milliseconds(references), milliseconds(predicted)
    by_sign = _by_sign(predicted)
    for sign, rows in _by_sign(references).items():
        columns = by_sign.get(sign)
        if columns is not None:
            yield rows, columns, overlapping(times[rows], others[columns])


def _by_sign(segments: Sequence[Segment]) -> dict[str, NDArray[np.intp]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for i, segment in enumerate(segments):
        groups[segment.sign].append(i)
    return {sign: np.array(rows, np.intp) for sign, rows in groups.items()}


def match(
    references: Iterable[Segment | Sequence[Any]], predicted: Iterable[Segment | Sequence[Any]], threshold: float = 0.5
) -> list[tuple[int, int, float]]:
    """Largest one-to-one matching of one video: (reference index, prediction index, IoU) with IoU ≥ threshold.

    Only segments of the same sign match. Among largest matchings the one with the greatest sum of IoU is taken.
    """
    pairs: list[tuple[int, int, float]] = []
    for rows, columns, (i, j, values) in pairs_by_sign(of_rows(references), of_rows(predicted)):
        near = values >= threshold - 1e-12
        chosen = _assign(i[near], j[near], values[near])
        pairs += [(int(rows[a]), int(columns[b]), value) for a, b, value in chosen]
    return sorted(pairs)


def _assign(i: NDArray[np.intp], j: NDArray[np.intp], values: NDArray[np.float64]) -> list[tuple[int, int, float]]:
    """One-to-one choice among the pairs (i, j, value): as many as possible, then the greatest sum of values.

    Pairs that share no segment with another, nearly all of them in practice, are taken at once; the rest is solved
    as a sparse assignment in which each reference may also stay alone, at a price above any gain in IoU.
    """
    lonely = (np.bincount(i)[i] == 1) & (np.bincount(j)[j] == 1) if len(i) else np.zeros(0, bool)
    chosen = [(int(a), int(b), float(v)) for a, b, v in zip(i[lonely], j[lonely], values[lonely], strict=True)]
    i, j, values = i[~lonely], j[~lonely], values[~lonely]
    if not len(i):
        return chosen
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    n, m = len(rows), len(columns)
    alone = np.arange(n)
    # Costs stay positive: a sparse matrix drops zeros.
    cost = np.concatenate([2.0 - values, np.full(n, 2.0 * (n + 1))])
    graph = coo_array((cost, (np.concatenate([row, alone]), np.concatenate([column, m + alone]))), shape=(n, m + n))
    best = dict(zip(zip(row.tolist(), column.tolist(), strict=True), values.tolist(), strict=True))
    for a, b in zip(*min_weight_full_bipartite_matching(graph.tocsr()), strict=True):
        if b < m:
            chosen.append((int(rows[a]), int(columns[b]), best[int(a), int(b)]))
    return chosen


def one_to_one_f1(truth: Segments, predictions: Segments, threshold: float = 0.5) -> SpottingScore:
    """Micro-averaged F1 with one prediction per reference at most (maximum bipartite matching).

    Predictions in videos that the ground truth does not list are ignored; list a video with no segment to count
    its false alarms.

    Raises:
        ValueError: threshold outside (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"the IoU threshold is {threshold}; expected a number in (0, 1]")
    tp = fp = fn = 0
    for references, predicted in _videos(truth, predictions):
        hits = len(match(references, predicted, threshold))
        tp, fp, fn = tp + hits, fp + len(predicted) - hits, fn + len(references) - hits
    return SpottingScore(f"one-to-one@{threshold:g}", tp, fp, fn)
