from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spotter.search.calibrate import LIMIT, Calibration, ShippedJudge, fit, shipped_judge
from spotter.search.evidence import EVIDENCE, PACE

NAMES = ("match", "lead", "path", "length")


def separable(count: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Evidence where the match alone tells, with the odds 10 (x - 0.6)."""
    rng = np.random.default_rng(2)
    rows = {name: rng.normal(size=count) for name in NAMES} | {"match": rng.uniform(0.2, 1.0, count)}
    return rows, rng.random(count) < 1 / (1 + np.exp(-10 * (rows["match"] - 0.6)))


def probability(one: Calibration, **evidence: float) -> float:
    (odds,) = one.log_odds({name: np.array([evidence.get(name, 0.0)]) for name in (*EVIDENCE, *PACE)})
    return float(1 / (1 + np.exp(-odds)))


def test_fitting_recovers_the_odds_that_made_the_data() -> None:
    rows, true = separable(4000)
    fitted = fit(rows, true, NAMES)
    assert fitted.weights["match"] / fitted.usual["match"][1] == pytest.approx(10, rel=0.25)
    assert all(abs(weight) < 0.3 for term, weight in fitted.weights.items() if term != "match")
    assert probability(fitted, match=0.6) == pytest.approx(0.5, abs=0.08)
    # a probability is what it says: of candidates given about 0.8, about 0.8 are true
    given = 1 / (1 + np.exp(-fitted.log_odds(rows)))
    near = (given > 0.7) & (given < 0.9)
    assert true[near].mean() == pytest.approx(given[near].mean(), abs=0.06)


def test_without_products_each_value_counts_for_itself() -> None:
    rows, true = separable(400)
    assert set(fit(rows, true, NAMES, products=False).weights) == set(NAMES)


def test_what_two_values_say_together_is_learned() -> None:
    """True where both are high or both are low: neither says anything alone."""
    rows = {name: np.random.default_rng(i).normal(size=4000) for i, name in enumerate(NAMES)}
    chance = 1 / (1 + np.exp(-3 * rows["match"] * rows["path"]))
    fitted = fit(rows, np.random.default_rng(9).random(4000) < chance, NAMES)
    assert fitted.weights["match*path"] > 0.5  # held back, but learned
    assert all(abs(weight) < 0.2 for term, weight in fitted.weights.items() if term != "match*path")
    assert probability(fitted, match=1.5, path=1.5) > 0.8
    assert probability(fitted, match=1.5, path=-1.5) < 0.2


def test_a_candidate_that_counts_twice_is_as_two() -> None:
    rows, true = separable(300)
    twice = {name: np.concatenate([values, values[:100]]) for name, values in rows.items()}
    weights = np.where(np.arange(300) < 100, 2.0, 1.0)
    # the usual values are those of the rows as they are: only the odds are compared
    one, other = fit(rows, true, NAMES, weights), fit(twice, np.concatenate([true, true[:100]]), NAMES)
    np.testing.assert_allclose(one.log_odds(rows), other.log_odds(rows), atol=0.15)


def test_evidence_beyond_what_was_seen_counts_as_its_limit() -> None:
    one = Calibration({"match": (0.5, 0.1)}, {"match": 0.2, "match*match": 0.1}, 0.0)
    assert probability(one, match=0.5 + 0.1 * LIMIT) == probability(one, match=9.0)
    assert probability(one, match=0.6) == pytest.approx(1 / (1 + np.exp(-0.3)))


def test_one_kind_of_candidate_is_not_enough() -> None:
    with pytest.raises(ValueError, match="all alike"):
        fit(separable(20)[0], np.ones(20, bool), NAMES)


ONE = Calibration({"match": (0.0, 1.0), "lead": (0.1, 2.0)}, {"match": 1e6, "lead*match": -2.0}, 0.5)
JUDGE = ShippedJudge(ONE, replace(ONE, bias=-1.0), {"encoder": "x"})


def test_files_go_round(tmp_path: Path) -> None:
    JUDGE.save(tmp_path / "c.json")
    assert ShippedJudge.load(tmp_path / "c.json") == JUDGE


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("usual", {"luck": [0, 1]}),
        ("weights", {"match*path": 1}),
        ("usual", {"match": [0, 0], "lead": [0, 1]}),
        ("weights", 3),
        ("bias", None),
        ("bias", float("nan")),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, part: str, value: object) -> None:
    JUDGE.save(tmp_path / "c.json")
    held = json.loads((tmp_path / "c.json").read_text())
    held["sign"][part] = value
    (tmp_path / "c.json").write_text(json.dumps(held))
    with pytest.raises(ValueError, match=r"c\.json: not a readable judge"):
        ShippedJudge.load(tmp_path / "c.json")


@pytest.mark.parametrize("text", ["{", "[]", '{"pace": {}}'])
def test_what_is_no_judge_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ValueError, match=r"c\.json: not a readable judge"):
        ShippedJudge.load(tmp_path / "c.json")


def test_unknown_weights_have_no_judge() -> None:
    assert shipped_judge("") is None
    assert shipped_judge("nobody-0000") is None


@pytest.mark.parametrize("name", ["default", "sign-tcn-real", "pose-cosine"])
def test_the_shipped_encoders_have_theirs(name: str) -> None:
    """Fails when weights were exchanged and `scripts/make/fit_calibration.py` not run again."""
    from embeddings.encoders import load_encoder

    encoder = load_encoder(name)
    shipped = shipped_judge(encoder.id)
    assert shipped is not None, f"no judge for {encoder.id}: run scripts/make/fit_calibration.py --encoder {name}"
    judge, cohort = shipped
    assert judge.facts["encoder"] == encoder.id
    assert cohort.vectors.shape[1] == encoder.dim
    assert len(cohort.templates) == 24
    np.testing.assert_allclose(np.linalg.norm(cohort.vectors, axis=1), 1, atol=1e-5)
    usual = {n: mean for n, (mean, _) in judge.sign.usual.items()}
    better = {"match": 2, "lead": 2, "path": 2, "chance": -2}
    strong = usual | {n: usual[n] + by * judge.sign.usual[n][1] for n, by in better.items()} | {"behind_best": 0.0}
    assert probability(judge.sign, **strong) > 2 * probability(judge.sign, **usual)
