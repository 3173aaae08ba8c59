"""`Truth`: what is so in every frame of a performance, for measuring those who estimate it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .phonology import direction_name
from .score import Score

__all__ = ["Truth", "tell"]


@dataclass(frozen=True, eq=False)
class Truth:
    """Hands are in the order (left, right), the signer's own; so are the directions left and right.

    Attributes:
        sign: (T,) label while a sign's own postures and movements last, else "".
        handshape: (T, 2) name of the planned handshape; "" in transitions, while it changes, and at rest.
        location: (T, 2) name of the place (`phonology.LOCATION_NAMES`); "" in transitions, on paths and at rest.
        orientation: (T, 2) where the palm faces: up, down, right, left, away or body; told from the figure itself.
        movement: (T, 2) hold, up, down, right, left, away, body, circle, twist, nod, tap, wiggle or pulse; "" on
            unclear ways, in preparation and retraction, and at rest.
        hold: (T, 2) bool, the hand is still at a posture.
        contact: (T,) bool, the dominant hand touches its place.
        symmetric: (T,) bool, both hands mirror each other.
        angles: (T, 2, 16) radians of the fingers (`handshapes.ANGLES`).
        frames: (T, 2, 3, 3) rows: towards the thumb's side, finger direction, palm normal; world space.
    """

    sign: NDArray[np.str_]
    handshape: NDArray[np.str_]
    location: NDArray[np.str_]
    orientation: NDArray[np.str_]
    movement: NDArray[np.str_]
    hold: NDArray[np.bool_]
    contact: NDArray[np.bool_]
    symmetric: NDArray[np.bool_]
    angles: NDArray[np.floating]
    frames: NDArray[np.floating]


def tell(score: Score, left_handed: bool, angles: NDArray[np.floating], frames: NDArray[np.floating]) -> Truth:
    """The truth of a score played by a right- or left-hander; angles and frames as in `Truth`."""
    length = len(angles)
    widest = max((len(n) for s in score.stretches for n in s.handshape), default=1)
    sign = np.full(length, "", f"<U{max((len(s.sign) for s in score.stretches), default=1)}")
    handshape = np.full((length, 2), "", f"<U{max(1, widest)}")
    location, movement = np.full((length, 2), "", "<U16"), np.full((length, 2), "", "<U16")
    hold, contact, symmetric = np.zeros((length, 2), bool), np.zeros(length, bool), np.zeros(length, bool)
    columns = (0, 1) if left_handed else (1, 0)
    for s in score.stretches:
        rows = slice(s.start, s.end)
        sign[rows], symmetric[rows], contact[rows] = s.sign, s.symmetric, s.touching
        for h, column in enumerate(columns):
            handshape[rows, column], location[rows, column] = s.handshape[h], s.location[h]
            movement[rows, column] = _outwards(s.moving[h]) if column == 0 else s.moving[h]
            hold[rows, column] = s.held[h]
    # `direction_name` speaks of a right hand's own space, where the signer's right is +x; in the world it is −x.
    orientation = direction_name(frames[:, :, 2] * np.array([-1.0, 1.0, 1.0]))
    return Truth(sign, handshape, location, orientation, movement, hold, contact, symmetric, angles, frames)


def _outwards(direction: str) -> str:
    """A left hand's own side is the left."""
    return {"left": "right", "right": "left"}.get(direction, direction)
