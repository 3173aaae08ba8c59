"""Slow, obvious twins of the phonological measures."""

import numpy as np
from numpy.typing import NDArray


def similarity_residual(
    source: NDArray[np.float64], target: NDArray[np.float64], fit: list[int]
) -> NDArray[np.float64]:
    """(21, 2) residuals after the least-squares similarity on the joints `fit` (solved as a linear system)."""
    rows, right = [], []
    for j in fit:
        x, y = source[j]
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        right += list(target[j])
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    moved = np.stack([a * source[:, 0] - b * source[:, 1] + c, b * source[:, 0] + a * source[:, 1] + d], axis=1)
    return moved - target


def keyframes(speed: list[float], count: int, blank: int) -> list[int]:
    """The published loop, without wrapping at the start."""
    left = list(speed)
    chosen: list[int] = []
    for _ in range(count):
        if all(np.isinf(v) for v in left):
            left = list(speed)
        at = min(range(len(left)), key=lambda i: (left[i], i))
        chosen.append(at)
        for k in range(max(0, at - blank), min(len(left), at + blank + 1)):
            left[k] = np.inf
    return sorted(chosen)


def medoid_linkage(table: NDArray[np.float64], stop: float) -> list[set[int]]:
    groups = [{i} for i in range(len(table))]
    while len(groups) > 1:
        medoids = [min(sorted(g), key=lambda i: (sum(table[i, j] for j in g), i)) for g in groups]
        pairs = [(table[medoids[i], medoids[j]], i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
        distance, i, j = min(pairs)
        if distance >= stop:
            break
        groups = [g for k, g in enumerate(groups) if k not in (i, j)] + [groups[i] | groups[j]]
    return groups
