"""Heads, calibration, what to ask, estimates: planted data with known answers, and twins that are slow and plain."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import beta, binomtest

from spotter.project.learning import (
    Calibration,
    HeadOptions,
    ask_order,
    fit_calibration,
    fit_head,
    prior_log_odds,
    scores_of,
    space_of,
)
from spotter.project.sampling import LAYERS, Layer, draw_sample, estimate, layer_of, precision_of


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def planted(
    rng: np.random.Generator, right: int, wrong: int, width: int = 24
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits whose truth lies along one direction that the cosine hardly shows: (z, cosines, truth)."""
    direction = unit(rng.normal(size=(1, width)))
    truth = np.r_[np.ones(right, bool), np.zeros(wrong, bool)]
    z = unit(rng.normal(size=(right + wrong, width)) * 0.18 + np.where(truth[:, None], direction, -direction) * 0.5)
    cosines = 0.72 + 0.02 * truth + 0.03 * rng.normal(size=len(truth))
    order = rng.permutation(len(truth))
    return z[order], cosines[order], truth[order]


def test_the_head_is_the_optimum_that_a_plain_optimiser_finds() -> None:
    rng = np.random.default_rng(1)
    z, offset = unit(rng.normal(size=(40, 6))), rng.normal(size=40)
    y, weight = rng.random(40) < 0.4, rng.random(40)
    options = HeadOptions(variance=3.0, bias_variance=0.5)
    head = fit_head(z, y, offset, weight, options)

    def loss(w: np.ndarray) -> float:
        u = offset + z @ w[:-1] + w[-1]
        likelihood = sum(a * np.log1p(np.exp(-b if t else b)) for a, b, t in zip(weight, u, y, strict=True))
        return float(likelihood + (w[:-1] ** 2).sum() / 6 + w[-1] ** 2 / 1.0)

    found = minimize(loss, np.zeros(7), method="BFGS", options={"gtol": 1e-9}).x
    np.testing.assert_allclose(np.r_[head.weights, head.bias], found, atol=1e-5)
    np.testing.assert_allclose(head.log_odds(z, offset), offset + z @ found[:-1] + found[-1], atol=1e-4)


def test_the_head_is_found_from_far_away_and_when_everything_agrees() -> None:
    z = np.eye(3)
    for answer in (True, False):
        head = fit_head(z, np.full(3, answer), np.full(3, 300.0))
        assert np.isfinite(head.weights).all()
        assert head.bias == pytest.approx(0 if answer else head.bias)
    assert fit_head(np.zeros((0, 3)), np.zeros(0, bool), np.zeros(0)).bias == 0
    with pytest.raises(ValueError, match="3 vectors, 2 decisions"):
        fit_head(z, np.ones(2, bool), np.zeros(3))
    with pytest.raises(ValueError, match="finite"):
        fit_head(z * np.nan, np.ones(3, bool), np.zeros(3))


def test_without_decisions_the_order_is_the_searchs_own() -> None:
    rng = np.random.default_rng(2)
    z, cosines, _ = planted(rng, 10, 30)
    scored = scores_of(z, cosines, np.zeros(40, np.int8))
    assert (np.argsort(-scored.log_odds) == np.argsort(-cosines)).all()
    assert prior_log_odds(np.array([HeadOptions().middle]))[0] == 0
    assert len(scored.unseen) == 0


def test_ten_decisions_teach_what_the_cosine_does_not_know() -> None:
    """Ranks of undecided hits: the share of pairs (right, wrong) in the right order, over five worlds."""
    before, after = [], []
    for seed in range(5):
        z, cosines, truth = planted(np.random.default_rng(seed), 30, 60)
        decided = np.zeros(90, np.int8)
        shown = np.argsort(-cosines)[:10]
        decided[shown] = np.where(truth[shown], 1, -1)
        rest = decided == 0
        scored = scores_of(z, cosines, decided)
        for values, into in ((cosines, before), (scored.log_odds, after)):
            right, wrong = values[rest & truth], values[rest & ~truth]
            into.append(float((right[:, None] > wrong[None]).mean()))
        assert len(scored.unseen) == 10
    assert np.mean(before) < 0.8
    assert min(after) > 0.95


def test_decided_hits_are_judged_by_heads_that_have_not_seen_them() -> None:
    rng = np.random.default_rng(3)
    z, cosines, truth = planted(rng, 6, 6)
    decided = np.where(truth, 1, -1).astype(np.int8)
    honest = scores_of(z, cosines, decided, folds=12)
    for k in range(12):
        without = decided.copy()
        without[k] = 0
        rest = np.arange(12) != k
        alone = scores_of(z[rest], cosines[rest], without[rest], folds=2).head
        assert honest.unseen[k] == pytest.approx(
            float(alone.log_odds(z[k : k + 1], prior_log_odds(cosines[k : k + 1]))[0])
        )


def test_a_space_makes_signing_at_large_round() -> None:
    rng = np.random.default_rng(4)
    stretched = rng.normal(size=(4000, 3)) * (5, 1, 0.2) + (1, 2, 3)
    space = space_of(stretched, shrinkage=0.0)
    moved = (stretched - space.mean) @ space.matrix
    np.testing.assert_allclose(np.cov(moved.T), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(space(stretched), axis=1), 1)
    np.testing.assert_allclose(space_of(np.zeros((0, 3)))(np.eye(3)), np.eye(3))


