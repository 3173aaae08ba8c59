"""Hand images: planted boxes, and the HDF5 layout."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.phonology.handshapes.images import (
    SIZE,
    hand_box,
    hand_images,
    hand_tracks,
    read_hand_track,
    write_hand_images,
)
from safe_files import GroupedHDF5


def planted() -> Pose:
    xy = np.full((4, 50, 2), np.nan, np.float32)
    confidence = np.zeros((4, 50), np.float32)
    xy[1:, 8:29] = np.array([30.0, 40.0]) + np.linspace(0, 20, 21)[:, None]
    confidence[1:, 8:29] = [[0.39], [0.41], [1.0]]
    return Pose(xy, confidence, "openpose-50", 25.0, (100, 80))


def test_box_is_enlarged_squared_and_inside() -> None:
    assert hand_box(np.array([[30.0, 40.0], [50.0, 50.0]]), (100, 80)) == (28, 33, 52, 57)
    assert hand_box(np.array([[90.0, 70.0], [99.9, 79.9]]), (100, 80)) == (88, 68, 100, 80)
    assert hand_box(np.full((21, 2), np.nan), (100, 80)) is None
    assert hand_box(np.array([[-9.0, 1.0], [-5.0, 4.0]]), (100, 80)) is None


def test_layout_and_threshold(tmp_path: Path) -> None:
    frames = [np.full((80, 100, 3), 60 * k, np.uint8) for k in range(4)]
    with GroupedHDF5(tmp_path / "h.h5") as store, store.add("v") as group:
        assert write_hand_images(group, frames, planted()) == {"left": 2, "right": 0}
    with h5py.File(tmp_path / "h.h5", "r") as file:
        left = file["v/left_hand"]
        assert left["images"].shape == (2, SIZE, SIZE, 3)
        assert left["frames"][:].tolist() == [2, 3]
        assert left["images"][:, 0, 0, 0].tolist() == [120, 180]
        np.testing.assert_allclose(left["bboxes"][0], [0.28, 0.475, 0.52, 0.775], atol=0.011)
        assert file["v/right_hand/images"].shape == (0, SIZE, SIZE, 3)


def test_a_wrong_side_is_refused() -> None:
    with pytest.raises(ValueError, match="left"):
        hand_images([], planted(), "both")


def test_a_track_has_a_row_for_every_frame(tmp_path: Path) -> None:
    """Seen in frames 2 and 3 of 4: the frames before take the image of frame 2, in a mirror as it is a left hand."""
    frames = [np.full((80, 100, 3), 60 * k, np.uint8) for k in range(4)]
    frames[2][:, :40] = 200
    with GroupedHDF5(tmp_path / "h.h5") as store, store.add("v") as group:
        write_hand_images(group, frames, planted())
    assert hand_tracks(tmp_path / "h.h5") == [("v", "left_hand")]
    images, fps = read_hand_track(tmp_path / "h.h5", "v", "left_hand")
    assert (images.shape, fps) == ((4, SIZE, SIZE, 3), 25.0)
    assert images[:, 0, 0, 0].tolist() == [120, 120, 120, 180]
    assert images[:3, 0, -1, 0].tolist() == [200, 200, 200]


def test_a_gap_in_a_track_is_filled_from_the_nearer_side(tmp_path: Path) -> None:
    pose = planted()
    xy, confidence = np.repeat(pose.xy[3:], 6, axis=0), np.zeros((6, 50), np.float32)
    confidence[[0, 3]] = 1.0
    frames = [np.full((80, 100, 3), 10 * k, np.uint8) for k in range(6)]
    with GroupedHDF5(tmp_path / "h.h5") as store, store.add("v") as group:
        write_hand_images(group, frames, Pose(xy, confidence, "openpose-50", 25.0, (100, 80)))
    images, _ = read_hand_track(tmp_path / "h.h5", "v", "left_hand")
    assert images[:, 0, 0, 0].tolist() == [0, 0, 30, 30, 30, 30]
    with h5py.File(tmp_path / "h.h5", "a") as file:  # 0 and 4 are equally far from 2: the earlier one
        file["v/left_hand/frames"][:] = [0, 4]
    images, _ = read_hand_track(tmp_path / "h.h5", "v", "left_hand")
    assert images[:, 0, 0, 0].tolist() == [0, 0, 0, 30, 30, 30]
