"""Scores as curves: F1 over the IoU that is asked for, precision and recall over the detections' score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..segments import Segment, Segments, as_segments
from .f1 import SpottingScore, one_to_one_f1, pairs_by_sign

__all__ = ["PrecisionRecall", "average_precisions", "f1_per_iou", "precision_recall"]

ByVideo = Mapping[str, Sequence[Segment]]
IOU_STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def f1_per_iou(truth: Segments, predictions: Segments, thresholds: Sequence[float] = IOU_STEPS) -> list[SpottingScore]:
    """One-to-one score at each IoU threshold in (0, 1]."""
    return [one_to_one_f1(truth, predictions, threshold) for threshold in thresholds]


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall of the detections whose score is at least `score[i]`.

    Attributes:
        score: (K,) distinct scores, falling; detections of one score enter together.
        tp, fp: (K,) cumulated counts.
        references: number of segments in the ground truth.
        threshold: the IoU asked for.
    """

    score: NDArray[np.float64]
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    references: int
    threshold: float

    @property
    def precision(self) -> NDArray[np.float64]:
        return self.tp / np.maximum(self.tp + self.fp, 1)

    @property
    def recall(self) -> NDArray[np.float64]:
        return self.tp / max(self.references, 1)

    @property
    def average_precision(self) -> float:
        """Area under the curve, precision made to fall with recall (all points, as in PASCAL VOC 2010)."""
        envelope = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(np.diff(self.recall, prepend=0.0) * envelope))

    def best(self) -> tuple[float, SpottingScore]:
        """The score to cut at for the best F1 on this set, and that score's counts; (nan, …) without detections.

        Choose it on validation videos: on the test set it is an upper bound, not a result.
        """
        kind = f"one-to-one@{self.threshold:g}"
        if not len(self.score):
            return float("nan"), SpottingScore(kind, 0, 0, self.references)
        f1 = 2 * self.tp / np.maximum(self.tp + self.fp + self.references, 1)
        i = int(np.argmax(f1))
        counts = int(self.tp[i]), int(self.fp[i]), self.references - int(self.tp[i])
        return float(self.score[i]), SpottingScore(kind, *counts)


def precision_recall(truth: Segments, predictions: Segments, threshold: float = 0.5) -> PrecisionRecall:
    """Precision-recall curve over the detections' scores at one IoU.

    The usual detection rule: from the highest score down, each detection takes the free reference of its sign with
    the greatest IoU, if that is at least `threshold`. Ties in score are taken by video, start, end, sign.

    Raises:
        ValueError: a detection has no score.
    """
    references = as_segments(truth)
    scores, hits, _ = _ranked(references, as_segments(predictions), threshold)
    last = _last_of_each(scores)
    tp = np.cumsum(hits)[last]
    return PrecisionRecall(scores[last], tp, last + 1 - tp, sum(map(len, references.values())), threshold)


def average_precisions(
    truth: Segments, predictions: Segments, draws: NDArray[np.floating], threshold: float = 0.5
) -> NDArray[np.float64]:
    """(R,) average precision of R draws of the videos.

    Args:
        draws: (R, V) how often each video of the ground truth, in its order, is drawn.

    Raises:
        ValueError: a detection has no score, or the draws are of another number of videos.
    """
    references = as_segments(truth)
    if draws.shape[1] != len(references):
        raise ValueError(f"the draws are of {draws.shape[1]} videos; expected {len(references)}")
    scores, hits, videos = _ranked(references, as_segments(predictions), threshold)
    last = _last_of_each(scores)
    occurrences = draws @ np.array([len(segments) for segments in references.values()], np.float64)
    found = np.zeros(len(draws))
    for row, drawn in enumerate(draws):
        weight = drawn[videos]
        tp, listed = np.cumsum(weight * hits)[last], np.cumsum(weight)[last]
        envelope = np.maximum.accumulate((tp / np.maximum(listed, 1e-12))[::-1])[::-1]
        found[row] = np.sum(np.diff(tp, prepend=0.0) * envelope) / max(occurrences[row], 1)
    return found


def _last_of_each(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the last of each run of equal scores."""
    return np.flatnonzero(np.diff(scores, append=np.nan) != 0) if len(scores) else np.zeros(0, np.intp)


def _ranked(
    references: ByVideo, predicted: ByVideo, threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.intp]]:
    """(score, whether it hits, number of its video), each (N,), of every detection, the highest score first."""
    detections = sorted(_scored(references, predicted), key=lambda d: (-d[0], d[1], d[2]))
    candidates = _candidates(references, predicted, threshold)
    number = {video: at for at, video in enumerate(references)}
    matched: set[tuple[str, int]] = set()
    hits = np.zeros(len(detections), np.int64)
    for row, (_, video, _, index) in enumerate(detections):
        for reference in candidates.get((video, index), ()):
            if (video, reference) not in matched:
                matched.add((video, reference))
                hits[row] = 1
                break
    scores = np.array([d[0] for d in detections], np.float64)
    return scores, hits, np.array([number[d[1]] for d in detections], np.intp)


def _scored(references: ByVideo, predicted: ByVideo) -> Iterator[tuple[float, str, tuple[float, float, str], int]]:
    """(score, video, what breaks ties, index in the video) of each detection."""
    for video in references:
        for index, s in enumerate(predicted.get(video, ())):
            if s.score is None:
                raise ValueError(f"video {video}: detection {index} has no score; a curve needs one of each")
            yield s.score, video, (s.start, s.end, s.sign), index


def _candidates(references: ByVideo, predicted: ByVideo, threshold: float) -> dict[tuple[str, int], list[int]]:
    """Detection (video, index) → references it may take, best IoU first, then the earlier in the list."""
    candidates: dict[tuple[str, int], list[tuple[float, int]]] = {}
    for video, wanted in references.items():
        for rows, columns, (i, j, values) in pairs_by_sign(wanted, predicted.get(video, ())):
            near = values >= threshold - 1e-12
            for row, column, value in zip(rows[i[near]], columns[j[near]], values[near], strict=True):
                candidates.setdefault((video, int(column)), []).append((-value, int(row)))
    return {key: [reference for _, reference in sorted(options)] for key, options in candidates.items()}
