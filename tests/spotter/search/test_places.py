from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter.search.places import as_frequent, by_sign, competing, distinct, places_of

from ...naive import naive_iou


def spans_and_scores(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 60, count)
    return np.stack([start, start + rng.uniform(2, 15, count)], axis=1), rng.normal(size=count)


def test_rows_of_each_sign_are_those_that_are_able() -> None:
    signs = np.array([4, 0, 4, 2, 0, 4])
    able = np.array([True, True, False, False, True, True])
    assert [(sign, rows.tolist()) for sign, rows in by_sign(signs, able)] == [(0, [1, 4]), (4, [0, 5])]
    assert list(by_sign(signs, np.zeros(6, bool))) == []


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(0, 10_000))
def test_distinct_places_are_what_comparing_all_pairs_gives(count: int, seed: int) -> None:
    spans, scores = spans_and_scores(count, seed)
    expected: list[int] = []
    for at in sorted(range(count), key=lambda i: -scores[i]):
        own = spans[at]
        clear = all(
            naive_iou(own, spans[o]) <= 0.2
            and min(own[1], spans[o][1]) - max(own[0], spans[o][0]) <= 0.5 * min(np.ptp(own), np.ptp(spans[o]))
            for o in expected
        )
        if clear:
            expected.append(at)
    assert distinct(spans, scores) == expected


def test_a_place_takes_its_boundaries_from_all_that_agree() -> None:
    spans = np.array([[10.0, 20.0], [12.0, 20.0], [40.0, 50.0], [10.0, 13.0]])
    odds = np.array([0.0, 0.0, 2.0, -1.0])  # two alike as sure as each other; a short one inside is no place of its own
    found = places_of(np.array([3, 3, 3, 3]), spans, odds)
    assert found.sign.tolist() == [3, 3]
    np.testing.assert_allclose(found.spans, [[40, 50], [11, 20]])
    np.testing.assert_allclose(found.log_odds, [2, 0])
    assert found.row.tolist() == [2, 0]


def test_signs_have_places_of_their_own_and_the_unlikely_none() -> None:
    spans = np.array([[10.0, 20.0], [10.0, 20.0], [30.0, 40.0]])
    odds = np.array([1.0, -1.0, -9.0])
    found = places_of(np.array([0, 1, 2]), spans, odds)
    assert found.sign.tolist() == [0, 1]
    assert places_of(np.array([0, 1, 2]), spans, odds, keep_best=True).sign.tolist() == [0, 1, 2]
    assert len(places_of(np.zeros(0, np.intp), np.zeros((0, 2)), np.zeros(0)).sign) == 0


def test_of_two_signs_in_one_stretch_at_most_one_is_right() -> None:
    spans = np.array([[0.0, 10.0], [2.0, 12.0], [9.0, 30.0]])
    odds = np.log([3.0, 1.0, 4.0])
    # 3 against nothing (1) and the other (1); the third shares a tenth of a shorter one: it stands alone
    np.testing.assert_allclose(competing(odds, spans), [3 / 5, 1 / 5, 4 / 5])


@settings(deadline=None)
@given(st.integers(1, 25), st.integers(0, 10_000))
def test_competition_is_what_comparing_all_pairs_gives(count: int, seed: int) -> None:
    spans, odds = spans_and_scores(count, seed)
    for at, probability in enumerate(competing(odds, spans)):
        others = 0.0
        for o in range(count):
            inner = min(spans[at, 1], spans[o, 1]) - max(spans[at, 0], spans[o, 0])
            if o != at and inner > 0.5 * min(np.ptp(spans[at]), np.ptp(spans[o])):
                others += np.exp(odds[o])
        assert probability == pytest.approx(np.exp(odds[at]) / (1 + np.exp(odds[at]) + others))


def test_frequent_signs_are_likelier_and_rare_ones_less_likely() -> None:
    spans = np.array([[0.0, 10.0], [20.0, 30.0], [40.0, 50.0]])
    odds = np.zeros(3)  # 1.5 occurrences are expected
    np.testing.assert_allclose(as_frequent(odds, spans, 1.5 / 30), odds, atol=1e-12)
    np.testing.assert_allclose(as_frequent(odds, spans, 1.5 / 300), 0.3 * np.log(10))
    np.testing.assert_allclose(as_frequent(odds, spans, 1.5 / 3), -0.3 * np.log(10))
    np.testing.assert_allclose(as_frequent(odds, spans, 1e9), -3)
    assert as_frequent(odds, spans, 0).tolist() == odds.tolist()
    assert len(as_frequent(np.zeros(0), np.zeros((0, 2)), 1)) == 0
