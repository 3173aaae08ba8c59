from __future__ import annotations

import numpy as np
import pytest

from spotter.search.peaks import Peak, PeakOptions, find_peaks


def peaks(
    scores: list[float], onset: float = 0.5, length: float = 4.0, stride: float = 2.0, **options: float
) -> list[Peak]:
    centres = np.arange(len(scores)) * stride + 0.5
    return find_peaks(np.array(scores), centres, np.full(len(scores), length), PeakOptions(onset, **options))  # type: ignore[arg-type]


def bump(at: float, height: float, frames: int = 60, width: float = 3.0) -> np.ndarray:
    return height * np.exp(-0.5 * ((np.arange(frames) - at) / width) ** 2)


def test_several_hits_of_one_sign_are_found_best_first() -> None:
    scores = np.maximum.reduce([bump(10, 0.7), bump(30, 0.9), bump(50, 0.8)])
    found = peaks(scores.tolist())
    assert [round(p.position) for p in found] == [30, 50, 10]
    assert [p.score for p in found] == pytest.approx([0.9, 0.8, 0.7])


def test_nothing_above_the_onset_is_nothing_found() -> None:
    assert peaks([0.1, 0.4, 0.2]) == []
    assert peaks([]) == []
    assert len(peaks([0.1, 0.5, 0.2])) == 1  # the onset itself counts


def test_the_top_of_a_parabola_is_met_between_the_steps() -> None:
    x = np.arange(12)
    (found,) = peaks((0.9 - 0.01 * (x - 5.3) ** 2).tolist())
    assert found.position == pytest.approx(5.3)
    assert (found.start + found.end) / 2 == pytest.approx(5.3 * 2 + 0.5)
    assert found.end - found.start == pytest.approx(4.0)


def test_peaks_at_the_edges_and_on_plateaus() -> None:
    assert peaks([0.9, 0.2, 0.1])[0].position == 0
    assert peaks([0.1, 0.2, 0.9])[0].position == 2
    assert len(peaks([0.1, 0.8, 0.8, 0.8, 0.1])) == 1
    assert len(peaks([0.7])) == 1


def test_a_shallow_valley_joins_two_maxima_and_the_higher_stays() -> None:
    scores = [0.0, 0.0, 0.0, 0.8, 0.75, 0.85, 0.0, 0.0, 0.0]
    (found,) = peaks(scores, length=1.0)
    assert round(found.position) == 5
    assert len(peaks(scores, length=1.0, offset=0.99)) == 2


def test_a_deep_valley_keeps_both() -> None:
    assert len(peaks([0.0, 0.0, 0.8, 0.1, 0.85, 0.0, 0.0], length=1.0)) == 2


def test_only_so_many_are_kept_when_told() -> None:
    scores = np.maximum.reduce([bump(10, 0.7), bump(30, 0.9), bump(50, 0.8)])
    assert [round(p.position) for p in peaks(scores.tolist(), most=2)] == [30, 50]
