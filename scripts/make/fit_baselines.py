"""Finds the thresholds of the methods in `spotter.comparison.methods` on procedural worlds nobody reports.

    python scripts/make/fit_baselines.py [--seeds 21 22 23]

For each method prints the threshold with the best one-to-one F1; the baselines' constants in `METHODS` are these
numbers. Our own way keeps 0.5, the middle of its calibrated probability, whatever would have been best here.
"""

from __future__ import annotations

import argparse

import torch

from eval.spotting.curves import precision_recall
from spotter.comparison.figures import procedural_set
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
            chosen = procedural_set(seed, videos=args.videos)
            truth |= {f"{seed}-{video}": rows for video, rows in chosen.truth().items()}
            for part in chosen.parts:
                for video, detections in method.detections(part.exemplars, part.queries, method.least).items():
                    found[f"{seed}-{video}"] = detections
        threshold, score = precision_recall(truth, found, 0.5).best()
        print(f"{name:18s} threshold {threshold:7.3f}  F1 {score.f1:.3f} (TP {score.tp}, FP {score.fp}, FN {score.fn})",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
