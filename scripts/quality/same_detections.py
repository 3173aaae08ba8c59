"""Do two checkouts of this program find the same, byte for byte or nearly, on the same poses?

    python scripts/quality/same_detections.py OTHER_CHECKOUT [--real FOLDER] [--work WORK] [--within 1e-6]

Stores the poses of `procedural:77` and, with `--real`, of the spliced streams `asl-13`, `ksl-20` and `haystack` as
`.h5`, enrols and spots them with either checkout's command (threshold .02; once more with Top-K transfer at .1), and
compares the JSON files. To be run before and after a move of code that must not change what is found, or after a change
of how it is computed, with `--within`: the same detections in the same order, whose times in seconds and scores differ
by no more than that. Exit code 1 when a file differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from embeddings.clip import Clip
from embeddings.pose import write_pose
from scripts.real.streams import real_streams
from spotter.comparison.sets import procedural_set

HERE = Path(__file__).resolve().parents[2]
SETS = ("asl-13", "ksl-20", "haystack")
RUNS = {"plain": ["--threshold", ".02"], "transfer": ["--threshold", ".1", "--transfer", "5"]}


def material(real: Path | None) -> Iterator[tuple[str, Iterable[Clip], Iterable[Clip]]]:
    """(name, exemplars, queries) of every set."""
    part = procedural_set(77).parts[0]
    yield "procedural-77", part.exemplars, part.queries
    if real is not None:
        for name, (exemplars, queries) in real_streams(real).items():
            if name.startswith(SETS):
                yield name.replace("/", "-"), exemplars, queries


def store(folder: Path, clips: Iterable[Clip], by_label: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        if clip.pose is None:
            raise SystemExit(f"{clip.name}: has no pose")
        name = str(clip.label) if by_label else clip.name
        write_pose(folder / f"{name.replace('/', '_')}.h5", clip.pose)


def detections(checkout: Path, poses: Path, out: Path) -> dict[str, bytes]:
    """Run → the JSON that this checkout writes."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}

    def command(*arguments: object) -> None:
        line = [sys.executable, "-m", "spotter", "--threads", "1", *map(str, arguments)]
        subprocess.run(line, cwd=checkout, env=environment, check=True, stdout=subprocess.DEVNULL)

    gallery = out / "gallery"
    command("enroll", poses / "exemplars", "-o", gallery)
    found = {}
    for run, options in RUNS.items():
        command("spot", poses / "queries", "-g", gallery, "-o", out / f"{run}.json", *options)
        found[run] = (out / f"{run}.json").read_bytes()
    return found


def furthest(one: bytes, other: bytes) -> float:
    """Greatest difference of the times and scores of two files; infinite where the detections are not the same."""
    pairs = [json.loads(text)["detections"] for text in (one, other)]
    if [(d["video"], d["sign"]) for d in pairs[0]] != [(d["video"], d["sign"]) for d in pairs[1]]:
        return math.inf
    values = ("start", "end", "score")
    return max((abs(a[v] - b[v]) for a, b in zip(*pairs, strict=True) for v in values), default=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument(
        "--within", type=float, default=0.0, help="differences of seconds and scores that count as none"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        differ = 0
        print("| set | run | detections | SHA-256 here | other | furthest | same |\n" + "|---" * 7 + "|")
        for name, exemplars, queries in material(args.real):
            poses = work / name / "poses"
            store(poses / "exemplars", exemplars, True)
            store(poses / "queries", queries, False)
            here, other = (
                detections(checkout.resolve(), poses, work / name / side)
                for side, checkout in (("here", HERE), ("other", args.other))
            )
            for run in RUNS:
                apart = 0.0 if here[run] == other[run] else furthest(here[run], other[run])
                same = here[run] == other[run] or (args.within > 0 and apart <= args.within)
                differ += not same
                marks = [hashlib.sha256(text[run]).hexdigest()[:12] for text in (here, other)]
                count = len(json.loads(here[run])["detections"])
                row = (name, run, count, *marks, f"{apart:.1e}", "yes" if same else "NO")
                print("|", " | ".join(map(str, row)), "|", flush=True)
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
