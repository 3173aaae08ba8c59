"""Fits the judge of an encoder on development worlds that nothing else uses: made-up signing, exact and as estimated.

    python scripts/make/fit_calibration.py --filmed FOLDER [--encoder default] [--worlds 40] [--films 6]

Worlds of poses differ in the number of signs, the pose estimator's errors, who shows the examples, and the kind of
signing: fluent, fast, one sign after the other as in a dictionary, and signing that hardly holds what is looked for.
Worlds of video (`scripts/make/filmed.py`; FOLDER is where they lie or will be made) went through rendering, compression
and a pose estimator; they count twice as much. Writes ``spotter/search/calibration/<encoder id>.json`` (what the
evidence weighs) and ``.safetensors`` (the cohort). To be run again whenever the weights change. Deterministic; about
ten minutes on one core where the films are there.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from embeddings.encoders.base import Encoder
from embeddings.synthetic import Draws, Noise, Sign, SignWorld, random_noise
from eval.intervals import iou
from scripts.make import filmed
from scripts.real.catalogue import refuse_reported
from scripts.real.streams import placed, splice
from spotter import SpottingOptions, enroll
from spotter.comparison.sets import UNDERSHOOT
from spotter.search.calibrate import FIRST, ShippedJudge, fit
from spotter.search.candidates import Candidates
from spotter.search.cohort import Cohort
from spotter.search.evidence import EVIDENCE, PACE, gathered, with_pace
from spotter.search.judge import examples_of, pace_of
from spotter.search.query import Query, make_plan

FIRST_WORLD, COHORT_WORLD = 9100, 9000
TEMPLATES = 24
"""Members of the cohort that are aligned too."""
HIT = 0.5
"""Least IoU with the truth for a candidate to count as true."""


@dataclass(frozen=True, eq=False)
class Judged:
    """The candidates of one video, the number of each one's sign, and whether it is true."""

    candidates: Candidates
    signs: NDArray[np.intp]
    true: NDArray[np.bool_]


