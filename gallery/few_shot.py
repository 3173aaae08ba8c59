"""Which sign is it? From a few examples of each: nearest example, prototypes, or a regularised linear head.

Vectors stay as the encoder made them; what is learned is small, in closed form, and follows from the examples alone.
With one example a sign the nearest example is all there is. With more, each rule is tried on every example that has
another of its sign, as if it were not there (leave-one-out). The head is taken unless another rule is clearly better:
its gains exceed its losses by twice the square root of their number (about 95 %, McNemar 1947), since the best of
several noisy shares is often the luckiest.

The head is kernel ridge regression of "this sign, not another" (Saunders, Gammerman and Vovk 1998) with the kernel
exp(s · (cosine − 1)): linear in a space in which only what is alike counts, so a sign with two variants keeps both. Its
leave-one-out predictions are y − a / diag(G) for the dual weights a and the inverse G of the regularised kernel matrix
(Rifkin and Lippert 2007), so trying it costs no more than fitting it.
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
    """How examples are turned into scores of signs.

    Attributes:
        name: "nearest", "prototype" or "head".
        sharpness: s of the head's kernel: how much more a near example counts than a far one.
        ridge: of the head: how little a single example may move it.
    """

    name: str = "nearest"
    sharpness: float = 4.0
    ridge: float = 0.1


RULES = (Rule("head", 4.0, 0.1), Rule("head", 4.0, 1.0), Rule("head", 10.0, 1.0), Rule("nearest"), Rule("prototype"))
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
        vectors: (N, D) unit rows of the examples.
        weights: (N, L) of the examples in each sign's score; of "nearest" 1 for a sign's own examples, else 0.
        rule: how the scores are made.
        scale: probabilities are a softmax of the scores times this.
        left_out: share of the examples that the rule names rightly when they are left out; NaN where no sign has two.
    """

    labels: tuple[str, ...]
    vectors: Array
    weights: Array
    rule: Rule
    scale: float
    left_out: float

    def scores(self, queries: ArrayLike) -> Array:
        """(W, L) of unit rows (W, D), higher is likelier; the rule's own unit."""
        cosine = np.atleast_2d(np.asarray(queries, np.float64)) @ self.vectors.T
        if self.rule.name == "nearest":
            return np.stack([cosine[:, own > 0].max(axis=1) for own in self.weights.T], axis=1)
        if self.rule.name == "prototype":
            return cosine @ self.weights
        return np.asarray(_kernel(cosine, self.rule) @ self.weights)

    def probabilities(self, queries: ArrayLike) -> Array:
        """(W, L), rows sum to 1: of each sign, if the clip shows one of them."""
        return np.exp(_log_softmax(self.scale * self.scores(queries)))


def fit_few_shot(vectors: ArrayLike, labels: Sequence[str], rule: Rule | None = None) -> FewShot:
    """A recogniser from examples.

    Args:
        vectors: (N, D) unit rows.
        labels: N glosses; one example or more of each.
        rule: None lets leave-one-out choose.

    Raises:
        ValueError: no example, or lengths disagree.
    """
    rows = np.asarray(vectors, np.float64)
    if rows.ndim != 2 or not len(rows) or len(rows) != len(labels):
        raise ValueError(f"{len(labels)} labels for vectors of the shape {rows.shape}; expected one each, at least one")
    signs = tuple(dict.fromkeys(labels))
    column = {sign: k for k, sign in enumerate(signs)}
    own = np.array([column[label] for label in labels])
    cosine, member = rows @ rows.T, np.eye(len(signs))[own]
    repeated = member.sum(axis=0)[own] > 1
    if not repeated.any():
        chosen = Rule() if rule is None else rule
        return FewShot(signs, rows, _weights(cosine, member, chosen), chosen, USUAL_SCALE, float("nan"))
    truth, tried = own[repeated], RULES if rule is None else (rule,)
    scores = [_left_out(cosine, member, candidate)[repeated] for candidate in tried]
    right = [one.argmax(axis=1) == truth for one in scores]
    best = 0
    for k in range(1, len(tried)):
        gains, losses = int((right[k] & ~right[best]).sum()), int((right[best] & ~right[k]).sum())
        best = k if gains - losses > 2 * np.sqrt(gains + losses) else best
    chosen = tried[best]
    _, scale = max((_likelihood(float(s) * scores[best], truth), float(s)) for s in SCALES)
    return FewShot(signs, rows, _weights(cosine, member, chosen), chosen, scale, float(right[best].mean()))


def _likelihood(scores: Array, truth: NDArray[np.int_]) -> float:
    return float(_log_softmax(scores)[np.arange(len(truth)), truth].mean())


def _kernel(cosine: Array, rule: Rule) -> Array:
    return np.asarray(np.exp(rule.sharpness * (cosine - 1)))


def _weights(cosine: Array, member: Array, rule: Rule) -> Array:
    """(N, L) as `FewShot.weights`, from cosines (N, N) of the examples and which sign (N, L) each shows."""
    if rule.name == "nearest":
        return member
    if rule.name == "prototype":
        # the length of a sign's sum of vectors: the square root of the sum of all its cosines
        length = np.sqrt(np.maximum(np.einsum("ik,ij,jk->k", member, cosine, member), 1e-12))
        return np.asarray(member / length)
    kernel = _kernel(cosine, rule)
    return np.asarray(np.linalg.solve(kernel + rule.ridge * np.eye(len(kernel)), member))


def _left_out(cosine: Array, member: Array, rule: Rule) -> Array:
    """(N, L) score of each example by all the others; −inf for a sign that has no other example ("nearest")."""
    if rule.name == "head":
        inverse = np.linalg.inv(_kernel(cosine, rule) + rule.ridge * np.eye(len(cosine)))
        return np.asarray(member - inverse @ member / np.diag(inverse)[:, None])
    others = cosine.copy()
    if rule.name == "nearest":
        np.fill_diagonal(others, -np.inf)
        return np.stack([np.where(shows > 0, others, -np.inf).max(axis=1) for shows in member.T], axis=1)
    np.fill_diagonal(others, 0.0)
    # a prototype without example i: the sum of the sign's other vectors over its length
    towards = others @ member
    squared = np.einsum("ik,ij,jk->k", member, cosine, member)[None] - member * (2 * towards + 1)
    return np.asarray(towards / np.sqrt(np.maximum(squared, 1e-12)))


def _log_softmax(scores: Array) -> Array:
    scores = np.maximum(scores, -1e6)
    top = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(top - np.log(np.exp(top).sum(axis=1, keepdims=True)))
