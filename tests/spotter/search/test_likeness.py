"""Likeness of single signs: vectors minus alignment, by hand and against the twin that tries every path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.synthetic import Draws
from gallery import Gallery, GalleryError
from spotter.enrolment import enroll
from spotter.search.alignment import UNREACHED, unit_rows
from spotter.search.likeness import NearestExemplar, likeness, pair_costs, sign_probabilities

from ..worlds import small_world


def gallery_of(vectors: list[list[float]], features: list[NDArray[np.float32] | None], labels: str) -> Gallery:
    made = Gallery(len(vectors[0]), "any")
    made.add(np.array(vectors, np.float32), list(labels), features=features)
    return made


def turning(*degrees: float) -> NDArray[np.float32]:
    """Frames that are directions in a plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_vector_counts_as_much_as_a_mean_frame() -> None:
    """Frames all 60° apart cost 1 - cos 60° = .5 whichever sign is brought to the other's length; vectors 90° apart."""
    shown = gallery_of([[1, 0]], [turning(0, 0, 0, 0, 0, 0)], "A")
    exemplars = gallery_of([[0, 1], [1, 0]], [turning(60, 60, 60, 60), turning(0, 0, 0, 0, 0)], "BA")
    np.testing.assert_allclose(likeness(shown, exemplars), [[0 - 0.5, 1 - 0]], atol=1e-6)


def test_both_directions_count() -> None:
    """Half of the longer sign is the shorter one: free where the short one looks in the long one, not the other way."""
    short, long = turning(0, 0, 0, 0), turning(0, 0, 0, 0, 90, 90, 90, 90)
    one, other = gallery_of([[1, 0]], [short], "A"), gallery_of([[1, 0]], [long], "B")
    there, back = likeness(one, other)[0, 0], likeness(other, one)[0, 0]
    assert there == pytest.approx(back, abs=1e-6)
    assert there < 1 - 0.1


def test_without_frames_the_cosine_counts() -> None:
    shown = gallery_of([[1, 0]], [turning(0, 0, 0, 0)], "A")
    exemplars = gallery_of([[0.6, 0.8], [1, 0]], [None, turning(90, 90, 90, 90)], "BA")
    np.testing.assert_allclose(likeness(shown, exemplars), [[0.6, 1.0]], atol=1e-6)
    exemplars.encoder = "another"
    with pytest.raises(GalleryError, match="another"):
        likeness(shown, exemplars)


def test_costs_of_pairs_are_those_of_every_path() -> None:
    rng = Draws("pairs of signs", 3)
    a, b = (unit_rows(rng.normal(0, 1, (3, n, 4)).astype(np.float32)) for n in (4, 5))

    def cheapest(costs: NDArray[np.float64], r: int, q: int) -> float:
        """Cost of the best path that ends with row r in column q; steps 1-1, 2-1 (both rows paid), 1-2 (their mean)."""
        if q < 0:
            return np.inf
        if r == 0:
            return float(costs[0, q])
        ways = [cheapest(costs, r - 1, q - 1) + costs[r, q]]
        if r >= 2:
            ways.append(cheapest(costs, r - 2, q - 1) + costs[r - 1, q] + costs[r, q])
        if q >= 1:
            ways.append(cheapest(costs, r - 1, q - 2) + (costs[r, q - 1] + costs[r, q]) / 2)
        return float(min(ways))

    for found, one, other in zip(pair_costs(a, b), a.astype(float), b.astype(float), strict=True):
        costs = 1 - one @ other.T
        expected = min(cheapest(costs, 3, q) for q in range(5)) / 4
        assert found == pytest.approx(min(expected, float(UNREACHED)), abs=1e-5)


def test_a_sign_counts_by_its_best_exemplar() -> None:
    three = gallery_of([[1, 0], [0, 1], [1, 0]], [None, None, None], "ABA")
    odds = np.exp(10.0 * np.array([0.5, 0.4]))
    np.testing.assert_allclose(sign_probabilities(np.array([0.1, 0.4, 0.5]), three), odds / odds.sum())


def test_clips_by_others_are_named_by_one_example_each() -> None:
    w = small_world()
    named = NearestExemplar(w.gallery, w.encoder)
    for sign in w.world.signs[:3]:
        clip = replace(w.world.clip(sign, signer=7, camera=3), label=None)
        probabilities = named.probabilities(clip)
        assert probabilities.sum() == pytest.approx(1)
        assert named.labels[int(probabilities.argmax())] == sign.label


def test_several_examples_of_a_sign_teach_a_head() -> None:
    w = small_world()
    assert NearestExemplar(w.gallery, w.encoder).learned is None  # one each
    gallery = w.gallery.copy()
    more = [replace(w.world.clip(sign, signer=4, camera=2), label=sign.label) for sign in w.world.signs[:3]]
    enroll(more, encoder=w.encoder, into=gallery)
    named = NearestExemplar(gallery, w.encoder)
    assert named.learned is not None
    assert named.learned.labels == named.labels == gallery.labels
    clip = replace(w.world.clip(w.world.signs[1], signer=7, camera=3), label=None)
    shown = enroll([replace(clip, label="?")], encoder=w.encoder)
    expected = named.learned.probabilities(likeness(shown, gallery))[0]
    np.testing.assert_allclose(named.probabilities(clip), expected)
    assert named.labels[int(expected.argmax())] == w.world.signs[1].label