def test_calibration_tells_how_often_it_is_right() -> None:
    rng = np.random.default_rng(5)
    honest = rng.normal(0, 2, 4000)
    truth = rng.random(4000) < 1 / (1 + np.exp(-honest))
    boastful = 3 * honest + 2
    fitted = fit_calibration(boastful, truth)
    assert fitted.slope == pytest.approx(1 / 3, abs=0.03)
    assert fitted.shift == pytest.approx(-2 / 3, abs=0.12)
    p = fitted(boastful)
    for low in (0.1, 0.4, 0.7):
        inside = (p >= low) & (p < low + 0.2)
        assert truth[inside].mean() == pytest.approx(p[inside].mean(), abs=0.06)
    assert fit_calibration(np.zeros(0), np.zeros(0, bool)) == Calibration(1.0, 0.0)
    # three decisions hardly move it, and it never turns the order around
    assert fit_calibration(np.array([1.0, 2.0, 3.0]), np.array([True, True, True])).slope == pytest.approx(1, abs=0.1)
    assert fit_calibration(np.linspace(-9, 9, 99), np.linspace(9, -9, 99) > 0).slope > 0


def test_what_to_ask_is_uncertain_and_not_twice_the_same() -> None:
    z = unit(np.array([[1, 0], [1, 0.01], [0, 1], [-1, 0.1], [0.7, 0.7]]))
    p = np.array([0.5, 0.5, 0.45, 0.999, 0.05])
    order = ask_order(z, p)
    assert order[:2] == [0, 2]  # the second most uncertain is the first one's twin
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order.index(1) > 2
    assert ask_order(z, p, 2) == [0, 2]
    assert ask_order(np.zeros((0, 2)), np.zeros(0)) == []


def test_a_sample_is_drawn_from_every_layer_and_again_the_same() -> None:
    p = np.r_[np.linspace(0.5, 1, 30), np.linspace(0.2, 0.49, 5), np.linspace(0, 0.049, 65)]
    drawn = draw_sample(p, 10, seed=7)
    assert [len(drawn[k]) for k in range(len(LAYERS))] == [10, 5, 0, 10]
    assert drawn == draw_sample(p, 10, seed=7)
    assert drawn != draw_sample(p, 10, seed=8)
    for k, rows in drawn.items():
        assert (layer_of(p)[rows] == k).all()
    # every hit of a layer is drawn equally often
    counts = np.zeros(100)
    for seed in range(600):
        counts[draw_sample(p, 10, seed)[0]] += 1
    assert counts[:30].min() > 140
    assert counts[:30].max() < 260


def test_estimates_hold_the_truth_as_often_as_they_say() -> None:
    """200 lists of 400 hits with known truth; what the sample says of the rest, against the rest."""
    rng = np.random.default_rng(11)
    inside, shown = 0, []
    for k in range(200):
        p = rng.beta(0.4, 1.2, 400)
        truth = rng.random(400) < p * 0.9
        drawn = draw_sample(p, 15, seed=k)
        of = layer_of(p)
        layers = [
            Layer(str(j), int((of == j).sum()), len(drawn[j]), int(truth[drawn[j]].sum())) for j in range(len(LAYERS))
        ]
        seen = np.zeros(400, bool)
        seen[[i for rows in drawn.values() for i in rows]] = True
        missed = int(truth[~seen].sum())
        said = estimate(layers, found=int(truth[seen].sum()), seed=k)["missed"]
        inside += said.low <= missed <= said.high
        shown.append(said.value - missed)
    assert inside >= 184
    assert abs(np.mean(shown)) < 4


def test_estimates_by_hand() -> None:
    nothing = estimate([], found=5)
    assert nothing["missed"].value == 0
    assert nothing["recall"].value == 1
    # a layer that was judged whole leaves nothing open
    whole = estimate([Layer("a", 10, 10, 3)], found=3)
    assert (whole["missed"].low, whole["missed"].high, whole["recall"].low) == (0, 0, 1)
    part = estimate([Layer("a", 110, 10, 2)], found=8)
    assert part["missed"].value == pytest.approx(100 * 2 / 10)
    assert part["missed"].high == pytest.approx(100 * beta(2.5, 8.5).ppf(0.975), abs=5)
    assert part["recall"].value == pytest.approx(8 / 28)
    with pytest.raises(ValueError, match="5 true of 4 judged"):
        Layer("a", 10, 4, 5)


@pytest.mark.parametrize(("true", "judged"), [(0, 5), (5, 5), (7, 10), (95, 100)])
def test_precision_is_wilsons_interval(true: int, judged: int) -> None:
    said, expected = precision_of(true, judged), binomtest(true, judged).proportion_ci(0.95, method="wilson")
    assert (said.value, said.low, said.high) == pytest.approx((true / judged, expected.low, expected.high))
    assert np.isnan(precision_of(0, 0).value)
