"""Forearm crops by hand, what stands in for missing ones, and the three networks' inputs of a clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.clip import Clip, Pose
from embeddings.encoders.vtn import VTNHC, VTNPF, VTNConfig, VTNPFDepth
from embeddings.encoders.vtn_inputs import cut_square, forearm_squares, hand_inputs
from embeddings.nearest import nearest_rows
from embeddings.pose.flow import pose_flow
from embeddings.skeletons import SKELETONS

JOINTS = SKELETONS["openpose-50"]


def standing(frames: int = 5, size: tuple[int, int] = (200, 160)) -> Pose:
    """Shoulders 50 px apart; right elbow (60, 100), wrist (80, 80); left elbow (140, 100), wrist (140, 60)."""
    xy = np.zeros((frames, 50, 2), np.float32)
    for name, place in (
        ("head", (100, 20)), ("neck", (100, 40)), ("left_shoulder", (125, 40)), ("right_shoulder", (75, 40)),
        ("right_elbow", (60, 100)), ("right_wrist", (80, 80)), ("left_elbow", (140, 100)), ("left_wrist", (140, 60)),
    ):  # fmt: skip
        xy[:, JOINTS.index(name)] = place
    return Pose(xy, np.ones((frames, 50), np.float32), "openpose-50", 25.0, size)


def numbered(frames: int = 5, size: tuple[int, int] = (200, 160)) -> np.ndarray:
    """Frames whose red is their number, green their column, blue their row."""
    pictures = np.zeros((frames, size[1], size[0], 3), np.uint8)
    pictures[..., 0] = np.arange(frames)[:, None, None]
    pictures[..., 1] = np.arange(size[0])
    pictures[..., 2] = np.arange(size[1])[:, None]
    return pictures


def test_squares_by_hand() -> None:
    squares = forearm_squares(standing())
    assert squares.shape == (5, 2, 3)
    np.testing.assert_allclose(squares[0], [(140, 60 - 0.15 * 40, 60), (80 + 0.15 * 20, 80 - 0.15 * 20, 60)])


def test_squares_follow_a_moved_enlarged_and_mirrored_signer() -> None:
    pose = standing()
    moved = replace(pose, xy=pose.xy * 2 + np.array((10, -5), np.float32))
    expected = forearm_squares(pose) * 2 + np.array((10, -5, 0), np.float32)
    np.testing.assert_allclose(forearm_squares(moved), expected, rtol=1e-5)
    mirrored = forearm_squares(pose.mirrored())[:, ::-1]
    np.testing.assert_allclose(mirrored[..., 0], 199 - forearm_squares(pose)[..., 0], rtol=1e-5)
    np.testing.assert_allclose(mirrored[..., 1:], forearm_squares(pose)[..., 1:], rtol=1e-5)


def test_a_cut_is_the_pixels_of_the_square_and_repeats_the_edge() -> None:
    picture = numbered(1)[0]
    inside = cut_square(picture, np.array([50.0, 40.0, 20.0]), 20)
    assert (inside[0, 0, 1], inside[0, -1, 1], inside[0, 0, 2], inside[-1, 0, 2]) == (40, 59, 30, 49)
    edge = cut_square(picture, np.array([0.0, 155.0, 20.0]), 20)
    assert edge[0, :, 1].tolist() == [0] * 11 + list(range(1, 10))
    assert edge[:, 0, 2].tolist() == list(range(145, 160)) + [159] * 5
    assert cut_square(picture, np.array([50.0, 40.0, 21.0]), 8).shape == (8, 8, 3)


def test_nearest_rows_by_hand_and_by_loop() -> None:
    assert nearest_rows(np.array([0, 1, 0, 0, 0, 1, 0], bool)).tolist() == [1, 1, 1, 1, 5, 5, 5]  # type: ignore[union-attr]
    assert nearest_rows(np.array([1, 0, 1], bool)).tolist() == [0, 0, 2]  # type: ignore[union-attr]
    assert nearest_rows(np.zeros(3, bool)) is None
    known = np.random.default_rng(0).random(40) < 0.2
    expected = [min(np.flatnonzero(known), key=lambda k: (abs(k - i), k)) for i in range(40)]
    np.testing.assert_array_equal(nearest_rows(known), expected)


def test_a_missing_crop_is_the_picture_of_the_nearest_frame() -> None:
    pose = standing()
    for frame, joint in ((1, "right_wrist"), (2, "right_elbow"), (4, "left_shoulder")):
        pose.xy[frame, JOINTS.index(joint)] = np.nan
    hands = hand_inputs(Clip("c", 25.0, pose, numbered()), 25.0, 30)
    assert hands["right_hand"].shape == (5, 30, 30, 3)
    assert hands["right_hand"][:, 5, 5, 0].tolist() == [0, 0, 3, 3, 3]
    assert hands["left_hand"][:, 5, 5, 0].tolist() == [0, 1, 2, 3, 3]  # no shoulder, no size: neither hand


def test_a_hand_never_seen_is_the_full_frame() -> None:
    pose = standing()
    pose.xy[:, JOINTS.index("left_wrist")] = np.nan
    hands = hand_inputs(Clip("c", 25.0, pose, numbered()), 25.0, 40)
    whole = hands["left_hand"]
    assert whole[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert whole[0, 20, -1, 1] > 190
    assert whole[0, -1, 20, 2] > 150
    assert hands["right_hand"][0, :, :, 1].max() < 120


def test_inputs_of_a_clip() -> None:
    pose = standing(10)
    pose.xy[:, JOINTS.index("right_wrist"), 0] += np.arange(10) * 3
    clip = Clip("c", 25.0, pose, numbered(10), extra={"depth": numbered(10)[..., 1].copy()})
    config = VTNConfig(backbone="mobilenet_v3_small", heads=4, size=28)
    inputs = VTNPFDepth(config).prepare(clip)
    assert {name: (values.shape, str(values.dtype)) for name, values in inputs.items()} == {
        "left_hand": ((10, 28, 28, 3), "uint8"),
        "right_hand": ((10, 28, 28, 3), "uint8"),
        "flow": ((10, 106), "float32"),
        "depth": ((10, 2, 28, 28), "uint8"),
    }
    np.testing.assert_array_equal(inputs["flow"], pose_flow(pose))
    np.testing.assert_array_equal(inputs["depth"][:, 1], inputs["right_hand"][..., 1])  # its green is the column too
    room = VTNPF(config).prepare_training(clip)
    assert room["left_hand"].shape == (10, 32, 32, 3)
    np.testing.assert_array_equal(room["left_hand"][:, 2:30, 2:30], inputs["left_hand"])


def test_frames_and_pose_are_resampled_together() -> None:
    clip = Clip("c", 50.0, replace(standing(9), fps=50.0), numbered(9))
    inputs = VTNPF(VTNConfig(backbone="mobilenet_v3_small", heads=4, size=28)).prepare(clip)
    assert inputs["right_hand"][:, 5, 5, 0].tolist() == [0, 2, 4, 6]
    assert len(inputs["flow"]) == 4


def test_what_is_missing_is_named() -> None:
    encoder = VTNHC(VTNConfig(backbone="mobilenet_v3_small", heads=4, size=28))
    with pytest.raises(ValueError, match="bare: hand crops and pose flow need a pose"):
        encoder.prepare(Clip("bare", 25.0, frames=numbered()))
    with pytest.raises(ValueError, match="neither frames nor a path"):
        encoder.prepare(Clip("bare", 25.0, standing()))
    deep = VTNPFDepth(encoder.config)
    with pytest.raises(ValueError, match="given float32 of shape"):
        deep.prepare(Clip("c", 25.0, standing(), numbered(), extra={"depth": np.zeros((5, 4, 4), np.float32)}))
