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

import pytest

from embeddings.pose import write_pose

from .worlds import small_world

# children are forked from a process that has loaded everything and computed nothing: a run takes half a second
context = get_context("forkserver")
context.set_forkserver_preload(["torch", "faiss", "spotter.corpus_search", "spotter.cli", "embeddings.pose", "sklearn"])


def run_index(sources: Sequence[Path], folder: Path) -> None:
    """The command, in a process of its own, building the index at its end however few the rows."""
    import sys

    import faiss
    import torch

    from spotter import corpus
    from spotter.cli import main

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


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_it_ends_as_if_undisturbed(kills: int, tmp_path: Path) -> None:
    pose = small_world().queries[1].pose
    assert pose is not None
    sources = [write_pose(tmp_path / "poses" / f"talk-{i}.pose", pose[i:]) for i in range(8)]
    started(sources, tmp_path / "first").join(60)  # what the server loads late
    begun = time.perf_counter()
    undisturbed = started(sources, tmp_path / "undisturbed")
    undisturbed.join(60)
    took = time.perf_counter() - begun
    assert undisturbed.exitcode == 0
    draw = random.Random(kills)
    killed, halfway = 0, 0
    for _ in range(kills):
        process = started(sources, tmp_path / "killed")
        process.join(draw.uniform(0.1, 1.0) * took)
        if process.is_alive():
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += process.exitcode == -signal.SIGKILL
        halfway += 0 < len(list((tmp_path / "killed" / "videos").glob("*.safetensors"))) < len(sources)
        if (tmp_path / "killed" / "windows.json").exists():
            # it got through: the next kills meet a fresh run
            assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed") or killed
            (tmp_path / "killed").rename(tmp_path / f"done-{killed}-{time.monotonic_ns()}")
    assert killed >= kills // 2
    assert halfway or kills < 20  # which moments a loaded machine gives cannot be told
    for folder in [*tmp_path.glob("done-*"), tmp_path / "killed"]:
        last = started(sources, folder)
        last.join(60)
        assert last.exitcode == 0
        ours, theirs = contents(folder), contents(tmp_path / "undisturbed")
        assert ours.keys() == theirs.keys()
        assert [name for name in ours if ours[name] != theirs[name]] == []
