"""Tracks of several encoders: matched by sign and time, compared with chance, weighed."""

from __future__ import annotations

import numpy as np
import pytest

from spotter import SpottingOptions
from spotter.fusion.tracks import above_video, aligned_tracks, fuse, normalised_track
from spotter.fusion.weights import published_weights
from spotter.search.cohort import Cohort
from spotter.search.query import Query, make_plan, similarity_track

from ..search.test_track import track
from ..worlds import small_world


def test_fusing_a_track_with_itself_changes_nothing() -> None:
    one = track(np.random.default_rng(1).random((6, 2)))
    for weights in (None, [1.0, 3.0]):
        both = fuse([one, one], weights)
        np.testing.assert_allclose(both.values, one.values, atol=1e-6)
        np.testing.assert_allclose(both.lengths, one.lengths)


def test_weights_are_shares_and_signs_are_matched_by_name() -> None:
    first = track(np.array([[1.0, 0.0], [0.5, 0.0]]), ("A", "B"))
    second = track(np.array([[0.2, 0.0, 0.6], [0.4, 0.0, 0.1]]), ("B", "X", "A"), length=30.0)
    both = fuse([first, second], [3.0, 1.0])
    assert both.signs == ("A", "B", "X")
    np.testing.assert_allclose(both.values[:, 0], [0.75 * 1.0 + 0.25 * 0.6, 0.75 * 0.5 + 0.25 * 0.1], atol=1e-6)
    np.testing.assert_allclose(both.values[:, 1], [0.25 * 0.2, 0.25 * 0.4], atol=1e-6)
    np.testing.assert_allclose(both.values[:, 2], [0.0, 0.0], atol=1e-6)  # one alone knows it
    assert both.lengths[0].tolist() == [10.0, 30.0, 30.0]  # whoever says most


def test_three_tracks_are_weighed_as_the_published_distance_weighs_its_networks() -> None:
    weights = published_weights(["sl-gcn", "sl-gcn-3d", "i3d"])
    assert weights == pytest.approx([81 / 120, 39 / 120, 1])
    assert published_weights(["i3d", "sl-gcn"]) == [1, 1]  # one pose network alone has all the parts
    cosines = {"sl-gcn": [0.9, 0.1], "sl-gcn-3d": [0.5, 0.4], "i3d": [0.2, 0.8]}
    both = fuse([track(np.array(values)[:, None], ("A",)) for values in cosines.values()], weights)
    # distance (81 · .1 + 39 · .5) / 120 + .8 = 1.03 and (81 · .9 + 39 · .6) / 120 + .2 = 1.0025, halved and from 1
    np.testing.assert_allclose(both.values[:, 0], [1 - 1.03 / 2, 1 - 1.0025 / 2], atol=1e-6)


def test_tracks_of_other_rates_are_met_in_time() -> None:
    first = track(np.linspace(0, 1, 11)[:, None], ("A",))
    # the same line seen at half the frame rate and every frame: same seconds
    second = track(np.interp((np.arange(11) + 0.5) / 12.5, first.seconds, np.linspace(0, 1, 11))[:, None], ("A",), 12.5,
                   stride=1, length=5.0)  # fmt: skip
    both = fuse([first, second])
    np.testing.assert_allclose(both.values, first.values, atol=0.06)
    np.testing.assert_allclose(both.lengths, 10.0)
    # a step at 0.5 s in both, seen at other rates: the frame numbers of the two do not agree, the seconds do
    step = track((first.seconds >= 0.5).astype(float)[:, None], ("A",))
    times = (np.arange(22) + 0.5) / 25.0
    other = track((times >= 0.5).astype(float)[:, None], ("A",), 25.0, stride=1)
    fused = fuse([step, other]).values[:, 0]
    assert (fused[step.seconds < 0.46] == 0).all()
    assert (fused[step.seconds > 0.54] == 1).all()


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.nan]])
def test_wrong_weights_are_refused(weights: list[float]) -> None:
    one = track(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="expected one each"):
        fuse([one, one], weights)


def test_tracks_that_cannot_be_fused() -> None:
    with pytest.raises(ValueError, match="no tracks"):
        fuse([])
    with pytest.raises(ValueError, match="different videos"):
        fuse([track(np.zeros((3, 2))), track(np.zeros((3, 2)), video="other")])
    with pytest.raises(ValueError, match="no sign is known to a track whose weight is above 0"):
        fuse([track(np.zeros((3, 0)), ()), track(np.zeros((3, 2)), ("X", "Y"))], [1.0, 0.0])


def test_values_are_aligned_with_nothing_said_of_unknown_signs() -> None:
    signs, values = aligned_tracks([track(np.ones((3, 2))), track(np.full((3, 2), 2.0), ("B", "C"))])
    assert signs == ("A", "B", "C")
    assert values[:, 0].tolist() == [[1.0, 1.0, pytest.approx(np.nan, nan_ok=True)],
                                     [pytest.approx(np.nan, nan_ok=True), 2.0, 2.0]]  # fmt: skip


def test_standard_deviations_above_the_video_by_hand() -> None:
    """Median .5, median of the distances from it .1, so a deviation of .14826."""
    cosines = np.array([0.3, 0.4, 0.4, 0.5, 0.5, 0.6, 0.6, 0.9], np.float32)[:, None]
    np.testing.assert_allclose(above_video(cosines)[-1], 0.4 / 0.14826, rtol=1e-4)
    # a network that says the same everywhere says nothing, whatever its cosines
    flat = 0.99997 + 0.00002 * np.random.default_rng(0).random((50, 3)).astype(np.float32)
    assert np.abs(above_video(flat)).max() < 0.01


def test_a_normalised_track_is_that_of_its_definition() -> None:
    """Half from the video; half from the cohort in the window that was best, or from the other signs."""
    w = small_world()
    query = Query(w.queries[0], w.encoder, make_plan(w.gallery, SpottingOptions(), True, w.encoder.window))
    plain = similarity_track(query, w.gallery)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, w.encoder.dim)).astype(np.float32)
    cohort = Cohort(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    made = normalised_track(query, w.gallery, cohort)
    for at, column in ((3, 0), (10, 5), (17, 7)):
        cosine, length = plain.values[at, column], int(plain.lengths[at, column])
        own = np.sort(query.windows(length)[at].astype(np.float32) @ cohort.vectors.T)[-30:]
        by_chance = (cosine - own.mean()) / max(own.std(), 0.02)
        values = plain.values[:, column]
        spread = max(1.4826 * np.median(np.abs(values - np.median(values))), 0.02)
        np.testing.assert_allclose(
            made.values[at, column], (by_chance + (cosine - np.median(values)) / spread) / 2, rtol=1e-3
        )
    others = normalised_track(query, w.gallery)
    cosine, rest = plain.values[10, 5], np.delete(plain.values[10], 5)
    values = plain.values[:, 5]
    spread = max(1.4826 * np.median(np.abs(values - np.median(values))), 0.02)
    expected = ((cosine - rest.mean()) / max(rest.std(), 0.02) + (cosine - np.median(values)) / spread) / 2
    np.testing.assert_allclose(others.values[10, 5], expected, rtol=1e-3)
    # of few signs there are no others to compare with
    few = w.gallery.only(w.gallery.labels[:3])
    track_of_few = similarity_track(query, few)
    np.testing.assert_allclose(normalised_track(query, few).values, above_video(track_of_few.values), rtol=1e-4)
