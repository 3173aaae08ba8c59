"""Slow, obvious versions of what the library does fast: brute-force twins for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np


def naive_iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Overlap of two intervals over their union, by hand."""
    inner = min(a[1], b[1]) - max(a[0], b[0])
    union = (a[1] - a[0]) + (b[1] - b[0]) - max(inner, 0)
    return 0.0 if inner <= 0 or union <= 0 else inner / union


def naive_challenge(truth: dict, predictions: dict) -> tuple[int, int, int]:
    """The challenge's scorer, line by line as its text has it: (TP, FP, FN)."""
    thresholds = np.arange(0.2, 0.8 + 0.0499, 0.05)
    total_tp = total_fp = total_fn = 0
    for video in truth:
        g_list, p_list = truth[video], predictions.get(video, [])
        for t in thresholds:
            if not g_list:
                tp, fp, fn = 0, len(p_list), 0
            elif not p_list:
                tp, fp, fn = 0, 0, len(g_list)
            else:
                p_sorted = sorted(p_list, key=lambda p: p[1])
                kept = []
                for i, p in enumerate(p_sorted):
                    if i + 1 < len(p_sorted) and p_sorted[i + 1][0] == p[0] and p[2] > p_sorted[i + 1][1]:
                        continue
                    kept.append(p)
                tp = 0
                for g in g_list:
                    hit = False
                    for f in kept:
                        hull = max(f[2], g[2]) - min(f[1], g[1])
                        value = max(0, (min(f[2], g[2]) - max(f[1], g[1])) / hull) if hull > 0 else 0
                        hit = hit or (f[0] == g[0] and value >= t)
                    tp += hit
                fn = len(g_list) - tp
                fp = len(p_list) - tp
            total_tp, total_fp, total_fn = total_tp + tp, total_fp + fp, total_fn + fn
    return total_tp, total_fp, total_fn


def naive_largest_matching(truth: Sequence[Any], predicted: Sequence[Any], threshold: float) -> int:
    """Size of the largest one-to-one matching, by trying every assignment."""
    slots = list(range(len(predicted))) + [None] * len(truth)
    best = 0
    for order in set(permutations(slots, len(truth))):
        count = sum(
            p is not None
            and predicted[p][0] == g[0]
            and naive_iou(predicted[p][1:3], g[1:3]) >= threshold - 1e-12
            and naive_iou(predicted[p][1:3], g[1:3]) > 0
            for g, p in zip(truth, order, strict=True)
        )
        best = max(best, count)
    return best


def naive_subsequence_dtw(cost: np.ndarray) -> float:
    """Least total cost over every path with the steps 1-1, 2-1, 1-2, by trying all of them."""
    rows, columns = cost.shape

    def best_from(i: int, j: int) -> float:
        """Least cost of what follows cell (i, j) until the last row."""
        if i == rows - 1:
            return 0.0
        options = [np.inf]
        if j + 1 < columns:
            options.append(cost[i + 1, j + 1] + best_from(i + 1, j + 1))
            if i + 2 < rows:
                options.append(cost[i + 1, j + 1] + cost[i + 2, j + 1] + best_from(i + 2, j + 1))
        if j + 2 < columns:
            options.append(0.5 * (cost[i + 1, j + 1] + cost[i + 1, j + 2]) + best_from(i + 1, j + 2))
        return min(options)

    return min(cost[0, j] + best_from(0, j) for j in range(columns))
