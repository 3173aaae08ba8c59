"""Mining hand images for known handshapes: which frames of a corpus show a hand like one of the reference hands.

Row A12. Distance is the weighted one of `hand_distance.palm_distances` with the miner's own weights: tips 8, last
joints 4, middle joints 1.5, the rest 1, scaled to mean 1. A hand goes to the handshape of its nearest reference when
that is near enough; of hands that are nearly the same only the nearest to a reference is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .distance import palm_distances

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
        most: largest distance to a reference, in palm sizes.
        same: hands of a handshape nearer to each other than this count as one.
        least: hands below this confidence are left out.

    Raises:
        ValueError: no references, or as many confidences as candidates are not given.
    """
    if not references or len(confidence) != len(candidates):
        raise ValueError(
            f"{len(references)} references, {len(candidates)} hands and {len(confidence)} confidences; "
            "expected at least one reference and one confidence a hand"
        )
    usable = np.flatnonzero(np.asarray(confidence) >= least)
    names = [name for name, hands in references.items() for _ in range(len(hands))]
    known = np.concatenate([np.asarray(hands, np.float64) for hands in references.values()])
    table = palm_distances(known, candidates[usable], MINING_WEIGHTS)
    nearest, distance = table.argmin(axis=0), table.min(axis=0)
    kept: dict[str, list[int]] = {}
    found: list[MinedHand] = []
    for k in np.argsort(distance, kind="stable"):
        if distance[k] > most:
            break
        name, row = names[nearest[k]], int(usable[k])
        others = kept.setdefault(name, [])
        if others and palm_distances(candidates[others], candidates[row : row + 1], MINING_WEIGHTS).min() < same:
            continue
        others.append(row)
        found.append(MinedHand(name, row, float(distance[k])))
    return found
