"""Where signs are made: clips that begin and end at rest, and signs within continuous signing."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from embeddings.phonology.locations import LOCATIONS, Located, locations
from embeddings.phonology.sign_locations import at_rest, location_histogram, sign_location, sign_locations
from embeddings.phonology.signer_space import signer_space
from embeddings.synthetic import Draws, SignWorld, Truth, random_camera, random_sign, random_signer
from spotter.enrolment import hands_up_span

NAMES = {name: k for k, name in enumerate(LOCATIONS)}


def located(left: list[str], right: list[str]) -> Located:
    index = np.array([[NAMES.get(a, -1), NAMES.get(b, -1)] for a, b in zip(left, right, strict=True)])
    return Located(index, np.ones(index.shape), np.zeros((*index.shape, 15)), np.zeros(index.shape, bool))


def test_the_histogram_is_the_share_of_the_frames_that_count() -> None:
    found = located(["waist"] * 6, ["waist", "waist", "nose", "nose", "mouth", "waist"])
    counted = np.zeros((6, 2), bool)
    counted[2:5, 1] = True
    share = location_histogram(found, counted)
    assert share[0].sum() == 0
    assert share[1, NAMES["nose"]] == pytest.approx(2 / 3)
    assert share[1, NAMES["mouth"]] == pytest.approx(1 / 3)
    assert sign_location(share) == ("", "nose")
    assert sign_location(location_histogram(found)) == ("waist", "waist")  # what all frames together say


def test_neutral_space_is_what_no_place_on_the_body_has_a_quarter_of() -> None:
    frames = ["neutral space"] * 13 + ["nose"] * 4 + ["mouth"] * 3
    assert sign_location(location_histogram(located(frames, frames))) == ("neutral space", "neutral space")
    frames[0] = "nose"  # 5 of 20
    assert sign_location(location_histogram(located(frames, frames))) == ("nose", "nose")


def truth_of(truth: Truth, hand: int) -> str:
    names = truth.location[:, hand]
    return Counter(names[names != ""].tolist()).most_common(1)[0][0] if (names != "").any() else ""


@pytest.mark.parametrize("seed", [0, 1])
def test_clips_that_begin_and_end_at_rest_tell_the_place_of_their_sign(seed: int) -> None:
    world, rng = SignWorld(seed=seed, signs=1), Draws("places of signs", seed)
    right, idle = [], []
    for k in range(20):
        performed = world.perform(random_sign(rng, f"t{k}"), random_signer(rng, f"w{k}"), take=k)
        pose = random_camera(rng).project(performed.figure, "mediapipe-holistic")
        (sign,) = sign_locations(signer_space(pose), [hands_up_span(pose)])
        for hand in (0, 1):
            truth = truth_of(performed.truth, hand)
            (right if truth else idle).append(sign.places[hand] == truth)
    assert np.mean(right) > 0.7
    assert np.mean(idle) > 0.9  # the other hand of a one-handed sign has no place


def test_two_signs_in_one_video_have_a_place_each() -> None:
    world = SignWorld(seed=5, signs=12)
    by_place = {}
    for sign in world.signs:
        performed = world.perform(sign, 0)
        by_place.setdefault(truth_of(performed.truth, 1) or truth_of(performed.truth, 0), sign)
    poses, spans, expected = [], [], []
    for place, sign in list(by_place.items())[:4]:
        pose = world.clip(sign, signer=0).pose
        assert pose is not None
        start, end = hands_up_span(pose)
        begun = sum(len(p) for p in poses)
        poses.append(pose)
        spans.append((begun + start, begun + end))
        expected.append(place)
    xy, confidence = (np.concatenate([getattr(p, name) for p in poses]) for name in ("xy", "confidence"))
    depth = None if poses[0].z is None else np.concatenate([p.z for p in poses if p.z is not None])
    together = replace(poses[0], xy=xy, confidence=confidence, z=depth)
    found = sign_locations(signer_space(together), spans)
    hits = [place in sign.places for place, sign in zip(expected, found, strict=True)]
    assert len(expected) >= 3
    assert np.mean(hits) >= 0.75
    assert [(s.start, s.end) for s in found] == spans


def test_a_hand_is_at_rest_where_it_lies_outside_of_the_signs() -> None:
    pose = SignWorld(seed=1, signs=2).clip(0).pose
    assert pose is not None
    space = signer_space(pose)
    span = hands_up_span(pose)
    resting = at_rest(space, [span])
    assert resting[0].all()
    assert not resting[sum(span) // 2].all()
    assert not at_rest(space, [(0, len(space))]).any()  # nothing outside tells where a hand rests


def test_a_span_outside_of_the_video_is_refused() -> None:
    pose = SignWorld(seed=1, signs=2).clip(0).pose
    assert pose is not None
    space = signer_space(pose)
    for span in ((5, 5), (0, len(space) + 1), (-1, 3)):
        with pytest.raises(ValueError, match="is not within"):
            sign_locations(space, [span], locations(space))
