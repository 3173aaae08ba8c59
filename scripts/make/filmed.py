"""Filmed worlds to fit on: procedural signing through rendered, compressed video and a pose estimator.

    python scripts/make/filmed.py FOLDER [--worlds 6] [--estimator holistic]

Every world has another vocabulary, people, rooms, cameras, frame rate, picture size and compression, and four queries:
fluent signing, fast fluent signing, one sign after the other as in a dictionary, and signing that hardly holds the
signs looked for. What the folder holds already is not made again, so a stopped run goes on where it was, and another
estimator works on the videos that are there. About five minutes of one core a world.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from embeddings.clip import Clip, Span
from embeddings.pose import estimate_videos, read_pose, write_pose
from embeddings.synthetic import Camera, Draws, SignWorld, Timing, random_look
from embeddings.synthetic.filming.render import render_video
from embeddings.synthetic.signing.perform import Performance
from embeddings.synthetic.world import CONTINUOUS
from safe_files import write_json
from scripts.real.catalogue import refuse_reported

__all__ = ["FIRST_WORLD", "FilmedWorld", "film", "read_world"]

FIRST_WORLD = 9500
TARGETS, VOCABULARY = 10, 60
QUERIES = ("fluent", "fast", "one-by-one", "rare")
SECONDS = 36.0


@dataclass(frozen=True)
class FilmedWorld:
    """Exemplars (clips with labels) and queries (clips with spans) of one world, and how the queries were signed."""

    seed: int
    exemplars: list[Clip]
    queries: list[Clip]
    kinds: tuple[str, ...] = QUERIES


def film(folder: Path, seed: int) -> None:
    """Renders what is missing of a world: `exemplars/*.mp4`, `queries/*.mp4`, exact poses, `truth/*.json`."""
    world, rng = SignWorld(seed, VOCABULARY), Draws("filmed world", seed)
    fps, size = float(rng.choice([15.0, 25.0])), int(rng.choice([360, 480]))
    shown_by = int(rng.integers(1, 40))
    for sign in world.signs[:TARGETS]:
        made = world.perform(sign, shown_by, fps)
        _render(folder, "exemplars", sign.label, made, Draws("filmed exemplars", seed), size, frontal=True)
    for number, kind in enumerate(QUERIES):
        own = Draws("filmed queries", seed, number)
        made = _signing(world, kind, own, 50 + number, fps)
        _render(folder, "queries", f"{kind}-{seed}", made, own, size, frontal=False)


def _signing(world: SignWorld, kind: str, rng: Draws, person: int, fps: float) -> Performance:
    """About `SECONDS` of signing; spans are those of the targets."""
    who = world.signer(person)
    timing = CONTINUOUS
    if kind == "fast":
        pace = float(rng.uniform(1.4, 2.2))
        who = replace(who, tempo=who.tempo * pace, undershoot=float(np.interp(pace, [1.4, 2.2], [0.4, 0.7])))
    elif kind == "one-by-one":
        timing = Timing()
    share = 0.05 if kind == "rare" else 0.5
    script: list = []
    while True:
        for _ in range(4):
            among = (0, TARGETS) if rng.random() < share else (TARGETS, VOCABULARY)
            script.append(world.signs[int(rng.integers(*among))])
            if rng.random() < (0.7 if kind == "one-by-one" else 0.08):
                script.append(None)
        made = world.perform(script, who, fps, person, timing)
        if len(made) / fps >= SECONDS:
            break
    looked_for = {sign.label for sign in world.signs[:TARGETS]}
    return replace(made, spans=tuple(s for s in made.spans if s.label in looked_for))


def _render(folder: Path, part: str, stem: str, made: Performance, rng: Draws, size: int, frontal: bool) -> None:
    camera = Camera(size=(size, size), distance=2.2, focal=size * 2.2 / 1.22, target=(0.0, -0.16, 0.05))
    turn = 0.1 if frontal else 0.4
    camera = replace(
        camera, yaw=float(rng.uniform(-turn, turn)), pitch=float(rng.uniform(-0.08, 0.15)),
        roll=float(rng.normal(0, 0.02)), focal=camera.focal * float(rng.uniform(0.85, 1.06)),
    )  # fmt: skip
    look, crf = random_look(rng), int(rng.choice([18, 24, 30]))
    truth = folder / "truth" / f"{stem}.json"
    if truth.exists():
        return
    render_video(folder / part / f"{stem}.mp4", made.figure, look, camera, crf)
    write_pose(folder / "exact" / f"{stem}.pose", camera.project(made.figure))
    write_json(truth, [[s.label, s.start, s.end] for s in made.spans])


def read_world(folder: Path, seed: int, estimator: str | None) -> FilmedWorld:
    """A filmed world with estimated poses (made where they are missing), or with the exact ones (None).

    Raises:
        ValueError: a video cannot be estimated.
    """
    found = {path.stem: path for path in (folder / "exact").glob("*.pose")}
    videos = sorted((folder / "exemplars").glob("*.mp4")) + sorted((folder / "queries").glob("*.mp4"))
    if estimator is not None:
        for result in estimate_videos(videos, folder / f"poses-{estimator}", estimator, workers=1):
            if result.output is None:
                raise ValueError(result.error)
            found[result.video.stem] = result.output
    exemplars = [replace(clip, label=clip.name, spans=()) for clip in _clips(folder, "exemplars", found)]
    by_name = {clip.name.rpartition("-")[0]: clip for clip in _clips(folder, "queries", found)}
    return FilmedWorld(seed, exemplars, [by_name[kind] for kind in QUERIES])


def _clips(folder: Path, part: str, poses: dict[str, Path]) -> Iterator[Clip]:
    import json

    for video in sorted((folder / part).glob("*.mp4")):
        pose = read_pose(poses[video.stem])
        spans = json.loads((folder / "truth" / f"{video.stem}.json").read_text(encoding="utf-8"))
        yield Clip(video.stem, pose.fps, pose, spans=tuple(Span(str(s), int(a), int(b)) for s, a, b in spans))


def filmed_worlds(folder: Path, seeds: Sequence[int], estimator: str | None) -> Iterator[FilmedWorld]:
    """Worlds one after another, filmed and estimated where that was not done.

    Raises:
        ValueError: a world is for reporting.
    """
    refuse_reported([f"filmed:{seed}" for seed in seeds])
    for seed in seeds:
        film(folder / str(seed), seed)
        yield read_world(folder / str(seed), seed, estimator)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worlds", type=int, default=6)
    parser.add_argument("--estimator", default="holistic")
    args = parser.parse_args()
    for world in filmed_worlds(args.folder, range(FIRST_WORLD, FIRST_WORLD + args.worlds), args.estimator):
        seconds = sum(len(q) / q.fps for q in world.queries)
        print(f"world {world.seed}: {seconds:.0f} s, {sum(len(q.spans) for q in world.queries)} signs", flush=True)


if __name__ == "__main__":
    main()
