"""What the crops of a film cost: megabytes an hour of each view, processor time, and the process's peak memory.

    python scripts/bench/crops.py FILM [POSE] [--size 224]

Cuts the middle of the picture, and both hands where a pose is given, into a temporary folder.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from embeddings.clip import Clip, Film
from embeddings.crops import View, stored_views
from embeddings.pose import read_pose
from embeddings.video import probe

FPS = 25.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("pose", type=Path, nargs="?")
    parser.add_argument("--size", type=int, default=224)
    args = parser.parse_args()
    info = probe(args.film)
    pose = None if args.pose is None else read_pose(args.pose)
    kinds = ["centre"] if pose is None else ["centre", "left_hand", "right_hand"]
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        film = Film(args.film, crops=Path(folder))
        stored = stored_views(Clip(args.film.stem, FPS, pose, film=film), {k: View(k, args.size) for k in kinds}, FPS)
        took = time.process_time() - begun
        seconds = len(next(iter(stored.values()))) / FPS
        print(f"{info.width} × {info.height}, {info.fps:g} fps, {info.duration:.0f} s")
        for name, view in stored.items():
            print(f"{name}: {view.path.stat().st_size / 1e6 / (seconds / 3600):.0f} MB an hour")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{took / seconds:.2f} s of processor time a second of film, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
