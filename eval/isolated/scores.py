"""Scores of isolated sign recognition: top-k, macro accuracy, intervals. Clips are matched by id, never by order."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..shared import nothing_shared
from ..significance import Comparison, Interval, accuracy_of, bootstrap_interval, paired_bootstrap, wilson
from ..tables import Table

__all__ = ["IsolatedScore", "compare_isolated", "isolated_score", "mismatch", "rank_labels"]

Ranked = Mapping[str, Sequence[str]]
"""Clip id → labels, the likeliest first (one is enough for top-1)."""


def rank_labels(ids: Sequence[str], scores: ArrayLike, labels: Sequence[str], k: int = 5) -> dict[str, list[str]]:
    """The k likeliest labels of each clip. Equal scores are ordered as `labels` is.

    Args:
        scores: (N, C), row i for `ids[i]`, column j for `labels[j]`; higher is likelier.

    Raises:
        ValueError: shapes that do not fit, a score that is NaN, an id given twice.
    """
    matrix = np.asarray(scores, np.float64)
    if matrix.shape != (len(ids), len(labels)):
        raise ValueError(f"scores are {matrix.shape}; expected ({len(ids)} ids, {len(labels)} labels)")
    if np.isnan(matrix).any():
        raise ValueError(f"clip {ids[int(np.argwhere(np.isnan(matrix))[0, 0])]!r} has the score NaN")
    order = np.argsort(-matrix, axis=1, kind="stable")[:, :k]
    ranked = {clip: [labels[j] for j in row] for clip, row in zip(ids, order, strict=True)}
    if len(ranked) < len(ids):
        raise ValueError(f"{len(ids) - len(ranked)} ids are given twice; expected one row per clip")
    return ranked


@dataclass(frozen=True)
class IsolatedScore:
    """Counts and ratios of one system on one set.

    Attributes:
        clips, correct, correct_k: all clips, those right at the first place and among the first `k`.
        per_class: label → (right, all), every label of the truth.
        per_signer: signer → (right, all); empty without signers.
        interval: Wilson's 95 % of top-1; takes clips as independent.
        signer_interval: bootstrap over signers, the honest one where signers differ; None with fewer than two.
        missing: clips without a prediction (counted as wrong).
        facts: parameters, seconds per clip and the like, given by the caller.
    """

    clips: int
    correct: int
    correct_k: int
    k: int
    per_class: dict[str, tuple[int, int]]
    per_signer: dict[str, tuple[int, int]]
    interval: Interval
    signer_interval: Interval | None
    missing: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def top1(self) -> float:
        return self.correct / self.clips

    @property
    def topk(self) -> float:
        return self.correct_k / self.clips

    @property
    def macro(self) -> float:
        """Mean over classes of each class's accuracy."""
        return float(np.mean([right / whole for right, whole in self.per_class.values()]))

    def table(self) -> Table:
        """One row a figure, counts beside the ratio."""
        rows: list[list[Any]] = [
            [
                "top-1",
                self.top1,
                self.correct,
                self.clips,
                f"95 % Wilson [{self.interval.low:.4f}, {self.interval.high:.4f}]",
            ],
            [f"top-{self.k}", self.topk, self.correct_k, self.clips, ""],
            ["macro accuracy", self.macro, None, len(self.per_class), "mean over classes"],
        ]
        if self.signer_interval is not None:
            low, high = self.signer_interval.low, self.signer_interval.high
            note = f"95 % over {len(self.per_signer)} signers [{low:.4f}, {high:.4f}]"
            rows.insert(1, ["top-1", self.top1, self.correct, self.clips, note])
        if self.missing:
            rows.append(["without prediction", self.missing / self.clips, self.missing, self.clips, "counted as wrong"])
        rows += [[name, value, None, None, ""] for name, value in self.facts.items()]
        return Table(["figure", "value", "count", "of", "note"], rows)

    def class_table(self) -> Table:
        """One row per class, the worst first."""
        rows = [[label, right / whole, right, whole] for label, (right, whole) in self.per_class.items()]
        return Table(["class", "accuracy", "right", "clips"], sorted(rows, key=lambda row: (row[1], row[0])))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        over_signers = None
        if self.signer_interval is not None:
            over_signers = [self.signer_interval.low, self.signer_interval.high]
        return {
            "clips": self.clips,
            "correct": self.correct,
            "top1": self.top1,
            f"top{self.k}": self.topk,
            "macro": self.macro,
            "wilson": [self.interval.low, self.interval.high],
            "over_signers": over_signers,
            "missing": self.missing,
            "per_class": {label: {"right": r, "clips": n} for label, (r, n) in self.per_class.items()},
            "per_signer": {signer: {"right": r, "clips": n} for signer, (r, n) in self.per_signer.items()},
            **self.facts,
        }


