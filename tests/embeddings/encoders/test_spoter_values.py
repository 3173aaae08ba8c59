"""SPOTER's normalisation and augmentations, by hand and by what they must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.encoders.spoter_values import body_boxes, normalise_body, normalise_hand, spoter_values, to_spoter
from embeddings.skeletons import SKELETONS
from embeddings.training.augment_spoter import (
    add_noise,
    augment_spoter,
    from_spoter,
    perspective,
    rotate,
    rotate_arms,
    squeeze,
)

JOINTS = SKELETONS["spoter-54"]


def figure(frames: int = 2) -> np.ndarray:
    xy = np.random.default_rng(0).uniform(0.2, 0.8, (frames, 54, 2))
    for name, place in (
        ("neck", (0.5, 0.6)), ("left_shoulder", (0.6, 0.6)), ("right_shoulder", (0.4, 0.6)),
        ("left_eye", (0.52, 0.8)), ("nose", (0.5, 0.75)),
    ):  # fmt: skip
        xy[:, JOINTS.index(name)] = place
    return xy


def as_pose(xy: np.ndarray, size: tuple[int, int] = (200, 100)) -> Pose:
    blank = Pose(np.zeros(xy.shape, np.float32), np.ones(xy.shape[:2], np.float32), "spoter-54", 25.0, size)
    return from_spoter(xy, blank)


def test_coordinates_are_fractions_with_y_up() -> None:
    xy = np.zeros((1, 54, 2), np.float32)
    xy[0, 0] = (50, 25)
    pose = Pose(xy, np.ones((1, 54), np.float32), "spoter-54", 25.0, (200, 100))
    np.testing.assert_allclose(to_spoter(pose)[0, 0], (0.25, 0.75))
    np.testing.assert_allclose(from_spoter(to_spoter(pose), pose).xy, pose.xy, atol=1e-5)


def test_body_box_by_hand() -> None:
    # m = .2: x from .5 - .6 to .5 + .6, y from 1 (the eye at .8 and m) down to -.2
    box = body_boxes(figure(), "spoter-54")
    np.testing.assert_allclose(box, [[-0.1, -0.2, 1.1, 1.0]] * 2)
    values = normalise_body(figure(), box)
    np.testing.assert_allclose(values[0, JOINTS.index("neck")], (0.5, 0.8 / 1.2))
    np.testing.assert_allclose(values[0, JOINTS.index("left_shoulder")], (0.7 / 1.2, 0.8 / 1.2))


def test_without_a_shoulder_the_neck_and_nose_give_the_scale() -> None:
    xy = figure(1)
    xy[0, JOINTS.index("left_shoulder")] = np.nan
    # m = .15: top .95, bottom .95 - .9
    np.testing.assert_allclose(body_boxes(xy, "spoter-54")[0], (0.05, 0.05, 0.95, 0.95))


def test_a_frame_without_a_box_keeps_the_last_one() -> None:
    xy = figure(5)
    xy[2:] += 0.1
    xy[[0, 3], JOINTS.index("left_eye")] = np.nan
    boxes = body_boxes(xy, "spoter-54")
    np.testing.assert_allclose(boxes[0], boxes[1])  # none before: the first
    np.testing.assert_allclose(boxes[3], boxes[2])
    assert not np.allclose(boxes[2], boxes[1])
    xy[:, JOINTS.index("left_eye")] = np.nan
    assert np.isnan(body_boxes(xy, "spoter-54")).all()
    np.testing.assert_array_equal(normalise_body(xy, body_boxes(xy, "spoter-54")), xy)


def test_hand_box_by_hand() -> None:
    hand = np.full((1, 21, 2), np.nan)
    hand[0, 0], hand[0, 1], hand[0, 2] = (0.2, 0.4), (0.6, 0.5), (0.4, 0.4)
    # .4 wide, .1 high: a square of 1.2 · .4 = .48 around (.4, .45)
    values = normalise_hand(hand)
    across, down = 0.2 / 0.48, 0.05 / 0.48
    expected = [(0.5 - across, 0.5 - down), (0.5 + across, 0.5 + down), (0.5, 0.5 - down)]
    np.testing.assert_allclose(values[0, :3], expected)
    assert np.isnan(values[0, 3:]).all()
    np.testing.assert_allclose(normalise_hand(np.full((1, 21, 2), 0.3)), 0.5)


def test_normalised_values_do_not_depend_on_where_and_how_large() -> None:
    xy = figure()
    values = spoter_values(xy, "spoter-54")
    assert values.shape == (2, 108)
    np.testing.assert_allclose(spoter_values(xy * 0.4 + 0.3, "spoter-54"), values, atol=1e-6)
    hands = np.concatenate([JOINTS.hand("left"), JOINTS.hand("right")])
    # moving only the hands moves nothing: each has its own box
    moved = xy.copy()
    moved[:, hands] += 0.1
    np.testing.assert_allclose(spoter_values(moved, "spoter-54"), values, atol=1e-6)
    xy[0, 3] = np.nan
    before = xy.copy()
    assert spoter_values(xy, "spoter-54").reshape(2, 54, 2)[0, 3].tolist() == [-0.5, -0.5]
    np.testing.assert_array_equal(xy, before)


def test_rotation_by_hand_and_back() -> None:
    xy = figure()
    point = np.array([[[1.0, 0.5]]])
    np.testing.assert_allclose(rotate(point, 90), [[[0.5, 1.0]]], atol=1e-12)
    np.testing.assert_allclose(rotate(rotate(xy, 13), -13), xy)
    turned = rotate(xy, 13)
    np.testing.assert_allclose(
        np.linalg.norm(turned[:, 3] - turned[:, 9], axis=-1), np.linalg.norm(xy[:, 3] - xy[:, 9], axis=-1)
    )


def test_perspective_moves_the_corners_and_keeps_lines() -> None:
    corners = np.array([[(0, 1), (1, 1), (0, 0), (1, 0)]], float)
    np.testing.assert_allclose(
        perspective(corners, 0.1, left=True)[0], [(0.1, 0.9), (1, 1), (0.1, 0.1), (1, 0)], atol=1e-12
    )
    np.testing.assert_allclose(
        perspective(corners, 0.1, left=False)[0], [(0, 1), (0.9, 0.9), (0, 0), (0.9, 0.1)], atol=1e-12
    )
    np.testing.assert_allclose(perspective(figure(), 0.0, left=True), figure(), atol=1e-12)
    line = perspective(np.array([[(0.1, 0.2), (0.4, 0.4), (0.7, 0.6)]]), 0.1, left=True)[0]
    a, b = line[1] - line[0], line[2] - line[0]
    assert abs(a[0] * b[1] - a[1] * b[0]) < 1e-12
    # seen in a mirror, left is right
    mirrored = np.array([1.0, 0.0]) + figure() * np.array([-1.0, 1.0])
    expected = np.array([1.0, 0.0]) + perspective(figure(), 0.07, left=False) * np.array([-1.0, 1.0])
    np.testing.assert_allclose(perspective(mirrored, 0.07, left=True), expected, atol=1e-12)


def test_squeeze_by_hand() -> None:
    values = squeeze(np.array([[[0.0, 0.3], [1.0, 0.3], [0.5, 0.3]]]), 0.1, 0.05)
    np.testing.assert_allclose(values, [[[0.1, 0.3], [0.95, 0.3], [0.525, 0.3]]])


def test_an_arm_turns_about_its_joint_and_takes_the_hand_along() -> None:
    xy = figure()
    turned = rotate_arms(xy, "spoter-54", {"left_elbow": 4})
    moved = np.flatnonzero(np.abs(turned - xy).max(axis=(0, 2)) > 1e-9)
    assert set(moved) == {JOINTS.index("left_wrist"), *JOINTS.hand("left")}
    elbow, wrist = JOINTS.index("left_elbow"), JOINTS.index("left_wrist")
    for values in (turned, xy):
        length = np.linalg.norm(values[:, wrist] - values[:, elbow], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(xy[:, wrist] - xy[:, elbow], axis=-1))
    np.testing.assert_allclose(rotate_arms(turned, "spoter-54", {"left_elbow": -4}), xy)
    whole = rotate_arms(xy, "spoter-54", {"right_neck": 4})
    assert not np.allclose(whole[:, JOINTS.index("right_shoulder")], xy[:, JOINTS.index("right_shoulder")])


def test_augmentation_is_seeded_bounded_and_keeps_missing_missing() -> None:
    xy = figure()
    xy[1, 20] = np.nan
    pose = as_pose(xy)
    draws = [augment_spoter(pose, np.random.default_rng(seed)) for seed in range(200)]
    again = augment_spoter(pose, np.random.default_rng(3))
    np.testing.assert_array_equal(draws[3].xy, again.xy)
    assert all(np.isnan(d.xy[1, 20]).all() and np.isfinite(d.xy[0]).all() for d in draws)
    shift = np.array([np.nanmax(np.abs(to_spoter(d) - xy)) for d in draws])
    assert 0.42 < (shift < 1e-5).mean() < 0.6  # half are left alone
    assert shift.max() < 0.3
    quiet = augment_spoter(pose, np.random.default_rng(0), probability=0.0)
    np.testing.assert_allclose(quiet.xy, pose.xy, atol=1e-4)


CORNERS = {"right_eye": (0.0, 0.0), "left_eye": (1.0, 0.0), "right_ear": (0.0, 1.0), "left_ear": (1.0, 1.0)}


def turned(before: np.ndarray, after: np.ndarray, joint: str, first: str, second: str) -> float:
    """Degrees by which the bend at a joint, between the bones to two others, has changed."""
    angles = []
    for xy in (before, after):
        middle, one, other = (xy[0, JOINTS.index(name)] for name in (joint, first, second))
        angles.append(np.angle(complex(*(other - middle))) - np.angle(complex(*(one - middle))))
    return float((np.degrees(angles[1] - angles[0]) + 180) % 360 - 180)


def test_augmentations_are_drawn_as_published() -> None:
    """Over 1600 draws: half of the poses change, each of the four kinds a quarter of the time; rotations to ±13°,
    perspective to .1, squeeze to .15 a side, arm joints to ±4°, each of the eight with p = .3."""
    xy = figure(1)
    for name, place in CORNERS.items():
        xy[0, JOINTS.index(name)] = place
    pose, corners = as_pose(xy), [JOINTS.index(name) for name in CORNERS]
    kinds, angles, ratios, sides, arms = [], [], [], [], []
    for seed in range(1600):
        after = to_spoter(augment_spoter(pose, np.random.default_rng(seed)))
        if np.abs(after - xy).max() < 1e-5:
            continue
        moved = (after - xy)[0, corners]
        from_middle = np.linalg.norm(after[0, corners] - 0.5, axis=1)
        if np.abs(moved).max() < 1e-5:
            kinds.append("arms")
            for side in ("left", "right"):
                chain = [f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist", f"{side}_hand_index_tip"]
                arms += [turned(xy, after, "neck", "nose", chain[0]),
                         turned(xy, after, chain[0], "neck", chain[1])]  # fmt: skip
                arms += [turned(xy, after, chain[k], chain[k - 1], chain[k + 1]) for k in (1, 2)]
        elif np.abs(from_middle - 0.5**0.5).max() < 1e-4:
            kinds.append("rotation")
            angles.append(float((np.degrees(np.angle(complex(*(after[0, corners[3]] - 0.5)))) - 45 + 180) % 360 - 180))
        elif np.abs(moved[:, 1]).max() < 1e-5:
            kinds.append("squeeze")
            sides += [moved[0, 0], -moved[1, 0]]
        else:
            kinds.append("perspective")
            ratios.append(np.abs(moved).max())
    assert 0.46 < len(kinds) / 1600 < 0.54
    shares = {kind: kinds.count(kind) / len(kinds) for kind in ("rotation", "perspective", "squeeze", "arms")}
    assert all(0.2 < share < 0.3 for share in shares.values()), shares
    assert 12.5 < max(angles) <= 13.001
    assert -13.001 <= min(angles) < -12.5
    assert 0.095 < max(ratios) <= 0.10001
    assert 0.14 < max(sides) <= 0.15001
    assert min(sides) >= -1e-6
    chosen = np.abs(arms) > 1e-3
    assert 0.26 < chosen.mean() < 0.36  # .318, since draws in which no joint turns count as none
    assert 3.8 < np.abs(arms).max() <= 4.001


def test_noise_is_added_to_the_values() -> None:
    values = add_noise(np.full((200, 108), 0.25, np.float32), np.random.default_rng(0))
    assert values.dtype == np.float32
    assert values.mean() == pytest.approx(0.25, abs=1e-4)
    assert values.std() == pytest.approx(0.001, rel=0.05)


@pytest.mark.parametrize("skeleton", ["coco-wholebody-133", "mediapipe-holistic", "openpose-body135"])
def test_other_skeletons_give_the_same_values(skeleton: str) -> None:
    from embeddings.synthetic import SignWorld

    clip = SignWorld(1, signs=2).clip(0, skeleton=skeleton)
    reference = SignWorld(1, signs=2).clip(0, skeleton="spoter-54")
    assert clip.pose is not None
    assert reference.pose is not None
    values = spoter_values(to_spoter(clip.pose.to("spoter-54")), "spoter-54")
    expected = spoter_values(to_spoter(reference.pose), "spoter-54")
    assert float(np.median(np.abs(values - expected))) < 1e-3
