"""Of intervals that overlap too much only the best stays."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter.search.suppression import suppress

from ...naive import naive_iou


def test_the_better_of_two_that_overlap_stays() -> None:
    # IoU of [0, 10) and [5, 15) is 5 / 15, of [0, 10) and [9, 19) 1 / 19
    assert suppress([(0, 10), (5, 15), (9, 19)]) == [0, 2]
    assert suppress([(0, 10), (5, 15), (9, 19)], overlap=0.34) == [0, 1]  # [5, 15) and [9, 19): 6 / 14
    assert suppress([(0, 10), (10, 20), (20, 30)], overlap=0.0) == [0, 1, 2]  # touching is no overlap


def test_what_is_suppressed_suppresses_nothing() -> None:
    assert suppress([(0, 10), (6, 16), (12, 22)]) == [0, 2]  # the second falls to the first, so the third stays


def test_the_limit_itself_is_allowed() -> None:
    assert suppress([(0, 3), (2, 5)], overlap=0.2) == [0, 1]  # 1 / 5
    assert suppress([(0, 4), (2, 20)], contained=0.5) == [0, 1]  # half of the shorter


def test_a_short_one_inside_a_long_one_falls_where_that_is_asked() -> None:
    assert suppress([(0, 100), (40, 50)]) == [0, 1]  # IoU .1
    assert suppress([(0, 100), (40, 50)], contained=0.5) == [0]


def test_groups_clash_only_where_that_is_asked() -> None:
    intervals, signs = [(0, 10), (0, 10), (4, 14), (6, 16)], ["A", "B", "C", "B"]
    assert suppress(intervals, signs, across=None, overlap=0.6) == [0, 1, 2, 3]
    assert suppress(intervals, signs, across=0.5) == [0, 3]  # C covers 6 of 10, the second B 4 of 10
    assert suppress(intervals, signs, across=0.5, overlap=0.2) == [0, 3]


def test_counts_are_limited_over_all_and_in_each_group() -> None:
    intervals, signs = [(k * 10, k * 10 + 5) for k in range(6)], list("AABABB")
    assert suppress(intervals, signs, most=3) == [0, 1, 2]
    assert suppress(intervals, signs, most_each=1) == [0, 2]
    assert suppress([]) == []


def test_intervals_of_no_length_clash_with_nothing() -> None:
    assert suppress([(5, 5), (5, 5), (0, 10)]) == [0, 1, 2]


def slow(
    intervals: Sequence[tuple[float, float]], groups: Sequence[Hashable], overlap: float, contained: float | None,
    across: float | None,
) -> list[int]:  # fmt: skip
    taken: list[int] = []
    for i, one in enumerate(intervals):
        clashes = False
        for j in taken:
            other = intervals[j]
            inner = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
            share = inner / min(one[1] - one[0], other[1] - other[0])
            if groups[i] == groups[j]:
                clashes |= naive_iou(one, other) > overlap or (contained is not None and share > contained)
            else:
                clashes |= across is not None and share > across
        if not clashes:
            taken.append(i)
    return taken


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 40), st.floats(0, 1), st.sampled_from([None, 0.5, 0.9]), st.sampled_from([None, 0.5]),
    st.integers(1, 4), st.integers(0, 10_000),
)  # fmt: skip
def test_it_is_what_comparing_all_pairs_gives(
    count: int, overlap: float, contained: float | None, across: float | None, signs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    starts, lengths = rng.uniform(0, 60, count), rng.uniform(0.5, 12, count)
    intervals = [(float(a), float(a + n)) for a, n in zip(starts, lengths, strict=True)]
    groups = rng.integers(signs, size=count).tolist()
    assert suppress(intervals, groups, overlap, contained, across) == slow(
        intervals, groups, overlap, contained, across
    )


def test_groups_of_another_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        suppress([(0, 1)], ["A", "B"])
