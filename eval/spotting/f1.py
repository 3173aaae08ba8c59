"""Spotting scores: the ECCV 2022 sign spotting challenge's F1, and a strict one-to-one F1.

Truth and predictions are ``{video: [(sign, start, end[, score]), …]}`` in one unit of time (milliseconds in the
challenge's files, else seconds). Every score carries its counts; every figure should say which of the two it is.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from ..intervals import overlapping

__all__ = ["CHALLENGE_THRESHOLDS", "Segments", "SpottingScore", "challenge_f1", "match", "one_to_one_f1"]

Segments = Mapping[str, Sequence[Sequence[Any]]]
"""Video → rows (sign, start, end[, score, …])."""

CHALLENGE_THRESHOLDS: NDArray[np.float64] = np.arange(0.2, 0.8 + 0.0499, 0.05)
"""The challenge's 13 thresholds; this very expression, whose rounding lets an IoU of exactly 0.6 or 0.8 count."""


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


def _warn_if_empty(truth: Segments, predictions: Segments) -> None:
    if not any(len(rows) for rows in truth.values()):
        warnings.warn("the ground truth holds no segment; every F1 is 0", stacklevel=3)
    if not any(len(predictions.get(video, ())) for video in truth):
        warnings.warn("no video of the ground truth has a prediction; every F1 is 0", stacklevel=3)


def challenge_f1(truth: Segments, predictions: Segments) -> SpottingScore:
    """The challenge's micro-averaged F1 over all videos, signs and 13 IoU thresholds, to the last digit.

    Of two predictions of one sign that follow each other in time (with no other sign's start between) and overlap,
    the EARLIER is dropped before matching; matching is not one-to-one; videos only in the predictions are ignored.
    """
    _warn_if_empty(truth, predictions)
    tp = fp = fn = 0
    for video, references in truth.items():
        predicted = sorted(predictions.get(video, ()), key=lambda row: row[1])
        kept = [
            row
            for row, after in zip_longest(predicted, predicted[1:])
            if after is None or row[0] != after[0] or row[2] <= after[1]
        ]
        best = _best_iou(references, kept)
        for threshold in CHALLENGE_THRESHOLDS:
            found = int(np.count_nonzero((best >= threshold) & (best > 0)))
            tp += found
            fn += len(references) - found
            fp += len(predicted) - found
    return SpottingScore("challenge", tp, fp, fn)


def _best_iou(references: Sequence[Sequence[Any]], predicted: Sequence[Sequence[Any]]) -> NDArray[np.float64]:
    """(len(references),) the best IoU of each with a prediction of the same sign; 0 where there is none."""
    best = np.zeros(len(references))
    by_sign = _by_sign(predicted)
    for sign, rows in _by_sign(references).items():
        others = by_sign.get(sign)
        if others:
            i, _, values = overlapping([references[i][1:3] for i in rows], [predicted[i][1:3] for i in others])
            np.maximum.at(best, np.asarray(rows)[i], values)
    return best


def _by_sign(rows: Sequence[Sequence[Any]]) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        groups[row[0]].append(i)
    return groups


def match(
    references: Sequence[Sequence[Any]], predicted: Sequence[Sequence[Any]], threshold: float = 0.5
) -> list[tuple[int, int, float]]:
    """Largest one-to-one matching of one video: (reference index, prediction index, IoU) with IoU ≥ threshold.

    Only segments of the same sign match. Among largest matchings the one with the greatest sum of IoU is taken.
    """
    pairs: list[tuple[int, int, float]] = []
    by_sign = _by_sign(predicted)
    for sign, rows in _by_sign(references).items():
        columns = by_sign.get(sign)
        if not columns:
            continue
        i, j, values = overlapping([references[i][1:3] for i in rows], [predicted[i][1:3] for i in columns])
        kept = values >= threshold - 1e-12
        pairs += [(rows[a], columns[b], value) for a, b, value in _assign(i[kept], j[kept], values[kept])]
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
    _warn_if_empty(truth, predictions)
    tp = fp = fn = 0
    for video, references in truth.items():
        predicted = predictions.get(video, ())
        found = len(match(references, predicted, threshold))
        tp, fp, fn = tp + found, fp + len(predicted) - found, fn + len(references) - found
    return SpottingScore(f"one-to-one@{threshold:g}", tp, fp, fn)
