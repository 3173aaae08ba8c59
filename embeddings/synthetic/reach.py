"""From postures to wrists: where the hand must be, how it may be turned, and how high the elbow goes.

A posture asks for a point of the hand at a place, a palm direction and a finger direction. What an arm can do
of it is found by trying a few elbow heights and keeping the one whose wrist is most comfortable; what exceeds
the wrist's and forearm's range of motion (Boone and Azen 1979, rounded) is cut off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kinematics import hand_frame, hand_points, place_elbow, pole_vector, unit
from .phonology import PARTS
from .signer import Signer

__all__ = ["Reached", "part_points", "solve"]

Array = NDArray[np.float64]

_SWIVELS = np.deg2rad([-15.0, 12.0, 35.0, 60.0, 85.0])
_EXTENSION = np.deg2rad(62.0)
_FLEXION = np.deg2rad(72.0)
_ROLL = np.deg2rad(98.0)
_RADIAL = np.deg2rad(20.0)
_ULNAR = np.deg2rad(32.0)


class Reached(NamedTuple):
    """Solved postures, all in the hand's own space.

    Attributes:
        wrist, palm, fingers: (K, 3); palm and fingers are orthogonal unit vectors.
        swivel: (K,) radians of the elbow, for `pole_vector`.
        cost: (K,) discomfort; above about 1 the palm could not be turned as asked.
        elbow: (K, 3).
    """

    wrist: Array
    palm: Array
    fingers: Array
    swivel: Array
    cost: Array
    elbow: Array


def part_points(angles: Array, length: float) -> Array:
    """Local points (K, 7, 3) of `PARTS` on hands of angles (K, 16)."""
    hand = hand_points(angles, length)
    straight = 1.2 - np.clip(angles[:, 4:12:2] + angles[:, 5:12:2], 0, 1.2) + 0.02
    weight = straight / straight.sum(axis=1, keepdims=True)
    fingertips = (hand[:, 8::4] * weight[..., None]).sum(axis=1)
    palm = 0.5 * hand[:, 9] + 0.25 * (hand[:, 0] + hand[:, 13]) + np.array([0, 0, 0.012])
    knuckles = hand[:, [6, 10, 14]].mean(axis=1)
    points = np.stack(
        [hand[:, 8], hand[:, 4], fingertips, palm, knuckles, hand[:, 5] + [0.01, 0, 0], hand[:, 17] - [0.01, 0, 0]],
        axis=1,
    )
    assert points.shape[1] == len(PARTS)
    return points


def solve(target: Array, palm: Array, fingers: Array, part: Array, shoulder: Array, signer: Signer) -> Reached:
    """Arms for K postures at once.

    Args:
        target: (K, 3) where the part of the hand goes. palm, fingers: (K, 3) wished directions.
        part: (K, 3) the part's local point. shoulder: (3,).
    """
    swivel = np.broadcast_to(_SWIVELS, (len(target), len(_SWIVELS)))
    wished_palm, wished_fingers = palm[:, None], fingers[:, None]
    frame = np.broadcast_to(hand_frame(wished_palm, wished_fingers), (*swivel.shape, 3, 3))
    pole = pole_vector(swivel)
    for _ in range(4):
        wrist = target[:, None] - np.einsum("ki,kcij->kcj", part, frame)
        elbow, wrist = place_elbow(shoulder, wrist, signer.upper_arm, signer.forearm, pole)
        frame, strain = _turn(wrist - elbow, elbow - shoulder, wished_palm, wished_fingers)
    # Low elbows are natural; raised hands and a signer's habit lift them.
    natural = np.deg2rad(22) + signer.elbows + 0.9 * np.clip(wrist[..., 1] + 0.12, 0, 0.4)
    missed = np.linalg.norm(wrist + np.einsum("ki,kcij->kcj", part, frame) - target[:, None], axis=-1)
    cost = strain + 0.35 * (swivel - natural) ** 2 + 40 * np.clip(missed - 0.01, 0, None)
    rows, best = np.arange(len(target)), np.argmin(cost, axis=1)
    return Reached(
        wrist[rows, best], frame[rows, best, 2], frame[rows, best, 1], _SWIVELS[best], cost[rows, best],
        elbow[rows, best],
    )  # fmt: skip


def _dot(a: Array, b: Array) -> Array:
    return np.einsum("...i,...i->...", a, b)


def _turn(forearm: Array, upper: Array, palm: Array, fingers: Array) -> tuple[Array, Array]:
    """Hand frames (K, C, 3, 3) nearest to the wished directions within the joints' range, and their strain (K, C)."""
    along, upper = unit(forearm), unit(upper)
    thumb_up = unit(_dot(upper, along)[..., None] * along - upper)  # where the thumb points in mid-pronation
    inward = np.cross(along, thumb_up)  # where the palm faces then
    lift = np.clip(_dot(palm, along), -1, 1)
    extension = np.arcsin(lift)
    roll = np.arctan2(-_dot(palm, thumb_up), _dot(palm, inward))
    kept_roll, kept_extension = np.clip(roll, -_ROLL, _ROLL), np.clip(extension, -_FLEXION, _EXTENSION)
    side = np.cos(kept_roll)[..., None] * inward - np.sin(kept_roll)[..., None] * thumb_up
    cos, sin = np.cos(kept_extension)[..., None], np.sin(kept_extension)[..., None]
    normal, straight = cos * side + sin * along, cos * along - sin * side
    thumb = np.cross(normal, straight)
    deviation = np.arctan2(_dot(fingers, thumb), _dot(fingers, straight))
    kept = np.clip(deviation, -_ULNAR, _RADIAL)
    ahead = np.cos(kept)[..., None] * straight + np.sin(kept)[..., None] * thumb
    excess = (roll - kept_roll) ** 2 * np.cos(extension) ** 2 + (extension - kept_extension) ** 2
    comfort = 0.05 * kept_roll**2 + 0.15 * kept_extension**2 + 0.08 * (deviation - kept) ** 2
    return hand_frame(normal, ahead), 8 * excess + comfort
