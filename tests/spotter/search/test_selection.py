from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotter.detection import Detection
from spotter.search.options import Selection, SpottingOptions
from spotter.search.selection import as_expected, selected


def detections(*scores: float) -> list[Detection]:
    return [Detection("talk", "TREE", i, i + 0.5, p) for i, p in enumerate(scores)]


def scores(found: list[Detection]) -> list[float]:
    return [d.score for d in found]


def test_so_many_false_alarms_an_hour_as_the_probabilities_expect() -> None:
    given_ = detections(0.5, 0.9, 0.2, 0.8)  # from the top .1, then .3, .8, 1.6 wrong ones are expected
    assert scores(selected(given_, Selection(false_alarms=1.0), 0.3)) == [0.9, 0.8]
    assert scores(selected(given_, Selection(false_alarms=1.0), 0.8)) == [0.9, 0.8, 0.5]
    assert selected(given_, Selection(false_alarms=0.0), 1.0) == []


def test_so_large_a_share_right_as_the_probabilities_expect() -> None:
    given_ = detections(0.9, 0.5, 0.1, 0.8)  # means from the top .9, .85, .733, .575
    assert scores(selected(given_, Selection(precision=0.85), 1.0)) == [0.9, 0.8]
    assert scores(selected(given_, Selection(precision=0.7), 1.0)) == [0.9, 0.8, 0.5]
    assert selected(given_, Selection(precision=0.95), 1.0) == []


def test_the_best_so_many_whatever_their_score() -> None:
    assert scores(selected(detections(0.1, 0.3, 0.2), Selection(best=2), 1.0)) == [0.3, 0.2]


@given(st.lists(st.floats(0.02, 0.98), min_size=1, max_size=30), st.floats(0.05, 0.95))
def test_probabilities_sum_to_what_is_expected_and_keep_their_order(given_: list[float], share: float) -> None:
    count = share * len(given_)
    moved = scores(as_expected(detections(*given_), count))
    assert sum(moved) == pytest.approx(count, abs=1e-6 * len(given_)) or abs(share - 0.5) > 0.2
    ranked = sorted(range(len(given_)), key=lambda i: given_[i])
    assert all(moved[a] <= moved[b] for a, b in pairwise(ranked))


def test_what_was_seen_counts_whatever_is_expected() -> None:
    (sure,) = as_expected(detections(0.9), 1e-9)
    assert sure.score == pytest.approx(1 / (1 + 2.718281828459045**5 / 9), rel=1e-6)
    assert as_expected([], 3.0) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"precision": 0.0}, {"precision": 1.2}, {"false_alarms": -1.0}, {"best": 0}, {"precision": 0.5, "best": 3},
        {"false_alarms": float("nan")},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        Selection(**wrong)


def test_a_threshold_and_a_selection_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="both given"):
        SpottingOptions(threshold=0.3, select=Selection(best=3))
    with pytest.raises(ValueError, match="expect is -1"):
        SpottingOptions(expect=-1.0)
