"""Weighted ensembles of classifiers: weights fitted on validation lists, rows matched by sample id.

Hrúz et al., "One Model is Not Enough: Ensembles for Isolated Sign Language Recognition" (Sensors 2022): a weighted sum
of class probabilities, the weights found by CMA-ES (Hansen 2016) on accuracy; the "hard-soft" vote gives each model's
classes within half of its best one a vote each, and adds five times the confusion row of the class it chose, without
that class. Their weights were fitted to the list that was then reported; ours are fitted on a validation list, and a
list with test rows is refused.

Files: one CSV a model, `sample` and a column of probabilities a label; ensembles as JSON.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from safe_files import open_whole, read_json, reader, write_text

from ..extras import extra

__all__ = ["Ensemble", "Scores", "align", "fit_ensemble", "hard_soft", "read_labels", "read_scores", "write_scores"]

Vote = Literal["soft", "hard-soft"]
CONFUSION_WEIGHT = 5.0
KEPT = 0.5


@dataclass(frozen=True, eq=False)
class Scores:
    """One model's class probabilities: (N, K), rows named by `ids`, columns by `labels`."""

    model: str
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.probabilities.shape != (len(self.ids), len(self.labels)):
            raise ValueError(
                f"{self.model}: probabilities have shape {self.probabilities.shape}; "
                f"expected ({len(self.ids)} samples, {len(self.labels)} labels)"
            )
        for kind, names in (("sample", self.ids), ("label", self.labels)):
            if len(set(names)) != len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise ValueError(f"{self.model}: {kind} {twice!r} occurs more than once; each needs one row or column")

    def best(self) -> dict[str, str]:
        """Sample id → most probable label; of equally probable ones the first in column order."""
        return {i: self.labels[k] for i, k in zip(self.ids, self.probabilities.argmax(axis=1), strict=True)}


