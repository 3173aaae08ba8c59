"""Which way a palm faces: up, down, right, left, away or body.

Right and left are the signer's own: a palm that faces "right" looks towards the signer's right-hand side, whichever
hand it is. "away" is forward, away from the signer, "body" back towards the signer.

With depth the palm's normal is the cross product of wrist → index knuckle and wrist → little knuckle. Without it the
palm is fitted as a stiff plate: its foreshortening says how far it is tilted and the order of its corners which side is
seen; to which of two sides it is tilted is told by the fingers, which bend to the palm's side. Stretched fingers on an
edge-on hand leave that open, which the confidence says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .signer_space import Array, SignerSpace

__all__ = ["ORIENTATIONS", "Oriented", "orientations", "palm_normals"]

ORIENTATIONS: tuple[str, ...] = ("up", "down", "right", "left", "away", "body")
AXES: Array = np.array([[0, 1, 0], [0, -1, 0], [-1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, -1]], float)
"""Unit vectors of `ORIENTATIONS` in the signer's space, whose x points to the signer's left."""

WRIST, INDEX, LITTLE = 0, 5, 17
PLATE_JOINTS = (0, 5, 9, 13, 17)
PLATE: Array = np.array([[0.0, 0.0], [0.26, 0.95], [0.0, 1.0], [-0.2, 0.93], [-0.38, 0.82]])
"""Where the wrist and the knuckles lie on a right palm seen from its front, fingers up, in palm lengths."""
PLATE = PLATE - PLATE.mean(axis=0)


@dataclass(frozen=True, eq=False)
class Oriented:
    """Palm orientation per frame and hand.

    Attributes:
        index: (T, 2) into `ORIENTATIONS`, −1 where the hand was not seen.
        confidence: (T, 2) in [0, 1]: 1 on an axis, 0 on the border to the next, times how sure the normal is.
        normal: (T, 2, 3) unit vector out of the palm, signer's space; NaN where not seen.
    """

    index: NDArray[np.int64]
    confidence: Array
    normal: Array

    @property
    def names(self) -> NDArray[np.str_]:
        """(T, 2) names, "" where the hand was not seen."""
        return np.array([*ORIENTATIONS, ""])[self.index]


def palm_normals(space: SignerSpace) -> tuple[Array, Array]:
    """Unit normals (T, 2, 3) out of the palms, and how sure they are (T, 2) in [0, 1]."""
    hands = space.hands
    to_index, to_little = hands[:, :, INDEX] - hands[:, :, WRIST], hands[:, :, LITTLE] - hands[:, :, WRIST]
    if not space.flat_hands:
        normal, sure = np.cross(to_index, to_little), np.ones(hands.shape[:2])
    else:
        normal, sure = _flat_normals(hands)
    normal[:, 0] *= -1  # the left hand is the right one's mirror image
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    normal = np.where(length > 1e-9, normal / np.maximum(length, 1e-9), np.nan)
    return _steady(normal), sure


def _flat_normals(hands: Array) -> tuple[Array, Array]:
    """Normals from the picture alone, as if all were right hands, and how sure they are.

    The palm is a stiff plate: the affine map from it to the picture says how far it is tilted, and, by its sign, which
    side is seen. Towards which of two sides it is tilted the plate does not tell; the fingers do, since they bend to
    the palm's side.
    """
    palm = hands[:, :, list(PLATE_JOINTS), :2]
    to_picture = np.einsum("thjc,ja->thca", palm - palm.mean(2, keepdims=True), np.linalg.pinv(PLATE).T)
    scale = np.linalg.norm(np.nan_to_num(to_picture), 2, axis=(2, 3))
    plate = to_picture / np.maximum(scale, 1e-9)[..., None, None]
    ahead = np.clip(plate[..., 0, 0] * plate[..., 1, 1] - plate[..., 0, 1] * plate[..., 1, 0], -1, 1)
    # (x, y) of u × v from the depths of the plate's axes u and v, whose sign is common and unknown
    depth_u, depth_v = (np.sqrt(np.clip(1 - (plate[..., k] ** 2).sum(-1), 0, 1)) for k in (0, 1))
    depth_v = depth_v * np.where((plate[..., 0] * plate[..., 1]).sum(-1) > 0, -1.0, 1.0)
    x = plate[..., 1, 0] * depth_v - depth_u * plate[..., 1, 1]
    y = depth_u * plate[..., 0, 1] - plate[..., 0, 0] * depth_v
    plane = np.stack([x, y], axis=-1)
    tips = (hands[:, :, [8, 12, 16, 20]] - hands[:, :, [5, 9, 13, 17]]).mean(axis=2)[..., :2]
    bend = (tips * plane).sum(-1) / np.maximum(scale * np.linalg.norm(plane, axis=-1), 1e-9)
    # the left hand's map is that of a mirrored plate: its normal comes out turned, which `palm_normals` expects
    turn = np.where(bend < 0, -1.0, 1.0) * np.array([-1.0, 1.0])
    sure = np.maximum(ahead**2, np.clip(np.abs(bend) / 0.5, 0, 1))
    return np.concatenate([turn[..., None] * plane, ahead[..., None]], axis=-1), sure


def _steady(normal: Array) -> Array:
    """Mean direction of three frames; a missing neighbour does not count."""
    padded = np.concatenate([normal[:1], normal, normal[-1:]])
    total = np.nansum(np.stack([padded[:-2], 2 * padded[1:-1], padded[2:]]), axis=0)
    length = np.linalg.norm(total, axis=-1, keepdims=True)
    there = np.isfinite(normal) & (length > 1e-9)
    return np.where(there, total / np.maximum(length, 1e-9), np.nan)


def orientations(space: SignerSpace) -> Oriented:
    """The nearest of the six directions to each palm's normal, in each frame."""
    normal, sure = palm_normals(space)
    share = np.nan_to_num(normal) @ AXES.T
    index = np.argmax(share, axis=-1)
    ordered = np.sort(share, axis=-1)
    seen = np.isfinite(normal).all(axis=-1)
    confidence = np.clip((ordered[..., -1] - ordered[..., -2]) / 0.5, 0, 1) * sure * space.confidence
    return Oriented(np.where(seen, index, -1), np.where(seen, confidence, 0.0), normal)
