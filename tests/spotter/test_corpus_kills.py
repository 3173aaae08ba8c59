"""`spotter index` killed with SIGKILL at random moments, and started again: the same corpus as undisturbed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from embeddings.pose import write_pose

from .worlds import small_world

# children are forked from a process that has loaded everything and computed nothing: a run takes half a second
context = get_context("forkserver")
context.set_forkserver_preload(["torch", "faiss", "spotter.corpus.search", "spotter.cli", "embeddings.pose", "sklearn"])

KILLS = int(os.environ.get("SPOTTER_KILLS", "2"))
"""Moments at which the run is killed; SPOTTER_KILLS=20 is the long form."""


def run_index(sources: Sequence[Path], folder: Path) -> None:
    """The command, in a process of its own, building the index at its end however few the rows."""
    import sys

    import faiss
    import torch

    from spotter.cli import main
    from spotter.corpus import folder as corpus

    corpus.BUILD_FROM = 1
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    sys.argv = ["spotter", "index", *map(str, sources), "-o", str(folder)]
    main()


def started(sources: Sequence[Path], folder: Path) -> BaseProcess:
    process = context.Process(target=run_index, args=(sources, folder))
    process.start()
    return process


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def finished(folder: Path) -> int:
    """How many videos have their file."""
    return sum(not p.name.startswith(".") for p in (folder / "videos").glob("*.safetensors"))


def killed_at(process: BaseProcess, folder: Path, files: int, delay: float) -> bool:
    """Kills the process a moment after so many files are there; False when it ended before."""
    while process.is_alive() and finished(folder) < files:
        time.sleep(0.002)
    process.join(delay)
    if process.is_alive():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def test_killed_at_random_moments_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    pose = small_world().queries[1].pose
    assert pose is not None
    sources = [write_pose(tmp_path / "poses" / f"talk-{i}.pose", pose[i:]) for i in range(8)]
    undisturbed = started(sources, tmp_path / "undisturbed")
    undisturbed.join(120)
    assert undisturbed.exitcode == 0
    expected, draw, killed = contents(tmp_path / "undisturbed"), random.Random(5), 0
    for number in range(KILLS):
        # a folder is killed twice: early, and then late or while the index is built
        folder = tmp_path / f"killed-{number // 2}"
        files = draw.randrange(4) if number % 2 == 0 else draw.randrange(4, len(sources) + 1)
        killed += killed_at(started(sources, folder), folder, files, draw.uniform(0, 0.05))
    assert killed
    for folder in tmp_path.glob("killed-*"):
        last = started(sources, folder)
        last.join(120)
        assert last.exitcode == 0
        ours = contents(folder)
        assert ours.keys() == expected.keys()
        assert [name for name in ours if ours[name] != expected[name]] == []
