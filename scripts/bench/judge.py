"""How well the judge finds, how sure it is, and how right it is to be so sure: on any set of the catalogue.

    python scripts/bench/judge.py procedural:77 procedural:78 procedural:79 procedural:80 procedural:81
    python scripts/bench/judge.py --real FOLDER haystack korean-in-swiss@0 [--methods sign-spotter tcn-dtw]
    python scripts/bench/judge.py --real FOLDER ksl-13 --reliability

For each set and method: one-to-one F1 at IoU .5 at the method's threshold with its counts, average precision, the F1 at
the set's best threshold and where that is, false alarms a minute where 60 % of the references are found, the median
boundary error, the share of references that a detection overlaps at all, and for probabilities the expected calibration
error (ten bins, places of at least .05) and how many hits they expect. Then mean and spread (standard deviation) of
each method over all sets asked for. `--transfer` measures our own way with Top-K transfer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from eval.spotting import one_to_one_f1
from eval.spotting.boundaries import boundary_errors
from eval.spotting.curves import precision_recall
from scripts.real.catalogue import open_sets, purpose_of
from spotter.comparison.methods import METHODS, Method, WindowMethod
from spotter.comparison.sets import ComparisonSet
from spotter.search.options import TransferOptions


@dataclass(frozen=True)
class Measured:
    """A method's figures on a set; `bins`: (10, 3) places, their summed probability, hits."""

    counts: tuple[int, int, int]
    references: int
    f1: float
    average_precision: float
    best: float
    best_at: float
    alarms: float
    boundary: float
    touched: float
    error: float
    expected: float
    bins: NDArray[np.float64]
    seconds: float

    def line(self) -> str:
        tp, fp, fn = self.counts
        return (
            f"{self.f1:.3f} | {tp}/{fp}/{fn} | {self.average_precision:.3f} | {self.best:.3f} at {self.best_at:.2f} | "
            f"{self.alarms:.2f} | {self.boundary:.0f} | {self.touched:.3f} | {self.error:.3f} | "
            f"{self.expected:.0f} of {self.references} | {self.seconds:.1f}"
        )


COLUMNS = (
    "set | purpose | method | F1@.5 | TP/FP/FN | AP | best F1, where | false alarms/min at recall .6 | boundary ms | "
    "touched | calibration error | expected hits | CPU s"
)


def measured(chosen: ComparisonSet, method: Method) -> Measured:
    begun = time.process_time()
    parts = [method.detections(part.exemplars, part.queries, method.least) for part in chosen.parts]
    found = {video: detections for part in parts for video, detections in part.items()}
    seconds = time.process_time() - begun
    truth, minutes = chosen.truth(), sum(chosen.durations().values()) / 60
    above = {video: [d for d in detections if d.score >= method.threshold] for video, detections in found.items()}
    strict, touched = one_to_one_f1(truth, above), one_to_one_f1(truth, above, 0.01)
    curve = precision_recall(truth, found, 0.5)
    best_at, best = curve.best()
    enough = np.flatnonzero(curve.tp >= 0.6 * curve.references)
    errors = boundary_errors(truth, above)
    both = np.abs(np.concatenate([errors.start, errors.end]))
    bins = reliability(curve.score, curve.tp, curve.fp)
    return Measured(
        (strict.tp, strict.fp, strict.fn), curve.references, strict.f1, curve.average_precision, best.f1, best_at,
        float(curve.fp[enough[0]]) / minutes if len(enough) else float("nan"),
        1000 * float(np.median(both)) if len(both) else float("nan"), touched.tp / max(curve.references, 1),
        float(np.abs(bins[:, 1] - bins[:, 2]).sum() / max(bins[:, 0].sum(), 1)),
        float(sum(d.score for detections in found.values() for d in detections)), bins, seconds,
    )  # fmt: skip


def reliability(score: NDArray[np.float64], tp: NDArray[np.int64], fp: NDArray[np.int64]) -> NDArray[np.float64]:
    """(10, 3) places, their summed probability and hits, by tenths of the probability, from .05 on."""
    hits, places = np.diff(tp, prepend=0), np.diff(tp + fp, prepend=0)
    rows = np.zeros((10, 3))
    shown = score >= 0.05
    at = np.clip((score[shown] * 10).astype(int), 0, 9)
    np.add.at(rows, at, np.stack([places, places * score, hits], axis=1)[shown])
    return rows


def show_reliability(bins: NDArray[np.float64]) -> None:
    print("\n| probability | places | mean probability | share right |\n|---|---|---|---|")
    for tenth, (places, probability, hits) in enumerate(bins):
        if places:
            share = f"{tenth / 10:.1f} to {tenth / 10 + 0.1:.1f} | {places:.0f}"
            print(f"| {share} | {probability / places:.2f} | {hits / places:.2f} |")
    print()


def show_means(name: str, rows: Sequence[Measured]) -> None:
    """Mean and spread over the sets, of which each counts the same."""
    columns = [("F1", "f1"), ("AP", "average_precision"), ("best F1", "best"), ("boundary ms", "boundary"),
               ("touched", "touched"), ("calibration error", "error")]  # fmt: skip
    told = [f"{title} {np.nanmean(v):.3f} ± {np.nanstd(v):.3f}" for title, key in columns
            if len(v := [getattr(row, key) for row in rows])]  # fmt: skip
    print(f"{name}, {len(rows)} sets: {', '.join(told)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", help="see scripts/real/catalogue.py")
    parser.add_argument("--real", type=Path, help="the collections of real recordings")
    parser.add_argument("--methods", nargs="+", default=["sign-spotter"], choices=list(METHODS))
    parser.add_argument("--transfer", action="store_true", help="our own way with Top-K transfer")
    parser.add_argument("--reliability", action="store_true", help="also the share right by probability")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"| {COLUMNS} |\n|{'---|' * (COLUMNS.count('|') + 1)}")
    rows: dict[str, list[Measured]] = {name: [] for name in args.methods}
    for name in args.sets:
        try:
            (chosen,) = open_sets([name], args.real).values()
        except ValueError as error:
            raise SystemExit(str(error)) from None
        for key in args.methods:
            method = METHODS[key]
            if args.transfer and isinstance(method, WindowMethod):
                moved = TransferOptions(keep=0.5, minimum=0.6)
                method = replace(method, options=replace(method.options, transfer=moved))
            rows[key].append(measured(chosen, method))
            print(f"| {name} | {purpose_of(name)} | {key} | {rows[key][-1].line()} |", flush=True)
            if args.reliability:
                show_reliability(rows[key][-1].bins)
    print()
    for key, own in rows.items():
        show_means(key, own)


if __name__ == "__main__":
    main()
