"""Learning a sign from a few decisions: a linear head on frozen vectors, recalibrated scores, what to ask next.

Functions on arrays. A head starts from what the similarity to the exemplars says and moves away from it as decisions
come: logistic regression with the similarity's log odds as offset and a Gaussian prior on everything else, in a space
in which signing at large is round (vectors minus their mean, decorrelated: as in linear discriminant analysis, and in
"exemplar LDA", Hariharan, Malik and Ramanan 2012). With no decisions the order is the search's own; with two accepted
and two rejected hits it already leans; everything follows from the data, nothing is drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Calibration", "Head", "HeadOptions", "Scored", "Space", "ask_order", "fit_calibration", "fit_head",
    "prior_log_odds", "scores_of", "space_of",
]  # fmt: skip

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HeadOptions:
    """How much a decision moves a head; chosen on `asl-13` and `ksl-20` (scripts/quality/decisions.py).

    Attributes:
        slope, middle: log odds of a hit before any decision: slope · (cosine − middle).
        variance: of the prior on a weight of the head.
        bias_variance: of the prior on its bias.
        undecided: weight of an undecided hit as a negative, times how improbable it is. Most hits are no occurrences;
            without them a head that has seen only accepted hits believes everything.
        shrinkage: of the covariance of signing at large towards a round one, in [0, 1].
    """

    slope: float = 25.0
    middle: float = 0.72
    variance: float = 20.0
    bias_variance: float = 0.5
    undecided: float = 0.2
    shrinkage: float = 0.3


@dataclass(frozen=True, eq=False)
class Space:
    """Where signing at large is round: z = (x − mean) · matrix, scaled to length 1."""

    mean: Array
    matrix: Array

    def __call__(self, vectors: NDArray[np.floating]) -> Array:
        """(N, D) unit rows of vectors (N, D)."""
        moved = (np.asarray(vectors, np.float64) - self.mean) @ self.matrix
        return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12))


def space_of(background: NDArray[np.floating], shrinkage: float = HeadOptions.shrinkage) -> Space:
    """The space of vectors (N, D) drawn from everywhere.

    With fewer than two rows vectors stay as they are.
    """
    rows = np.asarray(background, np.float64)
    width = rows.shape[1]
    if len(rows) < 2:
        return Space(np.zeros(width), np.eye(width))
    covariance = np.cov(rows.T)
    round_one = np.eye(width) * np.trace(covariance) / width
    values, directions = np.linalg.eigh((1 - shrinkage) * covariance + shrinkage * round_one)
    matrix = directions @ np.diag(1 / np.sqrt(np.maximum(values, 1e-12))) @ directions.T
    return Space(rows.mean(axis=0), matrix)


def prior_log_odds(cosines: NDArray[np.floating], options: HeadOptions | None = None) -> Array:
    """Log odds (N,) that hits with these cosines are the sign, before any decision."""
    options = HeadOptions() if options is None else options
    return options.slope * (np.asarray(cosines, np.float64) - options.middle)


@dataclass(frozen=True, eq=False)
class Head:
    """A sign's linear head: log odds = offset + z · weights + bias."""

    weights: Array
    bias: float

    def log_odds(self, z: Array, offset: Array) -> Array:
        """(N,) of rows z (N, D) with offsets (N,)."""
        return offset + z @ self.weights + self.bias


def fit_head(
    z: Array,
    accepted: NDArray[np.bool_],
    offset: Array,
    weight: Array | None = None,
    options: HeadOptions | None = None,
) -> Head:
    """The head with the highest posterior; Newton's method with halved steps, so it always ends at the one optimum.

    Args:
        z: (N, D).
        accepted: (N,).
        offset: (N,) log odds before any decision.
        weight: (N,) of each row, at least 0; None is 1.

    Raises:
        ValueError: shapes disagree or a number is not finite.
    """
    options = HeadOptions() if options is None else options
    rows, width = z.shape
    weight = np.ones(rows) if weight is None else np.asarray(weight, np.float64)
    if not (len(accepted) == len(offset) == len(weight) == rows):
        raise ValueError(f"{rows} vectors, {len(accepted)} decisions, {len(offset)} offsets, {len(weight)} weights")
    if not (np.isfinite(z).all() and np.isfinite(offset).all() and (weight >= 0).all()):
        raise ValueError("vectors and offsets must be finite, weights at least 0")
    x = np.concatenate([z, np.ones((rows, 1))], axis=1)
    penalty = np.append(np.full(width, 1 / options.variance), 1 / options.bias_variance)
    y, found = np.asarray(accepted, np.float64), np.zeros(width + 1)

    def loss(w: Array) -> float:
        u = x @ w + offset
        return float((weight * (np.logaddexp(0, u) - y * u)).sum() + 0.5 * (penalty * w * w).sum())

    for _ in range(100):
        p = _probability(x @ found + offset)
        gradient = x.T @ (weight * (p - y)) + penalty * found
        curvature = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        size, before = 1.0, loss(found)
        while loss(found - size * step) > before and size > 1e-6:
            size /= 2
        found = found - size * step
        if float(np.abs(size * step).max()) < 1e-9:
            break
    return Head(found[:-1], float(found[-1]))


