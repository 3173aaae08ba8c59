"""Ensembles: planted model quality is found, rows go by id, and the test list is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embeddings.isolated.ensemble import (
    Ensemble,
    Scores,
    align,
    fit_ensemble,
    hard_soft,
    read_labels,
    read_scores,
    write_scores,
)

pytest.importorskip("cma")
LABELS = tuple(f"sign-{k}" for k in range(6))


def truth(count: int, split: str = "val", seed: int = 0) -> dict[str, tuple[str, str]]:
    rng = np.random.default_rng(seed)
    return {f"{split}{i:03d}": (LABELS[int(rng.integers(6))], split) for i in range(count)}


def model(name: str, labels: dict[str, tuple[str, str]], skill: float, seed: int) -> Scores:
    """A classifier that knows the truth up to noise; rows and columns in an order of its own."""
    rng = np.random.default_rng(seed)
    ids = list(labels)
    rng.shuffle(ids)
    columns = list(LABELS)
    rng.shuffle(columns)
    z = rng.normal(size=(len(ids), 6))
    z[np.arange(len(ids)), [columns.index(labels[i][0]) for i in ids]] += skill
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return Scores(name, tuple(ids), tuple(columns), p)


def accuracy(scores: Scores, labels: dict[str, tuple[str, str]]) -> float:
    best = scores.best()
    return float(np.mean([best[i] == label for i, (label, _) in labels.items()]))


@pytest.mark.parametrize("vote", ["soft", "hard-soft"])
def test_weights_follow_skill_and_help_on_unseen_samples(vote: str) -> None:
    seen, unseen = truth(300), truth(600, "test", seed=1)
    skills = (2.0, 1.6, 0.0)
    fitted = fit_ensemble([model(f"m{k}", seen, s, k) for k, s in enumerate(skills)], seen, vote)  # type: ignore[arg-type]
    assert sum(fitted.weights) == pytest.approx(1)
    assert min(fitted.weights[:2]) > 2 * fitted.weights[2] >= 0  # the blind one counts least
    tested = [model(f"m{k}", unseen, s, 10 + k) for k, s in enumerate(skills)]
    joint = accuracy(fitted.predict(tested), unseen)
    alone = [accuracy(t, unseen) for t in tested]
    # votes without degrees tell less: the published hard-soft vote need not beat the best model
    assert joint > (max(alone) if vote == "soft" else np.mean(alone[:2])) + 0.02


def test_equal_weights_are_never_beaten_by_less() -> None:
    seen = truth(80)
    models = [model(f"m{k}", seen, 1.0, k) for k in range(4)]
    stacked = align(models, sorted(seen))
    equal = np.mean(stacked.mean(0).argmax(1) == [models[0].labels.index(seen[i][0]) for i in sorted(seen)])
    assert fit_ensemble(models, seen).accuracy >= equal


def test_rows_and_columns_go_by_name() -> None:
    a = Scores("a", ("x", "y"), ("p", "q"), np.array([[0.9, 0.1], [0.2, 0.8]]))
    b = Scores("b", ("y", "z", "x"), ("q", "p"), np.array([[0.7, 0.3], [0.5, 0.5], [0.4, 0.6]]))
    np.testing.assert_allclose(align([a, b], ["x", "y"]), [[[0.9, 0.1], [0.2, 0.8]], [[0.6, 0.4], [0.3, 0.7]]])
    with pytest.raises(ValueError, match=r"a has no sample 'z' \(1 of 2 missing\)"):
        align([a, b], ["x", "z"])
    with pytest.raises(ValueError, match="'x' occurs more than once"):
        Scores("c", ("x", "x"), ("p",), np.zeros((2, 1)))


def test_shuffling_a_models_rows_changes_nothing() -> None:
    seen = truth(60)
    models = [model(f"m{k}", seen, 1.5, k) for k in range(2)]
    order = np.random.default_rng(9).permutation(60)
    shuffled = Scores("m1", tuple(models[1].ids[i] for i in order), models[1].labels, models[1].probabilities[order])
    assert fit_ensemble(models, seen).weights == fit_ensemble([models[0], shuffled], seen).weights


def test_hard_soft_by_hand() -> None:
    confusion = np.array([[0.8, 0.2, 0.0], [0.0, 1.0, 0.0], [0.1, 0.0, 0.9]])
    votes = hard_soft(np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]), confusion)
    # .5 and .3 are at least half of .5, .2 is not; class 0 is mistaken for 1 in a fifth: + 5 × .2; its .8 do not count
    np.testing.assert_allclose(votes, [[1.0, 1.0 + 1.0, 0.0], [0.0 + 0.5, 0.0, 1.0]])


def test_the_test_list_is_refused() -> None:
    mixed = {**truth(20), **truth(3, "Test")}
    models = [model(f"m{k}", mixed, 1.0, k) for k in range(2)]
    with pytest.raises(ValueError, match="3 of 23 samples belong to the test split"):
        fit_ensemble(models, mixed)
    with pytest.raises(ValueError, match="empty"):
        fit_ensemble(models, {})
    with pytest.raises(ValueError, match="vote is 'loud'"):
        fit_ensemble(models, truth(20), "loud")  # type: ignore[arg-type]


def test_files(tmp_path: Path) -> None:
    seen = truth(40)
    models = [model(f"m{k}", seen, 1.0, k) for k in range(2)]
    for scores in models:
        write_scores(tmp_path / f"{scores.model}.csv", scores)
    back = [read_scores(tmp_path / f"m{k}.csv") for k in range(2)]
    np.testing.assert_allclose(back[0].probabilities, models[0].probabilities, rtol=1e-6)
    assert (back[1].ids, back[1].labels, back[1].model) == (models[1].ids, models[1].labels, "m1")
    fitted = fit_ensemble(back, seen, "hard-soft")
    fitted.save(tmp_path / "ensemble.json")
    loaded = Ensemble.load(tmp_path / "ensemble.json")
    np.testing.assert_array_equal(loaded.predict(back).probabilities, fitted.predict(back).probabilities)
    assert loaded.predict(back[::-1]).ids == back[0].ids  # by the models' names, not their order
    assert loaded.fitted_on == tuple(sorted(seen))
    with pytest.raises(ValueError, match="needs scores of m1; given: m0"):
        loaded.predict(back[:1])
    assert not list(tmp_path.glob(".*"))


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,p\nx,1\n")
    with pytest.raises(ValueError, match="first line must be"):
        read_scores(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("sample,p,q\nx,1,0\ny,1\n")
    with pytest.raises(ValueError, match="line 3: expected 2 numbers"):
        read_scores(tmp_path / "b.csv")
    (tmp_path / "labels.csv").write_text("sample,label\nx,p\n")
    with pytest.raises(ValueError, match="lacks the column split"):
        read_labels(tmp_path / "labels.csv")
    (tmp_path / "labels.csv").write_text("sample,label,split\nx,p,val\n")
    assert read_labels(tmp_path / "labels.csv") == {"x": ("p", "val")}
