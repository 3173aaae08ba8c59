"""Indexing an hour against a minute, on one core and on two: processor seconds, wall seconds, peak memory.

    python scripts/bench/scaling.py [--minutes 1 10 60] [--threads 1 2]

From poses of procedural signing, repeated to the length. Each measurement is a process of its own; memory is its peak
resident set, beside that of one which only reads the poses. Time should be linear, memory flat but for the poses.
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

import numpy as np

from safe_files import write_json


def write_poses(folder: Path, minutes: list[int]) -> None:
    """`<minutes>.h5` for each length."""
    from embeddings.pose import write_pose
    from embeddings.synthetic import Noise, SignWorld

    world = SignWorld(9, signs=20)
    clip = world.continuous(np.random.default_rng(0).integers(20, size=40).tolist(), 1, 1, noise=Noise())
    pose = clip.pose
    assert pose is not None
    for length in minutes:
        rows = np.arange(round(length * 60 * pose.fps)) % len(pose)
        z = None if pose.z is None else pose.z[rows]
        write_pose(folder / f"{length}.h5", replace(pose, xy=pose.xy[rows], confidence=pose.confidence[rows], z=z))


def one(path: Path, threads: int, only_read: bool) -> dict[str, float]:
    """What indexing one pose file takes in this process."""
    import torch

    from embeddings.encoders import load_encoder
    from embeddings.pose import read_pose
    from spotter.corpus.indexing import encode_into, settings_for
    from spotter.corpus.video import read_stored

    torch.set_num_threads(threads)
    encoder = load_encoder()
    wall, processor, rows = time.perf_counter(), time.process_time(), 0
    if only_read:
        read_pose(path)
    else:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"{path.stem}.safetensors"
            encode_into(target, path, settings_for(encoder), encoder)
            rows, size = read_stored(target).rows, target.stat().st_size
    told = {
        "wall_s": time.perf_counter() - wall,
        "processor_s": time.process_time() - processor,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return told if only_read else {**told, "windows": rows, "bytes": size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 10, 60])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only-read", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.threads[0], options.only_read)))
        return
    print(f"{os.cpu_count()} cores\n")
    print("| minutes | threads | processor s | wall s | windows/s | MB per hour | peak MB | of which reading |")
    print("|---" * 8 + "|")
    runs = []
    with tempfile.TemporaryDirectory() as name:
        write_poses(Path(name), options.minutes)
        for minutes in options.minutes:
            for threads in options.threads:
                file = str(Path(name) / f"{minutes}.h5")
                command = [sys.executable, __file__, "--threads", str(threads), "--one", file]
                told, read = (
                    json.loads(subprocess.run([*command, *extra], check=True, capture_output=True).stdout)
                    for extra in ([], ["--only-read"])
                )
                runs.append({"minutes": minutes, "threads": threads, **told, "read_peak_mb": read["peak_mb"]})
                speed, size = told["windows"] / told["processor_s"], told["bytes"] / 1e6 * 60 / minutes
                if options.json:
                    write_json(options.json, {"runs": runs, "cores": os.cpu_count()})
                print(f"| {minutes} | {threads} | {told['processor_s']:.1f} | {told['wall_s']:.1f} | {speed:.0f} | "
                      f"{size:.0f} | {told['peak_mb']:.0f} | {read['peak_mb']:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
