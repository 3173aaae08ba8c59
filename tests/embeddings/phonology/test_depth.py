"""Depth: told apart by what it is worth, judged from the picture, and what rests on it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.phonology.depth import depth_features, depth_kind, with_judged_depth
from embeddings.phonology.movements import velocities
from embeddings.phonology.signer_space import signer_space
from embeddings.skeletons import SKELETONS
from embeddings.synthetic import Camera, SignWorld

WORLD = SignWorld(seed=31, signs=10)


def exact(sign: int, signer: int = 1, skeleton: str = "mediapipe-holistic") -> Pose:
    pose = WORLD.clip(WORLD.signs[sign], signer=signer, camera=2, skeleton=skeleton).pose
    assert pose is not None
    return pose


def exaggerated(pose: Pose) -> Pose:
    """As MediaPipe has it: three to five times as deep before the shoulders, hips anywhere."""
    assert pose.z is not None
    shoulders = [pose.joint(f"{side}_shoulder") for side in ("left", "right")]
    middle = pose.z[:, shoulders].mean(axis=1, keepdims=True)
    z = middle + 4.5 * (pose.z - middle)
    z[:, [pose.joint("left_hip"), pose.joint("right_hip")]] += 90
    return replace(pose, z=z.astype(np.float32))


def test_what_depth_is_worth_shows_in_the_nose() -> None:
    pose = exact(0)
    assert depth_kind(pose) == "exact"
    assert depth_kind(exaggerated(pose)) == "exaggerated"
    assert depth_kind(replace(pose, z=None)) == "unknown"
    assert depth_kind(replace(pose, z=np.zeros_like(pose.xy[..., 0]))) == "unknown"
    assert not signer_space(pose).judged
    assert signer_space(exaggerated(pose)).judged
    assert not signer_space(exaggerated(pose), use_depth=False).deep


@pytest.mark.parametrize("skeleton", ["mediapipe-holistic", "coco-wholebody-133", "openpose-50"])
def test_raised_hands_are_judged_to_be_before_the_body(skeleton: str) -> None:
    """Correlation of judged with true depth over signs, from pictures alone."""
    judged, true = [], []
    for sign in range(10):
        pose = exact(sign, sign, skeleton)
        space, truth = signer_space(replace(pose, z=None)), signer_space(exact(sign, sign))
        assert space.judged
        assert space.deep
        assert space.flat_hands
        judged.append(space.palm[..., 2].ravel())
        true.append(truth.palm[..., 2].ravel())
    a, b = np.concatenate(judged), np.concatenate(true)
    assert np.corrcoef(a, b)[0, 1] > 0.7
    assert abs(np.mean(a - b)) < 0.6


def test_exaggerated_depth_no_longer_turns_the_body() -> None:
    pose = exact(3)
    found, truth = signer_space(exaggerated(pose)), signer_space(pose)
    apart = np.linalg.norm(found.joint("nose") - truth.joint("nose"), axis=1)
    assert apart.mean() < 0.35
    assert np.linalg.norm(found.palm[..., :2] - truth.palm[..., :2], axis=-1).mean() < 0.35


def test_features_see_a_left_hand_as_the_mirrored_right_one() -> None:
    pose = exact(4)
    features, mirrored = depth_features(pose), depth_features(pose.mirrored())
    np.testing.assert_allclose(mirrored[:, 0], features[:, 1], atol=2e-2)


def test_without_elbows_nothing_is_judged() -> None:
    pose = exact(0)
    hidden = replace(pose, z=None)
    skeleton = SKELETONS["mediapipe-holistic"]
    assert with_judged_depth(hidden) is not None
    confidence = pose.confidence.copy()
    confidence[:, [skeleton.index(f"{side}_elbow") for side in ("left", "right")]] = 0
    unseen = signer_space(replace(hidden, confidence=confidence))
    assert np.isfinite(unseen.palm).any()


def test_forward_and_back_are_told_apart_from_the_picture() -> None:
    """Pushes away and pulls to the body, seen without depth: the judged speed has the true sign more often than not."""
    right: list[bool] = []
    world = SignWorld(seed=32, signs=30)
    for k, sign in enumerate(world.signs):
        performed = world.perform(sign, signer=k % 6)
        truth = performed.truth.movement
        if not np.isin(truth, ("away", "body")).any():
            continue
        pose = Camera().project(performed.figure)
        speed = velocities(signer_space(replace(pose, z=None)))[..., 2]
        for hand in (0, 1):
            track = truth[:, hand]
            edges = [0, *(np.flatnonzero(track[1:] != track[:-1]) + 1).tolist(), len(track)]
            for a, b in pairwise(edges):
                if track[a] in ("away", "body"):
                    right.append((np.nanmean(speed[a:b, hand]) > 0) == (track[a] == "away"))
    assert len(right) >= 20  # how many signs suit depends on NumPy's generator
    assert np.mean(right) > 0.6
