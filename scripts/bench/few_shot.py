"""From one example to few: top-1 with 1, 2, 3, 5 and 8 examples of each sign, on real collections.

    python scripts/bench/few_shot.py FOLDER [--encoder default] [--draws 30]            # the development sets
    python scripts/bench/few_shot.py FOLDER --reporting                                  # fingerspelling

Examples are drawn at random, the queries are all other clips of the signs that have enough; signers are not kept apart
(so the first row of a set is not `scripts/bench/real.py`'s). Rules are those of
`gallery.few_shot`; "chosen" is what leave-one-out takes of them. FOLDER: see `scripts.real.sets`.

A second table: a sign's average precision among all clips of the collection, with as many examples and after so many
hits were rejected (the likeliest wrong ones, as a reviewer meets them), by the head that a review project learns
(`spotter.project.learning`); mean over signs and draws. Rejected clips and examples are left out of the ranking.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.few_shot import RULES, Rule, fit_few_shot
from scripts.bench.real import DEVELOPMENT, REPORTING, several, vectors_of
from scripts.real.sets import real_sets
from spotter.project.learning import scores_of, space_of

EXAMPLES = (1, 2, 3, 5, 8)
REJECTED = (0, 5, 10, 20, 50)
SIGNS = 5
"""A collection in which fewer signs have enough clips is left out of a row."""
MOST_QUERIES = 400
NAMED: dict[str, Rule | None] = {"nearest": RULES[3], "mean": RULES[4], "head": RULES[0], "chosen": None}

Vectors = NDArray[np.float64]


def drawn(labels: NDArray[np.int_], count: int, rng: np.random.Generator) -> NDArray[np.int_]:
    """Rows of `count` examples of each sign that has more than so many; empty where fewer than `SIGNS` have."""
    enough = [sign for sign in np.unique(labels) if (labels == sign).sum() > count]
    if len(enough) < SIGNS:
        return np.zeros(0, np.int_)
    return np.concatenate([rng.choice(np.flatnonzero(labels == sign), count, replace=False) for sign in enough])


def top1(alike: Vectors, labels: NDArray[np.int_], count: int, draws: int) -> dict[str, list[float]]:
    """Rule → share of queries named rightly, in each draw; empty lists where there are too few signs."""
    rng = np.random.default_rng(0)
    shares: dict[str, list[float]] = {name: [] for name in NAMED}
    for _ in range(draws):
        examples = drawn(labels, count, rng)
        if not len(examples):
            return shares
        signs = np.unique(labels[examples])
        queries = np.setdiff1d(np.flatnonzero(np.isin(labels, signs)), examples)
        queries = rng.permutation(queries)[:MOST_QUERIES]
        for name, rule in NAMED.items():
            fitted = fit_few_shot(alike[np.ix_(examples, examples)], [str(v) for v in labels[examples]], rule)
            answers = np.array(fitted.labels)[fitted.scores(alike[np.ix_(queries, examples)]).argmax(axis=1)]
            shares[name].append(float((answers == labels[queries].astype(str)).mean()))
    return shares


def precisions(vectors: Vectors, labels: NDArray[np.int_], count: int, draws: int) -> NDArray[np.float64]:
    """(draws · signs, len(REJECTED)) average precision of a sign after so many rejected hits."""
    rng, rows = np.random.default_rng(0), []
    space = space_of(vectors)(vectors)
    for _ in range(draws):
        examples = drawn(labels, count, rng)
        for sign in np.unique(labels[examples]):
            own = examples[labels[examples] == sign]
            rest = np.setdiff1d(np.arange(len(labels)), own)
            cosines = (vectors[rest] @ vectors[own].T).max(axis=1)
            truth, decided = labels[rest] == sign, np.zeros(len(rest), np.int8)
            row = []
            for rejected in REJECTED:
                while (decided < 0).sum() < min(rejected, int((~truth).sum())):
                    odds = scores_of(space[rest], cosines, decided, folds=0).log_odds
                    step = max(1, min(5, rejected - int((decided < 0).sum())))
                    wrong = np.flatnonzero(~truth & (decided == 0))
                    decided[wrong[np.argsort(-odds[wrong])[:step]]] = -1
                odds = scores_of(space[rest], cosines, decided, folds=0).log_odds
                row.append(average_precision(odds[decided == 0], truth[decided == 0]))
            rows.append(row)
    return np.array(rows).reshape(-1, len(REJECTED))


def average_precision(scores: Vectors, truth: NDArray[np.bool_]) -> float:
    ranked = truth[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(ranked)[ranked] / (np.flatnonzero(ranked) + 1)).mean())


def print_rejections(sets: dict[str, tuple[Vectors, NDArray[np.int_]]], draws: int) -> None:
    print("\n| collection | examples | " + " | ".join(f"{n} rejected" for n in REJECTED) + " |")
    print("|---|---|" + "---|" * len(REJECTED))
    for name, (vectors, labels) in sets.items():
        for count in (1, 3):
            table = precisions(vectors, labels, count, draws)
            if len(table):
                cells = " | ".join(f"{v:.3f}" for v in table.mean(axis=0))
                print(f"| {name} | {count} | {cells} |", flush=True)


def read(folder: Path, names: Sequence[str], encoder: str) -> dict[str, tuple[Vectors, NDArray[np.int_]]]:
    """Collection → vectors of its clips, and their signs as numbers."""
    sets, result = real_sets(folder), {}
    for name in names:
        clips = several(sets[name])
        signs = np.unique([str(c.label) for c in clips], return_inverse=True)[1]
        result[name] = (vectors_of(encoder, clips).astype(np.float64), signs)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", default="default", help="name or checkpoint file")
    parser.add_argument("--reporting", action="store_true", help="the set for reporting instead")
    parser.add_argument("--only", nargs="+", choices=[*DEVELOPMENT, *REPORTING], help="of these sets")
    parser.add_argument("--draws", type=int, default=30, help="of the examples")
    parser.add_argument("--rejections", type=int, default=0, metavar="DRAWS", help="the second table, of so many draws")
    args = parser.parse_args()
    sets = read(args.folder, args.only or (REPORTING if args.reporting else DEVELOPMENT), args.encoder)
    print("| collection | examples | " + " | ".join(NAMED) + " |\n|---|---|" + "---|" * len(NAMED))
    for name, (vectors, labels) in sets.items():
        for count in EXAMPLES:
            shares = top1(vectors @ vectors.T, labels, count, args.draws)
            if shares["nearest"]:
                cells = " | ".join(f"{np.mean(v):.3f}" for v in shares.values())
                print(f"| {name} | {count} | {cells} |", flush=True)
    if args.rejections:
        print_rejections(sets, args.rejections)


if __name__ == "__main__":
    main()
