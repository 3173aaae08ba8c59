"""What a window of fixed length could reach at best: how much of an F1 is lost to length alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from .f1 import CHALLENGE_THRESHOLDS, Segments, SpottingScore

__all__ = ["centred_windows", "length_ceiling", "median_lengths"]


def median_lengths(truth: Segments) -> dict[Any, float]:
    """Sign → median length of its segments, in the unit of the input."""
    lengths: dict[Any, list[float]] = defaultdict(list)
    for rows in truth.values():
        for sign, start, end, *_ in rows:
            lengths[sign].append(end - start)
    return {sign: float(np.median(values)) for sign, values in lengths.items()}


def centred_windows(
    truth: Segments, length: float | Mapping[Any, float], offset: float = 0.0
) -> dict[str, list[tuple[Any, float, float]]]:
    """Every reference replaced by a window of the given length around its middle, moved by `offset`."""
    windows: dict[str, list[tuple[Any, float, float]]] = {}
    for video, rows in truth.items():
        windows[video] = []
        for sign, start, end, *_ in rows:
            size = length[sign] if isinstance(length, Mapping) else length
            middle = (start + end) / 2 + offset
            windows[video].append((sign, middle - size / 2, middle + size / 2))
    return windows


def length_ceiling(truth: Segments, length: float | Mapping[Any, float], offset: float = 0.0) -> SpottingScore:
    """The challenge F1 that perfectly centred windows of one length, or of one length per sign, could reach at most.

    Each reference is judged by its own window at the challenge's 13 thresholds. The challenge's rule that drops the
    earlier of two overlapping detections of a sign is left out: a spotter could keep them apart.

    Args:
        length: in the unit of the input; a mapping gives each sign its own (`median_lengths`).
        offset: how far each window is off the middle.

    Raises:
        ValueError: a length is not positive.
    """
    sizes = length.values() if isinstance(length, Mapping) else [length]
    if any(size <= 0 for size in sizes):
        raise ValueError(f"the window's length is {length}; expected a positive number")
    windows = centred_windows(truth, length, offset)
    a = np.array([row[1:3] for rows in truth.values() for row in rows], np.float64).reshape(-1, 2)
    b = np.array([row[1:3] for rows in windows.values() for row in rows], np.float64).reshape(-1, 2)
    inner = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    value = inner / (np.maximum(a[:, 1], b[:, 1]) - np.minimum(a[:, 0], b[:, 0]))
    tp = sum(int(np.count_nonzero(value >= threshold)) for threshold in CHALLENGE_THRESHOLDS)
    wrong = len(a) * len(CHALLENGE_THRESHOLDS) - tp
    return SpottingScore("length ceiling", tp, wrong, wrong)
