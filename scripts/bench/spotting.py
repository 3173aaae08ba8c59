"""Spotting on procedural continuous signing from exact poses: challenge F1 and one-to-one F1.

    python scripts/bench/spotting.py [--seed 77] [--encoders default pose-cosine] [--noise 1.0]

Signs, signers, cameras and utterances follow from the seed. Seed 5 is for development, others for reporting.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence

from embeddings.encoders import load_encoder
from eval.segments import Segment
from eval.spotting import challenge_f1, one_to_one_f1
from spotter import SpottingOptions, enroll, spot_videos
from spotter.comparison.figures import procedural_set
from spotter.results import SpottingResult
from spotter.search.options import TransferOptions

VARIANTS: dict[str, SpottingOptions] = {
    "full": SpottingOptions(),
    "with Top-K transfer": SpottingOptions(transfer=TransferOptions()),
    "without refinement": SpottingOptions(refine=False),
    "without calibration": SpottingOptions(calibrated=False),
}


def scores(truth: Mapping[str, Sequence[Segment]], results: Sequence[SpottingResult]) -> str:
    """Cells of a table: one-to-one F1, its counts, challenge F1."""
    found = {r.video: r.detections for r in results}
    strict, official = one_to_one_f1(truth, found), challenge_f1(truth, found)
    return f"{strict.f1:.3f} | {strict.tp}/{strict.fp}/{strict.fn} | {official.f1:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--signs", type=int, default=12)
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--each", type=int, default=14)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--encoders", nargs="+", default=["default", "pose-cosine"])
    args = parser.parse_args()
    chosen = procedural_set(args.seed, args.signs, args.videos, args.each, args.noise)
    part, truth = chosen.parts[0], chosen.truth()
    seconds = sum(chosen.durations().values())
    occurrences = sum(map(len, truth.values()))
    print(f"{args.signs} signs, {occurrences} occurrences, {seconds / 60:.1f} minutes, seed {args.seed}\n")
    print("| encoder | variant | one-to-one F1@.5 | TP/FP/FN | challenge F1 | s |\n|---|---|---|---|---|---|")
    for name in args.encoders:
        encoder = load_encoder(name)
        gallery = enroll(list(part.exemplars), encoder=encoder)
        for variant, options in VARIANTS.items():
            start = time.perf_counter()
            results = spot_videos(part.queries, gallery, encoder, options)
            took = time.perf_counter() - start
            print(f"| {name} | {variant} | {scores(truth, results)} | {took:.1f} |", flush=True)


if __name__ == "__main__":
    main()