def mismatch(truth: Mapping[str, str], predictions: Ranked) -> str:
    """Why predictions can have nothing to do with the ground truth: no clip or no label in both; "" where they can."""
    if why := nothing_shared("clip", truth, predictions):
        return why
    return nothing_shared("label", truth.values(), (label for ranked in predictions.values() for label in ranked))


def isolated_score(
    truth: Mapping[str, str],
    predictions: Ranked,
    signers: Mapping[str, str] | None = None,
    k: int = 5,
    seed: int = 0,
    facts: Mapping[str, Any] | None = None,
) -> IsolatedScore:
    """Top-1, top-k, per class and per signer.

    Args:
        truth: clip id → label.
        predictions: clip id → ranked labels. A clip without one counts as wrong, with a warning; so does it when no
            clip or no label is in both.
        signers: clip id → signer, for the bootstrap over signers.
        facts: shown below the figures, e.g. {"parameters": 12_345, "seconds per clip": 0.01}.

    Raises:
        ValueError: no clip, or a clip without a signer where signers are given.
    """
    if not truth:
        raise ValueError("the ground truth holds no clip; expected at least one {id: label}")
    missing = [clip for clip in truth if not predictions.get(clip)]
    if why := mismatch(truth, predictions):
        warnings.warn(why, stacklevel=2)
    elif missing:
        warnings.warn(f"{len(missing)} of {len(truth)} clips have no prediction, e.g. {missing[0]!r}", stacklevel=2)
    classes: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    people: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    correct_k = 0
    for clip, label in truth.items():
        ranked = predictions.get(clip, ())
        right = int(bool(ranked) and ranked[0] == label)
        correct_k += label in ranked[:k]
        groups = [classes[label]]
        if signers is not None:
            if clip not in signers:
                raise ValueError(f"clip {clip!r} has no signer; expected one for every clip of the ground truth")
            groups.append(people[signers[clip]])
        for group in groups:
            group[0] += right
            group[1] += 1
    correct = sum(right for right, _ in classes.values())
    return IsolatedScore(
        clips=len(truth),
        correct=correct,
        correct_k=correct_k,
        k=k,
        per_class={label: (r, n) for label, (r, n) in sorted(classes.items())},
        per_signer={signer: (r, n) for signer, (r, n) in sorted(people.items())},
        interval=wilson(correct, len(truth)),
        signer_interval=bootstrap_interval(list(people.values()), accuracy_of, seed=seed) if len(people) > 1 else None,
        missing=len(missing),
        facts=dict(facts) if facts is not None else {},
    )


def compare_isolated(
    truth: Mapping[str, str],
    first: Ranked,
    second: Ranked,
    signers: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Paired bootstrap of two systems' top-1 accuracy, drawing signers where given, else clips.

    Raises:
        ValueError: fewer than two signers or clips.
    """
    groups = sorted({signers[clip] for clip in truth}) if signers is not None else list(truth)
    place = {name: row for row, name in enumerate(groups)}
    counts = np.zeros((2, len(groups), 2))
    for clip, label in truth.items():
        row = place[signers[clip] if signers is not None else clip]
        for system, ranked in enumerate((first.get(clip, ()), second.get(clip, ()))):
            counts[system, row] += (bool(ranked) and ranked[0] == label, 1)
    return paired_bootstrap(counts[0], counts[1], accuracy_of, repeats=2000, seed=seed)
