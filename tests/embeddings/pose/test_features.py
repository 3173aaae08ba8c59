from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose.features import BODY, body_hands, fill_nearest
from embeddings.skeletons import SKELETONS

from ..test_clip import make_pose


def test_the_nearest_frame_fills_and_the_earlier_wins_a_tie() -> None:
    nan = np.nan
    values = np.array([[nan], [1], [nan], [2], [nan], [nan], [nan], [5]], np.float32)
    assert fill_nearest(values)[:, 0].tolist() == [1, 1, 1, 2, 2, 2, 5, 5]


def test_a_series_that_is_never_there_stays_missing() -> None:
    values = np.array([[np.nan, 1], [np.nan, 2]], np.float32)
    filled = fill_nearest(values)
    assert np.isnan(filled[:, 0]).all()
    np.testing.assert_array_equal(filled[:, 1], [1, 2])


def test_filling_agrees_with_a_loop() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = np.where(rng.random((9, 2)) < 0.6, np.nan, rng.random((9, 2))).astype(np.float32)
        filled = fill_nearest(values)
        for j in range(2):
            there = np.flatnonzero(~np.isnan(values[:, j]))
            for t in range(9):
                if len(there):
                    nearest = min(there, key=lambda s: (abs(s - t), s))
                    assert filled[t, j] == values[nearest, j]


@pytest.mark.parametrize("skeleton", ["spoter-54", "openpose-50", "mediapipe-holistic"])
def test_place_and_size_of_the_signer_do_not_matter(skeleton: str) -> None:
    pose = make_pose(8, skeleton)
    moved = Pose(pose.xy * 0.5 + 40, pose.confidence, skeleton, 25.0, pose.size)
    np.testing.assert_allclose(body_hands(moved).flat(), body_hands(pose).flat(), atol=1e-3)


def test_layouts_with_the_same_joints_give_the_same_features() -> None:
    pose = make_pose(8, "coco-wholebody-133")
    expected = body_hands(pose).flat()
    for skeleton in ("spoter-54", "openpose-50"):
        got = body_hands(pose.to(skeleton))
        np.testing.assert_allclose(got.flat(), expected, atol=1e-5)


def test_an_unseen_hand_borrows_its_shape_and_says_so() -> None:
    pose = make_pose(5, "mediapipe-holistic")
    left = SKELETONS["mediapipe-holistic"].hand("left")
    pose.xy[2:4, left] = np.nan
    pose.confidence[2:4, left] = 0
    features = body_hands(pose)
    assert features.present[:, 0].tolist() == [1, 1, 0, 0, 1]
    np.testing.assert_array_equal(features.hands[2, 0], features.hands[1, 0])
    assert not np.isnan(features.flat()).any()


def test_without_shoulders_there_is_nothing_to_measure_by() -> None:
    pose = make_pose(5, "mediapipe-holistic")
    pose.xy[:, pose.joint(BODY[1])] = np.nan
    with pytest.raises(ValueError, match="shoulders were never seen"):
        body_hands(pose)


def test_a_skeleton_without_arms_is_refused() -> None:
    pose = make_pose(5, "smplx-39")
    hands_only = Pose(pose.xy, pose.confidence, "smplx-39", 25.0, (640, 480))
    with pytest.raises((ValueError, KeyError), match="smplx-39"):
        body_hands(hands_only)


def test_the_unit_is_the_median_shoulder_width() -> None:
    pose = make_pose(frames=5, skeleton="coco-wholebody-133")
    layout = SKELETONS["coco-wholebody-133"]
    xy = pose.xy.copy()
    xy[:, layout.index("left_shoulder")], xy[:, layout.index("right_shoulder")] = (150, 100), (50, 100)
    xy[2, layout.index("left_shoulder")] = (450, 100)  # an error of the estimator
    xy[:, layout.index("nose")] = (100, 50)
    body = body_hands(replace(pose, xy=xy)).body
    # neck (100, 100), shoulders 100 px apart: the nose is half a unit above
    np.testing.assert_allclose(body[0, BODY.index("nose")], (0, -0.5), atol=1e-6)
