"""Formulas of the arm and the hand against loops and geometry."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.synthetic.handshapes import HANDSHAPES
from embeddings.synthetic.signing.kinematics import (
    forearm_axes,
    hand_frame,
    hand_points,
    place_elbow,
    turned_hand,
    unit,
)

RNG = np.random.default_rng(5)
SHOULDER = np.array([0.18, 0.0, 0.0])


def reachable(count: int) -> np.ndarray:
    directions = unit(RNG.normal(size=(count, 3)) + np.array([0, 0, 1.2]))
    return SHOULDER + directions * RNG.uniform(0.16, 0.55, (count, 1))


def test_arm_reaches_what_it_can_reach() -> None:
    targets = reachable(500)
    elbow, wrist = place_elbow(SHOULDER, targets, 0.30, 0.26, RNG.uniform(-0.3, 1.6, 500))
    np.testing.assert_allclose(wrist, targets, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(elbow - SHOULDER, axis=1), 0.30, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(wrist - elbow, axis=1), 0.26, atol=1e-9)


def test_arm_points_at_what_it_cannot_reach() -> None:
    elbow, wrist = place_elbow(SHOULDER, np.array([[0.18, 0.0, 2.0]]), 0.30, 0.26, np.zeros(1))
    np.testing.assert_allclose(wrist, [[0.18, 0.0, 0.995 * 0.56]], atol=1e-9)
    assert np.linalg.norm(wrist - elbow) == pytest.approx(0.26)


def test_swivel_lowers_and_raises_the_elbow() -> None:
    ahead = np.array([0.18, 0.0, 0.40])
    low, _ = place_elbow(SHOULDER, ahead, 0.30, 0.26, np.array(0.0))
    out, _ = place_elbow(SHOULDER, ahead, 0.30, 0.26, np.array(np.pi / 2))
    assert low[1] < -0.1
    assert low[0] == pytest.approx(0.18)
    assert out[0] > 0.28
    assert out[1] == pytest.approx(0.0, abs=1e-9)
    hanging, _ = place_elbow(SHOULDER, SHOULDER - np.array([0, 0.5, 0]), 0.30, 0.26, np.array(0.0))
    assert hanging[2] < -0.03  # an elbow bends backwards when the arm hangs


def test_elbow_moves_smoothly_everywhere_ahead() -> None:
    t = np.linspace(0, 2 * np.pi, 2000)
    path = SHOULDER + 0.4 * unit(np.stack([np.sin(t), np.cos(t), 0.3 * np.sin(3 * t)], axis=-1))
    elbow, _ = place_elbow(SHOULDER, path, 0.30, 0.26, np.full(2000, 0.4))
    steps = np.linalg.norm(np.diff(elbow, axis=0), axis=1)
    assert steps.max() < 8 * np.linalg.norm(np.diff(path, axis=0), axis=1).max()


def test_hand_frame_is_that_of_a_left_hand() -> None:
    """Palm to the viewer, fingers up: a left hand's thumb points to the signer's right, which is -x."""
    frame = hand_frame(np.array([0, 0, 1.0]), np.array([0, 1.0, 0.2]))
    np.testing.assert_allclose(frame, [[-1, 0, 0], [0, 1, 0], [0, 0, 1]], atol=1e-12)


def test_turned_hand_in_known_positions() -> None:
    """Upper arm down, forearm ahead: roll 0 has the thumb up and the palm inwards, pronation turns the palm down."""
    upper, fore = np.array([0, -1.0, 0]), np.array([0, 0, 1.0])
    along, thumb_up, inward = forearm_axes(fore, upper)
    np.testing.assert_allclose([along, thumb_up, inward], [[0, 0, 1], [0, 1, 0], [-1, 0, 0]], atol=1e-12)
    neutral = turned_hand(fore, upper, np.zeros(3))
    np.testing.assert_allclose(neutral, [[0, 1, 0], [0, 0, 1], [-1, 0, 0]], atol=1e-12)
    pronated = turned_hand(fore, upper, np.array([np.pi / 2, 0, 0]))
    np.testing.assert_allclose(pronated[2], [0, -1, 0], atol=1e-12)
    stopping = turned_hand(fore, upper, np.array([np.pi / 2, np.pi / 2, 0]))  # "stop": fingers up, palm away
    np.testing.assert_allclose(stopping[1:], [[0, 1, 0], [0, 0, 1]], atol=1e-12)


def test_turned_hand_is_orthonormal() -> None:
    frames = turned_hand(RNG.normal(size=(50, 3)), RNG.normal(size=(50, 3)), RNG.uniform(-1, 1, (50, 3)))
    np.testing.assert_allclose(frames @ frames.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-9)
    np.testing.assert_allclose(np.cross(frames[:, 2], frames[:, 1]), frames[:, 0], atol=1e-9)


def test_vectorised_hand_is_the_hand_one_by_one() -> None:
    shapes = np.stack([s.radians for s in HANDSHAPES.values()])
    together = hand_points(shapes.reshape(2, -1, 16), 0.2).reshape(-1, 21, 3)
    for shape, hand in zip(shapes, together, strict=True):
        np.testing.assert_allclose(hand_points(shape, 0.2), hand, atol=1e-12)
        chain, position = 0.0, hand[5]
        for joint, flexion in enumerate((shape[4], shape[5], 0.66 * shape[5])):  # the index finger, bone by bone
            chain += flexion
            bone = hand[6 + joint] - position
            assert bone[2] == pytest.approx(np.linalg.norm(bone) * np.sin(chain), abs=1e-9)
            position = hand[6 + joint]
