from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spotter.search.alignment import align_everywhere, resampled, unit_rows
from spotter.search.cohort import TEMPLATES_COUNTED, Cohort, chance_tail, log_chance, robust_spread


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_statistics_are_those_of_the_nearest_members() -> None:
    rows = unit(np.random.default_rng(0).normal(size=(50, 8)))
    mean, deviation = Cohort(rows, nearest=10).statistics(rows[:3])
    for i in range(3):
        top = sorted((float(rows[i] @ other) for other in rows), reverse=True)[:10]
        assert mean[i] == pytest.approx(np.mean(top), abs=1e-5)
        assert deviation[i] == pytest.approx(np.std(top), abs=1e-5)
    assert len(Cohort(rows[:4]).statistics(rows[:2])[0]) == 2  # fewer members than asked for


def test_costs_are_those_of_the_templates_that_fit_best() -> None:
    rng = np.random.default_rng(1)
    query = unit(rng.normal(size=(50, 5)))
    templates = tuple(rng.normal(size=(int(n), 5)).astype(np.float32) for n in rng.integers(8, 20, 9))
    mean, deviation = Cohort(unit(rng.normal(size=(4, 3))), templates).costs(query)
    best = []
    for template in templates:
        lengths = [max(4, round(len(template) * scale)) for scale in (0.3, 0.45, 0.67, 1.0)]
        aligned = [align_everywhere(unit_rows(resampled(template, n))[None], query).cost[0] for n in lengths]
        best.append(np.min(aligned, axis=0))
    lowest = np.sort(best, axis=0)[: TEMPLATES_COUNTED + 1]
    np.testing.assert_allclose(mean, lowest.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(deviation, np.maximum(lowest.std(axis=0), 0.01), atol=1e-5)


def test_files_go_round_in_half_precision(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    one = Cohort(unit(rng.normal(size=(6, 4))), tuple(rng.normal(size=(n, 3)).astype(np.float32) for n in (5, 8)))
    one.save(tmp_path / "c.safetensors")
    again = Cohort.load(tmp_path / "c.safetensors")
    np.testing.assert_allclose(again.vectors, one.vectors, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(again.vectors, axis=1), 1, atol=1e-6)
    assert [len(t) for t in again.templates] == [5, 8]
    np.testing.assert_allclose(again.templates[1], one.templates[1], atol=2e-3)


def test_what_is_usual_is_not_moved_by_where_the_sign_is() -> None:
    values = np.random.default_rng(3).normal(0.2, 0.05, (2, 400))
    middle, spread = robust_spread(values, 1, 0.02)
    values[0, 10:20] = 0.95
    after, after_spread = robust_spread(values, 1, 0.02)
    np.testing.assert_allclose(after, middle, atol=0.01)
    np.testing.assert_allclose(after_spread, spread, atol=0.01)
    assert (robust_spread(np.zeros((1, 5)), 1, 0.02)[1] == np.float32(0.02)).all()


def test_chance_is_how_many_peaks_as_high_an_exponential_tail_holds() -> None:
    peaks = np.random.default_rng(4).exponential(0.1, 4000)
    tail = chance_tail(peaks)
    for height in (0.3, 0.5):
        assert np.exp(log_chance(np.array([height]), tail))[0] == pytest.approx((peaks > height).sum(), rel=0.35)
    assert np.isfinite(log_chance(np.array([0.5]), chance_tail(np.zeros(0)))).all()
