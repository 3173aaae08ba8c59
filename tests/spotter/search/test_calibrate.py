from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spotter.search.calibrate import EVIDENCE, LIMIT, Calibration, Cohort, background, fit, shipped_calibration


def test_cohort_statistics_are_those_of_the_nearest_members() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    mean, deviation = Cohort(rows, nearest=10).statistics(rows[:3])
    for i in range(3):
        top = sorted((float(rows[i] @ other) for other in rows), reverse=True)[:10]
        assert mean[i] == pytest.approx(np.mean(top), abs=1e-5)
        assert deviation[i] == pytest.approx(np.std(top), abs=1e-5)
    assert len(Cohort(rows[:4]).statistics(rows[:2])[0]) == 2  # fewer members than asked for


def test_background_is_not_moved_by_the_peaks() -> None:
    values = np.random.default_rng(1).normal(0.2, 0.05, (400, 2))
    middle, spread = background(values)
    values[10:20, 0] = 0.95
    after, after_spread = background(values)
    np.testing.assert_allclose(after, middle, atol=0.01)
    np.testing.assert_allclose(after_spread, spread, atol=0.01)
    assert background(np.zeros((5, 1)))[1][0] > 0  # a flat track divides nothing by nothing


def separable(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Evidence where the cosine alone tells, with the odds 10 (x - 0.6)."""
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(count, len(EVIDENCE)))
    rows[:, 0] = rng.uniform(0.2, 1.0, count)
    true = rng.random(count) < 1 / (1 + np.exp(-10 * (rows[:, 0] - 0.6)))
    return rows, true


def test_fitting_recovers_the_odds_that_made_the_data() -> None:
    rows, true = separable(4000)
    fitted = fit(rows, true, {"seed": 2})
    assert fitted.weights["cosine"] / fitted.usual["cosine"][1] == pytest.approx(10, rel=0.25)
    assert all(abs(weight) < 0.3 for term, weight in fitted.weights.items() if term != "cosine")
    even = dict.fromkeys(EVIDENCE, 0.0) | {"cosine": 0.6}
    assert fitted.probability(even) == pytest.approx(0.5, abs=0.08)
    assert fitted.facts == {"candidates": 4000, "true": int(true.sum()), "seed": 2}
    # a probability is what it says: of candidates given about 0.8, about 0.8 are true
    given = np.array([fitted.probability(dict(zip(EVIDENCE, row, strict=True))) for row in rows])
    near = (given > 0.7) & (given < 0.9)
    assert true[near].mean() == pytest.approx(given[near].mean(), abs=0.06)


def test_what_two_values_say_together_is_learned() -> None:
    """True where both are high or both are low: neither says anything alone."""
    rows = np.random.default_rng(3).normal(size=(4000, len(EVIDENCE)))
    true = np.random.default_rng(4).random(4000) < 1 / (1 + np.exp(-3 * rows[:, 0] * rows[:, 3]))
    fitted = fit(rows, true)
    together = f"{EVIDENCE[0]}*{EVIDENCE[3]}"
    assert fitted.weights[together] > 0.5  # held back, but learned
    assert all(abs(weight) < 0.15 for term, weight in fitted.weights.items() if term != together)
    alike, unlike = (dict.fromkeys(EVIDENCE, 0.0) | {EVIDENCE[0]: 1.5, EVIDENCE[3]: x} for x in (1.5, -1.5))
    assert fitted.probability(alike) > 0.8
    assert fitted.probability(unlike) < 0.2


def test_evidence_beyond_what_was_seen_counts_as_its_limit() -> None:
    one = Calibration({"cosine": (0.5, 0.1)}, {"cosine": 0.2, "cosine*cosine": 0.1}, 0.0, {})
    assert one.probability({"cosine": 0.5 + 0.1 * LIMIT}) == one.probability({"cosine": 9.0})
    assert one.probability({"cosine": 0.6}) == pytest.approx(1 / (1 + np.exp(-0.3)))


def test_one_kind_of_candidate_is_not_enough() -> None:
    rows, _ = separable(20)
    with pytest.raises(ValueError, match="all alike"):
        fit(rows, np.ones(20, bool))


def test_probabilities_stay_finite_and_files_go_round(tmp_path: Path) -> None:
    usual = {"cosine": (0.0, 1.0), "margin": (0.1, 2.0)}
    one = Calibration(usual, {"cosine": 1e6, "margin*cosine": -2.0}, 0.5, {"encoder": "x"})
    assert one.probability(dict.fromkeys(EVIDENCE, 1.0)) == pytest.approx(1.0)
    assert one.probability(dict.fromkeys(EVIDENCE, -1.0)) == pytest.approx(0.0)
    one.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == one


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"usual": {"luck": [0, 1]}, "weights": {"luck": 1}, "bias": 0}',
        '{"usual": {"cosine": [0, 1]}, "weights": {"cosine*margin": 1}, "bias": 0}',
        '{"usual": {"cosine": [0, 0]}, "weights": {"cosine": 1}, "bias": 0}',
        '{"weights": {"cosine": 1}, "bias": 0}',
        '{"usual": {}, "weights": 3, "bias": 0}',
    ],
)
def test_damaged_files_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ValueError, match=r"c\.json: not a readable calibration"):
        Calibration.load(tmp_path / "c.json")


def test_unknown_weights_have_no_calibration() -> None:
    assert shipped_calibration("") == (None, None)
    assert shipped_calibration("nobody-0000") == (None, None)


@pytest.mark.parametrize("name", ["default", "sign-tcn-real", "pose-cosine"])
def test_the_shipped_encoders_have_theirs(name: str) -> None:
    """Fails when weights were exchanged and `scripts/make/fit_calibration.py` not run again."""
    from embeddings.encoders import load_encoder

    encoder = load_encoder(name)
    calibration, cohort = shipped_calibration(encoder.id)
    assert calibration is not None, (
        f"no calibration for {encoder.id}: run scripts/make/fit_calibration.py --encoder {name}"
    )
    assert cohort is not None
    assert cohort.vectors.shape[1] == encoder.dim
    np.testing.assert_allclose(np.linalg.norm(cohort.vectors, axis=1), 1, atol=1e-5)
    weak = {name: mean for name, (mean, _) in calibration.usual.items()}
    strong = weak | {n: weak[n] + 2 * calibration.usual[n][1] for n in ("cosine", "s_norm", "margin", "span", "lead")}
    assert calibration.probability(strong) > 2 * calibration.probability(weak)
