"""Projection: hand-computed points, senses of the axes, every named skeleton."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.skeletons import SKELETONS
from embeddings.synthetic import Camera, Draws, SignWorld, figure_index, random_camera
from embeddings.synthetic.filming.camera import joint_weights

WORLD = SignWorld(3, 6)
PERFORMANCE = WORLD.perform(0)


def test_known_point() -> None:
    camera = Camera(distance=2.0, focal=100.0, size=(201, 101), target=(0.0, 0.0, 0.0))
    np.testing.assert_allclose(camera.position, [0, 0, 2], atol=1e-12)
    # x to the signer's left is right in the picture, y up is up, 1 m nearer doubles the scale
    np.testing.assert_allclose(camera.points(np.array([0.5, 0.25, 1.0])), [100 + 50, 50 - 25, 1.0], atol=1e-9)


def test_yaw_pitch_roll_senses() -> None:
    assert Camera(yaw=0.3).position[0] > 0.3  # to the signer's left
    assert Camera(pitch=0.3).position[1] > 0.3  # from above
    up = Camera(roll=0.2).points(np.array([0.0, 0.3, 0.05]))
    assert up[0] != pytest.approx(255.5, abs=5)
    for camera in (Camera(), Camera(yaw=1.0, pitch=-0.4, roll=0.3)):
        np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(camera.axes) == pytest.approx(1)


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_every_skeleton_is_projected_whole(skeleton: str) -> None:
    pose = Camera().project(PERFORMANCE.figure, skeleton)
    assert pose.skeleton == skeleton
    assert np.isfinite(pose.xy).all()
    assert pose.z is not None
    assert np.isfinite(pose.z).all()
    np.testing.assert_allclose(joint_weights(skeleton).sum(axis=1), 1, atol=1e-4)
    moved = replace(Camera(), target=(0.1, -0.13, 0.05)).project(PERFORMANCE.figure, skeleton)
    assert (moved.xy[..., 0] < pose.xy[..., 0]).all()


@pytest.mark.parametrize("skeleton", ["coco-wholebody-133", "mediapipe-holistic", "openpose-body135", "spoter-54"])
def test_mapping_between_skeletons_agrees_with_projecting(skeleton: str) -> None:
    direct = Camera().project(PERFORMANCE.figure, "openpose-50")
    mapped = Camera().project(PERFORMANCE.figure, skeleton).to("openpose-50")
    both = [j for j in SKELETONS["openpose-50"].joints if j != "neck"]
    rows = [SKELETONS["openpose-50"].index(j) for j in both]
    np.testing.assert_allclose(mapped.xy[:, rows], direct.xy[:, rows], atol=1e-3)


def test_face_is_where_a_face_is() -> None:
    pose = Camera().project(PERFORMANCE.figure, "coco-wholebody-133")
    y = {name: pose.xy[0, pose.joint(name), 1] for name in ("face_8", "face_27", "face_30", "face_51", "left_eye")}
    assert y["face_27"] < y["face_30"] < y["face_51"] < y["face_8"]
    left = [pose.joint(f"face_{i}") for i in (14, 24, 45, 54)]
    right = [pose.joint(f"face_{i}") for i in (2, 19, 36, 48)]
    assert (pose.xy[0, left, 0] > pose.xy[0, right, 0]).all()
    assert np.linalg.norm(pose.xy[0, pose.joint("face_30")] - pose.xy[0, pose.joint("nose")]) < 2


def test_feet_are_under_and_before_the_ankles() -> None:
    pose = Camera().project(PERFORMANCE.figure, "mediapipe-holistic")
    toe, ankle, heel = (pose.joint(f"left_{n}") for n in ("foot_index", "ankle", "heel"))
    assert (pose.xy[:, toe, 1] > pose.xy[:, ankle, 1]).all()
    assert pose.z is not None
    assert (pose.z[:, toe] < pose.z[:, ankle]).all()
    assert (pose.z[:, heel] > pose.z[:, ankle]).all()


def test_depth_is_smaller_nearer_to_the_camera() -> None:
    pose = Camera().project(PERFORMANCE.figure, "mediapipe-holistic")
    assert pose.z is not None
    wrist = PERFORMANCE.figure.xyz[:, figure_index("right_wrist"), 2]
    near, far = int(wrist.argmax()), int(wrist.argmin())
    assert pose.z[near, pose.joint("right_wrist")] < pose.z[far, pose.joint("right_wrist")] - 20


def test_random_cameras_see_the_face_and_the_shoulders() -> None:
    for i in range(60):
        camera = random_camera(Draws(i))
        pose = camera.project(PERFORMANCE.figure)
        xy = pose.xy[:, [pose.joint(n) for n in ("nose", "left_shoulder", "right_shoulder")]]
        assert (xy > 0).all()
        assert (xy < np.array(camera.size)).all()


def test_impossible_cameras_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.2 m from its target"):
        Camera(distance=0.2)
    with pytest.raises(ValueError, match="skeleton 'stick' is not known"):
        Camera().project(PERFORMANCE.figure, "stick")
