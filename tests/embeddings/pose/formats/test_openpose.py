"""OpenPose's JSON folders: which person, which frame, which joint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import PoseFileError, read_pose
from embeddings.pose.formats.openpose import pack_150, read_openpose, unpack_150


def person(x: float, width: float, points: int = 25, hands: bool = True) -> dict[str, list[float]]:
    """Joint i lies at (x + i, i); shoulders `width` apart."""
    body = np.array([[x + i, i, 0.9] for i in range(points)], float)
    right, left = {25: (2, 5), 135: (6, 5)}[points]
    body[right, :2], body[left, :2] = (x, 50), (x + width, 50)
    found = {"pose_keypoints_2d": body.ravel().tolist()}
    if hands:
        for side, offset in (("left", 1000), ("right", 2000)):
            hand = np.array([[offset + i, i, 0.5] for i in range(21)], float)
            found[f"hand_{side}_keypoints_2d"] = hand.ravel().tolist()
    return found


def write(folder: Path, *frames: list[dict[str, list[float]]], first: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    for i, people in enumerate(frames, start=first):
        (folder / f"clip_{i}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


def test_body_25_with_hands(tmp_path: Path) -> None:
    pose = read_openpose(write(tmp_path / "v", [person(100, 80)]), fps=30, size=(640, 480))
    assert (pose.skeleton, pose.fps, pose.size, pose.source) == ("openpose-50", 30, (640, 480), "v")
    for joint, place in (
        ("head", (100, 0)),
        ("right_shoulder", (100, 50)),
        ("left_shoulder", (180, 50)),
        ("left_wrist", (107, 7)),
        ("left_hand_wrist", (1000, 0)),
        ("right_hand_pinky_tip", (2020, 20)),
    ):
        assert tuple(pose.xy[0, pose.joint(joint)]) == place
    assert pose.confidence[0, pose.joint("neck")] == np.float32(0.9)
    assert pose.confidence[0, pose.joint("left_hand_thumb_tip")] == np.float32(0.5)


def test_the_widest_shoulders_win_and_a_frame_without_anybody_stays(tmp_path: Path) -> None:
    hidden = person(300, 500)
    hidden["pose_keypoints_2d"][2 * 3 + 2] = 0.0  # a shoulder that was not seen gives no width
    folder = write(tmp_path / "v", [person(10, 40), person(200, 90)], [], [person(200, 90), hidden, person(0, 91)])
    pose = read_pose(folder)
    assert len(pose) == 3
    assert pose.xy[:, 0, 0].tolist()[::2] == [200, 0]
    assert np.isnan(pose.xy[1]).all()
    assert (pose.confidence[1] == 0).all()


def test_files_are_sorted_by_frame_number(tmp_path: Path) -> None:
    folder = write(tmp_path / "v", *[[person(i, 50)] for i in range(12)])  # clip_10 sorts before clip_2 as text
    assert read_openpose(folder).xy[:, 0, 0].tolist() == list(range(12))


def test_body_135(tmp_path: Path) -> None:
    pose = read_openpose(write(tmp_path / "v", [], [person(100, 80, points=135), person(0, 20, points=135)]))
    assert pose.skeleton == "openpose-body135"
    assert len(pose) == 2
    assert np.isnan(pose.xy[0]).all()
    for joint, place in (("nose", (100, 0)), ("left_shoulder", (180, 50)), ("neck", (117, 17)), ("face_0", (165, 65))):
        assert tuple(pose.xy[1, pose.joint(joint)]) == place
    assert tuple(pose.xy[1, pose.joint("left_hand_thumb_cmc")]) == (125, 25)
    assert tuple(pose.xy[1, pose.joint("right_hand_pinky_tip")]) == (164, 64)


def test_a_person_without_hands_has_none(tmp_path: Path) -> None:
    pose = read_openpose(write(tmp_path / "v", [person(100, 80, hands=False)]))
    assert np.isnan(pose.xy[0, 8:]).all()
    assert not np.isnan(pose.xy[0, :8]).any()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"people": [', "not valid JSON"),
        ('{"persons": []}', "KeyError"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "1 body keypoints; expected 25"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "ValueError"),
        ("[]", "TypeError"),
        ("", "the file is empty"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, reason: str) -> None:
    folder = write(tmp_path / "v", [person(1, 2)], [person(1, 2)])
    (folder / "clip_1_keypoints.json").write_text(content)
    with pytest.raises(PoseFileError, match=reason) as caught:
        read_openpose(folder)
    assert "clip_1_keypoints.json" in str(caught.value)


def test_folders_that_mix_models_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "v", [person(1, 2)], [person(1, 2, points=135)])
    with pytest.raises(PoseFileError, match="different numbers of keypoints"):
        read_openpose(folder)


def test_packing_and_back(tmp_path: Path) -> None:
    pose = read_openpose(write(tmp_path / "v", [person(100, 80)], []), size=(640, 480))
    packed = pack_150(pose)
    assert packed.shape == (2, 150)
    assert packed[0, 24:27].tolist() == [1000, 0, 0.5]  # joint 8, the left hand's wrist
    assert packed[0, 87:90].tolist() == [2000, 0, 0.5]  # joint 29, the right hand's
    assert (packed[1] == 0).all()
    back = unpack_150(packed, 25, (640, 480))
    np.testing.assert_array_equal(back.xy, pose.xy)
    np.testing.assert_array_equal(back.confidence, pose.confidence)
    with pytest.raises(ValueError, match=r"\(2, 149\); expected \(T, 150\)"):
        unpack_150(packed[:, :149])
