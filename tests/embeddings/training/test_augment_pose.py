"""Augmentation of poses: geometry by hand, what must stay, and that one seed gives one result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.skeletons import SKELETONS
from embeddings.synthetic import SignWorld
from embeddings.training.augment_pose import augment_pose, drop_joints, move, time_warp


@pytest.fixture(scope="module")
def pose() -> Pose:
    found = SignWorld(3, signs=2).clip(0).pose
    assert found is not None
    return found


def test_a_quarter_turn_by_hand(pose: Pose) -> None:
    square = replace(pose, size=(100, 100), xy=np.full_like(pose.xy, 50.0))
    square.xy[:, 0] = (80, 50)
    turned = move(square, np.pi / 2, np.ones(2), np.zeros(2))
    np.testing.assert_allclose(turned.xy[0, 0], (50, 80), atol=1e-4)  # clockwise as seen, y is down
    wide = move(square, 0.0, np.array([2.0, 1.0]), np.array([5.0, -3.0]))
    np.testing.assert_allclose(wide.xy[0, 0], (115, 47), atol=1e-4)


def test_moving_back_is_the_inverse(pose: Pose) -> None:
    there = move(pose, 0.3, np.ones(2), np.zeros(2))
    back = move(there, -0.3, np.ones(2), np.zeros(2))
    np.testing.assert_allclose(back.xy, pose.xy, atol=1e-2)


def test_the_shape_survives_what_a_camera_would_do(pose: Pose) -> None:
    """After removing translation, rotation and scale the hands differ by little more than the shaking."""
    from embeddings.pose.features import body_hands

    for seed in range(5):
        moved = augment_pose(pose, np.random.default_rng(seed), strength=0.5)
        assert moved.xy.shape == pose.xy.shape
        assert moved.skeleton == pose.skeleton
        assert np.abs(body_hands(moved).body - body_hands(pose).body).mean() < 0.3


def test_one_seed_one_result_and_strength_zero_changes_nothing(pose: Pose) -> None:
    a, b = (augment_pose(pose, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(a.xy, b.xy)
    same = augment_pose(pose, np.random.default_rng(4), strength=0.0)
    np.testing.assert_allclose(same.xy, pose.xy, atol=1e-3)
    np.testing.assert_array_equal(same.confidence, pose.confidence)


def test_a_mirrored_pose_swaps_the_hands(pose: Pose) -> None:
    seen = augment_pose(pose, np.random.default_rng(4), strength=0.0, mirror=1.0)
    np.testing.assert_allclose(seen.xy, pose.mirrored().xy, atol=1e-3)


def test_lost_hands_are_missing_in_a_run_and_the_body_stays(pose: Pose) -> None:
    dropped = drop_joints(pose, np.random.default_rng(1), hands=1.0, joints=0.0)
    joints = SKELETONS[pose.skeleton].joints
    body = [i for i, name in enumerate(joints) if "_hand_" not in name]
    np.testing.assert_array_equal(dropped.xy[:, body], pose.xy[:, body])
    for side in ("left", "right"):
        fingers = [i for i, n in enumerate(joints) if n.startswith(f"{side}_hand_") and not n.endswith("_wrist")]
        gone = np.isnan(dropped.xy[:, fingers, 0]) & ~np.isnan(pose.xy[:, fingers, 0])
        rows = np.flatnonzero(gone.all(axis=1))
        assert 1 <= len(rows) <= 20
        assert (np.diff(rows) == 1).all()
        assert (dropped.confidence[rows][:, fingers] == 0).all()


def test_warped_time_keeps_order_and_ends() -> None:
    places = np.linspace(0, 1, 17)
    for seed in range(10):
        warped = time_warp(places, np.random.default_rng(seed), 0.4)
        assert warped[0] == 0
        assert warped[-1] == pytest.approx(1)
        assert (np.diff(warped) > 0).all()
    np.testing.assert_array_equal(time_warp(places, np.random.default_rng(0), 0.0), places)
