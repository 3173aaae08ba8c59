"""Which clips make up a batch, as a function of the seed and the number of the batch alone.

Nothing is remembered between batches, so a training that was stopped draws the same batches when it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

__all__ = ["PKSampler", "ShuffleSampler", "numbers"]

_LOCK = Lock()


def numbers(*key: int) -> np.random.Generator:
    """A generator that follows from whole numbers (seed, step, …)."""
    return np.random.default_rng(np.random.SeedSequence(key))


class PKSampler:
    """P signs × K clips of each (Hermans et al. 2017) by pytorch-metric-learning's MPerClassSampler.

    A sign with fewer than K clips gives some of them twice.

    Raises:
        ValueError: fewer than P signs.
    """

    def __init__(self, labels: Sequence[int], classes: int, each: int, seed: int) -> None:
        from pytorch_metric_learning.samplers import MPerClassSampler

        known = len(set(labels))
        if known < classes:
            raise ValueError(f"batches of {classes} signs, but the data has {known}; lower batch.classes")
        self.seed, self.size = seed, classes * each
        self.epoch = max(1, len(labels) // self.size)
        self._sampler = MPerClassSampler(np.asarray(labels), each, self.size, self.size)
        self._order = sorted(self._sampler.labels)

    def batch(self, number: int) -> NDArray[np.int64]:
        """Indexes (P·K,) of the clips of a batch; K in a row are of one sign."""
        from pytorch_metric_learning.utils import common_functions

        with _LOCK:  # the library draws from one generator of its module
            before = common_functions.NUMPY_RANDOM
            common_functions.NUMPY_RANDOM = numbers(self.seed, 1, number)
            try:
                self._sampler.labels = list(self._order)
                return np.fromiter(self._sampler, np.int64)
            finally:
                common_functions.NUMPY_RANDOM = before


class ShuffleSampler:
    """Every clip once an epoch, in an order drawn anew each epoch; the last batch is filled from the beginning."""

    def __init__(self, clips: int, size: int, seed: int) -> None:
        if clips < 1:
            raise ValueError("no clip to train on")
        self.clips, self.size, self.seed = clips, size, seed
        self.epoch = -(-clips // size)

    def batch(self, number: int) -> NDArray[np.int64]:
        """Indexes (size,) of the clips of a batch."""
        epoch, place = divmod(number, self.epoch)
        order = numbers(self.seed, 2, epoch).permutation(self.clips)
        return order[(place * self.size + np.arange(self.size)) % self.clips]
