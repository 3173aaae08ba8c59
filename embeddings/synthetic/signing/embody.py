"""From control rows to a body: arms by inverse kinematics, hands kept out of trunk and head, small living motions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from .body import HEAD_JOINTS, Body
from .figure import FIGURE_JOINTS, figure_index
from .kinematics import hand_points, place_elbow, turned_hand, unit
from .postures import ANGLES, APART, SWIVEL, TURN, WRIST

__all__ = ["clear_of_body", "embody", "enliven", "mirrored", "slow_noise"]

Array = NDArray[np.floating]

_MIRROR = np.array([-1.0, 1.0, 1.0])
_HEAD_ROWS = [figure_index(name) for name in HEAD_JOINTS]
_SWAPPED = [
    figure_index(name.replace("left", "#").replace("right", "left").replace("#", "right")) for name in FIGURE_JOINTS
]


def embody(controls: Array, body: Body) -> tuple[Array, Array, Array]:
    """A right-hander's body in world space.

    Args:
        controls: (T, 2, 24) rows of (dominant, other) hand, each in its own space.

    Returns:
        joints (T, 64, 3), hand frames (T, 2, 3, 3) and finger angles (T, 2, 16), hands as (left, right).
    """
    signer = body.signer
    controls = controls[:, ::-1]
    angles, wrist = controls[..., ANGLES], controls[..., WRIST]
    swivel, shoulder = controls[..., SWIVEL], _shoulders(wrist, body)
    elbow, wrist = place_elbow(shoulder, wrist, signer.upper_arm, signer.forearm, swivel)
    frames = turned_hand(wrist - elbow, elbow - shoulder, controls[..., TURN])
    local = hand_points(angles, signer.hand) @ frames
    wrist = wrist + clear_of_body(wrist[..., None, :] + local, body)
    inmost = (wrist[..., None, 0] + local[..., 0]).min(axis=-1)
    wrist[..., 0] += controls[..., APART] * np.clip(0.008 - inmost, 0, None)
    elbow, wrist = place_elbow(shoulder, wrist, signer.upper_arm, signer.forearm, swivel)
    hands = wrist[..., None, :] + local
    xyz = np.repeat(body.rest[None], len(controls), axis=0)
    for h, (side, mirror) in enumerate((("left", np.ones(3)), ("right", _MIRROR))):
        first = figure_index(f"{side}_hand_wrist")
        xyz[:, figure_index(f"{side}_shoulder")] = shoulder[:, h] * mirror
        xyz[:, figure_index(f"{side}_elbow")] = elbow[:, h] * mirror
        xyz[:, figure_index(f"{side}_wrist")] = wrist[:, h] * mirror
        xyz[:, first : first + 21] = hands[:, h] * mirror
    frames[:, 1] *= _MIRROR
    return xyz, frames, angles


def _shoulders(wrist: Array, body: Body) -> Array:
    """Shoulders (T, 2, 3) in the hands' own space: they rise and come forward on their collar bones as hands do."""
    reach = (body.signer.upper_arm + body.signer.forearm) / 0.56
    rise = 0.16 * np.clip((wrist[..., 1] / reach + 0.10) / 0.5, 0, 1)
    ahead = 0.12 * np.clip((wrist[..., 2] / reach - 0.20) / 0.25, 0, 1)
    half = body.shoulder[0]
    level = np.cos(rise) * half
    return np.stack([level * np.cos(ahead), np.sin(rise) * half, level * np.sin(ahead)], axis=-1)


def clear_of_body(hands: Array, body: Body) -> Array:
    """How far (…, 3) hands (…, 21, 3) must move for all of their joints to be outside of trunk and head."""
    half = body.signer.shoulder_width / 2
    x, y, z = hands[..., 0] / (0.95 * half), hands[..., 1], hands[..., 2]
    surface = 0.108 * np.sqrt(np.clip(1 - x**2, 0, None)) * np.clip((0.03 - y) / 0.06, 0, 1)
    # Hands that hang beside or behind the trunk are not pulled through it.
    forward = np.clip(surface - z, 0, 0.2) * (surface > 0) * np.clip((z + 0.15) / 0.05, 0, 1)
    move = np.zeros((*hands.shape[:-2], 3))
    move[..., 2] = forward.max(axis=-1)
    scale = body.signer.head
    offset = (hands + move[..., None, :] - np.array([0.0, 0.195, 0.012]) * scale) / _HEAD_RADII / scale
    depth = np.clip(1 - np.sqrt(np.einsum("...i,...i->...", offset, offset)), 0, None)
    deepest = depth.argmax(axis=-1)[..., None, None]
    outwards = np.take_along_axis(offset, deepest, axis=-2)[..., 0, :] + np.array([0.0, 0.0, 0.6])
    return move + unit(outwards) * depth.max(axis=-1)[..., None] * _HEAD_RADII * scale


_HEAD_RADII = np.array([0.078, 0.118, 0.098])


def enliven(xyz: Array, frames: Array, body: Body, rng: Draws, fps: float) -> tuple[Array, Array]:
    """Joints and hand frames with small slow turns of the head about the neck and of the whole body about the hips."""
    signer = body.signer
    slow = slow_noise(rng, len(xyz), 6, fps, 0.8)
    head = _rotations(slow[:, :3] * signer.nod * np.array([0.8, 1.0, 0.5]))
    sway = _rotations(slow[:, 3:] * signer.sway).transpose(0, 2, 1)
    xyz = xyz.copy()
    xyz[:, _HEAD_ROWS] = (xyz[:, _HEAD_ROWS] - body.head_pivot) @ head.transpose(0, 2, 1) + body.head_pivot
    return (xyz - body.hip) @ sway + body.hip, frames @ sway[:, None]


def _rotations(angles: Array) -> Array:
    """Matrices (T, 3, 3) of turns (T, 3) given as axis times angle (Rodrigues)."""
    size = np.linalg.norm(angles, axis=-1)
    axis = angles / np.maximum(size, 1e-12)[:, None]
    cross = np.zeros((len(angles), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.transpose(0, 2, 1).copy()
    sin, cos = np.sin(size)[:, None, None], np.cos(size)[:, None, None]
    return np.eye(3) + sin * cross + (1 - cos) * (cross @ cross)


def slow_noise(rng: Draws, length: int, width: int, fps: float, hertz: float) -> Array:
    """(length, width) smooth noise of about unit variance: eased steps between normal draws, `hertz` a second."""
    knots = max(4, int(np.ceil(length / fps * hertz)) + 3)
    values = rng.normal(0, 1, (knots, width))
    position = np.linspace(0, knots - 1.001, length)
    low = position.astype(int)
    share = (position - low)[:, None]
    weight = share * share * (3 - 2 * share)
    return values[low] + (values[low + 1] - values[low]) * weight


def mirrored(xyz: Array, frames: Array, angles: Array) -> tuple[Array, Array, Array]:
    """The same in a mirror, left and right exchanged: what a left-hander does."""
    return xyz[:, _SWAPPED] * _MIRROR, frames[:, ::-1] * _MIRROR, angles[:, ::-1]
