from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter.search.refine import align, frame_costs, subsequence_dtw

from ...naive import naive_subsequence_dtw


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 10_000))
@settings(max_examples=120, deadline=None)
def test_dtw_finds_the_cheapest_path(rows: int, columns: int, seed: int) -> None:
    cost = np.random.default_rng(seed).random((rows, columns))
    total, start, end = subsequence_dtw(cost)
    expected = naive_subsequence_dtw(cost)
    assert total == pytest.approx(expected) or (np.isinf(total) and np.isinf(expected))
    assert 0 <= start <= end < columns


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


def test_costs_are_cosine_distances() -> None:
    a = np.array([[1.0, 0.0], [0.0, 2.0]], np.float32)
    np.testing.assert_allclose(frame_costs(a, a), [[0, 1], [1, 0]], atol=1e-6)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        subsequence_dtw(np.zeros((0, 4)))
