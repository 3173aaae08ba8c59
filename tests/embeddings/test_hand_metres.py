"""Hands in metres go along with a pose: cut, mirrored, resampled, kept by .h5 and left out of .pose with a note."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose import read_pose, write_pose


def pose(frames: int = 4) -> Pose:
    metres = np.zeros((frames, 2, 21, 3), np.float32)
    metres[:, 0, :, 0] = np.arange(frames)[:, None]  # the left hand's x is the frame
    metres[:, 1, :, 1:] = (5.0, 7.0)
    xy = np.zeros((frames, 75, 2), np.float32)
    return Pose(xy, np.ones((frames, 75), np.float32), "mediapipe-holistic", 25.0, (100, 80), hand_metres=metres)


def test_they_have_one_shape() -> None:
    with pytest.raises(ValueError, match=r"hand_metres has shape \(3, 2, 21, 3\); expected \(4, 2, 21, 3\)"):
        replace(pose(), hand_metres=np.zeros((3, 2, 21, 3), np.float32))


def test_cut_and_resampled() -> None:
    cut = pose()[1:3].hand_metres
    assert cut is not None
    np.testing.assert_array_equal(cut[:, 0, 0, 0], [1, 2])
    fast = pose().resample(50.0).hand_metres
    assert fast is not None
    np.testing.assert_allclose(fast[:4, 0, 0, 0], [0, 0.5, 1, 1.5])


def test_in_the_mirror_hands_change_sides_and_x_its_sign() -> None:
    turned = pose().mirrored().hand_metres
    assert turned is not None
    np.testing.assert_array_equal(turned[:, 1, 0, 0], [0, -1, -2, -3])
    np.testing.assert_array_equal(turned[0, 0, 0], [0, 5, 7])


def test_files(tmp_path: Path) -> None:
    kept = read_pose(write_pose(tmp_path / "a.h5", pose())).hand_metres
    assert kept is not None
    np.testing.assert_array_equal(kept, pose().hand_metres)
    file = write_pose(tmp_path / "a.pose", pose())
    assert read_pose(file).hand_metres is None
    assert json.loads((tmp_path / "a.pose.json").read_text())["left out"] == "hand_metres; a .h5 file keeps them"
    write_pose(file, replace(pose(), hand_metres=None))
    assert "left out" not in json.loads((tmp_path / "a.pose.json").read_text())
