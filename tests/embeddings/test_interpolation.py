"""Rows between rows, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.interpolation import fill_gaps, rows_at

NAN = float("nan")
ROWS = np.array([[0, 10], [4, 20], [4, 40]], np.float32)


def test_rows_lie_on_the_line_between_their_neighbours() -> None:
    at = rows_at(ROWS, np.array([0.0, 0.25, 1.5, 2.0]))
    assert at.tolist() == [[0, 10], [1, 12.5], [4, 30], [4, 40]]
    assert at.dtype == np.float32


def test_places_beyond_the_ends_give_the_ends() -> None:
    assert rows_at(ROWS, np.array([-3.0, 7.0])).tolist() == [[0, 10], [4, 40]]


def test_places_may_have_any_shape() -> None:
    assert rows_at(ROWS, np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.5]])).shape == (2, 3, 2)
    assert rows_at(np.arange(24, dtype=np.float32).reshape(4, 3, 2), np.array([1.5])).tolist() == [
        [[9, 10], [11, 12], [13, 14]]
    ]


def test_a_value_missing_on_one_side_is_taken_from_the_other_where_asked() -> None:
    rows = np.array([[1, NAN], [NAN, NAN], [3, 5]], np.float32)
    np.testing.assert_array_equal(rows_at(rows, np.array([0.5, 1.5]), skip_missing=True), [[1, NAN], [3, 5]])
    np.testing.assert_array_equal(rows_at(rows, np.array([0.5, 1.5])), [[NAN, NAN], [NAN, NAN]])


def test_no_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="no rows"):
        rows_at(np.zeros((0, 2), np.float32), np.array([0.0]))


def test_gaps_are_bridged_and_ends_extended() -> None:
    values = np.array([[NAN, 1], [2, 2], [NAN, NAN], [NAN, 7], [8, 5], [9, NAN]])
    assert fill_gaps(values).tolist() == [[2, 2], [2, 2], [4, 3], [6, 4], [8, 5], [8, 5]]
    assert fill_gaps(values[1:2]).tolist() == [[2, 2]]
    assert np.isnan(fill_gaps(np.array([[NAN, 1.0], [1.0, NAN]]))).all()
    assert fill_gaps(np.zeros((0, 2))).shape == (0, 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_column_by_column_it_is_numpys_own(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, places = rng.normal(size=(rows, 3)).astype(np.float32), rng.uniform(-2, rows + 1, 9)
    expected = np.stack([np.interp(places, np.arange(rows), values[:, c]) for c in range(3)], axis=1)
    np.testing.assert_allclose(rows_at(values, places), expected, rtol=1e-5, atol=1e-6)
