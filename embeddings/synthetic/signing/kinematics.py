"""Forward kinematics of the hand and inverse kinematics of the arm, for whole clips at once.

All functions work in the hand's OWN space: x to the hand's own side, y up, z forward. It is world space for
the left hand and its mirror image for the right, so both hands share every formula.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..draws import on_grid

__all__ = ["DIP_SHARE", "cross", "forearm_axes", "hand_frame", "hand_points", "place_elbow", "turned_hand", "unit"]

Array = NDArray[np.floating]

# Local axes of a hand: 0 towards the thumb's side, 1 along the fingers, 2 out of the palm. For a hand of 1 m
# (wrist to middle fingertip); proportions after Buchholz et al. 1992.
_KNUCKLES = np.array([[0.130, 0.462, -0.01], [0.020, 0.474, -0.02], [-0.085, 0.442, -0.01], [-0.180, 0.390, 0.01]])
_PHALANGES = np.array([[0.225, 0.136, 0.110], [0.246, 0.158, 0.122], [0.228, 0.146, 0.120], [0.178, 0.105, 0.105]])
_SPLAY = np.deg2rad([4.0, 0.0, -4.0, -9.0])
DIP_SHARE = 0.66
"""The last joint flexes this much of the one before (they share a tendon)."""
_THUMB_ROOT = np.array([0.125, 0.120, 0.05])
_THUMB_BONES = (0.225, 0.180, 0.140)
_THUMB_BEND = np.array([-0.92, -0.05, 0.18]) / np.linalg.norm([-0.92, -0.05, 0.18])
"""Where flexion carries the thumb: across the palm, in front of it."""


_FORWARD = np.array([0.0, 0.0, 1.0])
_TIGHTEST = np.deg2rad(28.0)
"""Angle between upper arm and forearm when the elbow is bent as far as it goes."""


def unit(vectors: Array) -> Array:
    """Vectors (…, 3) of length one; zero vectors stay zero."""
    norm = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    return vectors / np.maximum(norm, 1e-9)


def cross(a: Array, b: Array) -> Array:
    """The vector product (…, 3); NumPy's own spends most of its time on moving axes."""
    a0, a1, a2, b0, b1, b2 = *(a[..., i] for i in range(3)), *(b[..., i] for i in range(3))
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)


def hand_points(angles: Array, length: float) -> Array:
    """The 21 joints (…, 21, 3) of a hand in its local axes (thumb side, fingers, palm).

    Args:
        angles: (…, 16) radians in the order of `handshapes.ANGLES`.
        length: wrist to middle fingertip when straight, metres.
    """
    points = np.zeros((*angles.shape[:-1], 21, 3), angles.dtype)
    mcp, pip = angles[..., 4:12:2], angles[..., 5:12:2]
    flexion = np.stack([mcp, mcp + pip, mcp + (1 + DIP_SHARE) * pip], axis=-1)  # (…, 4, 3)
    # Ligaments tighten: a finger bent at the knuckle cannot be spread.
    splay = _SPLAY * (1 - 0.35 * np.sin(np.clip(mcp, 0, np.pi / 2))) + angles[..., 12:16] * np.cos(np.clip(mcp, 0, 1.4))
    along = _PHALANGES * np.cos(flexion)
    bones = np.stack(
        [along * np.sin(splay)[..., None], along * np.cos(splay)[..., None], _PHALANGES * np.sin(flexion)], axis=-1
    )
    fingers = points[..., 5:, :].reshape(*angles.shape[:-1], 4, 4, 3)
    fingers[..., 0, :] = _KNUCKLES
    fingers[..., 1:, :] = _KNUCKLES[:, None] + np.cumsum(bones, axis=-2)
    points[..., 5:, :] = fingers.reshape(*angles.shape[:-1], 16, 3)
    points[..., 1:5, :] = _thumb(angles[..., :4])
    return points * length


def _thumb(angles: Array) -> Array:
    """CMC, MCP, IP and tip (…, 4, 3) of a thumb on a hand of length one."""
    out, fore, mcp, ip = (angles[..., i : i + 1] for i in range(4))
    ahead = np.concatenate([np.cos(fore) * np.sin(out), np.cos(fore) * np.cos(out), np.sin(fore)], axis=-1)
    across = unit(_THUMB_BEND - (ahead @ _THUMB_BEND)[..., None] * ahead)
    root = np.broadcast_to(_THUMB_ROOT, ahead.shape)
    knuckle = root + _THUMB_BONES[0] * ahead
    joint = knuckle + _THUMB_BONES[1] * (np.cos(mcp) * ahead + np.sin(mcp) * across)
    tip = joint + _THUMB_BONES[2] * (np.cos(mcp + ip) * ahead + np.sin(mcp + ip) * across)
    return np.stack([root, knuckle, joint, tip], axis=-2)


