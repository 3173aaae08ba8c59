"""Hands that are lost for a moment: hand-computed places in the gap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose.clean import clean
from embeddings.pose.hand_gaps import interpolate_hands
from embeddings.skeletons import SKELETONS

JOINTS = SKELETONS["mediapipe-holistic"]
WRIST, HAND_WRIST, TIP = (JOINTS.index(n) for n in ("right_wrist", "right_hand_wrist", "right_hand_index_tip"))
RIGHT = slice(54, 75)


def pose(frames: int = 5) -> Pose:
    """The body's wrist jumps to and fro by 100; the hand's lies 1, 2, … beside it, a fingertip 10, 20, … above."""
    number = np.arange(1, frames + 1, dtype=np.float32)
    xy = np.zeros((frames, 75, 2), np.float32)
    xy[:, WRIST, 0] = 100 * (np.arange(frames) % 2)
    xy[:, RIGHT] = xy[:, WRIST][:, None] + np.stack([number, 0 * number], axis=1)[:, None]
    xy[:, TIP, 1] -= 10 * number
    z = np.repeat(number[:, None], 75, axis=1)
    return Pose(xy, np.ones((frames, 75), np.float32), "mediapipe-holistic", 10.0, (400, 300), z)


def without(original: Pose, rows: slice) -> Pose:
    xy, confidence = original.xy.copy(), original.confidence.copy()
    xy[rows, RIGHT], confidence[rows, RIGHT] = np.nan, 0
    return replace(original, xy=xy, confidence=confidence)


def test_shape_and_place_move_with_the_arm() -> None:
    filled = interpolate_hands(without(pose(), slice(1, 4)), 0.3)
    np.testing.assert_allclose(filled.xy, pose().xy, atol=1e-5)
    assert filled.z is not None
    np.testing.assert_allclose(filled.z[:, TIP], [1, 2, 3, 4, 5])
    assert (filled.confidence[1:4, RIGHT] == 0).all()


def test_without_the_bodys_wrist_the_way_in_the_picture_is_straight() -> None:
    lost = without(pose(), slice(1, 4))
    lost.xy[2, WRIST] = np.nan
    filled = interpolate_hands(lost, 0.3)
    np.testing.assert_allclose(filled.xy[1:4, HAND_WRIST, 0], [2, 3, 4])


@pytest.mark.parametrize("rows", [slice(0, 2), slice(3, 5)])
def test_a_gap_at_an_end_stays(rows: slice) -> None:
    lost = without(pose(), rows)
    np.testing.assert_array_equal(interpolate_hands(lost).xy, lost.xy)


def test_a_longer_gap_and_half_a_hand_stay() -> None:
    lost = without(pose(), slice(1, 4))
    np.testing.assert_array_equal(interpolate_hands(lost, 0.2).xy, lost.xy)
    half = pose()
    half.xy[2, TIP] = np.nan
    np.testing.assert_array_equal(interpolate_hands(half).xy, half.xy)


def test_the_other_hand_is_left_alone_and_clean_offers_it() -> None:
    lost = without(pose(9), slice(4, 5))
    cleaned = clean(lost, smoothing=None, snap=False, fill=False, hand_gap=0.2)
    np.testing.assert_array_equal(cleaned.xy[:, 33:54], lost.xy[:, 33:54])
    assert np.isfinite(cleaned.xy[4, RIGHT]).all()
    assert np.isnan(clean(lost, smoothing=None, snap=False, fill=False).xy[4, RIGHT]).all()
