from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.intervals import as_intervals, iou, merge, overlapping

from ..naive import naive_iou

interval = st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda p: (float(p[0]), float(p[0] + p[1])))
intervals = st.lists(interval, max_size=8)


@given(intervals, intervals)
@settings(max_examples=200, deadline=None)
def test_iou_and_its_sparse_twin_agree_with_loops(first: list, second: list) -> None:
    expected = np.array([[naive_iou(a, b) for b in second] for a in first]).reshape(len(first), len(second))
    np.testing.assert_allclose(iou(first, second), expected)
    i, j, values = overlapping(first, second)
    sparse = np.zeros_like(expected)
    sparse[i, j] = values
    np.testing.assert_array_equal(sparse, iou(first, second))
    assert list(zip(i, j, strict=True)) == sorted(zip(i, j, strict=True))


def test_touching_intervals_share_nothing() -> None:
    assert iou([[0, 1]], [[1, 2]])[0, 0] == 0
    assert iou([[1, 1]], [[1, 1]])[0, 0] == 0


def test_merge_joins_across_the_allowed_gap() -> None:
    np.testing.assert_array_equal(merge([[5, 6], [0, 1], [1.5, 2]], gap=0.5), [[0, 2], [5, 6]])
    np.testing.assert_array_equal(merge([[0, 10], [2, 3]]), [[0, 10]])  # one within the other


def test_one_time_that_is_no_number_is_refused_and_does_not_hide_the_others() -> None:
    with pytest.raises(ValueError, match=r"interval 1 is \[nan, 3.0\)"):
        overlapping([[0, 1]], [[0, 1], [np.nan, 3]])


@pytest.mark.parametrize(("row", "message"), [([2, 1], "end lies before"), ([0, np.nan], "finite")])
def test_damaged_intervals_are_named(row: list, message: str) -> None:
    with pytest.raises(ValueError, match=f"interval 1 .*{message}"):
        as_intervals([[0, 1], row])
