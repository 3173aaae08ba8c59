"""Fingers bend the right way, pinches meet, bones keep their length."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.skeletons import HAND_EDGES
from embeddings.synthetic import HANDSHAPES, Draws, Handshape, random_handshape
from embeddings.synthetic.handshapes import blend
from embeddings.synthetic.signing.kinematics import hand_points

LENGTH = 0.19
NAMES = list(HANDSHAPES)


def joints(name: str) -> np.ndarray:
    return hand_points(HANDSHAPES[name].radians, LENGTH)


def test_inventory_is_large_and_distinct() -> None:
    assert len(HANDSHAPES) >= 30
    angles = np.stack([s.radians for s in HANDSHAPES.values()])
    apart = np.abs(angles[:, None] - angles[None]).max(axis=-1) + np.eye(len(angles)) * 9
    assert apart.min() > np.deg2rad(10)


@pytest.mark.parametrize("name", NAMES)
def test_bones_keep_their_length(name: str) -> None:
    a, b = np.array(HAND_EDGES).T
    bones = np.linalg.norm(joints(name)[a] - joints(name)[b], axis=-1)
    straight = np.linalg.norm(joints("B")[a] - joints("B")[b], axis=-1)
    np.testing.assert_allclose(bones, straight, atol=1e-9)


def test_straight_hand_has_the_length_asked_for() -> None:
    flat = hand_points(np.zeros(16), LENGTH)
    assert np.linalg.norm(flat[12]) == pytest.approx(LENGTH, rel=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_fingers_flex_towards_the_palm(name: str) -> None:
    hand = joints(name)
    for finger, flexion in enumerate(HANDSHAPES[name].flexions[1:]):
        chain = hand[5 + 4 * finger : 9 + 4 * finger]
        assert chain[1:, 2].min() > -0.005
        if flexion > 0.8:  # a folded finger's tip comes back towards the wrist, in front of the palm
            assert chain[3, 1] < chain[0, 1]
            assert chain[3, 2] > 0.01


@pytest.mark.parametrize(("name", "tip"), [("F", 8), ("O-index", 8), ("8", 12), ("7", 16), ("O", 8), ("O-flat", 8)])
def test_pinches_meet(name: str, tip: int) -> None:
    assert np.linalg.norm(joints(name)[4] - joints(name)[tip]) < 0.022


def test_thumb_is_on_its_side_and_index_next_to_it() -> None:
    hand = joints("5")
    assert hand[4, 0] > hand[8, 0] > hand[12, 0] > hand[16, 0] > hand[20, 0]


def test_crossed_fingers_cross() -> None:
    hand = joints("R")
    assert hand[5, 0] > hand[9, 0]
    assert hand[8, 0] < hand[12, 0]


def test_blend_and_random() -> None:
    first, second = HANDSHAPES["5"], HANDSHAPES["S"]
    middle = blend(first, second, 0.5)
    np.testing.assert_allclose(middle.radians, (first.radians + second.radians) / 2, atol=1e-4)
    drawn = {random_handshape(Draws(i)).name for i in range(200)}
    assert len(drawn) > 60
    assert drawn & set(NAMES)
    assert drawn - set(NAMES)


def test_wrong_number_of_angles_is_said() -> None:
    with pytest.raises(ValueError, match="has 3 angles; expected 16"):
        Handshape("three", (0.0, 1.0, 2.0))
