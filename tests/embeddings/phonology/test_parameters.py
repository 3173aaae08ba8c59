"""Location, orientation and movement of the procedural signer, whose truth is known, by signers and cameras unseen."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from embeddings.phonology.locations import LOCATIONS, locations, nearest_locations
from embeddings.phonology.movements import movements
from embeddings.phonology.orientations import ORIENTATIONS, orientations
from embeddings.phonology.sign_locations import location_histogram, sign_location
from embeddings.phonology.signer_space import SignerSpace, signer_space
from embeddings.synthetic import LOCATIONS as SIGNED_PLACES
from embeddings.synthetic import SignWorld, Truth, random_camera, random_sign, random_signer


@lru_cache(maxsize=2)
def scenes(deep: bool = True, skeleton: str = "mediapipe-holistic") -> list[tuple[Truth, SignerSpace]]:
    world, rng = SignWorld(seed=99, signs=1), np.random.default_rng(99)
    made = []
    for k in range(40):
        performed = world.perform(random_sign(rng, f"t{k}"), random_signer(rng, f"w{k}"), take=k)
        pose = random_camera(rng).project(performed.figure, skeleton)
        made.append((performed.truth, signer_space(pose, use_depth=deep)))
    return made


def share_right(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return float(np.concatenate([a == b for a, b in pairs]).mean())


def held(truth: Truth) -> np.ndarray:
    return truth.hold & (truth.location != "")


def test_the_places_are_in_the_order_of_the_published_vector() -> None:
    published = (
        "neutral space", "above head", "upper face", "eyes", "nose", "mouth", "chin", "cheeks", "ears", "neck",
        "shoulders", "chest", "waist", "arm", "other hand",
    )  # fmt: skip
    assert published == LOCATIONS
    assert published == tuple(SIGNED_PLACES)


def test_locations_in_holds() -> None:
    right = share_right([(t.location[held(t)], locations(s).names[held(t)]) for t, s in scenes()])
    by_distance = share_right([(t.location[held(t)], nearest_locations(s).names[held(t)]) for t, s in scenes()])
    assert right > 0.83
    assert by_distance < right


@pytest.mark.parametrize(("deep", "least"), [(True, 0.97), (False, 0.8)])
def test_orientations_in_holds(deep: bool, least: float) -> None:
    rows = [(t.orientation[t.hold], orientations(s).names[t.hold]) for t, s in scenes(deep)]
    assert share_right(rows) > least


def test_flat_orientation_knows_when_it_does_not_know() -> None:
    sure, right = [], []
    for truth, space in scenes(False):
        found = orientations(space)
        sure.append(found.confidence[truth.hold])
        right.append((found.names == truth.orientation)[truth.hold])
    confidence, correct = np.concatenate(sure), np.concatenate(right)
    order = np.argsort(confidence)
    third = len(order) // 3
    assert correct[order[-third:]].mean() > correct[order[:third]].mean() + 0.05


def test_directions_of_movement() -> None:
    right = []
    for truth, space in scenes():
        moved = movements(space)
        for hand in (0, 1):
            names = truth.movement[:, hand]
            edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1), len(names)]
            for a, b in pairwise(edges):
                if names[a] in ORIENTATIONS:
                    said, counts = np.unique(moved.names[a:b, hand], return_counts=True)
                    right.append(said[counts.argmax()] == names[a])
    assert len(right) > 20
    assert np.mean(right) > 0.8


def test_segments_cover_every_seen_frame_once() -> None:
    for _, space in scenes()[:8]:
        moved = movements(space)
        for hand, side in enumerate(("left", "right")):
            covered = np.zeros(len(space), int)
            for segment in moved.segments:
                if segment.hand == side:
                    covered[segment.start : segment.end] += 1
                    assert moved.names[segment.start, hand] == segment.kind
            np.testing.assert_array_equal(covered, space.seen[:, hand].astype(int))


def test_symmetric_signs() -> None:
    right = [(movements(s).symmetric == t.symmetric)[t.sign != ""] for t, s in scenes()]
    assert np.concatenate(right).mean() > 0.85


@pytest.mark.parametrize("skeleton", ["coco-wholebody-133", "openpose-50", "spoter-54", "openpose-body135"])
def test_other_skeletons_give_every_measure(skeleton: str) -> None:
    world = SignWorld(seed=1, signs=2)
    pose = world.clip(0, skeleton=skeleton).pose
    assert pose is not None
    space = signer_space(pose)
    located = locations(space)
    assert set(np.unique(located.names)) <= {*LOCATIONS, ""}
    assert ((located.confidence >= 0) & (located.confidence <= 1)).all()
    np.testing.assert_allclose(location_histogram(located).sum(axis=1), 1)
    assert all(name in LOCATIONS for name in sign_location(location_histogram(located)))
    assert movements(space, located).segments


def test_a_hidden_hand_has_no_parameters() -> None:
    world = SignWorld(seed=1, signs=2)
    pose = world.clip(0).pose
    assert pose is not None
    first = pose.joint("left_hand_wrist")
    pose.xy[:, first : first + 21] = np.nan
    pose.confidence[:, first : first + 21] = 0
    space = signer_space(pose)
    assert (locations(space).names[:, 0] == "").all()
    assert (orientations(space).names[:, 0] == "").all()
    assert not [s for s in movements(space).segments if s.hand == "left"]
    assert sign_location(location_histogram(locations(space)))[0] == ""


def test_a_clip_shorter_than_the_symmetry_window_is_described() -> None:
    pose = SignWorld(seed=99, signs=1).clip(0).pose
    assert pose is not None
    short = movements(signer_space(pose[:9]))
    assert short.symmetric.shape == (9,)
