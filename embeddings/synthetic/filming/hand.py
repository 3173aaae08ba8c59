"""The rendered hand: one smooth skin over 21 joints, baked once, bent to every posture by linear blend skinning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..signing.kinematics import hand_points, unit
from .surface import Mesh, round_cone, smooth_union, surface

__all__ = ["HandSkin", "hand_skin", "pose_hand"]

Array = NDArray[np.floating]

_LENGTH = 0.19
_REST = np.deg2rad([42, 22, 4, 4, 4, 6, 4, 6, 4, 6, 4, 6, 12, 3, -8, -19])
_TURN = np.array([-1.0, 1.0, 1.0])
# Radii (mm) at the four joints of thumb, index, middle, ring and pinky; adult means, e.g. Greiner 1991.
_RADII = np.array(
    [[13, 11.6, 10.6, 8.8], [10.6, 9.7, 8.6, 7.2], [10.8, 9.9, 8.7, 7.4], [10.2, 9.3, 8.2, 7.0], [9.0, 8.1, 7.2, 6.2]]
) / 1000  # fmt: skip
FOREARM, PALM = 0, 1
"""Rows of the bones' transforms; then three bones each of thumb, index, middle, ring, pinky."""


@dataclass(frozen=True, eq=False)
class HandSkin:
    """A left hand of 0.19 m: x away from the thumb's side, y along the fingers, z out of the palm.

    Attributes:
        mesh: rest posture.
        weights: (V, 17) how much each vertex follows each bone.
        frames: (17, 3, 3) axes of the bones at rest; origins: (17, 3).
        tint: (Q, 3) factors of the skin's colour: pinker tips, knuckles and palm, pale nails, dark creases.
        palm: metres from wrist to middle knuckle.
    """

    mesh: Mesh
    weights: Array
    frames: Array
    origins: Array
    tint: Array
    palm: float


@lru_cache(maxsize=4)
def hand_skin(cell: float = 0.0038) -> HandSkin:
    """The skin in quads of about `cell` metres, computed once (about half a second)."""
    joints = hand_points(_REST, _LENGTH)
    groups = _groups(joints)

    def solid(points: Array) -> Array:
        fingers = [smooth_union([round_cone(points, *shape) for shape in finger], 0.0012) for finger in groups[1:]]
        palm = smooth_union([round_cone(points, *shape) for shape in groups[0]], 0.0045)
        return smooth_union([palm, *fingers], 0.0030)

    baked = surface(solid, (-0.075, -0.075, -0.045), (0.115, 0.215, 0.060), cell)
    weights = _weights(baked.vertices, joints, groups)
    # A left hand's local axes are left-handed; from here on the hand lies in a right-handed space.
    mesh = Mesh(baked.vertices * _TURN, baked.quads[:, ::-1])
    frames, origins = _bones(joints[None] * _TURN, np.array([[0.0, -0.25, 0.0]]))
    palm = float(np.linalg.norm(joints[9]))
    return HandSkin(mesh, weights, frames[0], origins[0], _tint(baked, joints, weights), palm)


Shape = tuple[Array, Array, float, float]


def _groups(joints: Array) -> list[list[Shape]]:
    """Round cones of the palm (with wrist and the balls of thumb and little finger), then of each finger."""
    side, wrist = np.array([1.0, 0, 0]), np.zeros(3)
    carpals = [wrist + side * x + (0, 0.014, 0.001) for x in (0.014, 0.005, -0.006, -0.016)]
    palm: list[Shape] = []
    for carpal, knuckle in zip(carpals, joints[5::4], strict=True):
        palm.append((carpal, np.add(knuckle, [0, -0.004, 0.002]), 0.0115, 0.0095))
    for first, second in ((5, 9), (9, 13), (13, 17)):
        middle = (joints[first] + joints[second]) / 2
        palm.append(((carpals[1] + carpals[2]) / 2, np.add(middle, [0, -0.012, 0.0045]), 0.0115, 0.0080))
    for knuckle in joints[5::4]:
        palm.append((np.add(knuckle, [0, -0.012, -0.0015]), np.add(knuckle, [0, 0.001, -0.0015]), 0.0070, 0.0088))
    palm.append((np.array([-0.022, 0.022, 0.007]), np.array([-0.034, 0.058, 0.006]), 0.0125, 0.0105))
    thumb, knuckle = joints[1], joints[2]
    palm.append((np.array([0.010, 0.016, 0.006]), thumb, 0.014, 0.0145))
    for share in (0.35, 0.65):  # the web between thumb and index finger
        end = joints[5] + (joints[2] - joints[5]) * share
        palm.append((np.array([0.018, 0.035, 0.004]), joints[5] * 0.45 + end * 0.48, 0.009, 0.0055))
    for x in (0.011, -0.012):
        palm.append((np.array([x, 0.004, 0.0]), np.array([x * 1.25, -0.075, 0.0]), 0.0145, 0.0165))
    groups = [palm]
    for finger in range(5):
        chain, radii = joints[1 + 4 * finger : 5 + 4 * finger], _RADII[finger]
        bones = [(chain[i], chain[i + 1], float(radii[i]), float(radii[i + 1])) for i in range(3)]
        end = unit(chain[3] - chain[2]) * radii[3] * 0.75
        bones[2] = (chain[2], chain[3] - end, float(radii[2]), float(radii[3]))
        groups.append(bones)
    groups[1][0] = (thumb, knuckle, 0.0145, float(_RADII[0, 1]))
    return groups


