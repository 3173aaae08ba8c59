"""A gallery, a known pose, and an estimator that replays it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from embeddings.pose import ESTIMATORS, write_pose

from ..worlds import small_world
from . import replayed


@pytest.fixture(scope="session")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a gallery."""
    folder = tmp_path_factory.mktemp("gallery") / "signs"
    small_world().gallery.save(folder)
    return folder


@pytest.fixture(scope="session")
def known_pose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the pose that every video shows."""
    folder = tmp_path_factory.mktemp("known")
    pose = small_world().queries[0].pose
    assert pose is not None
    write_pose(folder / "pose.h5", pose[:90])
    return folder


@pytest.fixture(autouse=True)
def replaying(tmp_path: Path, known_pose: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default estimator replays; each test has its own cache and its own count."""
    own = tmp_path / "estimator"
    own.mkdir()
    (own / "pose.h5").symlink_to(known_pose / "pose.h5")
    monkeypatch.setenv(replayed.FOLDER, str(own))
    monkeypatch.setenv("SPOTTER_CACHE", str(tmp_path / "cache"))
    replayed.known.cache_clear()
    with patch.dict(ESTIMATORS, holistic="tests.spotter.runs.replayed:Replayed"):
        yield
