"""From postures to arms: where the wrist must be, how the hand may be turned, and how high the elbow goes.

A posture asks for a point of the hand at a place, a palm direction and a finger direction. What an arm can do
of it is found by trying a few elbow heights and keeping the most comfortable; what exceeds the wrist's and
forearm's range of motion (Boone and Azen 1979, rounded) is cut off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..draws import on_grid
from .kinematics import forearm_axes, hand_frame, hand_points, place_elbow, turned_hand
from .signer import Signer

__all__ = ["Reached", "part_points", "solve"]

Array = NDArray[np.float64]

_SWIVELS = np.deg2rad([-15.0, 10.0, 30.0, 50.0, 70.0, 90.0])
_EXTENSION = np.deg2rad(62.0)
_FLEXION = np.deg2rad(72.0)
_ROLL = np.deg2rad(98.0)
_RADIAL = np.deg2rad(20.0)
_ULNAR = np.deg2rad(32.0)


class Reached(NamedTuple):
    """Solved postures, all in the hand's own space.

    Attributes:
        wrist, elbow, palm, fingers: (K, 3); palm and fingers are orthogonal unit vectors.
        turn: (K, 3) radians of the hand on the forearm, see `kinematics.turned_hand`.
        swivel: (K,) radians of the elbow, see `kinematics.place_elbow`.
        cost: (K,) discomfort: wrist and elbow away from their ease, and what could not be reached; below 1 is easy.
    """

    wrist: Array
    elbow: Array
    palm: Array
    fingers: Array
    turn: Array
    swivel: Array
    cost: Array


def part_points(angles: Array, length: float) -> Array:
    """Local points (K, 7, 3) of `phonology.PARTS`, in that order, on hands of angles (K, 16)."""
    hand = hand_points(angles, length)
    straight = 1.22 - np.clip(angles[:, 4:12:2] + angles[:, 5:12:2], 0, 1.2)
    weight = straight / straight.sum(axis=1, keepdims=True)
    fingertips = (hand[:, 8::4] * weight[..., None]).sum(axis=1)
    palm = 0.5 * hand[:, 9] + 0.25 * (hand[:, 0] + hand[:, 13]) + np.array([0, 0, 0.012])
    knuckles = hand[:, [6, 10, 14]].mean(axis=1)
    thumb_side, little_side = hand[:, 5] + [0.01, 0, 0], hand[:, 17] - [0.01, 0, 0]
    return np.stack([hand[:, 8], hand[:, 4], fingertips, palm, knuckles, thumb_side, little_side], axis=1)


def solve(target: Array, palm: Array, fingers: Array, part: Array, shoulder: Array, signer: Signer) -> Reached:
    """Arms for K postures at once.

    Args:
        target: (K, 3) where the part of the hand goes. palm, fingers: (K, 3) wished directions.
        part: (K, 3) the part's local point. shoulder: (3,).
    """
    swivels = _SWIVELS + 0.5 * signer.elbows
    shape = (len(target), len(swivels))
    wished_palm, wished_fingers = palm[:, None], fingers[:, None]
    frame = np.broadcast_to(hand_frame(wished_palm, wished_fingers), (*shape, 3, 3))
    swivel = np.broadcast_to(swivels, shape)
    for _ in range(4):
        wrist = target[:, None] - np.einsum("ki,kcij->kcj", part, frame)
        elbow, wrist = place_elbow(shoulder, wrist, signer.upper_arm, signer.forearm, swivel)
        turn, strain = _turn(wrist - elbow, elbow - shoulder, wished_palm, wished_fingers)
        frame = turned_hand(wrist - elbow, elbow - shoulder, turn)
    # Low elbows are natural; raised hands and a signer's habit lift them; the trunk is in their way.
    natural = np.deg2rad(22) + signer.elbows + 0.9 * np.clip(wrist[..., 1] + 0.12, 0, 0.4)
    missed = np.linalg.norm(wrist + np.einsum("ki,kcij->kcj", part, frame) - target[:, None], axis=-1)
    inside = np.clip(shoulder[0] - elbow[..., 0], 0, None) * np.clip((0.13 - elbow[..., 2]) / 0.05, 0, 1)
    across = np.clip(0.55 * shoulder[0] - elbow[..., 0], 0, None)
    cost = strain + 0.35 * (swivels - natural) ** 2 + 40 * np.clip(missed - 0.01, 0, None) + 20 * inside + 12 * across
    rows, best = np.arange(len(target)), np.argmin(on_grid(cost, 30), axis=1)
    chosen = frame[rows, best]
    return Reached(
        wrist[rows, best],
        elbow[rows, best],
        chosen[:, 2],
        chosen[:, 1],
        turn[rows, best],
        swivels[best],
        cost[rows, best],
    )


def _dot(a: NDArray[np.floating], b: NDArray[np.floating]) -> Array:
    return np.asarray(np.einsum("...i,...i->...", a, b), np.float64)


def _angle(sine: Array, cosine: Array) -> Array:
    """Radians; 0 where both vanish. Without the grid a palm that faces along the wished finger direction would be
    turned by what is left of rounding, which is another angle on every machine."""
    return np.arctan2(on_grid(sine, 40), on_grid(cosine, 40))


def _turn(forearm: Array, upper: Array, palm: Array, fingers: Array) -> tuple[Array, Array]:
    """Turns (K, C, 3) nearest to the wished directions within the joints' range, and their strain (K, C)."""
    along, thumb_up, inward = forearm_axes(forearm, upper)
    extension = np.arcsin(np.clip(_dot(palm, along), -1, 1))
    roll = _angle(-_dot(palm, thumb_up), _dot(palm, inward))
    kept_roll, kept_extension = np.clip(roll, -_ROLL, _ROLL), np.clip(extension, -_FLEXION, _EXTENSION)
    straight = turned_hand(forearm, upper, np.stack([kept_roll, kept_extension, np.zeros_like(roll)], axis=-1))
    deviation = _angle(_dot(fingers, straight[..., 0, :]), _dot(fingers, straight[..., 1, :]))
    kept = np.clip(deviation, -_ULNAR, _RADIAL)
    excess = (roll - kept_roll) ** 2 * np.cos(extension) ** 2 + (extension - kept_extension) ** 2
    comfort = 0.05 * kept_roll**2 + 0.15 * kept_extension**2 + 0.08 * (deviation - kept) ** 2
    return np.stack([kept_roll, kept_extension, kept], axis=-1), 8 * excess + comfort
