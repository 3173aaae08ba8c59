"""SMPL-X rotations: running them forward through a T pose gives back the arms, the palms and the fingers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from embeddings.skeletons import SKELETONS
from embeddings.synthetic import CANONICAL, Performance, SignWorld, figure_index
from embeddings.synthetic.signing.kinematics import unit

WORLD = SignWorld(2, 12)
SKELETON = SKELETONS["smplx-39"]


def world_rotations(rotations: np.ndarray) -> np.ndarray:
    """(T, 39, 3, 3): each joint's rotation multiplied up its chain."""
    local = Rotation.from_rotvec(rotations.reshape(-1, 3)).as_matrix().reshape(len(rotations), 39, 3, 3)
    out = local.copy()
    for parent, child in SKELETON.edges:
        out[:, child] = out[:, parent] @ local[:, child]
    return out


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_forward_kinematics_gives_the_body_back(side: str, left_handed: bool) -> None:
    signer = CANONICAL.mirrored() if left_handed else CANONICAL
    performance: Performance = WORLD.perform([0, 3, 5], signer)
    clip = WORLD.continuous([0, 3, 5], signer, rotations=True)
    rotations = clip.extra["rotations"]
    assert rotations.shape == (len(clip), 39, 3)
    whole = world_rotations(rotations)
    out = np.array([1.0 if side == "left" else -1.0, 0, 0])
    at = {j: performance.figure.xyz[:, figure_index(f"{side}_{j}")] for j in ("shoulder", "elbow", "wrist")}
    at["neck"] = performance.figure.xyz[:, figure_index("neck")]
    for joint, a, b in (("collar", "neck", "shoulder"), ("shoulder", "shoulder", "elbow"), ("elbow", "elbow", "wrist")):
        bone = whole[:, SKELETON.index(f"{side}_{joint}")] @ out
        np.testing.assert_allclose(bone, unit(at[b] - at[a]), atol=1e-4)
    hand = whole[:, SKELETON.index(f"{side}_wrist")]
    np.testing.assert_allclose(hand @ out, performance.frames[:, int(side == "right"), 1], atol=1e-4)
    np.testing.assert_allclose(hand @ [0, -1, 0], performance.frames[:, int(side == "right"), 2], atol=1e-4)


@pytest.mark.parametrize("side", ["left", "right"])
def test_fingers_bend_towards_the_palm(side: str) -> None:
    performance = WORLD.perform(1, CANONICAL)
    rotations = WORLD.clip(1, CANONICAL, rotations=True).extra["rotations"]
    whole = world_rotations(rotations)
    h = int(side == "right")
    out = np.array([1.0 if side == "left" else -1.0, 0, 0])
    for f, finger in enumerate(("index", "middle", "ring", "pinky")):
        tip = whole[:, SKELETON.index(f"{side}_hand_{finger}2")] @ out  # the middle bone's direction
        flexion = performance.angles[:, h, 4 + 2 * f] + performance.angles[:, h, 5 + 2 * f]
        np.testing.assert_allclose(np.einsum("ti,ti->t", tip, performance.frames[:, h, 2]), np.sin(flexion), atol=1e-4)
