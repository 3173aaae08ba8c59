from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter.search.alignment import UNREACHED, align, align_everywhere, profiles, resampled, unit_rows

from ...naive import naive_subsequence_dtw


def rows_of(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return unit_rows(rng.normal(size=(*shape, 3)))


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 10_000))
@settings(max_examples=120, deadline=None)
def test_the_cheapest_alignment_is_what_trying_all_paths_gives(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    template, query = rows_of(rng, rows), rows_of(rng, columns)
    found = align_everywhere(template[None], query)
    expected = naive_subsequence_dtw(1.0 - template.astype(np.float64) @ query.T) / rows
    if np.isinf(expected):
        assert (found.cost == UNREACHED).all()
        return
    end = int(found.cost[0].argmin())
    assert found.cost[0, end] == pytest.approx(expected, abs=1e-5)
    # the path's own stretch, and no shorter one, costs as much
    length = int(found.length[0, end])
    inside = query[end + 1 - length : end + 1]
    costs = 1.0 - template.astype(np.float64) @ inside.T
    assert naive_subsequence_dtw(costs) / rows == pytest.approx(expected, abs=1e-5)
    assert naive_subsequence_dtw(costs[:, 1:]) / rows > expected - 1e-5 if length > 1 else True


def test_steps_are_1_1_and_2_1_and_1_2_as_published() -> None:
    """Costs by hand: each exemplar row counts once, the mean of both columns where the query is slower."""
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])  # a cost is 0 for equals, 1 for others
    once = align_everywhere(np.stack([a, b])[None].astype(np.float32), np.stack([b, a, b]).astype(np.float32))
    np.testing.assert_allclose(once.cost[0], [UNREACHED, 1.0, 0.0])  # (b, a) both wrong: 2 / 2 rows
    assert once.length[0].tolist() == [1, 2, 2]
    # a 1-2 step: the second row spans a wrong and a right column, (1 + 0) / 2 over 2 rows
    slow = align_everywhere(np.stack([a, b])[None].astype(np.float32), np.stack([a, a, b]).astype(np.float32))
    assert slow.cost[0, 2] == pytest.approx(0.0)
    assert slow.length[0, 2] == 2
    # a 2-1 step: the second and third row on one column, both paid
    fast = align_everywhere(np.stack([a, a, b])[None].astype(np.float32), np.stack([a, b]).astype(np.float32))
    assert fast.cost[0, 1] == pytest.approx(1 / 3)
    assert fast.length[0, 1] == 2


@given(st.integers(1, 5), st.integers(1, 40), st.integers(1, 7), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_many_templates_and_pieces_of_a_query_change_nothing(count: int, frames: int, chunk: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    templates, query = rows_of(rng, count, 4), rows_of(rng, frames)
    together = align_everywhere(templates, query)
    for one, cost, length in zip(templates, together.cost, together.length, strict=True):
        alone = align_everywhere(one[None], query, chunk=chunk)
        np.testing.assert_allclose(alone.cost[0], cost, atol=1e-5)
        assert (alone.length[0] == length).all()


def test_every_exemplar_is_aligned_at_every_scale() -> None:
    rng = np.random.default_rng(5)
    exemplars, query = [rng.normal(size=(n, 6)) for n in (20, 9, 20)], unit_rows(rng.normal(size=(70, 6)))
    found = profiles(exemplars, query, (0.5, 1.0))
    assert found.cost.shape == found.length.shape == (3, 2, 70)
    for e, features in enumerate(exemplars):
        for s, length in enumerate((max(4, round(len(features) * 0.5)), len(features))):
            alone = align_everywhere(unit_rows(resampled(features, length))[None], query)
            np.testing.assert_allclose(found.cost[e, s], alone.cost[0], atol=1e-6)
            assert (found.length[e, s] == alone.length[0]).all()


def planted(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(exemplar of 12 frames, query of 60 frames that holds it at half again its speed in frames 30 to 38)."""
    rng = np.random.default_rng(seed)
    exemplar = np.cumsum(rng.normal(size=(12, 8)), axis=0).astype(np.float32)
    query = rng.normal(size=(60, 8)).astype(np.float32) * 3
    query[30:38] = exemplar[np.round(np.linspace(0, 11, 8)).astype(int)]
    return exemplar, query


def test_the_span_of_a_planted_sign_is_found_from_a_bad_window() -> None:
    exemplar, query = planted()
    start, end, cost = align(exemplar, query, 26.0, 38.0)
    assert abs(start - 30) <= 1
    assert abs(end - 38) <= 1
    assert cost < 0.2


def test_a_window_beyond_the_clip_is_clamped() -> None:
    exemplar, query = planted()
    start, end, _ = align(exemplar, query, -8.0, 6.0)
    assert 0 <= start < end <= 60


def test_a_query_shorter_than_half_the_exemplar_keeps_its_window() -> None:
    exemplar, query = planted()
    start, end, cost = align(exemplar, query[:3], 0.0, 3.0)
    assert (start, end) == (0.0, 3.0)
    assert np.isfinite(cost)