@reader(ValueError)
def read_scores(path: Path | str) -> Scores:
    """A model's CSV: header `sample,<label>,<label>,…`, then a row a sample.

    Raises:
        ValueError: no such header, or a value that is not a number; the message names the line.
    """
    path = Path(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or not rows[0] or rows[0][0] != "sample":
        raise ValueError(f"{path}: the first line must be 'sample,<label>,<label>,…'")
    values = np.empty((len(rows) - 1, len(rows[0]) - 1))
    for line, row in enumerate(rows[1:], start=2):
        try:
            numbers = np.array([float(value) for value in row[1:]])
            if not np.isfinite(numbers).all():
                raise ValueError("a value is not finite")
            values[line - 2] = numbers.reshape(values.shape[1])
        except ValueError:
            raise ValueError(f"{path}, line {line}: expected {len(rows[0]) - 1} numbers after the sample") from None
    return Scores(path.stem, tuple(row[0] for row in rows[1:]), tuple(rows[0][1:]), values)


def write_scores(path: Path | str, scores: Scores) -> None:
    """What `read_scores` reads; probabilities with seven digits."""
    with open_whole(path) as file:
        writer = csv.writer(file)
        writer.writerow(["sample", *scores.labels])
        for sample, row in zip(scores.ids, scores.probabilities, strict=True):
            writer.writerow([sample, *(f"{value:.7g}" for value in row)])


@reader(ValueError)
def read_labels(path: Path | str) -> dict[str, tuple[str, str]]:
    """A list `sample,label,split` as sample → (label, split).

    Raises:
        ValueError: a column is missing; without `split` it cannot be known that the list is not the test list.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = {"sample", "label", "split"} - set(table.fieldnames or ())
        if missing:
            raise ValueError(f"{path} lacks the column {', '.join(sorted(missing))}; expected sample,label,split")
        return {row["sample"]: (row["label"], row["split"]) for row in table}


def align(models: Sequence[Scores], ids: Sequence[str], labels: Sequence[str] | None = None) -> NDArray[np.float64]:
    """Probabilities (M, N, K) of the models, rows by sample id and columns by label whatever their order in the files.

    labels: default the first model's order.

    Raises:
        ValueError: a model lacks one of the samples or labels.
    """
    if not models:
        raise ValueError("an ensemble needs at least one model's scores; none were given")
    labels = models[0].labels if labels is None else labels
    stacked = np.empty((len(models), len(ids), len(labels)))
    for m, model in enumerate(models):
        row_of = {name: i for i, name in enumerate(model.ids)}
        column_of = {name: i for i, name in enumerate(model.labels)}
        for kind, wanted, have in (("sample", ids, row_of), ("label", labels, column_of)):
            absent = [name for name in wanted if name not in have]
            if absent:
                raise ValueError(f"{model.model} has no {kind} {absent[0]!r} ({len(absent)} of {len(wanted)} missing)")
        rows, columns = [row_of[i] for i in ids], [column_of[k] for k in labels]
        stacked[m] = model.probabilities[np.ix_(rows, columns)]
    return stacked


def _confusion(probabilities: NDArray[np.float64], truth: NDArray[np.intp]) -> NDArray[np.float64]:
    """(K, K): of the samples given class c, the share whose true class is t; a class never given is taken as right."""
    from sklearn.metrics import confusion_matrix

    classes = probabilities.shape[1]
    chosen = probabilities.argmax(axis=1)
    shares = confusion_matrix(chosen, truth, labels=np.arange(classes), normalize="true")
    return np.where(np.isin(np.arange(classes), chosen)[:, None], shares, np.eye(classes))


def hard_soft(probabilities: NDArray[np.float64], confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """A model's votes (N, K): 1 for classes of at least half its best probability, plus 5 × the best one's confusions.

    Args:
        confusion: (K, K), row c: of the samples given class c, the share of each true class; its diagonal counts for
            nothing, so that only what the class is mistaken for gets votes.
    """
    best = probabilities.argmax(axis=1)
    mistaken = confusion * (1 - np.eye(len(confusion)))
    votes = (probabilities >= KEPT * probabilities.max(axis=1, keepdims=True)).astype(np.float64)
    return votes + CONFUSION_WEIGHT * mistaken[best]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Fitted weights (M, summing to 1) of named models; `confusion` (M, K, K) for the hard-soft vote, else empty."""

    models: tuple[str, ...]
    labels: tuple[str, ...]
    weights: tuple[float, ...]
    vote: Vote
    accuracy: float
    fitted_on: tuple[str, ...]
    confusion: tuple[tuple[tuple[float, ...], ...], ...] = ()

    def predict(self, models: Sequence[Scores], ids: Sequence[str] | None = None) -> Scores:
        """The ensemble's probabilities (rows sum to 1), models matched by name, samples by id.

        Raises:
            ValueError: a model of the ensemble is absent.
        """
        given = {model.model: model for model in models}
        absent = [name for name in self.models if name not in given]
        if absent:
            raise ValueError(f"the ensemble needs scores of {', '.join(absent)}; given: {', '.join(given)}")
        ordered = [given[name] for name in self.models]
        ids = ordered[0].ids if ids is None else tuple(ids)
        votes = _votes(align(ordered, ids, self.labels), self.vote, np.asarray(self.confusion))
        total = np.tensordot(np.asarray(self.weights), votes, axes=1)
        return Scores("ensemble", tuple(ids), self.labels, total / total.sum(axis=1, keepdims=True))

    def save(self, path: Path | str) -> None:
        write_text(path, json.dumps(asdict(self), indent=1, ensure_ascii=False))

    @classmethod
    @reader(ValueError)
    def load(cls, path: Path | str) -> Ensemble:
        """An ensemble that `save` wrote.

        Raises:
            ValueError: missing or damaged; names the file.
        """
        given: dict[str, Any] = read_json(Path(path))
        for key in ("models", "labels", "weights", "fitted_on"):
            given[key] = tuple(given[key])
        given["confusion"] = tuple(tuple(tuple(row) for row in matrix) for matrix in given["confusion"])
        return cls(**given)


def _votes(probabilities: NDArray[np.float64], vote: Vote, confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    if vote == "soft":
        return probabilities
    return np.stack([hard_soft(p, c) for p, c in zip(probabilities, confusion, strict=True)])


def _search(votes: NDArray[np.float64], truth: NDArray[np.intp], seed: int) -> NDArray[np.float64]:
    """Non-negative weights (M,) summing to 1 of the best accuracy found by CMA-ES, never worse than equal ones."""
    with extra("train", "fitting an ensemble"):
        import cma
    equal = np.full(len(votes), 1 / len(votes))
    if len(votes) == 1:
        return equal

    def normal(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.abs(x) / max(np.abs(x).sum(), 1e-12)

    def loss(x: NDArray[np.float64]) -> float:
        total = np.tensordot(normal(x), votes, axes=1)
        right = total.argmax(axis=1) == truth
        # accuracy is a staircase: a thousandth of the mean log share of the true class leads across its treads
        share = total[np.arange(len(truth)), truth] / total.sum(axis=1)
        return float(-right.mean() - 1e-3 * np.log(np.maximum(share, 1e-12)).mean())

    options = {"seed": seed + 1, "verbose": -9, "maxfevals": 400 * len(votes), "verb_log": 0}  # cma's 0 means "clock"
    found, _ = cma.fmin2(loss, equal, 0.5 / len(votes), options)
    return normal(np.asarray(found)) if loss(np.asarray(found)) < loss(equal) else equal


def fit_ensemble(
    models: Sequence[Scores], labels: Mapping[str, tuple[str, str]], vote: Vote = "soft", seed: int = 0
) -> Ensemble:
    """Weights of the models by CMA-ES on the accuracy over a validation list.

    Args:
        labels: sample → (label, split), as `read_labels` gives it; every sample must be in every model's scores.
        vote: "soft" sums probabilities; "hard-soft" sums `hard_soft` votes, confusions taken from the same list.
        seed: of the search; the same seed gives the same weights.

    Raises:
        ValueError: the list is empty, or holds rows of a test split: a score on what the weights were fitted to
            says nothing.
    """
    if vote not in ("soft", "hard-soft"):
        raise ValueError(f"vote is {vote!r}; expected 'soft' or 'hard-soft'")
    if not labels:
        raise ValueError("the list of samples is empty; weights need labelled validation samples")
    tested = [sample for sample, (_, split) in labels.items() if split.strip().lower().startswith("test")]
    if tested:
        raise ValueError(
            f"{len(tested)} of {len(labels)} samples belong to the test split (first: {tested[0]!r}); "
            "fit on the validation list and only predict on the test list"
        )
    ids = tuple(sorted(labels))
    probabilities = align(models, ids)
    names = models[0].labels
    unknown = {label for label, _ in labels.values()} - set(names)
    if unknown:
        raise ValueError(f"label {min(unknown)!r} is no column of {models[0].model}'s scores")
    truth = np.array([names.index(labels[i][0]) for i in ids])
    confusion = np.stack([_confusion(p, truth) for p in probabilities]) if vote == "hard-soft" else np.zeros((0, 0, 0))
    votes = _votes(probabilities, vote, confusion)
    weights = _search(votes, truth, seed)
    accuracy = float((np.tensordot(weights, votes, axes=1).argmax(axis=1) == truth).mean())
    nested = tuple(tuple(tuple(map(float, row)) for row in matrix) for matrix in confusion)
    model_names = tuple(model.model for model in models)
    return Ensemble(model_names, names, tuple(map(float, weights)), vote, accuracy, ids, nested)
