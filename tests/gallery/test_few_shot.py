"""Signs from a few examples: rules by hand-computed cases, leave-one-out by leaving out, and what it chooses."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.few_shot import RULES, USUAL_SCALE, FewShot, Rule, fit_few_shot


def rows(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def fitted(vectors: np.ndarray, labels: list[str], rule: Rule | None = None) -> FewShot:
    return fit_few_shot(vectors @ vectors.T, labels, rule)


def scored(rule: Rule, query: float) -> np.ndarray:
    examples = rows(0, 90, 60)
    return fitted(examples, ["A", "B", "A"], rule).scores(rows(query) @ examples.T)[0]


def test_nearest_is_the_best_cosine_of_a_sign() -> None:
    np.testing.assert_allclose(scored(Rule("nearest"), 0), [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(scored(Rule("nearest"), 90), [np.cos(np.radians(30)), 1.0])


def test_the_mean_is_over_a_signs_examples() -> None:
    np.testing.assert_allclose(scored(Rule("mean"), 30), [np.cos(np.radians(30)), 0.5])  # A is at 0° and at 60°


def test_the_head_solves_the_regularised_equations() -> None:
    """Two examples at right angles, s = 1, ridge 1: K = [[1, 1/e], [1/e, 1]]; at the first example k = (1, 1/e)."""
    examples = rows(0, 90)
    made = fitted(examples, ["A", "B"], Rule("head", 1.0, 1.0))
    e = np.exp(-1.0)
    dual = np.array([[2, -e], [-e, 2]]) / (4 - e * e)
    np.testing.assert_allclose(made.weights, dual)
    np.testing.assert_allclose(made.scores(rows(0) @ examples.T)[0], [(2 - e * e) / (4 - e * e), e / (4 - e * e)])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}-{rule.sharpness}-{rule.ridge}")
def test_leave_one_out_leaves_one_out(rule: Rule) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = [str(v) for v in rng.permutation(np.arange(12) % 4)]
    right = []
    for i in range(12):
        rest = np.delete(np.arange(12), i)
        other = fitted(vectors[rest], [labels[k] for k in rest], rule)
        right.append(other.labels[int(other.scores(vectors[rest] @ vectors[i])[0].argmax())] == labels[i])
    assert fitted(vectors, labels, rule).left_out == pytest.approx(np.mean(right))


def test_one_example_a_sign_takes_the_nearest() -> None:
    examples = rows(0, 90)
    made = fitted(examples, ["A", "B"])
    assert made.rule.name == "nearest"
    assert np.isnan(made.left_out)
    margin = USUAL_SCALE * (np.cos(np.radians(20)) - np.cos(np.radians(70)))
    np.testing.assert_allclose(made.probabilities(rows(20) @ examples.T)[0, 0], 1 / (1 + np.exp(-margin)))


def variants() -> tuple[np.ndarray, list[str]]:
    """Each sign in two ways that are far apart, and its middle is where the other sign is."""
    return rows(0, 4, 120, 124, 60, 64, 180, 184), ["A"] * 4 + ["B"] * 4


def test_leave_one_out_chooses_a_rule_that_keeps_variants() -> None:
    vectors, labels = variants()
    assert fitted(vectors, labels, Rule("mean")).left_out < 0.6
    made = fitted(vectors, labels)
    assert made.left_out == 1.0
    assert made.rule.name in ("head", "nearest")
    answers = [made.labels[i] for i in made.scores(rows(2, 122, 62, 182) @ vectors.T).argmax(axis=1)]
    assert answers == ["A", "A", "B", "B"]


def test_a_rule_by_luck_is_not_taken() -> None:
    """Mean likeness names one example more; one of six is no evidence."""
    rng = np.random.default_rng(5)
    lucky = 0
    for _ in range(40):
        vectors = rng.normal(size=(6, 3))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        labels = ["A", "B", "C"] * 2
        made = fitted(vectors, labels)
        lucky += fitted(vectors, labels, Rule("mean")).left_out > made.left_out
        assert made.rule == RULES[0]
    assert lucky > 3


def test_probabilities_are_of_the_signs_and_follow_the_scores() -> None:
    vectors, labels = variants()
    made, alike = fitted(vectors, labels), rows(*range(0, 360, 15)) @ vectors.T
    p = made.probabilities(alike)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == made.scores(alike).argmax(axis=1)).all()


def test_another_example_helps_at_once() -> None:
    """A second way of signing A, as a second example."""
    examples, query = rows(0, 100, 80), rows(85)
    one, two = fitted(examples[:2], ["A", "B"]), fitted(examples, ["A", "B", "A"])
    assert one.labels[int(one.scores(query @ examples[:2].T)[0].argmax())] == "B"
    assert two.labels[int(two.scores(query @ examples.T)[0].argmax())] == "A"


@pytest.mark.parametrize(("alike", "labels"), [(np.zeros((0, 0)), []), (np.ones((2, 2)), ["A"]), (np.ones(1), ["A"])])
def test_nothing_to_learn_from_is_said(alike: np.ndarray, labels: list[str]) -> None:
    with pytest.raises(ValueError, match="expected a row and a column each, at least one"):
        fit_few_shot(alike, labels)
