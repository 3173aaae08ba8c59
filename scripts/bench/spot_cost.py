"""Spotting many signs in long videos: processor seconds, memory and F1, of twice the video and of a whole dictionary.

    python scripts/bench/spot_cost.py [--hours 0.5 1 2 3] [--signs 50] [--dictionary 5000] [--work FOLDER] [--json FILE]

Poses of procedural signing (a signer says the signs looked for between four times as many others), written as `.h5`;
the shorter videos are the beginnings of the longest. Each measurement is a process of its own on one thread, from the
pose file to the detections, as `spotter spot` does it; *poses* is what only reading and preparing that file takes.
Time should double with the video at most 2.2 times, and grow in line with the signs; F1 (one to one, IoU .5) should not
fall with the video's length.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from safe_files import write_json

FPS = 25
SAID_AT_ONCE = 200
"""Signs of a piece of the video: pieces follow one another, the signer and the camera stay."""


def write_exemplars(folder: Path, seed: int, signs: int) -> None:
    """A gallery of one exemplar of each sign."""
    from embeddings.clip import Clip
    from embeddings.encoders import load_encoder
    from embeddings.synthetic import Noise, SignWorld
    from spotter.enrolment import enroll

    world = SignWorld(seed, signs)
    clips: list[Clip] = [world.clip(sign, noise=Noise()) for sign in world.signs]
    gallery = enroll(clips, encoder=load_encoder())
    gallery.save(folder)


def write_video(path: Path, seed: int, signs: int, hours: float) -> None:
    """Poses of so many hours of signing, as `.h5`, and beside them what is signed, as `.csv`."""
    import spotter
    from embeddings.pose import write_pose
    from embeddings.synthetic import Draws, Noise, SignWorld

    world, rng = SignWorld(seed, signs), Draws("spot cost", seed)
    wanted, frames, parts, said_at = round(hours * 3600 * FPS), 0, [], list[spotter.Detection]()
    while frames < wanted:
        said = [world.signs[i] for i in rng.integers(0, signs, SAID_AT_ONCE)]
        clip = world.continuous(said, 1, 1, noise=Noise(), take=len(parts), fillers=4.0, pauses=0.1)
        pose = clip.pose
        assert pose is not None
        spans = [(s.label, s.start + frames, s.end + frames) for s in clip.spans]
        said_at += [spotter.Detection(path.stem, s, a / FPS, b / FPS, 1.0) for s, a, b in spans if b <= wanted]
        parts.append(pose)
        frames += len(pose)
    xy, confidence, z = (
        np.concatenate([getattr(part, name) for part in parts])[:wanted] for name in ("xy", "confidence", "z")
    )
    write_pose(path, replace(parts[0], xy=xy, confidence=confidence, z=z))
    spotter.write(path.with_suffix(".csv"), said_at)


def one(video: Path, gallery: Path | None) -> dict[str, float]:
    """What one video takes in this process; without a gallery, what only preparing it takes."""
    import torch

    from embeddings.encoders import load_encoder
    from embeddings.prepared import prepared
    from eval.segments import read_segments
    from eval.spotting import one_to_one_f1
    from gallery import Gallery
    from spotter.pipeline import spot_videos

    torch.set_num_threads(1)
    encoder = load_encoder()
    opened = None if gallery is None else Gallery.load(gallery)
    f1 = 0.0
    wall, processor = time.perf_counter(), time.process_time()
    if opened is None:
        count = len(prepared(str(video), encoder))
    else:
        (result,) = spot_videos([str(video)], opened, encoder, tracks=False)
        count = len(result.detections)
    used = {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}
    if opened is not None:
        f1 = one_to_one_f1(read_segments(video.with_suffix(".csv")), {result.video: result.detections}).f1
    return {
        **used,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "count": count,
        "f1": f1,
    }


def measured(video: Path, gallery: Path | None) -> dict[str, float]:
    """`one` in a process of its own."""
    command = [sys.executable, __file__, "--one", str(video), *([] if gallery is None else ["--gallery", str(gallery)])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[0.5, 1, 2, 3])
    parser.add_argument("--signs", type=int, default=50)
    parser.add_argument("--dictionary", type=int, nargs="*", default=[5000], help="sizes searched in one hour")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--work", type=Path, help="keeps the made videos and galleries here, to measure again")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--gallery", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.gallery)))
        return
    plan = [(hours, options.signs) for hours in sorted(options.hours)] + [(1.0, n) for n in options.dictionary]
    runs: list[dict[str, Any]] = []
    print("| hours | signs | poses: processor s, peak MB | spotting beyond poses: processor s | peak MB | detections "
          "| F1 | against the row before |\n" + "|---" * 8 + "|")  # fmt: skip
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for hours, signs in plan:
            video, gallery = work / f"{options.seed}-{hours:g}h.h5", work / f"{options.seed}-{signs}"
            if not video.exists():
                write_video(video, options.seed, options.signs, hours)
            if not gallery.exists():
                write_exemplars(gallery, options.seed, signs)
            poses, whole = measured(video, None), measured(video, gallery)
            runs.append({"hours": hours, "signs": signs, "poses": poses, "spotting": whole,
                         "beyond_s": whole["processor_s"] - poses["processor_s"]})  # fmt: skip
            print(row_of(runs), flush=True)
            if options.json:
                write_json(options.json, {"runs": runs, "cores": os.cpu_count()})


def row_of(runs: list[dict[str, Any]]) -> str:
    """The last run's row, compared with the last one before it that looked for as many signs."""
    run = runs[-1]
    before = next((r for r in reversed(runs[:-1]) if r["signs"] == run["signs"]), None)
    ratio = ""
    if before is not None:
        ratio = f"{run['beyond_s'] / before['beyond_s']:.2f} × for {run['hours'] / before['hours']:.2f} × the video"
    return (
        f"| {run['hours']:g} | {run['signs']:,} | {run['poses']['processor_s']:.1f}, {run['poses']['peak_mb']:.0f} "
        f"| {run['beyond_s']:.1f} | {run['spotting']['peak_mb']:.0f} | {run['spotting']['count']:.0f} "
        f"| {run['spotting']['f1']:.3f} | {ratio} |"
    )


if __name__ == "__main__":
    main()
