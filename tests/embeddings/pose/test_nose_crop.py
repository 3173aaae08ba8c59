"""The square with the nose at (256, 150), by hand."""

import numpy as np
import pytest

from embeddings.clip import Clip, Pose
from embeddings.encoders.sl_gcn import SLGCN, SLGCNConfig
from embeddings.pose.nose_crop import nose_cropped, nose_crops
from embeddings.skeletons import SKELETONS

LAYOUT = SKELETONS["coco-wholebody-133"]


def posed(noses: list[tuple[float, float]], size: tuple[int, int] = (320, 256)) -> Pose:
    xy = np.full((len(noses), 133, 2), 90.0, np.float32)
    xy[:, LAYOUT.index("nose")] = noses
    xy[:, LAYOUT.index("left_wrist")] = (140, 100)
    return Pose(xy, np.isfinite(xy[..., 0]).astype(np.float32), LAYOUT.name, 25.0, size)


def test_the_nose_stands_at_256_150_and_joints_and_pictures_move_alike() -> None:
    pose = posed([(100, 60), (120, 80)])
    moved = nose_cropped(pose)
    assert moved.size == (512, 512)
    np.testing.assert_allclose(moved.xy[:, LAYOUT.index("nose")], [(256, 150)] * 2, atol=1e-3)
    # twice as large: the wrist is (80, 80) and (40, 40) from the nose
    np.testing.assert_allclose(moved.xy[:, LAYOUT.index("left_wrist")], [(336, 230), (296, 190)], atol=1e-3)
    frames = np.zeros((2, 256, 320, 3), np.uint8)
    frames[:, 96:104, 136:144] = 255  # about (140, 100)
    crops = np.stack(list(nose_crops(frames, pose)))
    assert crops.shape == (2, 512, 512, 3)
    for crop, middle in zip(crops, ((336, 230), (296, 190)), strict=True):
        rows, columns = np.nonzero(crop[..., 0] > 127)
        assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(middle, abs=0.6)
        assert np.ptp(rows) + 1 == pytest.approx(16, abs=1)


def test_what_lies_outside_the_picture_is_black() -> None:
    (crop,) = nose_crops([np.full((256, 320, 3), 200, np.uint8)], posed([(0, 0)]))
    assert crop[152:, 258:].min() > 190  # the picture's corner is at the nose's place
    assert crop[:148].max() == crop[:, :254].max() == 0


def test_joints_in_the_square_are_what_the_published_network_sees() -> None:
    pose = posed([(100, 60), (120, 80)])
    pose.xy[:, LAYOUT.index("left_shoulder")] = (190, 90)
    network = SLGCN(SLGCNConfig(widths=(16,), head_units=1, alignment="nose"))
    before, after = (network.prepare(Clip("c", 25.0, p))["joints"] for p in (pose, nose_cropped(pose)))
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_frames_of_another_size_and_poses_without_a_nose_are_refused() -> None:
    with pytest.raises(ValueError, match="64 × 48 for a pose of 320 × 256"):
        list(nose_crops([np.zeros((48, 64, 3), np.uint8)], posed([(9, 9)])))
    with pytest.raises(ValueError, match="the nose was never seen"):
        nose_cropped(posed([(np.nan, np.nan)]))
