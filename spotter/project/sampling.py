"""How good is the list, and what is not on it? Estimates with intervals from a random sample that a person judges.

The hits of a sign that nobody decided on are divided into layers by their probability, and so many of every layer are
drawn at random and judged. Decisions taken in the order of the queue cannot be used for this: they were not drawn at
random. What lies outside all hits is one more layer: stretches of video of the sign's length, drawn at random.

In each layer the share of true hits has a Beta distribution (Jeffreys' prior, ½ and ½); what was drawn is known, so
only the rest is uncertain. Sums over layers are taken by drawing from these distributions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAYERS", "Estimate", "Layer", "draw_sample", "estimate", "precision_of"]

LAYERS: tuple[float, ...] = (0.5, 0.2, 0.05, 0.0)
"""Least probability of each layer, from the surest down."""
DRAWS = 20_000


@dataclass(frozen=True)
class Layer:
    """A layer of undecided hits: how many there are, how many of them were drawn and judged, how many of those true."""

    name: str
    size: int
    judged: int
    true: int

    def __post_init__(self) -> None:
        if not 0 <= self.true <= self.judged <= self.size:
            raise ValueError(f"layer {self.name!r}: {self.true} true of {self.judged} judged of {self.size}")


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def draw_sample(
    probabilities: NDArray[np.floating], each: int, seed: int, layers: Sequence[float] = LAYERS
) -> dict[int, list[int]]:
    """Layer → indexes of the hits drawn from it, in random order; all of a layer that has no more than `each`.

    Args:
        probabilities: (N,) of the undecided hits.
        each: so many of every layer.
        seed: the same seed draws the same sample.
    """
    rng = np.random.default_rng(seed)
    of = layer_of(probabilities, layers)
    drawn = {}
    for k in range(len(layers)):
        rows = np.flatnonzero(of == k)
        drawn[k] = [int(i) for i in rng.permutation(rows)[:each]]
    return drawn


def layer_of(probabilities: NDArray[np.floating], layers: Sequence[float] = LAYERS) -> NDArray[np.intp]:
    """Number of each hit's layer (N,)."""
    p = np.asarray(probabilities, np.float64)
    return np.asarray((p[:, None] < np.asarray(layers)[None]).sum(axis=1), np.intp)


def estimate(layers: Sequence[Layer], found: int, seed: int = 0) -> dict[str, Estimate]:
    """What is still to be found, and which share of all is found.

    Args:
        layers: of what nobody decided on outside the sample.
        found: occurrences that are accepted already, those of the sample included.

    Returns:
        missed: true hits among what nobody judged; recall: found of all.
    """
    rng = np.random.default_rng(seed)
    missed = np.zeros(DRAWS)
    expected = 0.0
    for layer in layers:
        rest = layer.size - layer.judged
        if rest == 0:
            continue
        a, b = layer.true + 0.5, layer.judged - layer.true + 0.5
        missed += rng.binomial(rest, rng.beta(a, b, DRAWS))
        # without a look at a layer nothing is known of it but its size
        expected += rest * (layer.true / layer.judged if layer.judged else 0.5)
    recall = found / np.maximum(found + missed, 1e-12) if found else np.zeros(DRAWS)
    low, high = (float(x) for x in np.percentile(missed, [2.5, 97.5]))
    bottom, top = (float(x) for x in np.percentile(recall, [2.5, 97.5]))
    share = found / (found + expected) if found + expected > 0 else 0.0
    return {"missed": Estimate(expected, low, high), "recall": Estimate(share, bottom, top)}


def precision_of(true: int, judged: int) -> Estimate:
    """Share of true hits with its 95 % interval (Wilson 1927); nan without any.

    Raises:
        ValueError: the counts make no sense.
    """
    if not 0 <= true <= judged:
        raise ValueError(f"{true} true of {judged}; expected 0 <= true <= judged")
    if judged == 0:
        return Estimate(float("nan"), 0.0, 1.0)
    z, p = 1.959963984540054, true / judged
    middle = (p + z * z / (2 * judged)) / (1 + z * z / judged)
    half = z / (1 + z * z / judged) * float(np.sqrt(p * (1 - p) / judged + z * z / (4 * judged * judged)))
    return Estimate(p, max(0.0, middle - half), min(1.0, middle + half))
