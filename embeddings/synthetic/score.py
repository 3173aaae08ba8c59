"""`Score`: what a performance follows: key rows of both hands in time, movements over them, and the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .moves import Event

__all__ = ["Score", "Stretch", "Timing"]

Pair = tuple[str, str]


class Stretch(NamedTuple):
    """Truth over frames ``[start, end)``; pairs are (dominant, other) hand. Later stretches overrule earlier ones.

    ``moving`` names the movement or is ""; its "right" is outwards to the hand's own side, for either hand.
    """

    start: int
    end: int
    sign: str
    handshape: Pair
    location: Pair
    moving: Pair
    held: tuple[bool, bool]
    touching: bool
    symmetric: bool


class Timing(NamedTuple):
    """How fast things go: seconds at tempo 1.

    Attributes:
        rest: (shortest, longest) stillness before and after.
        hold: (shortest, longest) stillness at a posture.
        reach: time of a transition of length zero; per_metre: more for each metre.
        hurry: divides everything.
    """

    rest: tuple[float, float] = (0.25, 0.6)
    hold: tuple[float, float] = (0.10, 0.24)
    reach: float = 0.18
    per_metre: float = 0.55
    hurry: float = 1.0


@dataclass
class Score:
    """Rows (2, 24) of (dominant, other) hand at rising frames; the first is frame 0."""

    frames: list[int] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    spans: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def now(self) -> int:
        """Frame of the last row."""
        return self.frames[-1]

    def key(self, row: NDArray[np.float64], frames: int) -> tuple[int, int]:
        """The hands are at `row` after so many more frames (at least one); returns (from, to)."""
        start = self.now
        self.frames.append(start + max(1, frames))
        self.rows.append(row)
        return start, self.now
