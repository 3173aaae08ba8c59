"""Clip sampling and the augmentation of pictures: by hand, and undone by its own inverse."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.encoders.frames import central_inputs, clip_rows, square_frames
from embeddings.training.augment_frames import (
    POSITIONS,
    VTN_SCALES,
    FrameAugmentation,
    augment_inputs,
    crop_box,
    draw_augmentation,
    mirror_flow,
    mirror_inputs,
    recolour,
)


def test_clips_are_centred_and_the_last_frame_repeats() -> None:
    assert clip_rows(31).tolist() == list(range(0, 31, 2))
    assert clip_rows(51).tolist() == list(range(10, 41, 2))  # 10 frames before, 10 after
    assert clip_rows(52)[0] == 10  # 10 before, 11 after
    assert clip_rows(20).tolist() == [*range(0, 20, 2), *[19] * 6]
    assert clip_rows(1).tolist() == [0] * 16
    assert clip_rows(9, samples=3, stride=4).tolist() == [0, 4, 8]
    with pytest.raises(ValueError, match="clip of 0 frames"):
        clip_rows(0)


def test_crop_sides_are_the_papers() -> None:
    assert [crop_box(256, s, "centre")[2] for s in VTN_SCALES] == [256, 215, 181, 152]
    assert crop_box(256, VTN_SCALES[2], "centre") == (37, 37, 181)
    assert crop_box(256, VTN_SCALES[2], "top-right") == (75, 0, 181)
    assert crop_box(256, VTN_SCALES[2], "bottom-left") == (0, 75, 181)
    with pytest.raises(ValueError, match="position 'middle'"):
        crop_box(256, 1.0, "middle")


def test_evaluation_takes_the_central_224_of_256() -> None:
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None], (256, 256, 3))
    depth = np.stack([ramp[None, ..., 0]] * 2, axis=1)
    flow = np.ones((1, 106), np.float32)
    cut = central_inputs({"frames": square_frames([ramp], 256), "depth": depth, "flow": flow})
    assert cut["frames"].shape == (1, 224, 224, 3)
    assert (cut["frames"][0, 0, 0, 0], cut["frames"][0, -1, 0, 0]) == (16, 239)
    np.testing.assert_array_equal(cut["depth"][0, 1], cut["frames"][0, ..., 0])
    assert cut["flow"] is flow
    wide = square_frames([np.zeros((120, 200, 3), np.uint8), np.zeros((50, 40, 3), np.uint8)], 64)
    assert wide.shape == (2, 64, 64, 3)
    assert square_frames([], 8).shape == (0, 8, 8, 3)


def test_a_crop_is_the_same_for_every_frame_and_stream() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (3, 32, 32, 3)).astype(np.uint8)
    draw = FrameAugmentation(scale=0.5, position="bottom-right")
    cut = augment_inputs({"left_hand": pictures, "right_hand": pictures}, draw, size=16)
    np.testing.assert_array_equal(cut["left_hand"], pictures[:, 16:, 16:])
    np.testing.assert_array_equal(cut["right_hand"], cut["left_hand"])
    same = augment_inputs({"frames": pictures}, FrameAugmentation(), size=32)
    np.testing.assert_array_equal(same["frames"], pictures)


def test_a_mirror_swaps_the_hands_and_undoes_itself() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 255, (2, 3, 8, 8, 3)).astype(np.uint8)
    depth = rng.integers(0, 255, (3, 2, 8, 8)).astype(np.uint8)
    inputs = {"left_hand": left, "right_hand": right, "depth": depth}
    mirrored = mirror_inputs(inputs)
    np.testing.assert_array_equal(mirrored["left_hand"], right[:, :, ::-1])
    np.testing.assert_array_equal(mirrored["depth"][:, 0], depth[:, 1, :, ::-1])
    for name, values in mirror_inputs(mirrored).items():
        np.testing.assert_array_equal(values, inputs[name])


def test_the_flow_of_a_mirrored_movement() -> None:
    # joint 0 and 1 change places; movements by angle: right, up-right (y down), left, none
    flow = np.array([[0.0, -0.25, 2.0, 3.0], [1.0, 0.0, 1.0, 0.0]], np.float32)
    mirrored = mirror_flow(flow, np.array([1, 0]))
    np.testing.assert_allclose(mirrored, [[-0.75, 1.0, 3.0, 2.0], [0.0, 0.0, 0.0, 1.0]])
    np.testing.assert_allclose(mirror_flow(mirrored, np.array([1, 0])), flow)
    with pytest.raises(ValueError, match="flow has 4 columns"):
        mirror_flow(flow, np.arange(3))


def test_mirroring_the_flow_equals_the_flow_of_the_mirrored_movement() -> None:
    rng = np.random.default_rng(1)
    steps = rng.normal(size=(20, 6, 2))
    order = np.array([1, 0, 3, 2, 4, 5])

    def flow(d: np.ndarray) -> np.ndarray:
        angles = np.arctan2(d[..., 1], d[..., 0]) / np.pi
        return np.concatenate([angles, np.linalg.norm(d, axis=-1)], axis=-1).astype(np.float32)

    np.testing.assert_allclose(mirror_flow(flow(steps), order), flow(steps[:, order] * (-1, 1)), atol=1e-6)


def test_colour_by_hand() -> None:
    grey = np.full((2, 4, 4, 3), 100, np.uint8)
    assert (recolour(grey, FrameAugmentation(brightness=1.2)) == 120).all()
    assert (recolour(grey, FrameAugmentation(contrast=0.5, saturation=1.5)) == 100).all()  # even grey has neither
    two = np.array([[[[50, 50, 50], [150, 150, 150]]]], np.uint8)
    assert recolour(two, FrameAugmentation(contrast=0.5))[0, 0, :, 0].tolist() == [75, 125]
    red = np.array([[[[200, 0, 0]]]], np.uint8)  # grey .299 · 200 = 59.8
    assert recolour(red, FrameAugmentation(saturation=0.5))[0, 0, 0].tolist() == [130, 30, 30]


def test_draws_cover_the_published_ranges() -> None:
    rng = np.random.default_rng(0)
    draws = [draw_augmentation(rng) for _ in range(400)]
    assert {d.position for d in draws} == set(POSITIONS)
    assert {d.scale for d in draws} == set(VTN_SCALES)
    assert 0.4 < np.mean([d.flip for d in draws]) < 0.6
    for name in ("brightness", "contrast", "saturation"):
        values = [getattr(d, name) for d in draws]
        assert 0.5 <= min(values) < 0.52
        assert 1.48 < max(values) <= 1.5
    assert draw_augmentation(np.random.default_rng(7)) == draw_augmentation(np.random.default_rng(7))


def test_the_mirrored_flow_is_that_of_the_mirrored_signer() -> None:
    from embeddings.pose.flow import pose_flow
    from embeddings.synthetic import SignWorld

    clip = SignWorld(2, signs=1).clip(0, signer=3, camera=1)
    assert clip.pose is not None
    mirrored = mirror_inputs({"flow": pose_flow(clip.pose)})["flow"]
    expected = pose_flow(clip.pose.mirrored())
    moving = expected[:, 53:] > 1e-3
    np.testing.assert_allclose(mirrored[:, 53:], expected[:, 53:], atol=1e-4)
    turn = np.abs(mirrored[:, :53] - expected[:, :53])[moving]
    assert np.minimum(turn, 2 - turn).max() < 0.02
