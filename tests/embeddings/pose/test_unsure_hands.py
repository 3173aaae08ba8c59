from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.pose.clean import clean
from embeddings.pose.unsure_hands import steady_unsure_hands

RIGHT = slice(54, 75)
WRIST, THUMB = 54, 58


def moving(confidence: list[float]) -> Pose:
    """A right hand that goes 10 px to the right a frame; its thumb's tip lies 100, 110, 120 … px from the wrist."""
    frames = len(confidence)
    xy = np.full((frames, 75, 2), np.nan, np.float32)
    sure = np.zeros((frames, 75), np.float32)
    xy[:, RIGHT] = 10 * np.arange(frames)[:, None, None]
    xy[:, THUMB, 0] += 100 + 10 * np.arange(frames)
    sure[:, RIGHT] = np.array(confidence)[:, None]
    z = np.full((frames, 75), np.nan, np.float32)
    z[:, RIGHT] = 0
    return Pose(xy, sure, "mediapipe-holistic", 25.0, (640, 480), z)


def test_an_unsure_hand_takes_the_shape_of_its_sure_neighbours_and_stays_in_place() -> None:
    pose = moving([1.0, 1.0, 0.5, 1.0])
    made = steady_unsure_hands(pose, below=0.8, seconds=0.04)
    # one frame is one standard deviation: neighbours e^-1/2, two frames e^-2; .5 to the power of 4 for itself
    weights = np.array([np.exp(-2), np.exp(-0.5), 0.5**4, np.exp(-0.5)])
    expected = (weights * [100, 110, 120, 130]).sum() / weights.sum()
    assert made.xy[2, THUMB, 0] == pytest.approx(20 + expected, abs=1e-3)
    np.testing.assert_array_equal(made.xy[:, WRIST], pose.xy[:, WRIST])
    np.testing.assert_array_equal(made.xy[[0, 1, 3]], pose.xy[[0, 1, 3]])
    assert made.confidence is pose.confidence


def test_what_is_missing_stays_missing_and_counts_for_nothing() -> None:
    pose = moving([1.0, 0.0, 0.5, 1.0])
    pose.xy[1, RIGHT] = np.nan
    made = steady_unsure_hands(pose, below=0.8, seconds=0.04)
    weights = np.array([np.exp(-2), 0.5**4, np.exp(-0.5)])
    assert made.xy[2, THUMB, 0] == pytest.approx(20 + (weights * [100, 120, 130]).sum() / weights.sum(), abs=1e-3)
    assert np.isnan(made.xy[1, RIGHT]).all()
    assert np.isnan(made.xy[:, :54]).all()


def test_a_hand_alone_in_time_stays_as_it_is() -> None:
    pose = moving([0.5])
    np.testing.assert_allclose(steady_unsure_hands(pose).xy[0, RIGHT], pose.xy[0, RIGHT])
    none = moving([0.0, 0.0])
    np.testing.assert_array_equal(steady_unsure_hands(none).xy[:, RIGHT], none.xy[:, RIGHT])


def test_clean_does_it_when_asked_to() -> None:
    pose = replace(moving([1.0, 1.0, 0.5, 1.0]), z=None)
    plain = clean(pose, smoothing=None, snap=False)
    steady = clean(pose, smoothing=None, snap=False, unsure_hand=0.8)
    assert plain.xy[2, THUMB, 0] == 140
    assert steady.xy[2, THUMB, 0] != 140
