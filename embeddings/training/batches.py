"""Which items make up a batch: functions of the seed, the number of the batch, and at most the classifier's vectors.

Nothing is remembered between batches, so a training that was stopped draws the same batches when it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Draw", "PKSampler", "Sampler", "ShuffleSampler", "numbers"]


def numbers(*key: int) -> np.random.Generator:
    """A generator that follows from whole numbers (seed, step, …)."""
    return np.random.default_rng(np.random.SeedSequence(key))


class Draw(NamedTuple):
    """Items of a batch; what is drawn at random for each follows from (seed, number, its slot).

    Attributes:
        number: of the batch.
        slot: of the first item; the others follow.
        items: (n,) indexes into a material.
        background: how many windows without a sign come with them.
    """

    seed: int
    number: int
    slot: int
    items: NDArray[np.int64]
    background: int = 0


class Sampler(Protocol):
    """`epoch` batches see about every item once."""

    epoch: int

    def batch(self, number: int, class_vectors: Tensor | None = None) -> NDArray[np.int64]:
        """Indexes of the items of a batch.

        Args:
            class_vectors: (classes, D) what the classifier holds of each sign at this time.
        """
        ...


class PKSampler:
    """P signs × K items of each (Hermans et al. 2017). A sign with fewer than K items gives some of them twice.

    Args:
        labels: class of each item.
        neighbours: with class vectors, half of the signs are random and each of them brings one of so many signs whose
            vectors are nearest to its own; a sign that comes up twice is taken once.
        part: of a mixture; each part draws for itself.

    Raises:
        ValueError: fewer than P signs.
    """

    def __init__(
        self, labels: Sequence[int], classes: int, each: int, seed: int, neighbours: int = 0, part: int = 0
    ) -> None:
        values = np.asarray(labels)
        self.classes = np.unique(values)
        if len(self.classes) < classes:
            raise ValueError(
                f"batches of {classes} signs, but the data has {len(self.classes)}; lower batch.classes (or a "
                "mixture's classes)"
            )
        self.signs_per_batch, self.each, self.neighbours = classes, each, neighbours
        self.key = (seed, 1) if part == 0 else (seed, 1, part)
        self.epoch = max(1, len(values) // (classes * each))
        order = np.argsort(values, kind="stable")
        self._items = np.split(order, np.searchsorted(values[order], self.classes)[1:])

    def batch(self, number: int, class_vectors: Tensor | None = None) -> NDArray[np.int64]:
        """Indexes (P·K,) of the items of a batch; K in a row are of one sign."""
        rng = numbers(self.key[0], self.key[1], number, *self.key[2:])
        signs = rng.permutation(len(self.classes))[: self.signs_per_batch]
        if class_vectors is not None and self.neighbours:
            anchors = signs[: self.signs_per_batch // 2]
            signs = np.union1d(anchors, self._nearest(anchors, class_vectors, rng))
        rows = [self._items[sign] for sign in signs]
        return np.concatenate([rng.choice(own, self.each, replace=len(own) < self.each) for own in rows])

    def _nearest(self, anchors: NDArray[np.int64], vectors: Tensor, rng: np.random.Generator) -> NDArray[np.int64]:
        """For each anchor one of the signs whose class vectors are nearest to its own."""
        unit = F.normalize(vectors[torch.from_numpy(self.classes).to(vectors.device)], dim=1)
        count = min(self.neighbours, len(unit) - 1)
        likeness = unit[torch.from_numpy(anchors).to(unit.device)] @ unit.T
        near = likeness.topk(count + 1, dim=1).indices[:, 1:].cpu().numpy()
        return near[np.arange(len(anchors)), rng.integers(count, size=len(anchors))]


class ShuffleSampler:
    """Every item once an epoch, in an order drawn anew each epoch; the last batch is filled from the beginning."""

    def __init__(self, items: int, size: int, seed: int, part: int = 0) -> None:
        if items < 1:
            raise ValueError("no clip to train on")
        self.items, self.size = items, size
        self.key = (seed, 2) if part == 0 else (seed, 2, part)
        self.epoch = -(-items // size)
        self._order = lru_cache(maxsize=1)(self._shuffled)

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        return numbers(self.key[0], self.key[1], epoch, *self.key[2:]).permutation(self.items)

    def batch(self, number: int, class_vectors: Tensor | None = None) -> NDArray[np.int64]:
        """Indexes (size,) of the items of a batch."""
        epoch, place = divmod(number, self.epoch)
        order: NDArray[np.int64] = self._order(epoch)
        return order[(place * self.size + np.arange(self.size)) % self.items]
