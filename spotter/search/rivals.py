"""`BestTwo`: what the best other sign gets, at every place, without holding what every sign gets there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BestTwo"]


class BestTwo:
    """At each place the two highest scores of different signs, and the sign of the highest.

    Args:
        shape: of the places.
        least: score before any sign is added.

    Attributes:
        best, second: scores of this shape; sign: of the best one, −1 before any is added.
    """

    def __init__(self, shape: tuple[int, ...], least: float) -> None:
        self.best, self.second = (np.full(shape, least, np.float32) for _ in range(2))
        self.sign = np.full(shape, -1, np.int32)

    def add(self, sign: int, scores: NDArray[np.float32]) -> None:
        """Scores of one exemplar at every place; a sign may have several exemplars."""
        mine, better = self.sign == sign, scores > self.best
        # what was best becomes second unless it is this sign's own
        np.copyto(self.second, self.best, where=better & ~mine)
        np.copyto(self.second, scores, where=~better & ~mine & (scores > self.second))
        np.copyto(self.best, scores, where=better)
        self.sign[better] = sign

    def without(self, signs: NDArray[np.intp], places: tuple[NDArray[np.intp], ...]) -> NDArray[np.float32]:
        """(N,) highest score of any other sign at these places, given as indexes (N,) of each axis."""
        return np.where(self.sign[places] == signs, self.second[places], self.best[places])
