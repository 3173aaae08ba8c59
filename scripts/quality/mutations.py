"""Does the suite see a fault? Plants deliberate ones (`mutations.toml`) and runs the tests that must notice.

    python -m scripts.quality.mutations                      # all; the table, the share seen, the survivors by name
    python -m scripts.quality.mutations --only trim --results results.json

Each fault is planted in a copy of the repository. The libraries are loaded once and every run is a fork of that
process, so that a fault costs its tests and nothing else. With `--results` a stopped run goes on where it stopped.
Exit code 1 when fewer than 95 % are seen, or a test fails without any fault.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from safe_files import write_json

REPOSITORY = Path(__file__).resolve().parents[2]
FAULTS = Path(__file__).with_name("mutations.toml")
LIBRARIES = (
    "numpy", "scipy.signal", "scipy.sparse.csgraph", "pandas", "h5py", "cv2", "torch", "torchvision", "sklearn",
    "matplotlib", "pytorch_metric_learning.losses", "hypothesis", "pytest",
)  # fmt: skip
LEAST_SHARE = 0.95
SECONDS = 600
"""A run that takes longer is stopped, and the fault counts as seen: it made something endless."""


@dataclass(frozen=True)
class Fault:
    """One planted fault: `old`, which the file holds once, becomes `new`; one of `tests` must fail."""

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def key(self) -> str:
        return json.dumps([self.file, self.old, self.new, self.tests])

    def planted(self, source: str) -> str:
        """The file's text with the fault.

        Raises:
            ValueError: the file does not hold `old` exactly once, or `new` is the same.
        """
        if source.count(self.old) != 1 or self.old == self.new:
            raise ValueError(
                f"{self.file}, {self.what!r}: the old text occurs {source.count(self.old)} times, not once"
            )
        return source.replace(self.old, self.new)


def read_faults(path: Path = FAULTS) -> list[Fault]:
    """All faults of a file like `mutations.toml`."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["group"]
    return [Fault(what, g["file"], old, new, tuple(g["tests"])) for g in groups for what, old, new in g["faults"]]


def copy_repository(into: Path) -> None:
    """The files under version control, as they are now, and the untracked ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPOSITORY, capture_output=True, check=True
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (REPOSITORY / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, into / name)


def run_tests(folder: Path, tests: Sequence[str]) -> int:
    """pytest's exit code in a fork of this process that imports from a folder; −1 when it took too long."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            code = _in_child(folder, tests)
        finally:
            os._exit(code)
    return _waited(child)


def _in_child(folder: Path, tests: Sequence[str]) -> int:
    import pytest
    import torch

    torch.set_num_threads(1)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    sys.path[:] = [str(folder), *(p for p in sys.path if p and Path(p).resolve() != REPOSITORY)]
    for name in [n for n in sys.modules if n.partition(".")[0] == "scripts"]:
        del sys.modules[name]
    sys.dont_write_bytecode = True
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]))


def _waited(child: int) -> int:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def seen(folder: Path, fault: Fault) -> bool:
    """Whether a test fails with the fault planted in the folder, which is mended again.

    Raises:
        RuntimeError: pytest could not run the tests at all.
    """
    file = folder / fault.file
    source = file.read_text(encoding="utf-8")
    file.write_text(fault.planted(source), encoding="utf-8")
    try:
        code = run_tests(folder, fault.tests)
    finally:
        file.write_text(source, encoding="utf-8")
    if code not in (0, 1, 2, -1):  # 2: the faulty file cannot be imported
        raise RuntimeError(f"{fault.file}, {fault.what!r}: pytest ended with {code}")
    return code != 0


def failing_without_fault(folder: Path, faults: Sequence[Fault]) -> list[str]:
    """Files of tests that fail as they are."""
    files = sorted({test for fault in faults for test in fault.tests})
    return [file for file in files if run_tests(folder, [file]) != 0]


def results_of(folder: Path, faults: Sequence[Fault], kept: Path | None) -> Iterator[tuple[Fault, bool, float]]:
    """(fault, seen, seconds) of each; those of a run before are taken from the file `kept`."""
    known = json.loads(kept.read_text()) if kept is not None and kept.is_file() else {}
    for fault in faults:
        begun = time.monotonic()
        if fault.key not in known:
            known[fault.key] = seen(folder, fault)
            if kept is not None:
                write_json(kept, known)
        yield fault, known[fault.key], time.monotonic() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults whose file or description holds this")
    parser.add_argument("--results", type=Path, help="file of results to go on with")
    parser.add_argument("--unchecked", action="store_true", help="do not run the tests without faults first")
    options = parser.parse_args()
    faults = [f for f in read_faults() if options.only in f.file or options.only in f.what]
    for name in LIBRARIES:
        with suppress(ImportError):
            import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        folder = Path(name)
        copy_repository(folder)
        failing = [] if options.unchecked else failing_without_fault(folder, faults)
        if failing:
            print("these fail without any fault: " + ", ".join(failing))
            return 1
        survivors = []
        for fault, noticed, seconds in results_of(folder, faults, options.results):
            print(f"{'seen    ' if noticed else 'SURVIVED'} {seconds:5.0f} s  {fault.file}: {fault.what}", flush=True)
            survivors += [] if noticed else [fault]
    share = 1 - len(survivors) / max(len(faults), 1)
    print(f"{len(faults) - len(survivors)} of {len(faults)} faults seen, {share:.1%}")
    for fault in survivors:
        print(f"  survived: {fault.file}: {fault.what}")
    return 0 if share >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