def _weights(vertices: Array, joints: Array, groups: list[list[Shape]]) -> Array:
    palm = np.min([round_cone(vertices, *shape) for shape in groups[0][:-2]], axis=0)
    arm = round_cone(vertices, np.array([0, -0.010, 0.0]), np.array([0, -0.1, 0.0]), 0.026, 0.026)
    distance = [arm, palm, *(round_cone(vertices, *bone) for finger in groups[1:] for bone in finger)]
    stacked = np.stack(distance, axis=1)
    soft = np.full(17, 0.0026)
    soft[:3] = 0.006
    near = np.exp(-(stacked - stacked.min(axis=1, keepdims=True)) / soft)
    near[:, FOREARM] *= vertices[:, 1] < 0.015
    near[vertices[:, 1] < 0.0, 2:] = 0
    near[near < 0.03] = 0
    return near / near.sum(axis=1, keepdims=True)


def _bones(joints: Array, elbow: Array) -> tuple[Array, Array]:
    """Axes (N, 17, 3, 3), rows side, along, out, and origins (N, 17, 3) of the bones of left hands (N, 21, 3)."""
    wrist = joints[:, 0]
    along = unit(joints[:, 9] - wrist)
    across = unit(joints[:, 5] - joints[:, 17])
    palm = unit(np.cross(along, across))
    across = np.cross(palm, along)
    bend = -0.92 * across - 0.05 * along + 0.18 * palm
    hinge = unit(np.cross(bend, joints[:, 2] - joints[:, 1]))
    frames, origins = [_frame(wrist - elbow, across), np.stack([across, along, palm], axis=1)], [wrist, wrist]
    for finger in range(5):
        for bone in range(3):
            start, end = joints[:, 1 + 4 * finger + bone], joints[:, 2 + 4 * finger + bone]
            frames.append(_frame(end - start, hinge if finger == 0 else across))
            origins.append(start)
    return np.stack(frames, axis=1), np.stack(origins, axis=1)


def _frame(along: Array, side: Array) -> Array:
    """Axes (N, 3, 3) with `along` exact and `side` as near as it gets."""
    along = unit(along)
    out = unit(np.cross(side, along))
    return np.stack([np.cross(along, out), along, out], axis=1)


def pose_hand(skin: HandSkin, joints: Array, elbow: Array, mirrored: bool) -> Array:
    """Vertices (N, V, 3) of the skin over hands of N frames.

    Args:
        joints: (N, 21, 3) in world space. elbow: (N, 3).
        mirrored: a right hand; its quads must be turned inside out.
    """
    mirror = np.array([-1.0, 1.0, 1.0]) if mirrored else np.ones(3)
    joints, elbow = joints * mirror, elbow * mirror
    frames, origins = _bones(joints, elbow)
    scale = np.linalg.norm(joints[:, 9] - joints[:, 0], axis=1) / skin.palm
    turn = np.einsum("bij,nbik->nbjk", skin.frames, frames) * scale[:, None, None, None]  # rest → posed, on the right
    shift = origins - np.einsum("bj,nbjk->nbk", skin.origins, turn)
    moves = np.concatenate([turn, shift[:, :, None]], axis=2).reshape(len(joints), 17, 12)
    blended = (skin.weights @ moves).reshape(len(joints), -1, 4, 3)
    posed = np.einsum("vj,nvjk->nvk", skin.mesh.vertices, blended[:, :, :3]) + blended[:, :, 3]
    return posed * mirror


def _tint(mesh: Mesh, joints: Array, weights: Array) -> Array:
    """Factors (Q, 3) of the skin's colour."""
    centre = mesh.centres
    tint = np.ones((len(centre), 3))
    normal = np.cross(
        mesh.vertices[mesh.quads[:, 2]] - mesh.vertices[mesh.quads[:, 0]],
        mesh.vertices[mesh.quads[:, 3]] - mesh.vertices[mesh.quads[:, 1]],
    )
    inner = np.clip(unit(normal)[:, 2], -1, 1)
    tint *= 1 + 0.05 * inner[:, None] * np.array([1.0, 0.9, 0.9])  # the palm is paler
    finger = weights[mesh.quads].mean(axis=1)
    for first in (1, 5, 9, 13, 17):
        chain = joints[first : first + 4]
        row = 2 + 3 * (first // 4)
        mine = finger[:, row : row + 3].sum(axis=1) > 0.5
        tip = np.exp(-np.linalg.norm(centre - chain[3], axis=1) / 0.012) * mine
        tint *= 1 + tip[:, None] * np.array([0.03, -0.07, -0.06])
        for joint in chain[1:3]:
            along = unit(chain[3] - chain[1])
            off = np.abs((centre - joint) @ along)
            crease = np.exp(-((off / 0.0022) ** 2)) * mine * np.where(inner > 0, 0.16, 0.10)
            tint *= 1 - crease[:, None] * np.array([0.8, 1.0, 1.0])
        if first > 1:
            knuckle = np.exp(-np.linalg.norm(centre - chain[0] - (0, 0.002, -0.010), axis=1) / 0.007) * (inner < 0)
            tint *= 1 + knuckle[:, None] * np.array([-0.04, -0.14, -0.14])
        back = -1.0 if first > 1 else 0.0
        nail = mine & (np.linalg.norm(centre - chain[3] + unit(chain[3] - chain[2]) * 0.005, axis=1) < 0.0085)
        nail &= (inner * back > 0.75) if first > 1 else (_thumb_back(normal, joints) > 0.75)
        tint[nail] *= np.array([1.08, 1.02, 1.02])
    return tint


def _thumb_back(normal: Array, joints: Array) -> Array:
    """Cosine between the quads' normals and where the thumb's nail points at rest."""
    bone = unit(joints[4] - joints[3])
    bend = np.array([-0.92, -0.05, 0.18])
    return unit(normal) @ -unit(bend - (bend @ bone) * bone)