def hand_frame(palm: Array, fingers: Array) -> Array:
    """Rows (…, 3, 3): thumb side, finger direction, palm normal; the palm normal is kept exactly.

    A local point p stands at ``wrist + p @ frame``.
    """
    palm = unit(palm)
    # on a grid, so that fingers along the palm give zero and not the direction of a rounding error
    along = unit(on_grid(fingers - np.einsum("...i,...i->...", fingers, palm)[..., None] * palm, 40))
    return np.stack([cross(palm, along), along, palm], axis=-2)


def forearm_axes(forearm: Array, upper: Array) -> tuple[Array, Array, Array]:
    """Unit vectors (…, 3): along the forearm; where the thumb points half-way between palm up and palm down; and
    where the palm faces then, which is inwards.

    Args:
        forearm: elbow to wrist. upper: shoulder to elbow. Their plane is the elbow's hinge.
    """
    along, upper = unit(forearm), unit(upper)
    thumb_up = unit(np.einsum("...i,...i->...", upper, along)[..., None] * along - upper)
    return along, thumb_up, cross(along, thumb_up)


def turned_hand(forearm: Array, upper: Array, turn: Array) -> Array:
    """Frames (…, 3, 3), as of `hand_frame`, of a hand turned on its forearm.

    Args:
        turn: (…, 3) radians: roll (pronation, palm down, is positive), extension (back of the hand towards the
            forearm is positive, flexion negative), deviation (towards the thumb is positive).
    """
    along, thumb_up, inward = forearm_axes(forearm, upper)
    cos, sin = np.cos(turn)[..., None], np.sin(turn)[..., None]
    facing = cos[..., 0, :] * inward - sin[..., 0, :] * thumb_up
    palm = cos[..., 1, :] * facing + sin[..., 1, :] * along
    straight = cos[..., 1, :] * along - sin[..., 1, :] * facing
    thumb = cross(palm, straight)
    fingers = cos[..., 2, :] * straight + sin[..., 2, :] * thumb
    return np.stack([cross(palm, fingers), fingers, palm], axis=-2)


def place_elbow(shoulder: Array, wrist: Array, upper: float, fore: float, swivel: Array) -> tuple[Array, Array]:
    """Two-bone inverse kinematics.

    The elbow's circle about the line from shoulder to wrist is measured from a zero that turns with that line the
    shortest way from "straight ahead", so it is smooth everywhere but for an arm stretched straight back.

    Args:
        shoulder, wrist: (…, 3).
        upper, fore: lengths of the bones.
        swivel: (…,) radians: for a hand held ahead, 0 has the elbow below and π/2 out to the side.

    Returns:
        elbow and wrist (…, 3). The wrist is the one asked for where the arm reaches it, else the nearest point
        in the same direction that the arm reaches.
    """
    reach = wrist - shoulder
    asked = np.sqrt(np.einsum("...i,...i->...", reach, reach))[..., None]
    nearest = np.sqrt(upper**2 + fore**2 - 2 * upper * fore * np.cos(_TIGHTEST))
    distance = np.clip(asked, nearest, 0.995 * (upper + fore))
    ahead = reach / np.maximum(asked, 1e-9)
    sin, cos = np.sin(swivel), np.cos(swivel)
    # The shortest turn from (0, 0, 1) to `ahead`, of the vector (sin, -cos, 0).
    lean = (sin * ahead[..., 0] - cos * ahead[..., 1]) / np.maximum(1 + ahead[..., 2], 0.02)
    beside = np.stack([sin, -cos, np.zeros_like(sin)], axis=-1) - lean[..., None] * (ahead + _FORWARD)
    beside = beside - np.einsum("...i,...i->...", beside, ahead)[..., None] * ahead  # also where it degenerates
    along = (distance**2 + upper**2 - fore**2) / (2 * distance)
    elbow = shoulder + along * ahead + np.sqrt(np.maximum(upper**2 - along**2, 0)) * unit(beside)
    return elbow, shoulder + distance * ahead
