"""Distances, clusters, key-frames and vectors against brute force and planted answers."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Pose
from embeddings.phonology.handshapes.clusters import (
    ClusterOptions,
    dominant_hand,
    medoid_linkage,
    merge_medoids,
    palm_shape_distances,
    palm_shapes,
    representatives,
    shoulder_unit,
    sign_clusters,
)
from embeddings.phonology.handshapes.distance import JOINT_WEIGHTS, PALM, hand_distances, hand_sizes, palm_distances
from embeddings.phonology.handshapes.forms import form_distances, hand_forms, steady_hand_forms
from embeddings.phonology.keyframes import frame_speed, keyframes, read_keyframes, resting_keyframes
from embeddings.phonology.location_boxes import location_vectors
from embeddings.phonology.locations import LOCATIONS
from embeddings.phonology.semantic_vector import semantic_vectors
from embeddings.phonology.signer_space import signer_space
from embeddings.skeletons import HAND_EDGES, SKELETONS
from embeddings.synthetic import Camera, SignWorld
from safe_files import GroupedHDF5
from tests import naive_phonology as naive

WORLD = SignWorld(seed=3, signs=6)


def test_distances_equal_the_brute_force() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 30, (7, 21, 2)) + 200, rng.normal(0, 20, (5, 21, 2))
    unit = rng.uniform(20, 60, 5)
    table, weighted = hand_distances(a, b, unit), palm_distances(a, b, unit)
    for i in range(7):
        for j in range(5):
            whole = naive.similarity_residual(a[i], b[j], list(range(21)))
            assert table[i, j] == pytest.approx(np.sqrt((whole**2).sum()) / unit[j], rel=1e-9)
            palm = naive.similarity_residual(a[i], b[j], list(PALM))
            expected = np.sqrt((JOINT_WEIGHTS**2 * (palm**2).sum(axis=1)).sum()) / unit[j]
            assert weighted[i, j] == pytest.approx(expected, rel=1e-6)


def test_weights_multiply_residuals_and_the_unit_is_the_shoulders() -> None:
    hand = np.random.default_rng(4).normal(0, 30, (1, 21, 2))
    bent = hand.copy()
    bent[0, 8] += (6, 8)  # the index tip by 10 px; the palm stays, so it is the only residual
    # weights 5 × 3, 5 × 2, 4 × 1.5, 7 × 1: sum 38, mean 38/21; a tip's is 63/38
    assert palm_distances(hand, bent, 50.0)[0, 0] == pytest.approx(10 * 63 / 38 / 50)  # .3316
    assert hand_sizes(np.array([[[0.0, 0.0], [3.0, 4.0]] + [[1.0, 0.0]] * 19]))[0] == 5


def test_the_unit_is_neck_to_left_shoulder_of_the_first_frame_that_has_both() -> None:
    xy = np.full((3, 50, 2), np.nan, np.float32)
    xy[1:, 1], xy[1, 5], xy[2, 5] = (100, 100), (130, 140), (200, 100)
    pose = Pose(xy, np.isfinite(xy[..., 0]).astype(np.float32), "openpose-50", 25.0, (300, 300))
    assert shoulder_unit(pose) == 50


def seeding(confidence: list[float], length: int = 61) -> list[Pose]:
    """Two videos of one sign whose right wrist is away from its start throughout; hands that change all the time."""
    made = []
    for k in range(2):
        xy = np.full((length, 50, 2), np.nan, np.float32)
        xy[:, 1], xy[:, 2], xy[:, 5] = (100, 100), (80, 100), (120, 100)
        rng = np.random.default_rng(k)
        xy[:, 29:50] = 60 + rng.normal(0, 30, (length, 21, 2))
        xy[:, 4], xy[0, 4] = (60, 60), (60, 300)
        sure = np.isfinite(xy[..., 0]).astype(np.float32)
        sure[:, 29:50] = np.array(confidence)[:, None] if k == 0 else 0
        made.append(Pose(xy, sure, "openpose-50", 25.0, (300, 300)))
    return made


def test_seeds_are_the_most_confident_and_spread_out_where_all_are_alike() -> None:
    alone = ClusterOptions(least=1, same=-1.0)
    equal = sign_clusters(seeding([1.0] * 61), "right", alone)
    # frames 1 to 60: the middle, the end that is farther, the other end, then the middles of the halves
    assert sorted(c.seed[1] for c in equal) == [1, 15, 30, 45, 60]
    sure = [0.65] * 61
    for frame, value in ((10, 0.99), (12, 0.98), (40, 0.9), (20, 0.8), (50, 0.7), (30, 0.59)):
        sure[frame] = value
    chosen = {c.seed[1] for c in sign_clusters(seeding(sure), "right", alone)}
    assert chosen > {10, 20, 40, 50}
    assert 12 not in chosen  # nearer than five frames to a better one
    assert len(chosen) == 5
    assert 30 not in chosen  # below the published .6


def test_a_moved_turned_and_grown_hand_is_the_same() -> None:
    hand = np.random.default_rng(1).normal(size=(1, 21, 2))
    c, s = 3 * np.cos(0.7), 3 * np.sin(0.7)
    moved = hand @ np.array([[c, s], [-s, c]]) + [40, -7]
    assert hand_distances(hand, moved)[0, 0] == pytest.approx(0, abs=1e-6)
    assert palm_distances(hand, moved, 1.0)[0, 0] == pytest.approx(0, abs=1e-6)
    mirrored = hand * [-1, 1]
    assert hand_distances(hand, mirrored)[0, 0] > 1


def test_a_million_distances_within_seconds() -> None:
    hands = np.random.default_rng(0).normal(size=(1000, 21, 2))
    start = time.perf_counter()
    hand_distances(hands, hands)
    palm_distances(hands, hands, 1.0)
    assert time.perf_counter() - start < 20  # two million


def test_missing_joints_are_refused() -> None:
    with pytest.raises(ValueError, match="missing joints"):
        hand_distances(np.full((1, 21, 2), np.nan), np.zeros((1, 21, 2)))


def test_palm_shapes_do_not_depend_on_view_or_side() -> None:
    rng = np.random.default_rng(2)
    hand = rng.normal(size=(1, 21, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    turned = hand @ turn.T * 5 + [1, 2, 3]
    mirrored = turned * [-1, 1, 1]
    shapes = palm_shapes(np.concatenate([hand, turned, mirrored]), np.array([False, False, True]))
    np.testing.assert_allclose(shapes[1], shapes[0], atol=1e-9)
    np.testing.assert_allclose(shapes[2], shapes[0], atol=1e-9)
    np.testing.assert_allclose(palm_shape_distances(shapes), 0, atol=1e-6)


def test_steady_forms_ignore_a_frame_gone_wrong_and_keep_gaps() -> None:
    rng = np.random.default_rng(3)
    hands = np.repeat(rng.normal(size=(1, 21, 3)), 15, axis=0)
    hands[7] += rng.normal(0, 2, (21, 3))
    hands[3] = np.nan
    forms = steady_hand_forms(hands, False, 25.0)
    assert np.isnan(forms[3]).all()
    expected = hand_forms(hands[:1])[0]
    for t in (0, 6, 7, 8, 14):
        np.testing.assert_allclose(forms[t], expected, atol=1e-9)
    assert np.isnan(steady_hand_forms(np.full((4, 21, 3), np.nan), True, 25.0)).all()


def test_form_distances_equal_the_brute_force_whatever_the_view_and_side() -> None:
    rng = np.random.default_rng(5)
    hands = rng.normal(size=(6, 21, 3))
    forms, shapes = hand_forms(hands), palm_shapes(hands)
    table = form_distances(forms)
    share = JOINT_WEIGHTS / JOINT_WEIGHTS.sum()
    for i in range(6):
        for j in range(6):
            squared = sum(share[k] * np.sum((shapes[i, k] - shapes[j, k]) ** 2) for k in range(21))
            for a, b in HAND_EDGES:
                bones = [shapes[n, b] - shapes[n, a] for n in (i, j)]
                squared += np.sum((bones[0] / np.linalg.norm(bones[0]) - bones[1] / np.linalg.norm(bones[1])) ** 2) / 20
            assert table[i, j] == pytest.approx(np.sqrt(squared), abs=1e-6)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    seen_otherwise = hand_forms(hands @ turn.T * [-3, 3, 3] + 7, left=True)
    np.testing.assert_allclose(form_distances(forms, seen_otherwise), table, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_medoid_linkage_equals_the_brute_force(seed: int) -> None:
    points = np.random.default_rng(seed).random((24, 2))
    table = np.linalg.norm(points[:, None] - points[None], axis=-1)
    labels = medoid_linkage(table, 0.3)
    found = {frozenset(np.flatnonzero(labels == k).tolist()) for k in range(labels.max() + 1)}
    assert found == {frozenset(g) for g in naive.medoid_linkage(table, 0.3)}


def test_merge_refuses_spread_out_clusters_and_drops_small_ones() -> None:
    place = np.concatenate([np.linspace(0, 0.1, 12), 0.3 + np.linspace(0, 0.1, 12), [5.0, 5.01]])
    table = np.abs(place[:, None] - place[None])
    labels = np.repeat([0, 1, 2], [12, 12, 2])
    assert merge_medoids(table, labels).tolist() == [0] * 24 + [-1] * 2
    assert set(merge_medoids(table, labels, far=0.2).tolist()) == {0, 1, -1}


def test_a_merge_is_refused_by_the_pairs_of_medoids_alone() -> None:
    # medoids at 0.05, 0.35 and 0.65: the first two join (0.3); the third is 0.3 from the second but 0.6 from the first,
    # half of the two pairs are farther than 0.5: not more than half, so it joins; above 0.4 share it does not
    place = np.concatenate([k * 0.3 + np.linspace(0, 0.1, 11) for k in range(3)])
    table = np.abs(place[:, None] - place[None])
    labels = np.repeat([0, 1, 2], 11)
    assert len(set(merge_medoids(table, labels, far=0.5).tolist())) == 1
    assert len(set(merge_medoids(table, labels, far=0.5, most_far=0.4).tolist())) == 2
    assert [int(m) for m in representatives(table, labels)] == [5, 16, 27]
    assert representatives(table, labels, least=12) == []


def test_one_sign_in_many_videos_gives_its_handshape() -> None:
    poses = [WORLD.clip("sign-000", signer=k, skeleton="coco-wholebody-133").pose for k in range(6)]
    clusters = sign_clusters([p for p in poses if p is not None])
    assert clusters
    assert len(set(clusters[0].samples.tolist())) >= 4


def test_the_dominant_hand_of_a_left_hander() -> None:
    sign = next(s for s in WORLD.signs if s.arrangement == "one-handed")
    for k in range(8):
        pose = WORLD.clip(sign, signer=k).pose
        assert pose is not None
        assert dominant_hand([pose]) == ("left" if WORLD.signer(k).left_handed else "right")


def test_a_guessed_wrist_does_not_make_a_hand_dominant() -> None:
    rng = np.random.default_rng(0)
    pose = WORLD.clip(next(s for s in WORLD.signs if s.arrangement == "one-handed")).pose
    assert pose is not None
    dominant = dominant_hand([pose])
    other = "left" if dominant == "right" else "right"
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    xy[:, pose.joint(f"{other}_wrist")] += rng.normal(0, 200, (len(pose), 2))
    joints = [k for k, name in enumerate(SKELETONS[pose.skeleton].joints) if name.startswith(f"{other}_hand")]
    xy[:, joints], confidence[:, joints] = np.nan, 0
    assert dominant_hand([replace(pose, xy=xy, confidence=confidence)]) == dominant


def still_pose(speeds: list[float]) -> Pose:
    """Everything moves along x by the given speeds."""
    x = np.concatenate([[0.0], np.cumsum(speeds)]).astype(np.float32)
    xy = np.zeros((len(x), 50, 2), np.float32)
    xy[..., 0] = x[:, None] + 100
    return Pose(xy, np.ones((len(x), 50), np.float32), "openpose-50", 25.0, (512, 512))


@pytest.mark.parametrize("seed", range(6))
def test_keyframes_equal_the_published_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = still_pose(rng.integers(0, 9, int(rng.integers(1, 60))).tolist())
    for count, blank in ((16, 3), (4, 0), (5, 50)):
        expected = naive.keyframes(frame_speed(pose).tolist(), count, blank)
        assert keyframes(pose, count, blank).tolist() == expected


def test_missing_joints_are_no_motion() -> None:
    pose = still_pose([1.0] * 20)
    confidence = pose.confidence.copy()
    confidence[10, 8:] = 0
    np.testing.assert_allclose(frame_speed(replace(pose, confidence=confidence)), frame_speed(pose), rtol=1e-5)


def test_resting_keyframes_and_their_fallback(tmp_path: Path) -> None:
    pose = still_pose([0] * 5 + [10] * 5 + [0] * 5 + [10] * 5 + [0] * 2)
    chosen = resting_keyframes(pose)
    assert [int(k) for k in chosen] == [11, 21]
    assert resting_keyframes(still_pose([0.0] * 20)).tolist() == [4, 8, 12, 16]
    with GroupedHDF5(tmp_path / "k.h5") as store:
        store.put("v", chosen)
    assert read_keyframes(tmp_path / "k.h5")["v"].tolist() == chosen.tolist()


def test_location_vectors_sum_to_one_and_know_the_planted_place() -> None:
    pose = WORLD.clip("sign-000", camera=0, skeleton="mediapipe-holistic").pose
    assert pose is not None
    xy, nose = pose.xy.copy(), pose.joint("nose")
    for k in range(21):
        xy[:, pose.joint("right_hand_wrist") + k] = xy[:, nose] + np.array([k % 3, k % 4]) * 0.5
    vectors = location_vectors(replace(pose, xy=xy, z=None))
    np.testing.assert_allclose(vectors.sum(axis=-1), 1, atol=1e-5)
    assert (vectors[:, 1].argmax(axis=-1) == LOCATIONS.index("nose")).mean() > 0.9


def test_semantic_vector_holds_the_last_known_hand() -> None:
    places = np.random.default_rng(0).random((4, 2, 15)).astype(np.float32)
    hands = np.random.default_rng(1).random((4, 2, 1280)).astype(np.float32)
    places[2, 0], hands[0, 1] = np.nan, np.nan
    rows = semantic_vectors(places, hands)
    assert rows.shape == (4, 2590)
    np.testing.assert_array_equal(rows[2, :15], places[1, 0])
    np.testing.assert_array_equal(rows[0, -1280:], 0)
    np.testing.assert_array_equal(rows[3, 15:30], places[3, 1])
    with pytest.raises(ValueError, match="expected"):
        semantic_vectors(places, hands[:3])


def test_a_skeleton_without_shoulders_is_refused() -> None:
    pose = WORLD.clip("sign-000", camera=Camera(), skeleton="coco-wholebody-133").pose
    assert pose is not None
    with pytest.raises(ValueError, match="never seen"):
        signer_space(replace(pose, confidence=np.zeros_like(pose.confidence)))
