"""Handshapes: sixteen joint angles, an inventory of named ones, and random ones between them.

The names follow the field's usual letter and number names of handshapes (Battison 1978; Brentari 1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .draws import Draws

__all__ = ["ANGLES", "HANDSHAPES", "Handshape", "blend", "random_handshape"]

ANGLES: tuple[str, ...] = (
    "thumb_out", "thumb_fore", "thumb_mcp", "thumb_ip",
    "index_mcp", "index_pip", "middle_mcp", "middle_pip", "ring_mcp", "ring_pip", "pinky_mcp", "pinky_pip",
    "index_spread", "middle_spread", "ring_spread", "pinky_spread",
)  # fmt: skip
"""Columns of a handshape's angles. ``thumb_out``: radial abduction in the palm's plane; ``thumb_fore``: out of the
palm; ``*_mcp`` and ``*_pip``: flexion towards the palm; ``*_spread``: towards the thumb's side."""

Pair = tuple[float, float]
Quad = tuple[float, float, float, float]


@dataclass(frozen=True)
class Handshape:
    """A configuration of the fingers.

    Attributes:
        name: "5", "index", …; interpolated ones are named after their parents.
        degrees: sixteen angles in the order of `ANGLES`.
    """

    name: str
    degrees: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.degrees) != len(ANGLES):
            raise ValueError(f"handshape {self.name!r} has {len(self.degrees)} angles; expected {len(ANGLES)}")

    @cached_property
    def radians(self) -> NDArray[np.float64]:
        """(16,) float64."""
        return np.deg2rad(np.array(self.degrees))

    @property
    def flexions(self) -> tuple[float, ...]:
        """Mean flexion of thumb, index, middle, ring and pinky, each in [0, 1]: 0 straight, 1 a fist."""
        d = self.degrees
        fingers = [(d[4 + 2 * i] / 80 + d[5 + 2 * i] / 100) / 2 for i in range(4)]
        return tuple(float(np.clip(f, 0, 1)) for f in ((d[2] + d[3]) / 110, *fingers))

    @property
    def points(self) -> bool:
        """Whether the index finger sticks out alone enough for its tip to be what touches and points."""
        return self.flexions[1] < 0.3 and min(self.flexions[3:]) > 0.5


_OUT: Quad = (62, 8, 0, 0)
_SIDE: Quad = (17, 14, 2, 2)
_ACROSS: Quad = (15, 10, 52, 55)
_OVER: Quad = (20, 27, 41, 51)
_UNDER: Quad = (8, 32, 43, 50)
_ROUND: Quad = (33, 44, 7, 16)
_STRAIGHT: Pair = (0, 4)
_FIST: Pair = (82, 98)
_BENT: Pair = (82, 6)
_CLAW: Pair = (18, 62)
_HOOK: Pair = (8, 92)
_CURVED: Pair = (34, 42)
_TOGETHER: Quad = (-3, 0, 2, 5)
_WIDE: Quad = (13, 3, -8, -20)
_NATURAL: Quad = (2, 0, -1, -4)


def _shape(
    name: str, thumb: Quad, index: Pair, middle: Pair, ring: Pair, pinky: Pair, spread: Quad = _NATURAL
) -> Handshape:
    return Handshape(name, (*thumb, *index, *middle, *ring, *pinky, *spread))


