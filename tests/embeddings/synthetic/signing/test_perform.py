"""What is performed is what was planned: places, palms, directions, handshapes, spans; and it stays a body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embeddings.skeletons import HAND_EDGES, hand_joints
from embeddings.synthetic import (
    CANONICAL,
    DIRECTIONS,
    FIGURE_JOINTS,
    HANDSHAPES,
    LOCATIONS,
    Draws,
    Movement,
    Performance,
    Posture,
    Sign,
    Signer,
    SignWorld,
    figure_index,
    perform,
)  # fmt: skip
from embeddings.synthetic.lexicon import feasible
from embeddings.synthetic.signing.body import body_of
from embeddings.synthetic.signing.kinematics import hand_points
from embeddings.synthetic.signing.score import Timing

EXACT = replace(CANONICAL, sloppiness=0.0, place_error=0.0, sway=0.0, nod=0.0)
LONG_HOLDS = Timing(hold=(0.4, 0.5))
WORLD = SignWorld(9, 60)


def act(sign: Sign, signer: Signer = EXACT, timing: Timing = LONG_HOLDS) -> Performance:
    return perform([sign], signer, Draws(0), 25, timing)


def still(performance: Performance, hand: int = 1) -> np.ndarray:
    """Frames in the middle of holds of the right (1) or left (0) hand, away from the ways in and out."""
    hold = performance.truth.hold[:, hand]
    inner = hold.copy()
    for shift in range(1, 4):
        inner[shift:] &= hold[:-shift]
        inner[:-shift] &= hold[shift:]
    return np.flatnonzero(inner)


BONES = [
    ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("nose", "left_ear"), ("nose", "chin"),
    *((hand_joints(s)[a], hand_joints(s)[b]) for s in ("left", "right") for a, b in HAND_EDGES),
]  # fmt: skip


@pytest.mark.parametrize("i", range(0, 60, 6))
def test_bones_keep_their_length(i: int) -> None:
    xyz = WORLD.perform(i, i).figure.xyz
    for a, b in BONES:
        lengths = np.linalg.norm(xyz[:, figure_index(a)] - xyz[:, figure_index(b)], axis=-1)
        assert np.ptp(lengths) < 1e-5, (a, b)


def test_bones_have_the_signers_length() -> None:
    signer = WORLD.signer(4)
    xyz = WORLD.perform(3, signer).figure.xyz[10]
    for a, b, length in (
        ("left_shoulder", "left_elbow", signer.upper_arm),
        ("right_elbow", "right_wrist", signer.forearm),
    ):
        assert np.linalg.norm(xyz[figure_index(a)] - xyz[figure_index(b)]) == pytest.approx(length, abs=1e-5)


PLACES = [name for name, place in LOCATIONS.items() if place.anchor in ("head", "torso")]


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_index_tip_touches_the_place(place: str, left_handed: bool) -> None:
    sign = next(
        s
        for fingers in ("body", "up", "left", "down")
        for palm in DIRECTIONS
        for s in [Sign("x", (Posture(HANDSHAPES["index"], place, palm, fingers, "index tip", True),), (Movement(),))]
        if feasible(s)
    )
    performance = act(sign, replace(EXACT, left_handed=left_handed))
    side, column = ("left", 0) if left_handed else ("right", 1)
    frames = still(performance, column)
    assert len(frames) > 3
    assert (performance.truth.location[frames, column] == place).all()
    assert performance.truth.contact[frames].all()
    wanted = body_of(EXACT).place(place, 1, (0.0, 0.0, 0.0)) * (1 if left_handed else -1, 1, 1)
    tip = performance.figure.xyz[frames, figure_index(f"{side}_hand_index_tip")]
    # kept out of head and trunk by the hand's other joints: a few centimetres at most
    assert np.linalg.norm(tip - wanted, axis=-1).max() < 0.045
    assert np.median(np.linalg.norm(tip - wanted, axis=-1)) < 0.03


@pytest.mark.parametrize("palm", ["up", "down", "left", "body", "away"])
def test_palm_faces_as_planned_in_both_hands(palm: str) -> None:
    """Measured on the joints themselves: the palm's normal from wrist, index and little knuckles."""
    posture = Posture(HANDSHAPES["B"], "neutral space", palm, "up", offset=(0.0, 0.15, -0.06))
    performance = act(Sign("x", (posture,), (Movement(),), "symmetric"))
    mirrored = {"left": "right", "right": "left"}.get(palm, palm)
    for column, side, name in ((1, "right", palm), (0, "left", mirrored)):
        frames = still(performance, column)
        assert (performance.truth.orientation[frames, column] == name).all()
        at = [
            performance.figure.xyz[frames, figure_index(f"{side}_hand_{j}")]
            for j in ("wrist", "index_mcp", "pinky_mcp")
        ]
        normal = np.cross(at[1] - at[0], at[2] - at[0]) * (-1 if side == "left" else 1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        wanted = DIRECTIONS[name] * (-1, 1, 1)  # the signer's right is -x
        assert (normal @ wanted).min() > 0.6


@pytest.mark.parametrize("direction", list(DIRECTIONS))
def test_straight_movement_goes_where_it_says(direction: str) -> None:
    posture = Posture(HANDSHAPES["5"], "neutral space", "left", "away")
    performance = act(Sign("x", (posture,), (Movement("straight", direction, 0.12),)))
    frames = np.flatnonzero(performance.truth.movement[:, 1] == direction)
    wrist = performance.figure.xyz[:, figure_index("right_wrist")]
    way = wrist[frames[-1] + 1] - wrist[frames[0] - 1]
    wanted = DIRECTIONS[direction] * (-1, 1, 1)
    assert way @ wanted / np.linalg.norm(way) > 0.85
    assert way @ wanted > 0.08


def test_fingers_make_the_handshape() -> None:
    for name in ("index", "5", "S", "Y"):
        performance = act(Sign("x", (Posture(HANDSHAPES[name], "neutral space", "left", "up"),), (Movement(),)))
        frame = still(performance)[1]
        assert performance.truth.handshape[frame, 1] == name
        hand = performance.figure.xyz[frame, [figure_index(j) for j in hand_joints("right")]]
        expected = hand_points(HANDSHAPES[name].radians, EXACT.hand)
        ours, theirs = (np.linalg.norm(h[:, None] - h[None], axis=-1) for h in (hand, expected))
        np.testing.assert_allclose(ours, theirs, atol=0.004)


@pytest.mark.parametrize("arrangement", ["symmetric", "alternating"])
def test_two_hands_mirror_or_alternate(arrangement: str) -> None:
    posture = Posture(HANDSHAPES["5"], "neutral space", "down", "away")
    performance = act(Sign("x", (posture,), (Movement("circle", "left", 0.15, 3),), arrangement))
    assert performance.truth.symmetric.any() == (arrangement == "symmetric")
    frames = performance.truth.movement[:, 0] == "circle"
    left, right = (performance.figure.xyz[frames, figure_index(f"{s}_wrist"), 1] for s in ("left", "right"))
    correlation = np.corrcoef(left, right)[0, 1]
    assert correlation > 0.8 if arrangement == "symmetric" else correlation < -0.5


def test_base_hand_is_touched() -> None:
    base = Posture(HANDSHAPES["B-open"], "neutral space", "up", "left", offset=(-0.06, -0.03, -0.03))
    sign = Sign("x", (Posture(HANDSHAPES["index"], "other hand", "down", "away", "index tip", True),), (Movement(),),
                "base-hand", base)  # fmt: skip
    performance = act(sign)
    frames = still(performance)
    other = performance.figure.xyz[frames][:, [figure_index(j) for j in hand_joints("left")]]
    tip = performance.figure.xyz[frames, figure_index("right_hand_index_tip")]
    assert np.linalg.norm(other - tip[:, None], axis=-1).min(axis=1).max() < 0.05
    assert (performance.truth.location[frames, 1] == "other hand").all()
    assert performance.truth.hold[frames, 0].all()


def test_left_hander_is_the_mirror_image() -> None:
    swapped = [
        figure_index(n.replace("left", "#").replace("right", "left").replace("#", "right")) for n in FIGURE_JOINTS
    ]
    for i in (1, 7, 13):
        right, left = WORLD.perform(i, CANONICAL), WORLD.perform(i, CANONICAL.mirrored())
        np.testing.assert_array_equal(left.figure.xyz, right.figure.xyz[:, swapped] * [-1, 1, 1])
        assert left.spans == right.spans
        flip = np.vectorize(lambda n: {"left": "right", "right": "left"}.get(n, n))
        np.testing.assert_array_equal(left.truth.location, right.truth.location[:, ::-1])
        np.testing.assert_array_equal(left.truth.movement, flip(right.truth.movement[:, ::-1]))
        np.testing.assert_array_equal(left.truth.orientation, flip(right.truth.orientation[:, ::-1]))


def test_spans_run_from_hands_in_place_to_before_the_retraction() -> None:
    for i in range(10):
        performance = WORLD.perform(i, EXACT)
        (span,) = performance.spans
        truth = performance.truth
        inside = truth.sign == span.label
        assert span.label == WORLD.signs[i].label
        assert np.flatnonzero(inside)[[0, -1]].tolist() == [span.start, span.end - 1]
        assert truth.hold[span.start, 1]
        assert truth.hold[span.end - 1, 1]
        wrist = performance.figure.xyz[:, figure_index("right_wrist")]
        assert np.linalg.norm(wrist[0] - wrist[-1]) < 0.03  # rest to rest
        assert 4 < span.start < span.end < len(performance) - 4


def test_it_stays_a_body() -> None:
    """Hands stay outside of trunk and head, elbows do not cross the midline, nothing jumps."""
    for i in range(0, 60, 2):
        performance = WORLD.perform(i, replace(EXACT, rest="lap"))
        xyz = performance.figure.xyz
        for side, sign in (("left", 1), ("right", -1)):
            hand = xyz[:, [figure_index(j) for j in hand_joints(side)]]
            head = (hand - [0, 0.195, 0.012]) / [0.078, 0.118, 0.098]
            assert np.linalg.norm(head, axis=-1).min() > 0.8
            trunk = (np.abs(hand[..., 0]) < 0.12) & (hand[..., 1] < -0.04) & (hand[..., 1] > -0.5)
            assert hand[..., 2][trunk].min(initial=1) > 0.03
            assert (sign * xyz[:, figure_index(f"{side}_elbow"), 0]).min() > -0.1
        speed = np.linalg.norm(np.diff(xyz, axis=0), axis=-1) * 25
        assert speed.max() < 8


def test_wrists_bend_within_their_range() -> None:
    for i in range(0, 60, 3):
        performance = WORLD.perform(i, EXACT)
        xyz = performance.figure.xyz
        for h, side in enumerate(("left", "right")):
            forearm = xyz[:, figure_index(f"{side}_wrist")] - xyz[:, figure_index(f"{side}_elbow")]
            forearm /= np.linalg.norm(forearm, axis=-1, keepdims=True)
            bend = np.arccos(np.clip((forearm * performance.frames[:, h, 1]).sum(axis=-1), -1, 1))
            assert np.rad2deg(bend).max() < 112  # extreme flexion, deviation and a nod together


def test_fps_must_be_positive() -> None:
    with pytest.raises(ValueError, match="fps is 0"):
        perform([WORLD.signs[0]], CANONICAL, Draws(0), 0)
