"""Fits the shipped encoder's calibration on procedural signing that nothing else uses.

    python scripts/make/fit_calibration.py [--encoder default] [--worlds 12]

Writes ``spotter/search/calibration/<encoder id>.json`` (weights of the evidence) and ``.safetensors`` (the cohort).
To be run again whenever the weights change. Deterministic; about three minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from embeddings.encoders.base import Encoder
from embeddings.synthetic import Draws, Noise, Sign, SignWorld, random_noise
from eval.intervals import iou
from safe_files import whole_file
from scripts.real.streams import placed, splice
from spotter import SpottingOptions, enroll
from spotter.search.calibrate import EVIDENCE, Cohort, fit
from spotter.search.judge import Judge
from spotter.search.query import Query, make_plan, similarity_track

FIRST_WORLD, COHORT_WORLD = 9100, 9000
HIT = 0.5
"""Least IoU with the truth for a candidate to count as true."""


def cohort_of(encoder: Encoder, signs: int) -> Cohort:
    """Vectors of signs of a world of their own, by several signers."""
    world = SignWorld(COHORT_WORLD, signs)
    clips = [world.clip(sign, signer=i % 8, camera=i % 5) for i, sign in enumerate(world.signs)]
    return Cohort(enroll(clips, encoder=encoder).vectors)


def candidates(encoder: Encoder, cohort: Cohort, seed: int, videos: int = 6) -> Iterator[tuple[list[float], bool]]:
    """(evidence, whether it is true) of every candidate in one world, galleries of several sizes."""
    rng = Draws("candidates", seed)
    world = SignWorld(seed, 24)
    options = SpottingOptions()
    for i in range(videos):
        size = rng.choice([4, 12, 24])
        signs = [world.signs[j] for j in rng.permutation(24)[:size]]
        severity = rng.choice([0.0, 0.5, 1.0])
        noise = random_noise(rng, severity) if severity else None
        gallery = enroll([world.clip(s, noise=noise) for s in signs], encoder=encoder)
        said = [signs[j] for j in rng.integers(size, size=12)]
        if i % 2:
            clip = one_by_one(world, said, i + 1, noise)
        else:
            clip = world.continuous(said, signer=i + 1, camera=i + 1, noise=noise, take=i, fillers=0.8, pauses=0.1)
        yield from judged(clip, gallery, encoder, cohort, options)


def rare(encoder: Encoder, cohort: Cohort, seed: int) -> Iterator[tuple[list[float], bool]]:
    """The same where a few signs are looked for in a video of mostly others: five in fifty."""
    rng = Draws("rare", seed)
    world = SignWorld(seed, 100)
    size = rng.choice([4, 10])
    noise = random_noise(rng, rng.choice([0.5, 1.0]))
    gallery = enroll([world.clip(s, noise=noise) for s in world.signs[:size]], encoder=encoder)
    said = [*rng.integers(size, size=5), *rng.integers(size, 100, size=45)]
    signs = [world.signs[said[j]] for j in rng.permutation(len(said))]
    clips = [close_cut(world, sign, 3, noise, take) for take, sign in enumerate(signs)]
    clip = splice(f"rare-{seed}", clips, set(gallery.labels), "")
    yield from judged(clip, gallery, encoder, cohort, SpottingOptions())


def close_cut(world: SignWorld, sign: Sign, person: int, noise: Noise | None, take: int) -> Clip:
    """A sign as in a dictionary, with little before and after it."""
    clip = world.clip(sign, signer=person, camera=person, noise=noise, take=take)
    span, reach = clip.spans[0], 4
    return placed(clip.cut(max(0, span.start - reach), min(len(clip), span.end + reach)))


def one_by_one(world: SignWorld, said: list[Sign], person: int, noise: Noise | None) -> Clip:
    """The signs as in a dictionary, one after another, with every third one that nobody looks for between them.

    Not all signing is fluent: a learner's, a list, a slow narration. Sentences alone would teach that a sign as long
    as its exemplar is a mistake.
    """
    signs = [*said, *world.signs[: len(said) // 3]]
    clips = [close_cut(world, sign, person, noise, take) for take, sign in enumerate(signs)]
    order = Draws("one by one", person).permutation(len(clips))
    return splice(f"one-by-one-{person}", [clips[i] for i in order], {sign.label for sign in said}, "")


def judged(
    clip: Clip, gallery, encoder: Encoder, cohort: Cohort, options: SpottingOptions
) -> Iterator[tuple[list[float], bool]]:
    query = Query(clip, encoder, make_plan(gallery, options.ratios, options.stride, None, encoder.window))
    track = similarity_track(query, gallery)
    ratio = encoder.fps / clip.fps
    for c in Judge(gallery, options, None, cohort, several_lengths=True).candidates(query, track, floor=0.3):
        spans = np.array([[s.start * ratio, s.end * ratio] for s in clip.spans if s.label == c.sign]).reshape(-1, 2)
        true = bool(len(spans)) and float(iou(np.array([[c.start, c.end]]), spans).max()) >= HIT
        yield [c.evidence[name] for name in EVIDENCE], true


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--worlds", type=int, default=12)
    parser.add_argument("--cohort", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "spotter" / "search" / "calibration")
    args = parser.parse_args()
    encoder = load_encoder(args.encoder)
    cohort = cohort_of(encoder, args.cohort)
    rows: list[list[float]] = []
    true: list[bool] = []
    for seed in range(FIRST_WORLD, FIRST_WORLD + args.worlds):
        for evidence, hit in chain(candidates(encoder, cohort, seed), rare(encoder, cohort, seed)):
            rows.append(evidence)
            true.append(hit)
        print(f"world {seed}: {len(rows)} candidates, {sum(true)} true", flush=True)
    evidence_rows: NDArray[np.float64] = np.array(rows)
    calibration = fit(evidence_rows, np.array(true), {"encoder": encoder.id, "worlds": args.worlds, "hit_iou": HIT})
    calibration.save(args.out / f"{encoder.id}.json")
    with whole_file(args.out / f"{encoder.id}.safetensors") as partial:
        save_file({"cohort": cohort.vectors.astype(np.float16)}, partial)
    for term, weight in sorted(calibration.weights.items(), key=lambda pair: -abs(pair[1]))[:12]:
        print(f"{term:22s} {weight:7.3f}")


if __name__ == "__main__":
    main()
