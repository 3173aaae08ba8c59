"""Kills and full disks for every writer: `python -m scripts.quality.faults --kills 1000 --full 200`.

Each writer of `tests/writers.py` first writes whole files; then it writes them again and is killed, at a fault point or
after a random time, or the disk is full: a tmpfs of which a few pages are free (root), else a limit on the size of
files. After that every file must be whole, no command may have said that it ended well without, and the same writer
must write the same again.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# one thread: a forked process does not survive the threads of a numeric library
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

from safe_files import WriteError, sweep
from safe_files.faults import POINTS, fault
from tests.test_writers import contents
from tests.writers import INPUTS, WRITERS

WHOLE, REFUSED, DIED, OTHER = "whole", "refused", "killed", "another error"
Content = dict[str, bytes]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--full", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so long (0: do all)")
    given = parser.parse_args()
    INPUTS.prepare()
    draw, begun = random.Random(given.seed), time.monotonic()
    names = list(WRITERS)
    jobs = ["kill"] * given.kills + ["full"] * given.full
    draw.shuffle(jobs)
    counts: Counter[tuple[str, str]] = Counter()
    harm: list[str] = []
    expected: dict[str, tuple[Content, float]] = {}
    for number, job in enumerate(jobs):
        if given.seconds and time.monotonic() - begun > given.seconds:
            break
        name = names[number % len(names)]
        if name not in expected:
            expected[name] = _whole(WRITERS[name])
        ended, wrong = (_kill if job == "kill" else _fill)(WRITERS[name], *expected[name], draw)
        counts[job, ended] += 1
        harm += [f"{name}, {job}: {line}" for line in wrong]
        for line in wrong:
            print(f"{name}, {job}: {line}", flush=True)
    for (job, ended), count in sorted(counts.items()):
        print(f"{'kills' if job == 'kill' else 'full disks'}: {count} times the writer ended: {ended}")
    print(f"{sum(counts.values())} faults over {len(expected)} writers; lost, damaged or falsely reported: {len(harm)}")
    return 1 if harm else 0


def _whole(write: Callable[[Path], object]) -> tuple[Content, float]:
    """(what a writer leaves when nothing goes wrong, how long it takes)."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        begun = time.monotonic()
        _forked(lambda: write(Path(folder)))
        return contents(Path(folder)), time.monotonic() - begun


def _forked(work: Callable[[], object], after: float | None = None) -> str:
    """How a process ended that did the work; with `after` it is killed after so many seconds."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            work()
            code = 0
        except WriteError:
            code = 2
        finally:
            os._exit(code)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    ending = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {0: WHOLE, 2: REFUSED, 3: OTHER, -signal.SIGKILL: DIED}.get(ending, f"signal {-ending}")


def _kill(
    write: Callable[[Path], object], expected: Content, seconds: float, draw: random.Random
) -> tuple[str, list[str]]:
    with tempfile.TemporaryDirectory(prefix="faults-") as temporary:
        folder = Path(temporary)
        if draw.random() < 0.5:
            _forked(lambda: write(folder))  # whole files are there already
        if draw.random() < 0.6:
            point, passes = draw.choice(POINTS), draw.choice((0, 0, 1, 2, 5))

            def work() -> None:
                with fault(point, "kill", passes):
                    write(folder)

            ended = _forked(work)
        else:
            ended = _forked(lambda: write(folder), after=draw.uniform(0, 1.2 * seconds))
        return ended, _harm(write, folder, expected, ended)


def _fill(
    write: Callable[[Path], object], expected: Content, seconds: float, draw: random.Random
) -> tuple[str, list[str]]:
    size = sum(map(len, expected.values()))
    free = draw.randrange(0, max(2, int(1.2 * size / 4096) + 2)) * 4096
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as temporary,
        _small_disk(Path(temporary), size) as (folder, full),
    ):
        if draw.random() < 0.5:
            _forked(lambda: write(folder))

        def work() -> None:
            with full(free):
                write(folder)

        ended = _forked(work)
        return ended, _harm(write, folder, expected, ended)


@contextmanager
def _small_disk(place: Path, size: int) -> Iterator[tuple[Path, Callable[[int], object]]]:
    """(a folder, what makes the room in it small in its block)."""
    room = 4 * size + (1 << 22)
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={room}", "none", place], capture_output=True, check=False
    ).returncode == 0  # fmt: skip
    folder = place / "files"
    folder.mkdir()

    @contextmanager
    def full(free: int) -> Iterator[None]:
        if not mounted:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (free, free))
            yield
            return
        facts = os.statvfs(place)
        with (place / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, max(1, facts.f_bavail * facts.f_frsize - free))
        try:
            yield
        finally:
            (place / "filler").unlink()

    try:
        yield folder, full
    finally:
        if mounted:
            subprocess.run(["umount", place], check=True)


def _harm(write: Callable[[Path], object], folder: Path, expected: Content, ended: str) -> list[str]:
    """What is not as promised after a fault."""
    wrong = [f"the process ended with {ended}"] if ended == OTHER or ended.startswith("signal") else []
    for parent in {p.parent for p in folder.rglob("*")}:
        sweep(parent, older_than=0)
    for file, content in contents(folder).items():
        if ".parts/" not in file and ".building" not in file and expected.get(file) != content:
            wrong.append(f"{file} is not whole")
    if ended == WHOLE and contents(folder) != expected:
        wrong.append("said to be done, and files are not as they should be")
    again = _forked(lambda: write(folder))
    if again != WHOLE or contents(folder) != expected:
        wrong.append(f"writing again ended {again}")
    shutil.rmtree(folder, ignore_errors=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
