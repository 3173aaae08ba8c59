"""Finds the thresholds of the methods in `spotter.comparison.methods` on procedural worlds nobody reports.

    python scripts/make/fit_baselines.py [--seeds 21 22 23]

For each method prints the threshold with the best one-to-one F1; the baselines' constants in `METHODS` are these
numbers. What our own way (`sign-spotter`) has here is printed beside them and not used: its threshold is a probability,
the default of `spotter spot` (`search.judge`).
"""

from __future__ import annotations

import argparse

import torch

from eval.spotting.curves import precision_recall
from scripts.real.catalogue import for_choosing
from spotter.comparison.methods import METHODS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22, 23])
    parser.add_argument("--videos", type=int, default=4, help="queries a world")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.methods:
        method = METHODS[name]
        truth: dict[str, list] = {}
        found: dict[str, list] = {}
        for seed in args.seeds:
            (chosen,) = for_choosing([f"procedural:{seed}?videos={args.videos}"]).values()
            truth |= {f"{seed}-{video}": rows for video, rows in chosen.truth().items()}
            for part in chosen.parts:
                for video, detections in method.detections(part.exemplars, part.queries, method.least).items():
                    found[f"{seed}-{video}"] = detections
        threshold, score = precision_recall(truth, found, 0.5).best()
        print(f"{name:18s} threshold {threshold:7.3f}  F1 {score.f1:.3f} (TP {score.tp}, FP {score.fp}, FN {score.fn})",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
