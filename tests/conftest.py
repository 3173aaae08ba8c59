"""Shared fixtures: few threads, and the real recordings where they exist."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings

# Before any numeric library loads: two processes with two threads each on two cores mislead every timing.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "2")

settings.register_profile("any machine", deadline=None)  # a busy machine is no fault of the program
settings.load_profile("any machine")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """The tests write thousands of small files, and a busy disk takes 10 ms and more to confirm each.

    That the program does wait is tested in tests/safe_files/test_whole.py.
    """
    with patch("os.fsync"):
        yield


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Poses that tests estimate are cached in a folder of the test run, for its processes, too."""
    with patch.dict(os.environ, SPOTTER_CACHE=str(tmp_path_factory.mktemp("cache"))):
        yield


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small networks are done sooner by one thread than by several that wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings; tests that use it carry the mark `real`."""
    folder = Path(os.environ.get("SPOTTER_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {folder}; set SPOTTER_REAL_DATA to their folder")
    return folder
