"""How sure a figure is: Wilson's interval, the bootstrap over videos or signers, and the paired bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Comparison", "Interval", "accuracy_of", "bootstrap_interval", "compared_draws", "f1_of", "holm",
    "paired_bootstrap", "resamples", "wilson",
]  # fmt: skip

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Summed counts (R, C) → one figure each (R,)."""


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def wilson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (E. B. Wilson, 1927), right also near 0 and 1.

    Raises:
        ValueError: not 0 <= successes <= trials, or no trial.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes of {trials} trials; expected 0 <= successes <= trials, and trials > 0")
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(level, method="wilson")
    return Interval(successes / trials, float(interval.low), float(interval.high), level)


def f1_of(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 of rows (TP, FP, FN); 0 where nothing was found."""
    tp, fp, fn = counts[:, 0], counts[:, 1], counts[:, 2]
    whole = 2 * tp + fp + fn
    return np.divide(2 * tp, whole, out=np.zeros_like(tp), where=whole > 0)


def accuracy_of(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Proportion of rows (right, all); 0 where there is nothing."""
    return np.divide(counts[:, 0], counts[:, 1], out=np.zeros(len(counts)), where=counts[:, 1] > 0)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of several tests, corrected for their number (S. Holm, 1979), in the order given.

    The smallest is multiplied by the number of tests, the next by one less, and so on; none falls below one before it.
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = largest
    return corrected


def resamples(clusters: int, repeats: int, seed: int) -> NDArray[np.float64]:
    """(repeats, clusters): how often each cluster is drawn, `clusters` draws with replacement a row."""
    if clusters < 2:
        raise ValueError(f"{clusters} cluster(s) to draw from; the bootstrap needs at least 2 videos or signers")
    chance = np.full(clusters, 1 / clusters)
    return np.random.default_rng(seed).multinomial(clusters, chance, size=repeats).astype(np.float64)


def bootstrap_interval(
    counts: ArrayLike, statistic: Statistic, repeats: int = 10_000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile interval of a figure of summed counts, drawing whole clusters (videos or signers).

    Clusters, not detections: those of one video or signer stand or fall together.

    Args:
        counts: (clusters, C), e.g. rows (TP, FP, FN) for `f1_of` or (right, all) for `accuracy_of`.

    Raises:
        ValueError: fewer than two clusters.
    """
    rows = np.asarray(counts, np.float64)
    drawn = statistic(resamples(len(rows), repeats, seed) @ rows)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(statistic(rows.sum(axis=0, keepdims=True))[0]), float(low), float(high), level)


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same clusters.

    Attributes:
        first, second: their figures.
        difference: first − second, with its interval.
        p_value: two-sided, of no difference.
    """

    first: float
    second: float
    difference: Interval
    p_value: float


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Statistic,
    repeats: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Is `first` better than `second`, or was it the draw of videos? Both are drawn together.

    The p-value is twice the smaller share of draws in which the difference has the other sign (or is none), each
    share counted as (k + 1) / (repeats + 1): it is never 0, and 1 for two equal systems.

    Raises:
        ValueError: the two have not the same clusters.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"the counts are {a.shape} and {b.shape}; expected the same videos in the same order")
    weights = resamples(len(a), repeats, seed)
    figures = [float(statistic(rows.sum(axis=0, keepdims=True))[0]) for rows in (a, b)]
    return compared_draws(figures[0], figures[1], statistic(weights @ a) - statistic(weights @ b), level)


def compared_draws(first: float, second: float, differences: NDArray[np.float64], level: float = 0.95) -> Comparison:
    """Two systems' figures and the differences (R,) that the same draws of clusters gave; see `paired_bootstrap`."""
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    tail = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    p_value = min(1.0, 2 * (int(tail) + 1) / (len(differences) + 1))
    return Comparison(first, second, Interval(first - second, float(low), float(high), level), p_value)
