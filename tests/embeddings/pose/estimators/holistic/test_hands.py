"""Hands from picture to picture, with a network that sees painted hands: a red wrist and a green knuckle."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.pose.estimators.holistic.hands import (
    Hand,
    HandTracker,
    is_raised,
    read_hand,
    read_hands,
    same_hand,
    swapped,
)
from embeddings.pose.estimators.holistic.regions import Crops, Region

from .test_regions import body, upright_hand

LENGTH = 16.0
"""Pixels from the painted wrist to the painted knuckle of the middle finger."""


def shape() -> np.ndarray:
    """(21, 2) landmarks of an upright painted hand about its wrist, in lengths."""
    xy = upright_hand() / 40
    xy[[4, 8, 12, 16, 20]] = xy[[3, 6, 10, 14, 18]] + [0, -0.4]
    xy[[7, 11, 15, 19]] = xy[[6, 10, 14, 18]] + [0, -0.2]
    return xy.astype(np.float32)


class PaintedHands:
    """Answers as the hand network does, for what is painted; `right` is what it says of handedness."""

    pixels = 64

    def __init__(self, right: float = 0.5) -> None:
        self.right, self.calls = right, 0

    def __call__(self, picture: np.ndarray, low: float = 0.0) -> list[np.ndarray]:
        self.calls += 1
        marks = [self._middle(picture[..., channel]) for channel in (0, 1)]
        out = np.zeros((21, 3), np.float32)
        seen = marks[0] is not None and marks[1] is not None
        if seen:
            wrist, knuckle = np.array(marks[0]), np.array(marks[1])
            up = knuckle - wrist
            right = np.array([-up[1], up[0]])
            out[:, :2] = wrist + shape()[:, :1] * right - shape()[:, 1:] * up
        metres = np.tile(np.array([0.01, 0.02, 0.03], np.float32), (21, 1))
        return [out.reshape(63), np.float32([0.9 if seen else 0.0]), np.float32([self.right]), metres.reshape(63)]

    @staticmethod
    def _middle(channel: np.ndarray) -> tuple[float, float] | None:
        rows, columns = np.nonzero(channel > 60)
        return None if len(rows) == 0 else (float(columns.mean()) + 0.5, float(rows.mean()) + 0.5)


def painted(*wrists: tuple[float, float], size: tuple[int, int] = (200, 240)) -> Crops:
    picture = np.zeros((*size, 3), np.uint8)
    for x, y in wrists:
        for channel, (px, py) in enumerate(((x, y), (x, y - LENGTH))):
            picture[round(py) - 2 : round(py) + 3, round(px) - 2 : round(px) + 3, channel] = 255
    return Crops(picture)


def signer(left: tuple[float, float], right: tuple[float, float]):  # type: ignore[no-untyped-def]
    places = {}
    for side, (x, y) in (("left", left), ("right", right)):
        places |= {f"{side}_wrist": (x, y), f"{side}_index": (x - 3, y - 14), f"{side}_pinky": (x + 3, y - 14)}
    return body(**places)


def landmarks(wrist: tuple[float, float]) -> np.ndarray:
    return shape() * LENGTH + np.array(wrist, np.float32)


def test_landmarks_come_back_to_the_picture() -> None:
    hand = read_hand(PaintedHands(right=0.8), painted((100, 100)), Region(100, 90, 64, 0.0), 0)  # type: ignore[arg-type]
    np.testing.assert_allclose(hand.xy, landmarks((100, 100)), atol=0.6)
    assert hand.presence == pytest.approx(0.9)
    assert hand.own_side == pytest.approx(0.2)  # a left hand that looks like a right one
    assert hand.trust == pytest.approx(0.9 * 0.44)
    # the same hand in a region turned a quarter clockwise: metres are turned back into the picture's axes
    turned = read_hand(PaintedHands(), painted((100, 100)), Region(100, 90, 64, np.pi / 2), 0)  # type: ignore[arg-type]
    np.testing.assert_allclose(turned.xy, landmarks((100, 100)), atol=0.6)
    np.testing.assert_allclose(turned.metres[0], [-0.02, 0.01, 0.03], atol=1e-6)


def test_a_moving_hand_is_followed() -> None:
    network = PaintedHands(right=0.0)
    tracker = HandTracker(network, 0)  # type: ignore[arg-type]
    for step in range(12):
        wrist = (60 + 9.0 * step, 120 - 2.0 * step)
        person, crops = signer(wrist, (20, 190)), painted(wrist)
        hand = tracker.read(crops, person)
        assert hand is not None
        np.testing.assert_allclose(hand.xy, landmarks(wrist), atol=1.2)
        tracker.keep(hand, person)
    assert network.calls <= 24


def test_a_hand_that_was_lost_is_looked_for_at_the_wrist() -> None:
    tracker = HandTracker(PaintedHands(), 0)  # type: ignore[arg-type]
    for wrist, there in (((60, 120), True), ((100, 120), False), ((150, 100), True)):
        person = signer(wrist, (20, 190))
        hand = tracker.read(painted(wrist) if there else painted(), person)
        assert (hand is not None) == there
        tracker.keep(hand, person)


def test_a_hand_far_from_the_bodys_wrist_is_not_this_signers() -> None:
    """40 px are a shoulder width; a hand that is painted 20 px away is in the region, but more than .35 of it off."""
    person = signer((100, 120), (20, 190))
    assert HandTracker(PaintedHands(), 0).read(painted((113, 120)), person) is not None  # type: ignore[arg-type]
    assert HandTracker(PaintedHands(), 0).read(painted((120, 120)), person) is None  # type: ignore[arg-type]


def test_a_lowered_hand_that_keeps_still_is_not_read_again() -> None:
    network = PaintedHands()
    tracker = HandTracker(network, 0)  # type: ignore[arg-type]
    tracker.set_rate(25)  # a fifth of a second: every fifth picture
    person, crops = signer((100, 160), (20, 190)), painted((100, 160))
    assert not is_raised(person, 0)
    calls = []
    for _ in range(11):
        hand = tracker.read(crops, person)
        assert hand is not None
        tracker.keep(hand, person)
        calls.append(network.calls)
    assert [i for i, (a, b) in enumerate(zip([0, *calls], calls, strict=False)) if a != b] == [0, 5, 10]
    moved = signer((103, 160), (20, 190))  # more than .03 shoulder widths
    hand = tracker.read(painted((103, 160)), moved)
    assert network.calls > calls[-1]
    tracker.keep(hand, moved)
    raised = signer((103, 140), (20, 190))
    before = network.calls
    for _ in range(2):
        tracker.keep(tracker.read(painted((103, 140)), raised), raised)
    assert network.calls >= before + 2


@pytest.mark.parametrize(("looks_right", "side"), [(0.9, 1), (0.1, 0)])
def test_one_hand_is_not_both_hands(looks_right: float, side: int) -> None:
    network = PaintedHands(looks_right)
    person = signer((100, 100), (106, 100))
    hands = read_hands([HandTracker(network, k) for k in (0, 1)], painted((103, 100)), person)  # type: ignore[arg-type]
    assert hands[side] is not None
    assert hands[1 - side] is None


def hand(wrist: tuple[float, float], own_side: float) -> Hand:
    z = np.zeros(21, np.float32)
    return Hand(0.9, own_side, landmarks(wrist), z, np.zeros((21, 3), np.float32))


def test_hands_that_look_like_each_other_are_swapped() -> None:
    person = signer((100, 100), (112, 100))
    assert swapped(hand((112, 100), 0.1), hand((100, 100), 0.15), person)
    assert not swapped(hand((112, 100), 0.1), hand((100, 100), 0.6), person)  # one of them is sure of its side
    apart = signer((100, 100), (160, 100))
    assert not swapped(hand((100, 100), 0.1), hand((160, 100), 0.1), apart)  # too far away to be the other's


def test_same_hand_by_hand_computed_distances() -> None:
    """The landmarks span 1.9 lengths, 30.4 px: a quarter is 7.6 px."""
    assert np.ptp(shape(), axis=0).max() == pytest.approx(1.9)
    assert same_hand(hand((100, 100), 1), hand((107, 100), 1))
    assert not same_hand(hand((100, 100), 1), hand((108, 100), 1))
