from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.clip import Clip, Pose, Span
from embeddings.skeletons import SKELETONS


def make_pose(frames: int = 6, skeleton: str = "sl-gcn-27", fps: float = 25.0, seed: int = 0) -> Pose:
    rng = np.random.default_rng(seed)
    joints = len(SKELETONS[skeleton].joints)
    xy = rng.uniform(0, 500, (frames, joints, 2)).astype(np.float32)
    return Pose(xy, np.ones((frames, joints), np.float32), skeleton, fps, (640, 480))


def test_mirroring_twice_is_the_identity() -> None:
    pose = make_pose()
    back = pose.mirrored().mirrored()
    np.testing.assert_allclose(back.xy, pose.xy, atol=1e-3)
    np.testing.assert_array_equal(back.confidence, pose.confidence)


def test_mirroring_moves_the_left_wrist_to_the_right_one() -> None:
    pose = make_pose()
    mirrored = pose.mirrored()
    left, right = pose.joint("left_wrist"), pose.joint("right_wrist")
    np.testing.assert_allclose(mirrored.xy[:, right, 0], 639 - pose.xy[:, left, 0], atol=1e-3)
    np.testing.assert_allclose(mirrored.xy[:, right, 1], pose.xy[:, left, 1])


def test_sampling_between_two_frames_is_linear_and_clamped() -> None:
    pose = make_pose(3)
    at = pose.at(np.array([-4.0, 0.25, 2.0, 9.0]))
    np.testing.assert_allclose(at.xy[0], pose.xy[0])
    np.testing.assert_allclose(at.xy[1], 0.75 * pose.xy[0] + 0.25 * pose.xy[1], rtol=1e-5)
    np.testing.assert_allclose(at.xy[3], pose.xy[2])


def test_sampling_takes_the_side_that_is_there() -> None:
    pose = make_pose(2)
    pose.xy[0, 5] = np.nan
    pose.confidence[0, 5] = 0
    at = pose.at(np.array([0.0, 0.5]))
    np.testing.assert_allclose(at.xy[1, 5], pose.xy[1, 5])
    pose.xy[1, 5] = np.nan
    gone = pose.at(np.array([0.5]))
    assert np.isnan(gone.xy[0, 5]).all()
    assert gone.confidence[0, 5] == 0


@given(st.integers(1, 40), st.sampled_from([12.5, 15.0, 25.0, 29.97, 60.0]))
def test_resampling_keeps_the_duration(frames: int, fps: float) -> None:
    pose = make_pose(frames)
    out = pose.resample(fps)
    assert out.fps == fps
    assert abs(out.duration - pose.duration) <= 1 / fps
    np.testing.assert_allclose(out.xy[0], pose.xy[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"skeleton": "coco-18"}, "coco-18"),
        ({"skeleton": "spoter-54"}, r"needs \(T, 54, 2\)"),
        ({"fps": 0.0}, "fps is 0.0"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"confidence": np.ones((2, 2), np.float32)}, "confidence has shape"),
        ({"z": np.ones((2, 2), np.float32)}, "z has shape"),
    ],
)
def test_a_wrong_pose_says_what_is_wrong(change: dict, message: str) -> None:
    pose = make_pose()
    fields = {"xy": pose.xy, "confidence": pose.confidence, "skeleton": "sl-gcn-27", "fps": 25.0, "size": (640, 480)}
    with pytest.raises(ValueError, match=message):
        Pose(**{**fields, **change})


def test_cutting_a_clip_shifts_the_spans_that_lie_inside() -> None:
    clip = Clip("a", 25.0, make_pose(10), spans=(Span("x", 1, 3), Span("y", 4, 8), Span("z", 7, 10)))
    cut = clip.cut(3, 9)
    assert len(cut) == 6
    assert cut.spans == (Span("y", 1, 5),)


@pytest.mark.parametrize("span", [(-1, 3), (3, 3), (5, 2), (0, 11)])
def test_cutting_outside_the_clip_is_an_error(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        Clip("a", 25.0, make_pose(10)).cut(*span)


def test_frames_and_pose_must_agree() -> None:
    with pytest.raises(ValueError, match="6 pose rows but 5 frames"):
        Clip("a", 25.0, make_pose(6), frames=np.zeros((5, 4, 4, 3), np.uint8))
