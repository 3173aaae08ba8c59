from __future__ import annotations

import json
import re
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.segments import Segment
from eval.spotting import CHALLENGE_THRESHOLDS, challenge_f1, match, mismatch, one_to_one_f1

from ...naive import naive_challenge, naive_iou, naive_largest_matching

CASES = json.loads((Path(__file__).parent / "challenge-scoring-cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_challenge_golden_cases(case: dict) -> None:
    score = challenge_f1(case["gt"], case["pred"])
    assert (score.tp, score.fp, score.fn) == (case["tp"], case["fp"], case["fn"])
    assert score.f1 == case["f1"]


def test_there_are_thirteen_thresholds() -> None:
    assert len(CHALLENGE_THRESHOLDS) == 13


times = st.integers(0, 60).map(lambda n: 40 * n)
segment = st.tuples(st.sampled_from([1, 2]), times, times).map(lambda s: (s[0], min(s[1:]), max(s[1:]) + 40))
videos = st.dictionaries(st.sampled_from("abc"), st.lists(segment, max_size=5), max_size=3)


@given(videos, videos)
@settings(max_examples=200, deadline=None)
def test_challenge_agrees_with_the_pseudocode(truth: dict, predictions: dict) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # empty cases warn, which another test looks at
        score = challenge_f1(truth, predictions)
    assert (score.tp, score.fp, score.fn) == naive_challenge(truth, predictions)


@given(st.lists(segment, max_size=4), st.lists(segment, max_size=4), st.sampled_from([0.2, 0.5, 0.75]))
@settings(max_examples=200, deadline=None)
def test_matching_is_as_large_as_any(truth: list, predicted: list, threshold: float) -> None:
    pairs = match(truth, predicted, threshold)
    assert len({r for r, _, _ in pairs}) == len({p for _, p, _ in pairs}) == len(pairs)
    for r, p, value in pairs:
        assert truth[r][0] == predicted[p][0]
        assert value == pytest.approx(naive_iou(truth[r][1:], predicted[p][1:]))
        assert value >= threshold - 1e-12
    assert len(pairs) == naive_largest_matching(truth, predicted, threshold)


def test_one_to_one_counts_a_second_hit_on_the_same_sign_as_a_false_alarm() -> None:
    truth = {"v": [("HOUSE", 1.0, 2.0)]}
    predictions = {"v": [("HOUSE", 1.0, 2.0, 0.9), ("HOUSE", 1.1, 2.1, 0.8)]}
    score = one_to_one_f1(truth, predictions)
    assert (score.tp, score.fp, score.fn) == (1, 1, 0)


def test_false_alarms_in_a_video_without_the_sign_count() -> None:
    score = one_to_one_f1({"a": [("X", 0, 1)], "b": []}, {"a": [("X", 0, 1)], "b": [("X", 3, 4)], "c": [("X", 0, 1)]})
    assert (score.tp, score.fp, score.fn) == (1, 1, 0)


def test_empty_input_warns_and_scores_zero() -> None:
    with pytest.warns(UserWarning, match="no segment"):
        assert challenge_f1({"v": []}, {"v": [("A", 0, 1)]}).f1 == 0
    with pytest.warns(UserWarning, match="no video of the ground truth has a prediction"):
        assert one_to_one_f1({"v": [("A", 0, 1)]}, {}).fn == 1


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"expected a number in \(0, 1\]"):
        one_to_one_f1({"v": [("A", 0, 1)]}, {}, threshold)


def test_hours_of_dense_predictions_of_one_sign_match_like_a_dense_assignment() -> None:
    from scipy.optimize import linear_sum_assignment

    from eval.intervals import iou

    generator = np.random.default_rng(0)
    truth = [("A", s, s + 1) for s in np.sort(generator.uniform(0, 60, 40))]
    found = [("A", s, s + d) for s, d in zip(generator.uniform(0, 60, 90), generator.uniform(0.5, 2, 90), strict=True)]
    values = iou([t[1:] for t in truth], [p[1:] for p in found])
    gain = np.where(values >= 0.3, values + 41, 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    expected = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0]
    pairs = match(truth, found, 0.3)
    assert len(pairs) == len(expected)
    assert sum(v for *_, v in pairs) == pytest.approx(sum(values[r, c] for r, c in expected))


def test_numbers_from_numpy_score_like_pythons() -> None:
    truth = {"v": [(20, 1000, 1600)]}
    predictions = {"v": np.array([[20, 1080, 1680]])}
    assert challenge_f1(truth, predictions).tp == 12


starts = st.integers(0, 8 * 3_600_000 // 40).map(lambda n: 40 * n)
overlaps = st.tuples(starts, st.integers(1, 25), st.integers(0, 25), st.integers(1, 25))


@given(overlaps)
@settings(max_examples=300, deadline=None)
def test_seconds_score_as_milliseconds_do_hours_into_a_video(times: tuple[int, int, int, int]) -> None:
    """On the grid of 40 ms many an IoU is exactly at a threshold; seconds alone would lose some of them."""
    start, length, shift, other = (times[0], *(40 * n for n in times[1:]))
    truth, found = [("A", start, start + length)], [("A", start + shift, start + shift + other)]
    seconds = [
        {"v": [Segment("v", sign, first / 1000, last / 1000) for sign, first, last in rows]} for rows in (truth, found)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = challenge_f1(*seconds)
        strict = [one_to_one_f1(*seconds, threshold).tp for threshold in (0.2, 0.25, 0.5, 0.6, 0.75, 0.8)]
    assert (score.tp, score.fp, score.fn) == naive_challenge({"v": truth}, {"v": found})
    exact = Fraction(max(0, min(length, shift + other) - shift), max(length, shift + other))
    assert strict == [int(exact >= Fraction(str(t)) and exact > 0) for t in (0.2, 0.25, 0.5, 0.6, 0.75, 0.8)]


HOUSE = {"a": [("HOUSE", 1.0, 1.5)], "b": []}


@pytest.mark.parametrize(
    ("truth", "predictions", "message"),
    [
        (HOUSE, {"a.mp4": [("HOUSE", 1.0, 1.5)]}, r"no video in common: a, b in the ground truth, a\.mp4 on the other"),
        (HOUSE, {"a": [("s20", 1.0, 1.5)]}, "no sign in common: HOUSE in the ground truth, s20 on the other side"),
        (HOUSE, {"a": [("HOUSE", 1000, 1500)]}, "last 0.5 s at the median, those of the predictions 500 s"),
        ({"abcdef"[i]: [(str(i), 0, 1)] for i in range(6)}, {"g": [("0", 0, 1)]}, "a, b, c and 3 more in the ground"),
    ],
)
def test_what_has_nothing_to_do_with_each_other_is_scored_with_a_warning(
    truth: dict, predictions: dict, message: str
) -> None:
    assert re.search(message, mismatch(truth, predictions))
    for score in (challenge_f1, one_to_one_f1):
        with pytest.warns(UserWarning, match=message):
            assert score(truth, predictions).tp == 0


@pytest.mark.parametrize(
    "predictions",
    [
        {},
        {"a": []},
        {"a": [("HOUSE", 7.0, 7.5)]},
        {"b": [("HOUSE", 1.0, 1.5), ("s20", 0.0, 1.0)]},
        {"a": [("HOUSE", 0, 5)]},
    ],
)
def test_a_poor_system_is_no_mismatch(predictions: dict) -> None:
    assert mismatch(HOUSE, predictions) == ""


def test_class_numbers_match_whether_numbers_or_text() -> None:
    assert one_to_one_f1({"v": [(20, 0, 1)]}, {"v": [Segment("v", "20", 0, 1)]}).f1 == 1.0
