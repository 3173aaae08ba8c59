"""Times scoring and the reading of label sets on data made here: `python scripts/bench/scoring.py`.

100,000 predictions against 10,000 references, spread over videos and in the worst case of one sign in one video; an
AUTSL label set of 36,302 rows and a WLASL file of 21,083 instances in the benchmarks' own forms.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.datasets import autsl, wlasl
from eval.segments import Segment
from eval.spotting import challenge_f1, one_to_one_f1
from eval.spotting.boundaries import boundary_errors, hit_rate
from eval.spotting.curves import precision_recall

LIMIT = 2.0


ByVideo = dict[str, list[Segment]]


def segments(videos: int, signs: int, references: int = 10_000, predictions: int = 100_000) -> tuple[ByVideo, ByVideo]:
    """Half-second signs in ten hours of video, ten detections near each."""
    generator = random.Random(0)
    truth: ByVideo = {f"p01_n{i:03d}": [] for i in range(videos)}
    found: ByVideo = {video: [] for video in truth}
    names = list(truth)
    for i in range(references):
        video, start = names[i % videos], generator.uniform(0, 36_000 / videos)
        truth[video].append(Segment(video, str(i % signs), start, start + 0.5))
    for i in range(predictions):
        video = names[i % videos]
        near = generator.choice(truth[video]).shift(generator.gauss(0, 0.2))
        found[video].append(replace(near, score=generator.random()))
    return truth, found


def autsl_folder(folder: Path) -> None:
    """36,302 rows with made-up classes."""
    generator = random.Random(0)
    signers = iter(range(43))
    for name, rows, people in (("train", 28_142, 31), ("val", 4_418, 6), ("test", 3_742, 6)):
        who = [next(signers) for _ in range(people)]
        lines = [f"signer{who[i % people]}_sample{i},{generator.randrange(226)}\r\n" for i in range(rows)]
        (folder / f"{name}_labels.csv").write_text("".join(lines), "utf-8", newline="")


def wlasl_file(path: Path) -> None:
    """21,083 instances of 2,000 glosses."""
    glosses: list[dict[str, Any]] = [{"gloss": f"gloss {i}", "instances": []} for i in range(2000)]
    for i in range(21_083):
        instance = {"bbox": [385, 37, 885, 720], "fps": 25, "frame_end": -1, "frame_start": 1, "instance_id": i}
        instance |= {"signer_id": i % 119, "source": "made here", "split": ("train", "val", "test")[i % 3]}
        instance |= {"url": f"https://example.org/{i}.mp4", "variation_id": 0, "video_id": f"{i:05d}"}
        glosses[i % 2000]["instances"].append(instance)
    path.write_text(json.dumps(glosses, indent=4), "utf-8")


def timed(name: str, job: Callable[[], Any]) -> bool:
    """Prints the seconds of a job; whether it kept the limit, in processor time (others may keep the machine busy)."""
    start, used = time.perf_counter(), time.process_time()
    job()
    seconds, used = time.perf_counter() - start, time.process_time() - used
    print(f"{seconds:6.2f} s ({used:5.2f} s of processor)  {name}", flush=True)
    return used < LIMIT


def main() -> None:
    kept = []
    for title, videos, signs in (("100 videos, 60 signs", 100, 60), ("one video, one sign", 1, 1)):
        truth, found = segments(videos, signs)
        for score in (challenge_f1, one_to_one_f1, precision_recall, boundary_errors):
            kept.append(timed(f"{score.__name__}, {title}", lambda s=score, t=truth, f=found: s(t, f)))
        kept.append(timed(f"hit_rate, {title}", lambda t=truth, f=found: hit_rate(t, f, 0.4)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        autsl_folder(folder)
        kept.append(timed("AUTSL, 36,302 rows", lambda: autsl.read(folder)))
        wlasl_file(folder / "WLASL_v0.3.json")
        kept.append(timed("WLASL, 21,083 instances", lambda: wlasl.read(folder)))
    if not all(kept):
        raise SystemExit(f"something took more than {LIMIT:g} s of processor time")


if __name__ == "__main__":
    main()