HANDSHAPES: dict[str, Handshape] = {
    s.name: s
    for s in (
        _shape("B", _ACROSS, _STRAIGHT, _STRAIGHT, _STRAIGHT, _STRAIGHT, _TOGETHER),
        _shape("B-open", _SIDE, _STRAIGHT, _STRAIGHT, _STRAIGHT, _STRAIGHT, _TOGETHER),
        _shape("B-thumb", _OUT, _STRAIGHT, _STRAIGHT, _STRAIGHT, _STRAIGHT, _TOGETHER),
        _shape("B-bent", _SIDE, _BENT, _BENT, _BENT, _BENT, _TOGETHER),
        _shape("5", (55, 12, 0, 0), _STRAIGHT, _STRAIGHT, _STRAIGHT, _STRAIGHT, _WIDE),
        _shape("5-claw", (52, 35, 12, 25), _CLAW, _CLAW, _CLAW, _CLAW, _WIDE),
        _shape("4", _ACROSS, _STRAIGHT, _STRAIGHT, _STRAIGHT, _STRAIGHT, _WIDE),
        _shape("A", _SIDE, _FIST, _FIST, _FIST, _FIST),
        _shape("A-thumb", (58, 0, 0, 0), _FIST, _FIST, _FIST, _FIST),
        _shape("S", _OVER, _FIST, _FIST, _FIST, _FIST),
        _shape("T", (11, 25, 19, 16), (62, 85), _FIST, _FIST, _FIST),
        _shape("E", (15, 16, 50, 60), (45, 105), (45, 105), (45, 105), (45, 105), _TOGETHER),
        _shape("index", _OVER, _STRAIGHT, _FIST, _FIST, _FIST),
        _shape("index-bent", _OVER, _BENT, _FIST, _FIST, _FIST),
        _shape("X", _OVER, _HOOK, _FIST, _FIST, _FIST),
        _shape("L", _OUT, _STRAIGHT, _FIST, _FIST, _FIST),
        _shape("L-bent", (50, 30, 10, 30), _CLAW, _FIST, _FIST, _FIST),
        _shape("G", (21, 34, 11, 8), (58, 12), _FIST, _FIST, _FIST),
        _shape("U", _UNDER, _STRAIGHT, _STRAIGHT, _FIST, _FIST, (-4, 3, 0, 0)),
        _shape("U-bent", _UNDER, _BENT, _BENT, _FIST, _FIST, (-4, 3, 0, 0)),
        _shape("V", _UNDER, _STRAIGHT, _STRAIGHT, _FIST, _FIST, (15, -10, 0, 0)),
        _shape("V-bent", _UNDER, _HOOK, _HOOK, _FIST, _FIST, (14, -9, 0, 0)),
        _shape("R", _UNDER, (6, 4), (0, 12), _FIST, _FIST, (-14, 14, 0, 0)),
        _shape("K", (6, 20, 12, 9), _STRAIGHT, (38, 8), _FIST, _FIST, (10, -4, 0, 0)),
        _shape("3", _OUT, _STRAIGHT, _STRAIGHT, _FIST, _FIST, (13, -8, 0, 0)),
        _shape("3-claw", (52, 25, 10, 30), _CLAW, _CLAW, _FIST, _FIST, (13, -8, 0, 0)),
        _shape("W", (-5, 31, 49, 45), _STRAIGHT, _STRAIGHT, _STRAIGHT, _FIST, (13, 2, -11, 0)),
        _shape("M", (1, 26, 44, 43), (75, 25), (75, 25), (75, 25), _FIST, _TOGETHER),
        _shape("I", _OVER, _FIST, _FIST, _FIST, _STRAIGHT),
        _shape("Y", _OUT, _FIST, _FIST, _FIST, _STRAIGHT, (2, 0, -1, -16)),
        _shape("ILY", _OUT, _STRAIGHT, _FIST, _FIST, _STRAIGHT, (8, 0, 0, -14)),
        _shape("horns", _OVER, _STRAIGHT, _FIST, _FIST, _STRAIGHT, (6, 0, 0, -10)),
        _shape("F", (27, 40, 18, 25), (58, 52), _STRAIGHT, _STRAIGHT, _STRAIGHT, (4, 2, -8, -18)),
        _shape("8", (19, 46, 19, 24), _STRAIGHT, (62, 46), _STRAIGHT, _STRAIGHT, (10, 0, -8, -18)),
        _shape("8-open", (52, 15, 0, 5), _STRAIGHT, (72, 16), _STRAIGHT, _STRAIGHT, _WIDE),
        _shape("7", (9, 51, 33, 26), _STRAIGHT, _STRAIGHT, (68, 50), _STRAIGHT, (10, 3, 0, -16)),
        _shape("C", _ROUND, _CURVED, _CURVED, _CURVED, _CURVED, _TOGETHER),
        _shape("C-index", _ROUND, _CURVED, _FIST, _FIST, _FIST),
        _shape("O", (22, 42, 18, 24), (52, 56), (54, 54), (58, 54), (62, 54), _TOGETHER),
        _shape("O-flat", (12, 43, 14, 12), (70, 14), (70, 16), (74, 18), (80, 20), _TOGETHER),
        _shape("O-index", (27, 40, 18, 25), (58, 52), _FIST, _FIST, _FIST),
        _shape("middle", _OVER, _FIST, _STRAIGHT, _FIST, _FIST),
    )
}
"""The inventory by name."""

RELAXED = _shape("relaxed", (35, 25, 12, 15), (18, 24), (24, 28), (28, 30), (30, 30))
"""A hand at rest; not part of the inventory."""


def blend(first: Handshape, second: Handshape, weight: float) -> Handshape:
    """The handshape `weight` of the way (0 to 1) from the first to the second."""
    degrees = tuple(round(a + (b - a) * weight, 3) for a, b in zip(first.degrees, second.degrees, strict=True))
    return Handshape(f"{first.name}~{second.name}@{weight:.2f}", degrees)


def random_handshape(rng: Draws, named: float = 0.8) -> Handshape:
    """One of the inventory with probability `named`, else a blend of two of them or one with fingers exchanged."""
    names = list(HANDSHAPES)
    first, second = (HANDSHAPES[names[i]] for i in rng.choice(len(names), 2, replace=False))
    draw = rng.random()
    if draw < named:
        return first
    if draw < (1 + named) / 2:
        return blend(first, second, round(rng.uniform(0.3, 0.7), 2))
    taken = rng.random(5) < 0.5
    columns = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 1, 2, 3, 4])
    degrees = tuple(b if taken[c] else a for a, b, c in zip(first.degrees, second.degrees, columns, strict=True))
    fingers = "".join("tIMRP"[i] for i in range(5) if taken[i])
    return Handshape(f"{first.name}+{second.name}[{fingers}]" if fingers else first.name, degrees)
