"""Speed of the procedural signer on one core: figures (kinematics), exact poses, and noisy training samples.

python scripts/bench/synthetic.py [--seconds 5]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from itertools import count

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from embeddings.synthetic import SignWorld


def frames_per_second(lengths: Iterator[int], seconds: float) -> float:
    """Frames made per second of wall clock, over about so many seconds."""
    next(lengths)  # what is computed once
    start, frames = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        frames += next(lengths)
    return frames / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each measurement takes")
    seconds = parser.parse_args().seconds

    start = time.perf_counter()
    world = SignWorld(seed=1, signs=200)
    print(f"{'a world of 200 signs':44s} {time.perf_counter() - start:8.2f} s")
    jobs: dict[str, Callable[[], Iterator[int]]] = {
        "figures in 3D": lambda: (len(world.perform(i % 200, 1 + i % 50, take=i)) for i in count()),
        "with truth": lambda: (len(world.perform(i % 200, 1 + i % 50, take=i).truth.sign) for i in count()),
        "exact poses, mediapipe-holistic": lambda: (
            len(world.clip(i % 200, 1 + i % 50, i % 50, take=i)) for i in count()
        ),
        "noisy samples, mediapipe-holistic": lambda: (len(c) for c in world.samples(0)),
        "noisy samples, coco-wholebody-133": lambda: (len(c) for c in world.samples(0, skeleton="coco-wholebody-133")),
        "noisy samples, sl-gcn-27": lambda: (len(c) for c in world.samples(0, skeleton="sl-gcn-27")),
        "exact poses with smplx-39 rotations": lambda: (
            len(world.clip(i % 200, 1 + i % 50, i % 50, take=i, rotations=True)) for i in count()
        ),
        "continuous, 20 signs": lambda: (
            len(world.continuous([(i + k) % 200 for k in range(20)], 1 + i % 50, take=i)) for i in count()
        ),
    }
    for name, job in jobs.items():
        print(f"{name:44s} {frames_per_second(job(), seconds):8.0f} frames/s")


if __name__ == "__main__":
    main()
