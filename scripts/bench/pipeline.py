"""Where the time of `spotter spot` goes: seconds per minute of video and stage, beside the floor that none can pass.

    python scripts/bench/pipeline.py                       # a minute of rendered signing, MediaPipe
    python scripts/bench/pipeline.py --seconds 20

The video is rendered procedural signing with exactly known poses. The floor is decoding alone and pose estimation
alone: of one video, and of two videos on one core and on two (a single process keeps more than one core busy, so the
one core is pinned). Stages after that work on the estimated pose. Wall and processor seconds are both
given: on a machine that does other work too, the processor's are the ones to compare.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from safe_files import write_json


@contextmanager
def clocked(stage: str, table: dict[str, tuple[float, float]]) -> Iterator[None]:
    """Adds (wall seconds, processor seconds with children) of the block to the table."""
    wall, processor = time.perf_counter(), _processor()
    yield
    table[stage] = (time.perf_counter() - wall, _processor() - processor)


def _processor() -> float:
    """Processor seconds of this process and of its children that have ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


@contextmanager
def pinned(cores: int) -> Iterator[None]:
    """Only so many cores for this process and those that it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:cores]))
    yield
    os.sched_setaffinity(0, before)


def filmed(folder: Path, seconds: float, size: tuple[int, int]) -> tuple[Path, list[Any]]:
    """(a video of continuous signing of about so many seconds, the exemplar clips of eight signs)."""
    from embeddings.synthetic import Draws, SignWorld, random_look
    from embeddings.synthetic.filming.render import render_frames
    from embeddings.video import write_video

    world, rng = SignWorld(9, signs=8), Draws(2)
    performance = world.perform(rng.integers(8, size=max(2, round(seconds / 1.6))).tolist(), 1)
    camera = replace(world.camera(1), size=size)
    frames = render_frames(performance.figure, random_look(rng), camera)
    path = write_video(folder / "talk.mp4", frames, performance.figure.fps)
    return path, [world.clip(sign) for sign in world.signs]


def stages(video: Path, exemplars: list[Any], folder: Path) -> dict[str, tuple[float, float]]:
    """Stage → (wall seconds, processor seconds)."""
    import spotter
    from embeddings.encoders import load_encoder
    from embeddings.pose import estimate, estimate_videos, read_pose, write_pose
    from embeddings.prepared import load_clip
    from embeddings.recordings import PoseSource
    from embeddings.video import read_frames
    from spotter.search.options import SpottingOptions
    from spotter.search.query import Query, make_plan, similarity_track

    encoder = load_encoder()
    gallery = spotter.enroll(exemplars, encoder=encoder)
    table: dict[str, tuple[float, float]] = {}
    with clocked("floor: decode", table):
        for _ in read_frames(video):
            pass
    with clocked("floor: pose, one process", table):
        pose = estimate(video, workers=1)
    for cores in (1, 2):
        with clocked(f"floor: pose of two videos on {cores} of the cores", table), pinned(cores):
            copies = [Path(shutil.copy(video, folder / f"copy-{cores}-{i}.mp4")) for i in range(2)]
            for result in estimate_videos(copies, folder / f"poses-{cores}", workers=cores):
                if result.error:
                    raise ValueError(result.error)
    path = write_pose(folder / "talk.pose", pose)
    with clocked("read pose", table):
        read_pose(path)
    clip = load_clip(path, encoder)
    plan = make_plan(gallery, SpottingOptions(), True, encoder.window)
    with clocked("prepare and encode windows", table):
        query = Query(clip, encoder, plan)
        similarity_track(query, gallery)
    with clocked("spot, from the pose", table):
        found = spotter.spot(path, gallery, encoder)
    with clocked("write .eaf", table):
        spotter.write(folder / "talk.eaf", found, media=video)
    with clocked("spot, from the video", table):
        spotter.spot(video, gallery, encoder, poses=PoseSource())
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the video")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        from embeddings.video import probe

        video, exemplars = filmed(Path(name), options.seconds, (640, 480))
        facts = probe(video)
        minutes = facts.duration / 60
        print(f"{facts.duration:.1f} s of {facts.width}×{facts.height} at {facts.fps:g} fps, {os.cpu_count()} cores\n")
        table = stages(video, exemplars, Path(name))
    print("| stage | wall s per minute | processor s per minute |\n|---|---|---|")
    for stage, (wall, processor) in table.items():
        print(f"| {stage} | {wall / minutes:.2f} | {processor / minutes:.2f} |")
    whole, pose = table["spot, from the video"][1], table["floor: pose, one process"][1]
    beside = table["spot, from the pose"][1] / whole
    one, both = (table[f"floor: pose of two videos on {cores} of the cores"][0] for cores in (1, 2))
    speedup = one / both
    print(f"\nbeside the pose estimator: {100 * beside:.1f} % of the processor time of spot")
    print(f"pose estimation of two videos, two cores against one: {speedup:.2f} times as fast")
    if options.json:
        told = {"minutes": minutes, "width": facts.width, "height": facts.height, "fps": facts.fps, "stages": table,
                "beside": beside, "speedup": speedup, "pose_share": pose / whole, "cores": os.cpu_count()}  # fmt: skip
        write_json(options.json, told)


if __name__ == "__main__":
    main()
