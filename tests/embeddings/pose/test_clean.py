"""Cleaning and smoothing against values worked out by hand, and against what must not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import savgol_filter

from embeddings.clip import Pose
from embeddings.pose.clean import (
    align_nose,
    body_frame,
    clean,
    drop_unsure,
    fill_gaps,
    nose_shifts,
    shift_frames,
    smooth,
    snap_wrists,
    standardise,
)
from embeddings.pose.smoothing import one_euro, savitzky_golay

NAN = np.nan


def make_pose(frames: int = 5, skeleton: str = "mediapipe-holistic", seed: int = 0, **facts: object) -> Pose:
    rng = np.random.default_rng(seed)
    joints = 75 if skeleton == "mediapipe-holistic" else 133
    xy = rng.uniform(50, 450, (frames, joints, 2)).astype(np.float32)
    return Pose(xy, np.full((frames, joints), 0.9, np.float32), skeleton, 25.0, (512, 512), **facts)  # type: ignore[arg-type]


def track(*values: float) -> Pose:
    """A pose whose nose has these x; y is −x."""
    pose = make_pose(len(values))
    x = np.array(values, np.float32)
    pose.xy[:, 0] = np.stack([x, -x], axis=1)
    pose.confidence[np.isnan(x), 0] = 0
    return pose


def test_gaps_take_the_nearest_frame_and_the_earlier_of_two() -> None:
    filled = fill_gaps(track(NAN, 1, NAN, NAN, NAN, 5, NAN))
    assert filled.xy[:, 0, 0].tolist() == [1, 1, 1, 1, 5, 5, 5]
    assert filled.xy[:, 0, 1].tolist() == [-1, -1, -1, -1, -5, -5, -5]
    assert filled.confidence[:, 0].tolist() == pytest.approx([0, 0.9, 0, 0, 0, 0.9, 0])
    np.testing.assert_array_equal(fill_gaps(filled).xy, filled.xy)


def test_long_gaps_stay() -> None:
    pose = track(1, NAN, NAN, 4, NAN, NAN, NAN, 8)
    filled = fill_gaps(pose, max_gap=2 / 25).xy[:, 0, 0]
    np.testing.assert_array_equal(filled, [1, 1, 4, 4, NAN, NAN, NAN, 8])
    never = track(NAN, NAN)
    assert np.isnan(fill_gaps(never).xy[:, 0]).all()


def test_unsure_joints_go_with_their_depth() -> None:
    pose = make_pose(2, z=np.ones((2, 75), np.float32))
    pose.confidence[0, 3] = 0.19
    dropped = drop_unsure(pose, 0.2)
    assert np.isnan(dropped.xy[0, 3]).all()
    assert dropped.confidence[0, 3] == 0
    assert dropped.z is not None
    assert np.isnan(dropped.z[0, 3])
    assert np.isnan(dropped.xy).sum() == 2
    assert pose.confidence[0, 3] == np.float32(0.19), "the given pose must stay as it is"


def test_savitzky_golay_is_scipys_where_nothing_is_missing() -> None:
    values = np.random.default_rng(1).normal(size=(40, 3, 2)).astype(np.float32)
    for window, order in ((5, 2), (9, 2), (7, 3), (3, 1)):
        expected = savgol_filter(values, window, order, axis=0)
        half = window // 2
        np.testing.assert_allclose(
            savitzky_golay(values, window, order)[half:-half], expected[half:-half], rtol=1e-4, atol=1e-5
        )


def test_savitzky_golay_with_gaps_equals_a_fit_by_hand() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=60).astype(np.float32)
    values[rng.random(60) < 0.3] = NAN
    smoothed = savitzky_golay(values[:, None], 9)[:, 0]
    np.testing.assert_array_equal(np.isnan(smoothed), np.isnan(values))
    for i in np.flatnonzero(~np.isnan(values)):
        near = np.arange(max(0, i - 4), min(60, i + 5))
        near = near[~np.isnan(values[near])]
        expected = values[i] if len(near) <= 3 else np.polyval(np.polyfit(near - i, values[near], 2), 0)
        assert smoothed[i] == pytest.approx(expected, abs=1e-4)


def test_a_parabola_passes_smoothing_unchanged() -> None:
    t = np.arange(30, dtype=np.float32)
    values = np.stack([0.5 * t**2 - 3 * t + 100, 7 - t], axis=1)
    values[11:14, 0] = NAN
    np.testing.assert_allclose(savitzky_golay(values, 7), values, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="window is 4"):
        savitzky_golay(values, 4)
    assert savitzky_golay(values[:0], 5).shape == (0, 2)
    assert len(fill_gaps(make_pose(0))) == 0


def test_one_euro_by_hand() -> None:
    """fps 2π and cut-off 1 Hz give every sample half the weight at rest."""
    values = np.array([[0.0], [1.0], [1.0], [NAN], [5.0], [5.0]], np.float32)
    found = one_euro(values, fps=2 * np.pi, min_cutoff=1.0, speed_weight=0.0)[:, 0]
    np.testing.assert_allclose(found, [0, 0.5, 0.75, NAN, 5, 5], rtol=1e-6)
    # speed of the second sample: half of 1 · 2π = π; cut-off 1 + 1 · π; weight (1 + π) / (2 + π)
    quick = one_euro(values[:2], fps=2 * np.pi, min_cutoff=1.0, speed_weight=1.0)[1, 0]
    assert quick == pytest.approx((1 + np.pi) / (2 + np.pi), rel=1e-6)


@pytest.mark.parametrize("method", ["savgol", "one-euro"])
def test_smoothing_removes_jitter_and_keeps_the_movement(method: str) -> None:
    rng = np.random.default_rng(3)
    truth = make_pose(100)
    t = np.arange(100)[:, None, None] / 25
    truth.xy[:] = 250 + 80 * np.sin(2 * np.pi * 0.5 * t + np.arange(75)[None, :, None])
    noisy = replace(truth, xy=(truth.xy + rng.normal(0, 3, truth.xy.shape)).astype(np.float32))
    smoothed = smooth(noisy, method)  # type: ignore[arg-type]
    jitter = [float(np.abs(np.diff(p.xy - truth.xy, axis=0)).mean()) for p in (noisy, smoothed)]
    assert jitter[1] < 0.6 * jitter[0]
    if method == "savgol":
        assert np.abs(smoothed.xy - truth.xy).mean() < 0.8 * np.abs(noisy.xy - truth.xy).mean()
    with pytest.raises(ValueError, match="'median' is not known"):
        smooth(noisy, "median")  # type: ignore[arg-type]


def test_wrists_take_the_hands_place_where_the_hand_is_seen() -> None:
    pose = make_pose(2)
    pose.xy[0, 33], pose.xy[1, 33], pose.confidence[1, 33] = (7, 8), NAN, 0
    pose.xy[:, 15] = 100
    pose.xy[0, 16], pose.confidence[0, 16] = NAN, 0  # the right wrist is missing, its hand is not
    snapped = snap_wrists(pose)
    assert snapped.xy[0, 15].tolist() == [7, 8]
    assert snapped.xy[1, 15].tolist() == [100, 100]
    np.testing.assert_array_equal(snapped.xy[0, 16], pose.xy[0, 54])
    assert snapped.confidence[0, 16] == np.float32(0.9)
    np.testing.assert_array_equal(snapped.xy[:, 33:], pose.xy[:, 33:])


def test_body_frame_by_hand_and_back() -> None:
    pose = make_pose(3)
    pose.xy[:, 11], pose.xy[:, 12] = (300, 200), (200, 200)
    pose.xy[0, 0] = (250, 150)
    frame = body_frame(pose)
    assert frame.unit == 100
    assert frame.origin[0].tolist() == [250, 200]
    values = frame.normalise(pose.xy)
    assert values[0, 0].tolist() == [0, -0.5]
    np.testing.assert_allclose(frame.restore(values), pose.xy, atol=1e-3)
    np.testing.assert_allclose(body_frame(pose, steady=False).origin, frame.origin)


def test_size_and_place_of_the_signer_do_not_matter() -> None:
    pose = make_pose(4, z=np.ones((4, 75), np.float32))
    assert pose.z is not None
    far = replace(pose, xy=pose.xy * 0.3 + np.float32(40), z=pose.z * np.float32(0.3), size=(1920, 1080))
    a, b = standardise(pose), standardise(far)
    np.testing.assert_allclose(a.xy, b.xy, atol=1e-2)
    assert a.z is not None
    assert b.z is not None
    np.testing.assert_allclose(a.z, b.z, rtol=1e-4)
    assert b.size == (512, 512)
    shoulders = np.linalg.norm(b.xy[:, 11] - b.xy[:, 12], axis=1)
    assert np.median(shoulders) == pytest.approx(128, rel=1e-4)
    np.testing.assert_allclose(np.median((b.xy[:, 11] + b.xy[:, 12]) / 2, axis=0), [256, 204.8], rtol=1e-4)


def test_the_nose_comes_to_its_place_in_every_frame() -> None:
    pose = make_pose(4)
    pose.xy[2, 0], pose.confidence[2, 0] = NAN, 0
    aligned = align_nose(pose)
    np.testing.assert_allclose(aligned.xy[[0, 1, 3], 0], [[256, 150]] * 3, atol=1e-4)
    # all joints move with the nose; the frame without one moves like the one before it
    np.testing.assert_allclose(aligned.xy[2, 5] - pose.xy[2, 5], [256, 150] - pose.xy[1, 0], atol=1e-3)
    np.testing.assert_allclose(aligned.xy[0] - aligned.xy[0, 9], pose.xy[0] - pose.xy[0, 9], atol=1e-3)
    assert nose_shifts(replace(pose, size=(256, 256)))[0].tolist() == pytest.approx([128, 75] - pose.xy[0, 0])


def test_pictures_move_with_the_nose() -> None:
    frames = np.zeros((3, 6, 8, 3), np.uint8)
    frames[:, 2, 3] = 255
    moved = shift_frames(frames, np.array([[2, 1], [-3.4, 0.4], [100, 0]], np.float32))
    assert np.argwhere(moved[..., 0]).tolist() == [[0, 3, 5], [1, 2, 0]]
    with pytest.raises(ValueError, match="3 frames but 1 shifts"):
        shift_frames(frames, np.zeros((1, 2), np.float32))


def test_clean_does_all_of_it() -> None:
    pose = make_pose(20)
    pose.xy[:, 11], pose.xy[:, 12] = (300, 200), (200, 200)
    pose.confidence[5, 0], pose.confidence[8, 33] = 0.1, 0.0
    pose.xy[8, 33] = NAN
    cleaned = clean(pose)
    assert not np.isnan(cleaned.xy).any()
    assert cleaned.confidence[5, 0] == 0
    np.testing.assert_allclose(cleaned.xy[0, 15], cleaned.xy[0, 33])
    same = clean(pose, min_confidence=0, fill=False, smoothing=None, snap=False)
    np.testing.assert_array_equal(same.xy, pose.xy)


def test_a_body_never_seen_is_named() -> None:
    pose = replace(make_pose(3, source="a.mp4"), xy=np.full((3, 75, 2), NAN, np.float32))
    for step in (body_frame, standardise, align_nose):
        with pytest.raises(ValueError, match=r"a\.mp4: the (shoulders|nose) w(ere|as) never seen"):
            step(pose)
