"""What a window of fixed length could reach at best: how much of an F1 is lost to length alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from ..segments import Segments, as_segments
from .f1 import CHALLENGE_THRESHOLDS, SpottingScore, milliseconds

__all__ = ["length_ceiling", "median_lengths"]


def median_lengths(truth: Segments) -> dict[str, float]:
    """Sign → median length of its segments, seconds."""
    lengths: dict[str, list[float]] = defaultdict(list)
    for rows in as_segments(truth).values():
        for segment, (start, end) in zip(rows, milliseconds(rows).tolist(), strict=True):
            lengths[segment.sign].append(end - start)
    return {sign: float(np.median(values)) / 1000 for sign, values in lengths.items()}


def length_ceiling(truth: Segments, length: float | Mapping[str, float], offset: float = 0.0) -> SpottingScore:
    """The challenge F1 that perfectly centred windows of one length, or of one length per sign, could reach at most.

    Each reference is judged by its own window at the challenge's 13 thresholds. The challenge's rule that drops the
    earlier of two overlapping detections of a sign is left out: a spotter could keep them apart.

    Args:
        length: seconds; a mapping gives each sign its own (`median_lengths`).
        offset: how far each window is off the middle, seconds.

    Raises:
        ValueError: a length is not positive.
    """
    sizes = length.values() if isinstance(length, Mapping) else [length]
    if any(size <= 0 for size in sizes):
        raise ValueError(f"the window's length is {length}; expected a positive number")
    segments = [s for rows in as_segments(truth).values() for s in rows]
    lengths = np.array([length[s.sign] if isinstance(length, Mapping) else length for s in segments], np.float64)
    half, a = np.round(1000 * lengths, 6) / 2, milliseconds(segments)
    middle = a.mean(axis=1) + round(1000 * offset, 6)
    b = np.stack([middle - half, middle + half], axis=1)
    inner = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    value = inner / (np.maximum(a[:, 1], b[:, 1]) - np.minimum(a[:, 0], b[:, 0]))
    tp = sum(int(np.count_nonzero(value >= threshold)) for threshold in CHALLENGE_THRESHOLDS)
    wrong = len(a) * len(CHALLENGE_THRESHOLDS) - tp
    return SpottingScore("length ceiling", tp, wrong, wrong)
