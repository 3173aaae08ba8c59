"""Joint rotations of a performance for 3D encoders: the 39 joints of "smplx-39", axis-angle, relative to the parent.

Conventions of SMPL-X (Pavlakos et al. 2019): the zero pose is a T, arms out to the sides, palms down, thumbs
forward; x to the body's left, y up, z forward; every rotation is in its parent's frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...skeletons import FINGERS, SKELETONS
from ..draws import on_grid
from ..signing.figure import figure_index
from ..signing.kinematics import DIP_SHARE, unit

if TYPE_CHECKING:
    from ..signing.perform import Performance

__all__ = ["smplx_rotations"]

Array = NDArray[np.floating]


def smplx_rotations(performance: Performance) -> NDArray[np.float32]:
    """(T, 39, 3) float32, radians in multiples of 2^-18, in the order of `SKELETONS["smplx-39"]`.

    The chest carries the sway of the whole body, the collars the lift of the shoulders, the elbow only its hinge,
    and the wrist everything else, forearm roll included. The fingers' come from the flexion and spread that made
    the hands, so they are exact.
    """
    skeleton = SKELETONS["smplx-39"]
    out = np.zeros((len(performance), len(skeleton.joints), 3))
    xyz = performance.figure.xyz.astype(np.float64)
    chest = _chest(xyz)
    out[:, skeleton.index("spine3")] = _axis_angle(chest)
    for h, side in enumerate(("left", "right")):
        sign = 1.0 if side == "left" else -1.0
        for joint, rotation in _arm(xyz, chest, performance.frames[:, h], side, sign).items():
            out[:, skeleton.index(f"{side}_{joint}")] = _axis_angle(rotation)
        for joint, vector in _fingers(performance.angles[:, h], sign).items():
            out[:, skeleton.index(f"{side}_hand_{joint}")] = vector
    return on_grid(out, 18).astype(np.float32)


def _chest(xyz: Array) -> Array:
    """(T, 3, 3): columns are the body's left, up and forward."""
    hips = xyz[:, [figure_index("left_hip"), figure_index("right_hip")]]
    up = unit(xyz[:, figure_index("neck")] - hips.mean(axis=1))
    left = unit(hips[:, 0] - hips[:, 1])
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def _arm(xyz: Array, chest: Array, frames: Array, side: str, sign: float) -> dict[str, Array]:
    """Local rotations (T, 3, 3) of collar, shoulder, elbow and wrist. `sign` is +1 for the left arm.

    Global frames have columns (outward bone, up, forward) of the T pose, carried to where the bone now is.
    """
    at = {j: xyz[:, figure_index(j if j == "neck" else f"{side}_{j}")] for j in ("neck", "shoulder", "elbow", "wrist")}
    out = np.zeros(3)
    out[0] = sign
    collar = _shortest(chest @ out, unit(at["shoulder"] - at["neck"])) @ chest
    upper, fore = unit(at["elbow"] - at["shoulder"]), unit(at["wrist"] - at["elbow"])
    # Elbows hinge about the T pose's vertical: the forearm swings forward, so upper × fore lies along ∓y.
    hinge = -sign * unit(np.cross(upper, fore))
    shoulder = _frame(sign * upper, hinge)
    elbow = _frame(sign * fore, hinge)
    # Palm down in the T pose: fingers along ±x, palm normal along −y, thumb along +z.
    wrist = np.stack([sign * frames[:, 1], -frames[:, 2], frames[:, 0]], axis=-1)
    chain = {"collar": (chest, collar), "shoulder": (collar, shoulder), "elbow": (shoulder, elbow),
             "wrist": (elbow, wrist)}  # fmt: skip
    return {joint: parent.transpose(0, 2, 1) @ child for joint, (parent, child) in chain.items()}


def _frame(x: Array, y: Array) -> Array:
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _shortest(a: Array, b: Array) -> Array:
    """Rotations (T, 3, 3) that turn unit vectors a into b the shortest way; not for opposite ones."""
    cross = np.cross(a, b)
    k = np.zeros((*a.shape, 3))
    k[..., 0, 1], k[..., 0, 2], k[..., 1, 2] = -cross[..., 2], cross[..., 1], -cross[..., 0]
    k = k - np.swapaxes(k, -1, -2)
    return np.eye(3) + k + k @ k / (1 + (a * b).sum(axis=-1))[..., None, None]


def _fingers(angles: Array, sign: float) -> dict[str, Array]:
    """Axis-angle vectors (T, 3): flexion turns ±x towards −y, which is about ∓z; spread turns about y."""
    found = {}
    for f, finger in enumerate(FINGERS[1:]):
        mcp, pip, spread = angles[:, 4 + 2 * f], angles[:, 5 + 2 * f], angles[:, 12 + f]
        zero = np.zeros_like(mcp)
        found[f"{finger}1"] = _axis_angle(_about_y(-sign * spread) @ _about_z(-sign * mcp))
        found[f"{finger}2"] = np.stack([zero, zero, -sign * pip], axis=-1)
        found[f"{finger}3"] = np.stack([zero, zero, -sign * DIP_SHARE * pip], axis=-1)
    out, fore, mcp, ip = angles[:, :4].T
    found["thumb1"] = _axis_angle(_about_y(-sign * out) @ _about_z(-sign * fore))
    # The thumb's own joints bend it across the palm: back towards the fingers, in the palm's plane.
    found["thumb2"] = np.stack([np.zeros_like(mcp), sign * mcp, np.zeros_like(mcp)], axis=-1)
    found["thumb3"] = np.stack([np.zeros_like(ip), sign * ip, np.zeros_like(ip)], axis=-1)
    return found


def _about_y(angle: Array) -> Array:
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], axis=-1).reshape(-1, 3, 3)


def _about_z(angle: Array) -> Array:
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], axis=-1).reshape(-1, 3, 3)


def _axis_angle(rotations: Array) -> Array:
    """Rotation vectors (T, 3) of matrices (T, 3, 3)."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(rotations).as_rotvec()
