"""Spotting figures beyond the two F1s: planted answers and slow twins."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.segments import read_segments
from eval.spotting import one_to_one_f1
from eval.spotting.alarms import false_alarms, false_alarms_on_negatives
from eval.spotting.boundaries import boundary_errors, hit_rate
from eval.spotting.ceiling import length_ceiling, median_lengths
from eval.spotting.curves import average_precisions, f1_per_iou, precision_recall
from eval.spotting.groups import counts_per_video, per_sign, per_signer, signer_of_name

from ..naive import naive_iou

TRUTH = {"p01_n1": [("A", 0, 1000), ("B", 2000, 3000)], "p02_n1": [("A", 500, 900)], "p02_n2": []}
FOUND = {
    "p01_n1": [("A", 100, 1100, 0.9), ("B", 2600, 3600, 0.8), ("A", 100, 1000, 0.7)],
    "p02_n1": [("A", 500, 900, 0.6)],
    "p02_n2": [("B", 0, 400, 0.95)],
}

times = st.integers(0, 30).map(lambda n: 40 * n)
scores = st.sampled_from([0.1, 0.5, 0.9])
segment = st.tuples(st.sampled_from(["A", "B"]), times, times, scores).map(
    lambda s: (s[0], min(s[1:3]), max(s[1:3]) + 40, s[3])
)
videos = st.dictionaries(st.sampled_from("xyz"), st.lists(segment, max_size=6), min_size=1, max_size=3)


def test_average_precision_by_hand() -> None:
    curve = precision_recall(TRUTH, FOUND, 0.5)
    # falling score: wrong (.95), right (.9), wrong (.8), wrong (.7: A is taken), right (.6)
    assert curve.tp.tolist() == [0, 1, 1, 1, 2]
    assert curve.fp.tolist() == [1, 1, 2, 3, 3]
    assert curve.average_precision == pytest.approx(1 / 3 * 1 / 2 + 1 / 3 * 2 / 5)
    cut, best = curve.best()
    assert cut == 0.6
    assert (best.tp, best.fp, best.fn) == (2, 3, 1)


def test_precision_counts_as_the_best_at_that_recall_or_beyond() -> None:
    truth = {"a": [("A", 0, 1000), ("A", 2000, 3000)]}
    found = {"a": [("A", 5000, 6000, 0.9), ("A", 0, 1000, 0.8), ("A", 2000, 3000, 0.7)]}
    curve = precision_recall(truth, found, 0.5)
    np.testing.assert_allclose(curve.precision, [0, 1 / 2, 2 / 3])
    assert curve.average_precision == pytest.approx(2 / 3)  # 1/2 · 2/3 + 1/2 · 2/3, not 1/2 · 1/2 + 1/2 · 2/3


def naive_curve(truth: dict, found: dict, threshold: float) -> list[tuple[int, int]]:
    rows = [(-r[3], v, r[1], r[2], r[0], r) for v in truth for r in found.get(v, [])]
    used: set[tuple[str, int]] = set()
    points: dict[float, tuple[int, int]] = {}
    tp = fp = 0
    for minus, video, *_, row in sorted(rows, key=lambda r: r[:5]):
        options = [
            (-naive_iou(ref[1:3], row[1:3]), i)
            for i, ref in enumerate(truth[video])
            if ref[0] == row[0] and (video, i) not in used and naive_iou(ref[1:3], row[1:3]) >= threshold - 1e-12
        ]
        if options:
            used.add((video, min(options)[1]))
            tp += 1
        else:
            fp += 1
        points[-minus] = (tp, fp)
    return list(points.values())


@given(videos, videos, st.sampled_from([0.2, 0.5]))
@settings(max_examples=150, deadline=None)
def test_the_curve_agrees_with_loops(truth: dict, found: dict, threshold: float) -> None:
    curve = precision_recall(truth, found, threshold)
    assert list(zip(curve.tp.tolist(), curve.fp.tolist(), strict=True)) == naive_curve(truth, found, threshold)
    assert 0 <= curve.average_precision <= 1
    assert np.all(np.diff(curve.score) < 0)


def test_a_curve_needs_scores() -> None:
    with pytest.raises(ValueError, match="video v: detection 0 has no score"):
        precision_recall({"v": [("A", 0, 1)]}, {"v": [("A", 0, 1)]})
    with pytest.raises(ValueError, match="expected a finite number"):
        precision_recall({"v": [("A", 0, 1)]}, {"v": [("A", 0, 1, math.nan)]})


@given(videos, videos)
@settings(max_examples=100, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_groups_sum_to_the_whole(truth: dict, found: dict) -> None:
    whole = one_to_one_f1(truth, found, 0.3)
    parts = per_sign(truth, found, 0.3).values()
    assert sum(s.tp for s in parts) == whole.tp
    assert sum(s.fp for s in parts) == whole.fp
    assert sum(s.fn for s in parts) == whole.fn
    assert counts_per_video(truth, found, 0.3).sum(axis=0).tolist() == [whole.tp, whole.fp, whole.fn]
    assert [s.tp for s in f1_per_iou(truth, found)] == sorted((s.tp for s in f1_per_iou(truth, found)), reverse=True)


def test_signers_are_read_from_names_or_a_table() -> None:
    assert {name: (s.tp, s.fp, s.fn) for name, s in per_signer(TRUTH, FOUND).items()} == {
        "p01": (1, 2, 1),
        "p02": (1, 1, 0),
    }
    by_table = per_signer(TRUTH, FOUND, {"p01_n1": "Ann", "p02_n1": "Ann", "p02_n2": "Bo"})
    assert by_table["Bo"].fp == 1
    with pytest.raises(ValueError, match="'p02_n2' has no signer"):
        per_signer(TRUTH, FOUND, {"p01_n1": "Ann", "p02_n1": "Ann"})
    with pytest.raises(ValueError, match="no signer in its name"):
        signer_of_name("lecture")


def test_hit_rate_uses_each_detection_once() -> None:
    truth = {"v": [("A", 0, 100), ("A", 100, 200)]}
    assert hit_rate(truth, {"v": [("A", 90, 110)]}, 0).hits == 1
    assert hit_rate(truth, {"v": [("A", 90, 110), ("A", 240, 260)]}, 49).hits == 1
    assert hit_rate(truth, {"v": [("A", 90, 110), ("A", 240, 260)]}, 50).hits == 2
    assert hit_rate(truth, {"v": [("B", 90, 110)]}, 1000).rate == 0
    with pytest.raises(ValueError, match="at least 0"):
        hit_rate(truth, {}, -1)


def test_boundary_errors_are_signed_and_in_the_inputs_unit() -> None:
    summary = boundary_errors(TRUTH, FOUND, 0.1).summary()
    assert summary["pairs"] == 3
    # A: the better of two is 100–1000 (errors 100 and 0), B: 600 and 600, A: 0 and 0
    assert (summary["start_median"], summary["end_median"]) == (100, 0)
    assert summary["start_bias"] == pytest.approx(700 / 3)
    assert summary["start_p90"] == pytest.approx(500)
    assert math.isnan(boundary_errors(TRUTH, {}, 0.1).summary()["start_p90"])


def test_false_alarms_an_hour() -> None:
    seconds = dict.fromkeys(TRUTH, 600.0)
    alarms = false_alarms(TRUTH, FOUND, seconds)
    assert (alarms.count, alarms.hours, alarms.per_hour) == (3, 0.5, 6.0)
    negatives = false_alarms_on_negatives(TRUTH, FOUND, seconds)
    # B is absent from the second video, A and B from the third: three searches of ten minutes, one false alarm
    assert (negatives.count, negatives.hours) == (1, 0.5)
    with pytest.raises(ValueError, match="'p02_n2' has the duration None"):
        false_alarms(TRUTH, FOUND, {"p01_n1": 1.0, "p02_n1": 1.0})


def test_the_ceiling_of_the_right_length_is_one() -> None:
    assert length_ceiling({"v": [("A", 0, 400), ("A", 300, 700)]}, 400).f1 == 1
    assert length_ceiling(TRUTH, {"A": 700.0, "B": 1000.0}).f1 < 1
    with pytest.raises(ValueError, match="expected a positive number"):
        length_ceiling(TRUTH, 0)


@pytest.mark.real
def test_ceilings_of_the_challenges_training_set(real_data: Path) -> None:
    truth = read_segments(real_data / "annotations" / "eccv22_sign_spotting" / "MSSL_TRAIN_SET_GT.pkl")
    reached = [round(length_ceiling(truth, length).f1, 3) for length in (0.4, 0.48, 0.52, 0.6, 0.8)]
    assert reached == pytest.approx([0.811, 0.822, 0.801, 0.767, 0.644], abs=0.0006)
    assert length_ceiling(truth, median_lengths(truth)).f1 == pytest.approx(0.846, abs=0.0005)
    centred = length_ceiling(truth, 0.52).f1
    assert centred - length_ceiling(truth, 0.52, 0.08).f1 == pytest.approx(0.06, abs=0.005)
    assert centred - length_ceiling(truth, 0.52, 0.16).f1 == pytest.approx(0.30, abs=0.005)


def test_a_video_drawn_twice_counts_as_two_videos() -> None:
    truth = {"a": [("A", 0, 10), ("B", 20, 30)], "b": [("A", 0, 10)], "c": [("B", 5, 9)]}
    found = {
        "a": [("A", 0, 10, 0.9), ("B", 50, 60, 0.8), ("B", 20, 30, 0.3)],
        "b": [("A", 1, 10, 0.5), ("A", 40, 50, 0.5)],
        "c": [("B", 20, 30, 0.7)],
    }
    draws = np.array([[1.0, 1, 1], [2, 0, 1], [0, 3, 0]])
    once = precision_recall(truth, found).average_precision
    twice = precision_recall(
        {"a": truth["a"], "a2": truth["a"], "c": truth["c"]}, {"a": found["a"], "a2": found["a"], "c": found["c"]}
    ).average_precision
    alone = precision_recall({"b": truth["b"]}, {"b": found["b"]}).average_precision
    np.testing.assert_allclose(average_precisions(truth, found, draws), [once, twice, alone])
    with pytest.raises(ValueError, match="2 videos; expected 3"):
        average_precisions(truth, found, draws[:, :2])
