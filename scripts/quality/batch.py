"""A night's batch that is killed twice: 30 videos, three broken, two cut off, two of one name, one of two hours.

    PYTHONPATH=. python scripts/quality/batch.py WORK [--real FOLDER] [--seconds 12] [--rate FPS] [--long 7200]

WORK keeps the videos, so that a second call is quicker. Rendered clips (and, with --real, real ones) are repeated up to
so many seconds. The film of two hours has a picture every four seconds: two hours at 25 a second would be an hour of a
processor, and what is asked of it is that a long video is kept in pieces and searched whole. Times are processor
seconds of the command and its processes, because other work on the machine does not change them much.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain, islice, repeat
from pathlib import Path

from embeddings.video import probe, read_frames, write_video

TALKS, LONG_RATE = 21, 0.25
BROKEN = {"broken-1": b"no video", "broken-2": b"", "broken-3": b"\x00\x00\x00\x20ftypisom" + b"\x00" * 2000}


def looped(source: Path, target: Path, seconds: float, fps: float | None = None) -> None:
    """A clip again and again; at `fps` pictures a second, one picture of the clip after the other."""
    if target.exists():
        return
    frames = [frame for _, frame in read_frames(source)]
    rate = probe(source).fps if fps is None else fps
    target.parent.mkdir(parents=True, exist_ok=True)
    write_video(target, islice(chain.from_iterable(repeat(frames)), round(seconds * rate)), rate)


def make_videos(work: Path, real: Path | None, seconds: float, long: float, rate: float | None) -> tuple[Path, Path]:
    """(folder of videos, folder of exemplars)."""
    from spotter.demo import DemoOptions, make_world

    world = make_world(work / "world", DemoOptions(signs=4, seconds=24.0, videos=4, fillers=2, size=256))
    clips = list(world.queries) + (sorted(real.glob("*_example2.mp4"))[:10] if real is not None else [])
    videos = work / "videos"
    for number in range(TALKS):
        looped(clips[number % len(clips)], videos / f"talk-{number:02d}.mp4", seconds - 0.05 * number, rate)
    for day, clip in (("monday", clips[0]), ("tuesday", clips[1])):
        looped(clip, videos / day / "anna.mp4", seconds - 2, rate)
    looped(clips[0], videos / "long.mp4", long, fps=LONG_RATE)
    for name in ("cut-1", "cut-2"):
        path = videos / f"{name}.mp4"
        looped(clips[2 if name == "cut-1" else 3], path, seconds, rate)
        raw = path.read_bytes()
        if len(raw) > 1000 and not (work / name).exists():
            path.write_bytes(raw[: int(len(raw) * 0.6)])
            (work / name).touch()
    for name, content in BROKEN.items():
        (videos / f"{name}.mp4").write_bytes(content)
    looped(clips[0], videos / "short.mp4", 3.0)
    return videos, work / "world" / "exemplars"


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "spotter", *map(str, words)]


class Timed:
    """Processor seconds of child processes."""

    def __init__(self) -> None:
        self.at = self._now()

    @staticmethod
    def _now() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def lap(self) -> float:
        before, self.at = self.at, self._now()
        return self.at - before


def state(out: Path, cache: Path) -> dict[str, int]:
    """Every finished piece of work → its file's number, which changes when it is written again."""
    files: Iterator[Path] = chain(
        cache.rglob("*.h5"), (out / "found.run" / "results").glob("*.json") if out.exists() else ()
    )
    return {str(path): path.stat().st_ino for path in files if "partial" not in path.name}


def done(out: Path) -> int:
    try:
        counts = json.loads((out / "found.run" / "run.json").read_text())["counts"]
        return int(counts["done"] + counts["warned"])
    except (OSError, ValueError):
        return 0


def killed(line: list[str], environment: dict[str, str], out: Path, at: int) -> int:
    """Runs the command until so many videos are done, then kills it; how many are done then."""
    process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and done(out) < at:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(3)  # its processes notice
    return done(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--seconds", type=float, default=12.0, help="of the ordinary videos")
    parser.add_argument("--rate", type=float, help="pictures a second of the ordinary videos (default: their own)")
    parser.add_argument("--long", type=float, default=7200.0, help="seconds of the long film")
    given = parser.parse_args()
    work = given.work.resolve()
    videos, exemplars = make_videos(work, given.real, given.seconds, given.long, given.rate)
    out, cache = work / "out", work / "cache"
    for folder in (out, cache, work / "gallery", work / "gallery-2", work / "again"):
        shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "SPOTTER_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    run = {"env": environment, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(command("enroll", exemplars, "-o", work / "gallery", "-j", 1), **run)  # type: ignore[call-overload]
    few = sorted(exemplars.glob("*.mp4"))[:3]
    subprocess.run(command("enroll", *few, "-o", work / "gallery-2", "-j", 1), **run)  # type: ignore[call-overload]
    named = [videos, videos / "monday", videos / "tuesday"]
    line = command("spot", *named, "-g", work / "gallery", "-o", out / "found.csv", "-o", out / "found.eaf", "-j", 2)
    seen: list[dict[str, int]] = []
    timed, first = Timed(), 0.0
    for at in (8, 16):
        reached = killed(line, environment, out, at)
        seen.append(state(out, cache))
        first += timed.lap()
        print(f"killed when {reached} of 30 were done; {len(seen[-1])} finished pieces of work on the disk")
    ended = subprocess.run(line, env=environment, capture_output=True, text=True)
    first += timed.lap()
    last = state(out, cache)
    repeated = sum(last[path] != number for kept in seen for path, number in kept.items() if path in last)
    record = json.loads((out / "found.run" / "run.json").read_text())
    print(f"exit code {ended.returncode}; {record['counts']}")
    print(*ended.stderr.strip().splitlines()[-8:], sep="\n")
    eaf = {path.name for path in out.glob("*.eaf")}
    print(f"{len(eaf)} ELAN files; {len((out / 'found.csv').read_text().splitlines()) - 1} detections in found.csv")
    print(
        f"work done twice: {repeated} of {len(seen[0]) + len(seen[1])} pieces of work that were finished before a kill"
    )
    again = subprocess.run(line, env=environment, capture_output=True, text=True)
    nothing = timed.lap()
    print(f"the same command once more: exit code {again.returncode}, {nothing:.1f} s of processor")
    measure_second(work, videos, environment, timed)
    print(f"all runs with the two kills: {first:.0f} s of processor (without the processes of those that were killed)")


def measure_second(work: Path, videos: Path, environment: dict[str, str], timed: Timed) -> None:
    """The ordinary videos, alone: with an empty cache, then with another gallery."""
    ordinary = sorted(videos.glob("talk-*.mp4"))
    own = {**environment, "SPOTTER_CACHE": str(work / "cache-2")}
    shutil.rmtree(work / "cache-2", ignore_errors=True)
    timed.lap()
    spent = []
    for gallery in ("gallery", "gallery-2"):
        target = work / "again" / f"{gallery}.csv"
        subprocess.run(
            command("spot", *ordinary, "-g", work / gallery, "-o", target, "-j", 1), env=own, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        record = json.loads(target.with_name(f"{gallery}.run").joinpath("run.json").read_text())
        fresh = sum(video["pose"] == "estimated" for video in record["videos"])
        spent.append(timed.lap())
        print(f"{len(ordinary)} videos with {gallery}: {spent[-1]:.1f} s of processor, {fresh} poses estimated")
    minutes = sum(probe(path).duration for path in ordinary) / 60
    print(f"{minutes:.1f} minutes of video; the second search takes {spent[1] / spent[0]:.1%} of the first one's time")


if __name__ == "__main__":
    main()
