"""Errors of an estimator: what each one does, and that confidence knows about it."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings import skeletons
from embeddings.synthetic import NO_NOISE, Camera, Draws, Noise, SignWorld, random_noise

WORLD = SignWorld(4, 8)
POSE = Camera().project(WORLD.perform(list(range(8)), 0).figure, "mediapipe-holistic")
QUIET = Noise(0, 0, 0, 0, 0, 0, 0.2, 0, 0, 0, 0, 0, 0, False)


def noisy(seed: int = 0, **only: float) -> tuple[np.ndarray, np.ndarray]:
    """Displacement (T, J) in shoulder widths (NaN where missing) and confidence, with only these errors on."""
    noise = Noise(**{**vars(QUIET), **only})
    out = noise.apply(POSE, Draws(seed))
    width = np.median(
        np.linalg.norm(POSE.xy[:, POSE.joint("left_shoulder")] - POSE.xy[:, POSE.joint("right_shoulder")], axis=1)
    )
    return np.linalg.norm(out.xy - POSE.xy, axis=-1) / width, out.confidence


def test_no_noise_changes_nothing_in_the_frame() -> None:
    out = NO_NOISE.apply(POSE, Draws(0))
    seen = ~np.isnan(out.xy[..., 0])
    np.testing.assert_array_equal(out.xy[seen], POSE.xy[seen])


def test_input_is_not_changed_and_seed_repeats() -> None:
    before = POSE.xy.copy()
    first, second = (Noise().apply(POSE, Draws(7)) for _ in range(2))
    np.testing.assert_array_equal(POSE.xy, before)
    np.testing.assert_array_equal(first.xy, second.xy)
    np.testing.assert_array_equal(first.confidence, second.confidence)


def test_jitter_has_the_size_asked_for_and_grows_with_speed() -> None:
    still, _ = noisy(jitter=0.01, tremble=1.0)
    shoulder = still[:, POSE.joint("left_shoulder")]
    assert np.sqrt((shoulder**2).mean() / 2) == pytest.approx(0.01, rel=0.15)
    moving, _ = noisy(speed_jitter=0.01)
    wrist = moving[:, POSE.joint("right_wrist")]
    speed = np.linalg.norm(np.diff(POSE.xy[:, POSE.joint("right_wrist")], axis=0), axis=1)
    fast = speed > np.quantile(speed, 0.8)
    assert np.nanmean(wrist[1:][fast]) > 3 * np.nanmean(wrist[1:][~fast])


def test_lost_hands_are_missing_in_runs() -> None:
    error, confidence = noisy(lost=0.6, lost_seconds=0.3)
    hand = skeletons.SKELETONS[POSE.skeleton].hand("left")
    gone = np.isnan(error[:, hand])
    share = gone.all(axis=1).mean()
    assert 0.05 < share < 0.5
    assert (confidence[:, hand][gone] == 0).all()
    starts = np.diff(gone.all(axis=1).astype(int)).clip(0).sum()
    assert gone.all(axis=1).sum() / max(starts, 1) > 3
    assert not np.isnan(error[:, POSE.joint("left_shoulder")]).any()


def test_swapped_hands_are_each_others() -> None:
    out = Noise(**{**vars(QUIET), "swapped": 1.0}).apply(POSE, Draws(1))
    left, right = (skeletons.SKELETONS[POSE.skeleton].hand(s) for s in ("left", "right"))
    swapped = (out.xy[:, left] == POSE.xy[:, right]).all(axis=(1, 2))
    kept = (out.xy[:, left] == POSE.xy[:, left]).all(axis=(1, 2))
    assert swapped.sum() > 5
    assert kept.sum() > swapped.sum()


def test_confused_hand_sits_on_the_face() -> None:
    out = Noise(**{**vars(QUIET), "confused": 0.5}).apply(POSE, Draws(1))
    hand = skeletons.SKELETONS[POSE.skeleton].hand("right")
    moved = (out.xy[:, hand] != POSE.xy[:, hand]).any(axis=(1, 2)) & ~np.isnan(out.xy[:, hand]).any(axis=(1, 2))
    assert moved.sum() > 3
    centre = out.xy[moved][:, hand].mean(axis=1)
    assert np.abs(centre - POSE.xy[moved, POSE.joint("nose")]).max() < 3
    assert out.confidence[moved][:, hand].max() < 0.95


def test_confidence_is_lower_where_the_error_is_larger() -> None:
    related = []
    for seed in range(8):
        error, confidence = noisy(seed, jitter=0.02, speed_jitter=0.01, blurred=0.8, hand_shift=0.05)
        seen = ~np.isnan(error)
        related.append(np.corrcoef(error[seen], confidence[seen])[0, 1])
    assert np.mean(related) < -0.5
    assert confidence.min() >= 0
    assert confidence.max() <= 1


def test_legs_and_frame() -> None:
    error, confidence = noisy(legs=1.0)
    assert np.isnan(error[:, POSE.joint("left_knee")]).all()
    assert (confidence[:, POSE.joint("left_knee")] == 0).all()
    cropped = Noise(**{**vars(QUIET), "crop": 0.4, "outside": True}).apply(POSE, Draws(0))
    assert np.nanmax(cropped.xy[..., 1]) < 0.6 * POSE.size[1]


@pytest.mark.parametrize("skeleton", skeletons.SKELETONS)
def test_every_skeleton_takes_noise(skeleton: str) -> None:
    clip = WORLD.clip(0, 1, 1, Noise().scaled(2), skeleton)
    assert clip.pose is not None
    missing = np.isnan(clip.pose.xy[..., 0])
    assert ((clip.pose.confidence == 0) == missing).all()
    assert missing.mean() < 0.7


def test_random_noise_varies_in_severity() -> None:
    levels = [random_noise(Draws(i)).jitter for i in range(40)]
    assert max(levels) > 3 * min(levels)