def _probability(log_odds: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -40, 40))))


@dataclass(frozen=True)
class Calibration:
    """From a head's log odds to a probability: one line for all signs."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, log_odds: NDArray[np.floating]) -> Array:
        """Probabilities (N,), in the order of the log odds."""
        return _probability(self.slope * np.asarray(log_odds, np.float64) + self.shift)


def fit_calibration(log_odds: Array, accepted: NDArray[np.bool_]) -> Calibration:
    """The line that fits decisions best (Platt 1999), held near (1, 0) while they are few; its slope stays positive.

    Args:
        log_odds: (N,) of decided hits by heads that had not seen them.
        accepted: (N,).
    """
    if len(log_odds) == 0:
        return Calibration()
    y, found = np.asarray(accepted, np.float64), np.array([0.0, 0.0])
    x = np.stack([np.clip(log_odds, -20, 20), np.ones(len(log_odds))], axis=1)
    start, penalty = x[:, 0].copy(), np.array([20.0, 0.5])
    for _ in range(50):
        p = _probability(x @ found + start)
        gradient = x.T @ (p - y) + penalty * found
        curvature = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        found = found - np.linalg.solve(curvature, gradient)
        found[0] = max(found[0], -0.95)
    return Calibration(float(1 + found[0]), float(found[1]))


@dataclass(frozen=True, eq=False)
class Scored:
    """What `scores_of` gives for one sign's hits: log odds (N,), and those of decided hits by heads without them."""

    head: Head
    log_odds: Array
    unseen: Array


def scores_of(
    z: Array,
    cosines: NDArray[np.floating],
    decided: NDArray[np.int8],
    options: HeadOptions | None = None,
    folds: int = 5,
) -> Scored:
    """Scores of one sign's hits after decisions.

    Args:
        z: (N, D) rows of a `Space`.
        cosines: (N,) of the search.
        decided: (N,) 1 accepted, −1 rejected, 0 not decided.
        folds: decided hits are divided into so many parts, in their order, for `unseen`.
    """
    options = HeadOptions() if options is None else options
    offset = prior_log_odds(cosines, options)
    nobody = np.zeros(z.shape[1])
    if not decided.any():
        return Scored(Head(nobody, 0.0), offset, np.zeros(0))
    head = _fitted(z, offset, decided, options)
    rows = np.flatnonzero(decided)
    unseen = np.zeros(len(rows))
    for part in range(min(folds, len(rows))):
        left_out = rows[part::folds]
        rest = decided.copy()
        rest[left_out] = 0
        other = _fitted(np.delete(z, left_out, 0), np.delete(offset, left_out), np.delete(rest, left_out), options)
        unseen[part::folds] = other.log_odds(z[left_out], offset[left_out])
    return Scored(head, head.log_odds(z, offset), unseen)


def _fitted(z: Array, offset: Array, decided: NDArray[np.int8], options: HeadOptions) -> Head:
    weight = np.where(decided != 0, 1.0, options.undecided * (1 - _probability(offset)))
    return fit_head(z, decided > 0, offset, weight, options)


def ask_order(z: Array, probabilities: NDArray[np.floating], most: int = 50) -> list[int]:
    """Which hits to ask about first: uncertain ones, each unlike those before it.

    Greedy: the next hit has the largest product of its uncertainty, 4 p (1 − p), and its distance from the nearest one
    chosen before, (1 − cosine) / 2. Ties go to the earlier row.

    Args:
        z: (N, D) unit rows; probabilities: (N,).

    Returns:
        Indexes of at most so many hits.
    """
    p = np.asarray(probabilities, np.float64)
    worth, nearest = 4 * p * (1 - p), np.full(len(p), -1.0)
    chosen: list[int] = []
    while len(chosen) < min(most, len(p)):
        value = worth * (1 - nearest) / 2
        value[chosen] = -1.0
        chosen.append(int(value.argmax()))
        nearest = np.maximum(nearest, z @ z[chosen[-1]])
    return chosen
