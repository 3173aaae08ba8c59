"""Spotting on procedural continuous signing from exact poses: challenge F1 and one-to-one F1.

    python scripts/bench_spotting.py [--seed 77] [--encoders default pose-cosine] [--noise 1.0]

Signs, signers, cameras and utterances follow from the seed. Seed 5 is for development, others for reporting.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from embeddings.synthetic import Noise, SignWorld
from eval.spotting import challenge_f1, one_to_one_f1
from spotter import SpottingOptions, enroll, spot_videos
from spotter.pipeline import TransferOptions

VARIANTS: dict[str, SpottingOptions] = {
    "full": SpottingOptions(),
    "with Top-K transfer": SpottingOptions(transfer=TransferOptions(keep=0.5, minimum=0.6)),
    "without refinement": SpottingOptions(refine=False),
    "without calibration": SpottingOptions(calibrated=False),
}


def continuous_world(seed: int, signs: int, videos: int, each: int, noise: float) -> tuple[list[Clip], list[Clip]]:
    """(exemplars by signer 0 before camera 0, continuous clips by other signers before other cameras)."""
    world = SignWorld(seed, signs)
    rng = np.random.default_rng([seed, 7])
    errors = Noise().scaled(noise) if noise > 0 else None
    exemplars = [world.clip(sign, noise=errors) for sign in world.signs]
    queries = []
    for i in range(videos):
        chosen = [world.signs[j] for j in rng.integers(len(world.signs), size=each)]
        clip = world.continuous(chosen, signer=i + 1, camera=i + 1, noise=errors, take=i, fillers=0.7, pauses=0.1)
        queries.append(replace(clip, name=f"query-{i}"))
    return exemplars, queries


def truth_of(clips: list[Clip]) -> dict[str, list[tuple[str, float, float]]]:
    """Video → (sign, start s, end s)."""
    return {c.name: [(s.label, s.start / c.fps, s.end / c.fps) for s in c.spans] for c in clips}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--signs", type=int, default=12)
    parser.add_argument("--videos", type=int, default=8)
    parser.add_argument("--each", type=int, default=14)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--encoders", nargs="+", default=["default", "pose-cosine"])
    args = parser.parse_args()
    exemplars, queries = continuous_world(args.seed, args.signs, args.videos, args.each, args.noise)
    truth = truth_of(queries)
    seconds = sum(len(q) / q.fps for q in queries)
    occurrences = sum(map(len, truth.values()))
    print(f"{args.signs} signs, {occurrences} occurrences, {seconds / 60:.1f} minutes, seed {args.seed}\n")
    print("| encoder | variant | one-to-one F1@.5 | TP/FP/FN | challenge F1 | s |\n|---|---|---|---|---|---|")
    for name in args.encoders:
        encoder = load_encoder(name)
        gallery = enroll(exemplars, encoder=encoder)
        for variant, options in VARIANTS.items():
            start = time.perf_counter()
            results = spot_videos(queries, gallery, encoder, options)
            took = time.perf_counter() - start
            found = {r.video: [(d.sign, d.start, d.end, d.score) for d in r.detections] for r in results}
            strict, official = one_to_one_f1(truth, found), challenge_f1(truth, found)
            counts = f"{strict.tp}/{strict.fp}/{strict.fn}"
            print(f"| {name} | {variant} | {strict.f1:.3f} | {counts} | {official.f1:.3f} | {took:.1f} |", flush=True)


if __name__ == "__main__":
    main()
