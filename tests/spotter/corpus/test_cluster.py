"""Indexing on a local Ray cluster of two workers: the same corpus, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from embeddings.pose import write_pose
from spotter.corpus.folder import Corpus
from spotter.corpus.indexing import index_videos, settings_for

from ..worlds import small_world

pytest.importorskip("ray.data")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("SPOTTER_RAY" not in os.environ, reason="starts a Ray cluster: SPOTTER_RAY=1 runs it"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    from spotter.corpus.cluster import start_ray

    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray is polite by default; here nothing else waits
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # two workers need the cores
    ray = start_ray(2)
    yield
    ray.shutdown()
    torch.set_num_threads(before)


def sources(folder: Path, count: int) -> list[Path]:
    pose = small_world().queries[1].pose
    assert pose is not None
    return [write_pose(folder / f"talk-{i}.pose", pose[i:]) for i in range(count)]


def vectors(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.glob("videos/*")) + sorted(folder.glob("windows*"))}


def workers() -> list[int]:
    """Processes that run a map of this cluster now."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(b"ray::") and b"IDLE" not in title and b"Map" in title:
                found.append(int(entry.name))
    return found


def test_a_cluster_makes_the_same_corpus_though_a_worker_is_killed(cluster: None, tmp_path: Path) -> None:
    from spotter.corpus.cluster import RayEngine, mapper

    encoder, files = small_world().encoder, sources(tmp_path / "poses", 8)
    bad = tmp_path / "poses" / "bad.pose"
    bad.write_bytes(b"no pose")
    here = Corpus.create(tmp_path / "here", settings_for(encoder))
    assert sum(bool(r.error) for r in index_videos(here, [*files, bad], encoder)) == 1
    assert here.build(always=True)

    there = Corpus.create(tmp_path / "there", settings_for(encoder))
    killed: list[int] = []
    kept: dict[Path, int] = {}

    def kill_one() -> None:
        inside = tmp_path / "there" / "videos"
        while time.monotonic() < limit and not killed:
            done = [p for p in inside.glob("*.safetensors") if not p.name.startswith(".")] if inside.is_dir() else []
            for worker in workers() if done else []:
                kept.update({p: p.stat().st_mtime_ns for p in done})
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
                break
            time.sleep(0.01)

    limit = time.monotonic() + 600
    watcher = threading.Thread(target=kill_one)
    watcher.start()
    results = list(index_videos(there, [*files, bad], encoder, engine=RayEngine("default")))
    watcher.join()
    assert killed
    assert len(results) == len(files) + 1
    assert [r.source.path.name for r in results if r.error] == ["bad.pose"]
    # what was finished when the worker died was not done again
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert there.build(always=True, engine=mapper())
    ours, theirs = vectors(tmp_path / "there"), vectors(tmp_path / "here")
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
