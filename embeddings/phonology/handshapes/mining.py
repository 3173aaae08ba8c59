"""Mining hand images for known handshapes: which hands of a corpus are like one of the reference hands.

The published miner (UWB ChaLearn-SLR, 2021): the weighted distance of `distance.palm_distances` from a candidate onto
a reference, with weights of its own (tips 8, last joints 4, middle joints 1.5, the rest 1, scaled to mean 1) and the
size of the reference hand as unit. References that are nearly the same count as one. A candidate goes to the handshape
of its nearest reference; the published program may list it under a second one too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .distance import hand_sizes, palm_distances

__all__ = ["MINING_WEIGHTS", "MinedHand", "mine_references"]

Array = NDArray[np.floating]


def _weights() -> NDArray[np.float64]:
    weights = np.ones(21)
    weights[[4, 8, 12, 16, 20]] = 8.0
    weights[[3, 7, 11, 15, 19]] = 4.0
    weights[[6, 10, 14, 18]] = 1.5
    return weights / weights.mean()


MINING_WEIGHTS: NDArray[np.float64] = _weights()
"""(21,) residual weights of the published miner."""


class MinedHand(NamedTuple):
    """A hand found: its handshape, its row among the candidates, its distance to the nearest reference."""

    handshape: str
    row: int
    distance: float


def mine_references(
    references: Mapping[str, Array],
    candidates: Array,
    confidence: Array,
    most: float = 1.5,
    same: float = 0.3,
    least: float = 0.6,
) -> list[MinedHand]:
    """Hands like the references, the nearest first.

    Args:
        references: handshape → (n, 21, 2) hands, all right ones or all left ones, as the candidates.
        candidates: (N, 21, 2) hands without missing joints.
        confidence: (N,) mean confidence of each.
        most: largest distance to a reference, in sizes of the reference hand (wrist to farthest joint).
        same: references of a handshape nearer to each other than this count as one.
        least: candidates below this confidence are left out.

    Raises:
        ValueError: no references, or as many confidences as candidates are not given.
    """
    if not references or len(confidence) != len(candidates):
        raise ValueError(
            f"{len(references)} references, {len(candidates)} hands and {len(confidence)} confidences; "
            "expected at least one reference and one confidence a hand"
        )
    usable = np.flatnonzero(np.asarray(confidence) >= least)
    unlike = {name: _unlike(np.asarray(hands, np.float64), same) for name, hands in references.items()}
    names = [name for name, hands in unlike.items() for _ in range(len(hands))]
    known = np.concatenate(list(unlike.values()))
    table = palm_distances(np.asarray(candidates)[usable], known, hand_sizes(known), MINING_WEIGHTS)
    nearest, distance = table.argmin(axis=1), table.min(axis=1)
    order = np.argsort(distance, kind="stable")
    return [MinedHand(names[nearest[k]], int(usable[k]), float(distance[k])) for k in order if distance[k] < most]


def _unlike(hands: NDArray[np.float64], same: float) -> NDArray[np.float64]:
    """The references without those that are nearer than `same` to one before them."""
    kept: list[int] = []
    for k, hand in enumerate(hands):
        table = palm_distances(hands[kept], hand[None], hand_sizes(hand[None]), MINING_WEIGHTS) if kept else None
        if table is None or table.min() >= same:
            kept.append(k)
    return hands[kept]
