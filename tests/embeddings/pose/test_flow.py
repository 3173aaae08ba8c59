"""Pose flow: by hand, under mirroring, and on every layout."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose.flow import FLOW_JOINTS, flow_mirror_order, pose_flow
from embeddings.skeletons import SKELETONS
from embeddings.training.augment_frames import mirror_flow


def make_pose(xy: np.ndarray, skeleton: str = "openpose-body135") -> Pose:
    xy = xy.astype(np.float32)
    confidence = (~np.isnan(xy[..., 0])).astype(np.float32)
    return Pose(xy, confidence, skeleton, 25.0, (640, 480))


def still(frames: int, skeleton: str = "openpose-body135") -> np.ndarray:
    joints = SKELETONS[skeleton].joints
    return np.repeat(np.random.default_rng(0).uniform(100, 400, (1, len(joints), 2)), frames, axis=0)


def test_the_joints_are_those_of_the_paper() -> None:
    assert len(FLOW_JOINTS) == 53
    layout = SKELETONS["openpose-body135"].joints
    kept = [*range(11), 17, 18, *range(25, 65)]
    assert tuple(layout[i] for i in kept) == FLOW_JOINTS
    assert FLOW_JOINTS[5:13] == (
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "neck", "head_top",
    )  # fmt: skip


def test_by_hand() -> None:
    xy = still(6)
    xy[:, 17], xy[:, 18] = (200, 150), (200, 100)  # neck length 50
    where = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 10), (-30, -30)]
    xy[:, 9] = np.array(where) + 300  # the left wrist: right, down, left, rest, up and left
    flow = pose_flow(make_pose(xy))
    assert flow.shape == (6, 106)
    wrist = FLOW_JOINTS.index("left_wrist")
    np.testing.assert_allclose(flow[:5, wrist], [0, 0, 0.5, 1.0, 0], atol=1e-6)
    np.testing.assert_allclose(flow[:5, 53 + wrist], [0, 0.2, 0.2, 0.2, 0], atol=1e-6)
    assert flow[5, wrist] == pytest.approx(np.arctan2(-40, -30) / np.pi)
    assert flow[5, 53 + wrist] == pytest.approx(1.0)
    others = np.delete(flow, [wrist, 53 + wrist], axis=1)
    assert (others == 0).all()


def test_the_published_unit_is_each_frames_neck() -> None:
    xy = still(3)
    xy[:, 17] = (0, 150)
    xy[:, 18] = [(0, 100), (0, 110), (0, 100)]  # neck lengths 50, 40, 50; the median is 50
    xy[:, 9] = (200, 0)  # the left wrist rests, 4 neck lengths from the corner, then 5, then 4
    wrist = FLOW_JOINTS.index("left_wrist")
    flow = pose_flow(make_pose(xy), unit="frame")
    np.testing.assert_allclose(flow[:, 53 + wrist], [0, 1, 1], atol=1e-6)
    np.testing.assert_allclose(flow[:, wrist], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(pose_flow(make_pose(xy))[:, 53 + wrist], 0, atol=1e-6)
    with pytest.raises(ValueError, match="expected 'clip' or 'frame'"):
        pose_flow(make_pose(xy), unit="neck")  # type: ignore[arg-type]


def test_missing_joints_come_from_the_nearest_frame_the_earlier_first() -> None:
    xy = still(5)
    xy[:, 17], xy[:, 18] = (200, 150), (200, 100)
    xy[:, 10, 0] = [0, np.nan, np.nan, np.nan, 50]  # filled: 0, 0, 0, 50, 50: of the middle frame the earlier wins
    flow = pose_flow(make_pose(xy))
    np.testing.assert_allclose(flow[:, 53 + 10], [0, 0, 0, 1, 0], atol=1e-6)
    assert not np.isnan(flow).any()


def test_angles_lie_above_minus_one() -> None:
    rng = np.random.default_rng(1)
    xy = still(200)
    xy += rng.integers(-2, 3, xy.shape)
    xy[:, 17], xy[:, 18] = (200, 150), (200, 100)
    flow = pose_flow(make_pose(xy))
    assert flow[:, :53].min() > -1
    assert flow[:, :53].max() == 1
    assert (flow[:, 53:] >= 0).all()


def test_left_is_one_direction_also_where_y_is_a_negative_zero() -> None:
    xy = still(2)
    xy[:, 17], xy[:, 18] = (200, 150), (200, 100)
    xy[:, 9] = [(10, 0.0), (0, -0.0)]  # −0.0 − 0.0 is −0.0, and arctan2(−0.0, −10) is −π
    assert pose_flow(make_pose(xy))[1, FLOW_JOINTS.index("left_wrist")] == 1


def test_place_and_size_do_not_matter() -> None:
    xy = np.random.default_rng(2).uniform(100, 400, (8, 135, 2))
    flow = pose_flow(make_pose(xy))
    np.testing.assert_allclose(pose_flow(make_pose(xy * 3 + 50)), flow, atol=2e-4)


@pytest.mark.parametrize("skeleton", ["openpose-body135", "mediapipe-holistic", "coco-wholebody-133"])
def test_a_mirrored_signer_gives_the_mirrored_flow(skeleton: str) -> None:
    xy = np.random.default_rng(3).uniform(100, 400, (8, len(SKELETONS[skeleton].joints), 2))
    pose = make_pose(xy, skeleton)
    np.testing.assert_allclose(mirror_flow(pose_flow(pose), flow_mirror_order()), pose_flow(pose.mirrored()), atol=2e-4)


def test_other_layouts_have_the_same_meaning() -> None:
    xy = np.random.default_rng(4).uniform(100, 400, (6, 133, 2))
    xy[:, 0] = (250, 100)
    xy[:, 5], xy[:, 6] = (300, 195), (200, 195)  # neck (250, 195), nose 95 above: neck length 180.5
    pose = make_pose(xy, "coco-wholebody-133")
    flow = pose_flow(pose)
    step = np.diff(xy[:, 9], axis=0)
    np.testing.assert_allclose(flow[1:, 53 + 9], np.linalg.norm(step, axis=1) / 180.5, rtol=1e-4)
    thumb = FLOW_JOINTS.index("left_hand_thumb_cmc")
    step = np.diff(xy[:, 92], axis=0)
    np.testing.assert_allclose(flow[1:, 53 + thumb], np.linalg.norm(step, axis=1) / 180.5, rtol=1e-4)


def test_without_a_head_there_is_no_unit() -> None:
    with pytest.raises(ValueError, match="never seen"):
        pose_flow(make_pose(np.full((3, 135, 2), np.nan)))
    assert pose_flow(make_pose(still(0))).shape == (0, 106)
    assert pose_flow(make_pose(still(1))).shape == (1, 106)
