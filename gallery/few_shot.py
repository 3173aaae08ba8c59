"""Which sign is it? From a few examples of each: nearest example, mean likeness, or a regularised linear head.

What is learned is small, in closed form, and follows from how alike the examples are: cosines of their vectors, or any
other likeness that is about 1 for the same and lower for others. With one example a sign the nearest example is all
there is. With more, each rule is tried on every example that has another of its sign, as if it were not there
(leave-one-out). The head is taken unless another rule is clearly better: its gains exceed its losses by twice the
square root of their number (about 95 %, McNemar 1947), since the best of several noisy shares is often the luckiest.

The head is kernel ridge regression of "this sign, not another" (Saunders, Gammerman and Vovk 1998) with the kernel
exp(s · (likeness − 1)): linear in a space in which only what is alike counts, so a sign with two variants keeps both.
Its leave-one-out predictions are y − a / diag(G) for the dual weights a and the inverse G of the regularised kernel
matrix (Rifkin and Lippert 2007), so trying it costs no more than fitting it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FewShot", "Rule", "fit_few_shot"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """How likenesses with examples become scores of signs.

    Attributes:
        name: "nearest", "mean" or "head".
        sharpness: s of the head's kernel: how much more a near example counts than a far one.
        ridge: of the head: how little a single example may move it.
    """

    name: str = "nearest"
    sharpness: float = 4.0
    ridge: float = 0.1


RULES = (Rule("head", 4.0, 0.1), Rule("head", 4.0, 1.0), Rule("head", 10.0, 1.0), Rule("nearest"), Rule("mean"))
"""What leave-one-out chooses from; a later one has to be clearly better."""
SCALES = np.geomspace(5, 80, 25)
"""Factors of the scores, of which leave-one-out takes the likeliest."""
USUAL_SCALE = 20.0
"""Where no sign has two examples: the factor of the cosines that the default encoder is trained with."""


@dataclass(frozen=True, eq=False)
class FewShot:
    """Signs as a few examples show them.

    Attributes:
        labels: (L,) the signs, in the order of their first example.
        weights: (N, L) of the examples in each sign's score; of "nearest" 1 for a sign's own examples, else 0.
        rule: how the scores are made.
        scale: probabilities are a softmax of the scores times this.
        left_out: share of the examples that the rule names rightly when they are left out; NaN where no sign has two.
    """

    labels: tuple[str, ...]
    weights: Array
    rule: Rule
    scale: float
    left_out: float

    def scores(self, alike: ArrayLike) -> Array:
        """(W, L) from the likeness (W, N) of clips with the examples; higher is likelier, the rule's own unit."""
        rows = np.atleast_2d(np.asarray(alike, np.float64))
        if self.rule.name == "nearest":
            return np.stack([rows[:, own > 0].max(axis=1) for own in self.weights.T], axis=1)
        if self.rule.name == "mean":
            return np.asarray(rows @ self.weights)
        return np.asarray(_kernel(rows, self.rule) @ self.weights)

    def probabilities(self, alike: ArrayLike) -> Array:
        """(W, L), rows sum to 1: of each sign, if the clip shows one of them. Of a likeness (W, N)."""
        return np.exp(_log_softmax(self.scale * self.scores(alike)))


def fit_few_shot(alike: ArrayLike, labels: Sequence[str], rule: Rule | None = None) -> FewShot:
    """A recogniser from examples.

    Args:
        alike: (N, N) likeness of the examples with each other; the mean of both directions counts.
        labels: N glosses; one example or more of each.
        rule: None lets leave-one-out choose.

    Raises:
        ValueError: no example, or lengths disagree.
    """
    given = np.asarray(alike, np.float64)
    if given.shape != (len(labels), len(labels)) or not len(labels):
        raise ValueError(
            f"{len(labels)} labels for likenesses of the shape {given.shape}; "
            "expected a row and a column each, at least one"
        )
    likeness = (given + given.T) / 2
    signs = tuple(dict.fromkeys(labels))
    column = {sign: k for k, sign in enumerate(signs)}
    own = np.array([column[label] for label in labels])
    member = np.eye(len(signs))[own]
    repeated = member.sum(axis=0)[own] > 1
    if not repeated.any():
        chosen = Rule() if rule is None else rule
        return FewShot(signs, _weights(likeness, member, chosen), chosen, USUAL_SCALE, float("nan"))
    truth, tried = own[repeated], RULES if rule is None else (rule,)
    scores = [_left_out(likeness, member, candidate)[repeated] for candidate in tried]
    right = [one.argmax(axis=1) == truth for one in scores]
    best = 0
    for k in range(1, len(tried)):
        gains, losses = int((right[k] & ~right[best]).sum()), int((right[best] & ~right[k]).sum())
        best = k if gains - losses > 2 * np.sqrt(gains + losses) else best
    chosen = tried[best]
    _, scale = max((_likelihood(float(s) * scores[best], truth), float(s)) for s in SCALES)
    return FewShot(signs, _weights(likeness, member, chosen), chosen, scale, float(right[best].mean()))


def _likelihood(scores: Array, truth: NDArray[np.int_]) -> float:
    return float(_log_softmax(scores)[np.arange(len(truth)), truth].mean())


def _kernel(likeness: Array, rule: Rule) -> Array:
    return np.asarray(np.exp(rule.sharpness * (likeness - 1)))


def _weights(likeness: Array, member: Array, rule: Rule) -> Array:
    """(N, L) as `FewShot.weights`, from likenesses (N, N) of the examples and which sign (N, L) each shows."""
    if rule.name == "nearest":
        return member
    if rule.name == "mean":
        return np.asarray(member / member.sum(axis=0))
    kernel = _kernel(likeness, rule)
    return np.asarray(np.linalg.solve(kernel + rule.ridge * np.eye(len(kernel)), member))


def _left_out(likeness: Array, member: Array, rule: Rule) -> Array:
    """(N, L) score of each example by all the others; −inf for a sign that has no other example ("nearest", "mean")."""
    if rule.name == "head":
        inverse = np.linalg.inv(_kernel(likeness, rule) + rule.ridge * np.eye(len(likeness)))
        return np.asarray(member - inverse @ member / np.diag(inverse)[:, None])
    others = likeness.copy()
    if rule.name == "nearest":
        np.fill_diagonal(others, -np.inf)
        return np.stack([np.where(shows > 0, others, -np.inf).max(axis=1) for shows in member.T], axis=1)
    np.fill_diagonal(others, 0.0)
    count = member.sum(axis=0) - member
    return np.where(count > 0, others @ member / np.maximum(count, 1), -np.inf)


def _log_softmax(scores: Array) -> Array:
    scores = np.maximum(scores, -1e6)
    top = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(top - np.log(np.exp(top).sum(axis=1, keepdims=True)))