def cohort_of(encoder: Encoder, signs: int) -> Cohort:
    """Signs of a world of their own, by several signers, half of them with a pose estimator's errors."""
    world = SignWorld(COHORT_WORLD, signs)
    clips = []
    for i, sign in enumerate(world.signs):
        noise = random_noise(Draws("cohort", i), 1.0) if i % 2 else None
        clips.append(world.clip(sign, signer=i % 8, camera=i % 5, noise=noise))
    gallery = enroll(clips, encoder=encoder)
    templates = [f for f in gallery.features[:: max(1, signs // TEMPLATES)] if f is not None][:TEMPLATES]
    # what is shipped is in half precision: the fit sees the same
    vectors = gallery.vectors.astype(np.float16).astype(np.float32)
    return Cohort(
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        tuple(t.astype(np.float16).astype(np.float32) for t in templates),
    )


KINDS = ("fluent", "fast", "single", "rare")


def posed_world(seed: int) -> tuple[list[Clip], list[Clip]]:
    """(exemplars, queries of every kind) of one world of poses."""
    rng = Draws("judged world", seed)
    world = SignWorld(seed, 80)
    size = rng.choice([3, 6, 12, 24])
    severity = rng.choice([0.0, 0.5, 1.0, 1.5])
    noise = random_noise(rng, severity) if severity else None
    shown_noise = random_noise(rng, severity) if severity else None
    shown_by = rng.integers(0, 5)
    exemplars = [
        world.clip(sign, signer=shown_by, camera=rng.integers(0, 3) if shown_by else 0, noise=shown_noise)
        for sign in world.signs[:size]
    ]
    return exemplars, [_signing(world, kind, number, size, noise, rng) for number, kind in enumerate(KINDS)]


def _signing(world: SignWorld, kind: str, number: int, size: int, noise: Noise | None, rng: Draws) -> Clip:
    """One query; its spans are those of the first `size` signs."""
    person = world.signer(100 + number)
    count, share = (45, 0.06) if kind == "rare" else (22, 0.55)
    script = [world.signs[rng.integers(*((0, size) if rng.random() < share else (size, 80)))] for _ in range(count)]
    looked_for = {sign.label for sign in world.signs[:size]}
    name = f"{kind}-{world.seed}"
    if kind == "single" or (kind == "rare" and world.seed % 2):
        cuts = [_close_cut(world, sign, 100 + number, noise, take) for take, sign in enumerate(script)]
        return splice(name, cuts, looked_for, "")
    if kind != "fluent":
        pace = rng.uniform(1.3, 2.2) if kind == "fast" else 1.0
        least = float(np.interp(pace, *UNDERSHOOT))
        person = replace(person, tempo=person.tempo * pace, undershoot=max(person.undershoot, least))
    clip = world.continuous(script, signer=person, camera=100 + number, noise=noise, take=number, pauses=0.1)
    return replace(clip, name=name, spans=tuple(s for s in clip.spans if s.label in looked_for))


def _close_cut(world: SignWorld, sign: Sign, person: int, noise: Noise | None, take: int) -> Clip:
    """A sign as in a dictionary, with little before and after it."""
    clip = world.clip(sign, signer=person, camera=person, noise=noise, take=take)
    span, reach = clip.spans[0], 4
    return placed(clip.cut(max(0, span.start - reach), min(len(clip), span.end + reach)))


def judged(encoder: Encoder, cohort: Cohort, exemplars: Sequence[Clip], queries: Sequence[Clip]) -> Iterator[Judged]:
    """Every query's candidates, and which are true."""
    gallery = enroll(list(exemplars), encoder=encoder)
    examples = examples_of(gallery, aligned=True)
    plan = make_plan(gallery, SpottingOptions(), True, encoder.window)
    for clip in queries:
        query = Query(clip, encoder, plan)
        candidates = gathered(query, examples, cohort)
        if len(candidates) == 0:
            continue
        ratio = encoder.fps / clip.fps
        signs = examples.signs[candidates.exemplar]
        true = np.zeros(len(candidates), bool)
        for number, label in enumerate(gallery.labels):
            spans = np.array([[s.start * ratio, s.end * ratio] for s in clip.spans if s.label == label]).reshape(-1, 2)
            rows = signs == number
            if len(spans) and rows.any():
                true[rows] = iou(candidates.spans[rows], spans).max(axis=1) >= HIT
        yield Judged(candidates, signs, true)


def fitted(groups: Sequence[Sequence[Judged]], facts: dict[str, str | float | int]) -> ShippedJudge:
    """The judge of some groups of videos; each group counts the same, whatever its size."""
    videos = [video for group in groups for video in group]
    total = sum(len(v.candidates) for v in videos)
    weights = np.concatenate(
        [np.full(len(v.candidates), total / len(groups) / sum(len(x.candidates) for x in g)) for g in groups for v in g]
    )
    true = np.concatenate([v.true for v in videos])

    def column(name: str, all_of: Sequence[Candidates]) -> NDArray[np.float32]:
        return np.concatenate([c.evidence[name] for c in all_of])

    first = fit({n: column(n, [v.candidates for v in videos]) for n in FIRST}, true, FIRST, weights, products=False)
    paced = [with_pace(v.candidates, pace_of(v.candidates, v.signs, first)) for v in videos]
    names = (*EVIDENCE, *PACE)
    second = fit({n: column(n, paced) for n in names}, true, names, weights)
    return ShippedJudge(first, second, {**facts, "candidates": len(true), "true": int(true.sum())})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--filmed", type=Path, required=True, help="where the filmed worlds lie, or will be made")
    parser.add_argument("--films", type=int, default=6)
    parser.add_argument("--cohort", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "spotter" / "search" / "calibration")
    args = parser.parse_args()
    encoder = load_encoder(args.encoder)
    cohort = cohort_of(encoder, args.cohort)
    seeds = range(FIRST_WORLD, FIRST_WORLD + args.worlds)
    refuse_reported([f"procedural:{seed}" for seed in seeds])
    posed: list[Judged] = []
    for seed in seeds:
        posed += judged(encoder, cohort, *posed_world(seed))
        print(f"world {seed}: {sum(len(v.true) for v in posed)} candidates, {sum(v.true.sum() for v in posed)} true",
              flush=True)  # fmt: skip
    films: list[Judged] = []
    films_seeds = range(filmed.FIRST_WORLD, filmed.FIRST_WORLD + args.films)
    for world in filmed.filmed_worlds(args.filmed, films_seeds, "holistic"):
        films += judged(encoder, cohort, world.exemplars, world.queries)
        print(f"filmed {world.seed}: {sum(len(v.true) for v in films)} candidates, "
              f"{sum(v.true.sum() for v in films)} true", flush=True)  # fmt: skip
    facts: dict[str, str | float | int] = {
        "encoder": encoder.id, "worlds": args.worlds, "films": args.films, "hit_iou": HIT,
    }  # fmt: skip
    shipped = fitted([group for group in (posed, films, films) if group], facts)
    shipped.save(args.out / f"{encoder.id}.json")
    cohort.save(args.out / f"{encoder.id}.safetensors")
    for term, weight in sorted(shipped.sign.weights.items(), key=lambda pair: -abs(pair[1]))[:12]:
        print(f"{term:30s} {weight:7.3f}")


if __name__ == "__main__":
    main()
