"""Peak memory of `spotter pose` on videos of 1 and 10 minutes: it must not grow with the length.

The videos show a procedural signer, four seconds of signing repeated over and over, 25 frames a second, 480 × 360.
Poses are estimated at `--fps` rows a second (default 2, so that the ten minutes take two; every frame is decoded at
any rate). Each run is a process of its own; its peak is what the system says after it ended.

python scripts/bench/pose_memory.py [--fps 2] [--minutes 1 10]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FPS, SIZE = 25, (480, 360)

ESTIMATE = """
import sys
from pathlib import Path
from embeddings.pose import estimate_videos, read_pose
video, folder, fps = sys.argv[1], sys.argv[2], float(sys.argv[3])
(result,) = estimate_videos([video], folder, fps=fps, workers=1)
assert result.output is not None, result.error
print(len(read_pose(result.output)))
"""


def signing() -> list[NDArray[np.uint8]]:
    """Four seconds of the procedural signer."""
    from embeddings.synthetic import Camera, SignWorld
    from embeddings.synthetic.filming.look import Look
    from embeddings.synthetic.filming.render import render_frames

    world = SignWorld(seed=1, signs=4)
    figure = world.perform([0, 1, 2, 3], signer=0, fps=FPS).figure
    camera = Camera(size=SIZE, focal=SIZE[1] * 2.2 / 1.22, distance=2.2, target=(0.0, -0.16, 0.05))
    return list(islice(render_frames(figure, Look(), camera), 4 * FPS))


def write_long(path: Path, pictures: list[NDArray[np.uint8]], minutes: float) -> Path:
    """A video of that many minutes from the pictures repeated."""
    from embeddings.video import write_video

    def frames() -> Iterator[NDArray[np.uint8]]:
        yield from islice(cycle(pictures), round(minutes * 60 * FPS))

    return write_video(path, frames(), FPS, crf=28)


def run(video: Path, fps: float) -> tuple[int, float, float]:
    """(rows, seconds, peak MiB) of estimating the poses of a video in a fresh process."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", ESTIMATE, str(video), folder, str(fps)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        rows = int(process.stdout.read())
        # wait4 tells this one child's peak; RUSAGE_CHILDREN would give the largest of all so far
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return rows, time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fps", type=float, default=2.0, help="pose rows a second")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 10.0])
    options = parser.parse_args()
    pictures = signing()
    print("| video | rows | seconds | peak, MiB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            video = write_long(Path(folder) / f"{minutes:g}min.mp4", pictures, minutes)
            rows, seconds, peak = run(video, options.fps)
            print(f"| {minutes:g} min | {rows} | {seconds:.0f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
