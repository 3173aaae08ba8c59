"""HDF5 files appear whole or not at all, and a full disk neither crashes the process nor passes unnoticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from safe_files import GroupedHDF5, WriteError, whole_hdf5
from safe_files.faults import POINTS, fault

from ..conftest import REPOSITORY
from .test_whole import names

WRITE_VIDEOS = """
import resource, sys, warnings
import numpy as np
from safe_files import GroupedHDF5, WriteError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
values = np.random.default_rng(0).normal(size=(2000, 5))
try:
    with GroupedHDF5("store.h5") as store:
        for k in range(8):
            with store.add(f"video-{k}") as group:
                group.create_dataset("values", data=values, compression="gzip")
                group.attrs["fps"] = 25.0
    print("written")
except WriteError as error:
    print("refused", error)
"""


def run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def put(path: Path, **values: Any) -> None:
    with whole_hdf5(path) as file:
        for name, value in values.items():
            file[name] = value


def get(path: Path) -> dict[str, Any]:
    with h5py.File(path, "r") as file:
        return {name: file[name][()].tolist() for name in file}


def test_a_file_is_written_added_to_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    put(path, x=[1, 2])
    with whole_hdf5(path, add=True) as file:
        file["y"] = [3]
        del file["x"]
    assert get(path) == {"y": [3]}
    put(path, z=[4])
    assert get(path) == {"z": [4]}
    assert names(tmp_path) == ["a.h5"]


def test_an_error_in_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    put(path, x=[1])
    with pytest.raises(RuntimeError, match="mine"), whole_hdf5(path, add=True) as file:  # noqa: PT012
        file["y"] = [2]
        raise RuntimeError("mine")
    assert get(path) == {"x": [1]}
    assert names(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("passes", [0, 1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_a_fault_at_any_point_leaves_the_old_file(tmp_path: Path, point: str, passes: int) -> None:
    path = tmp_path / "a.h5"
    put(path, x=[1])
    if passes and point != "write":
        return
    with fault(point, "ENOSPC", passes), pytest.raises(WriteError, match=r"a\.h5: cannot be written \(No space left"):
        put(path, y=np.zeros(50_000))
    assert get(path) == {"x": [1]}
    assert names(tmp_path) == ["a.h5"]


def test_values_that_are_not_right_are_refused_by_the_callers_check(tmp_path: Path) -> None:
    def check(file: h5py.File) -> None:
        if len(file["x"]) != 3:
            raise ValueError("x has not 3 values")

    with pytest.raises(WriteError, match="x has not 3 values"), whole_hdf5(tmp_path / "a.h5", check=check) as file:
        file["x"] = [1, 2]
    assert names(tmp_path) == []


def test_a_file_that_was_cut_is_noticed_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the system had said that bytes were written and had lost them."""
    put(tmp_path / "a.h5", x=[1])
    close = h5py.File.close

    def lossy(self: h5py.File) -> None:
        raw = self.id and self.mode == "r+"
        close(self)
        if raw:
            (partial,) = tmp_path.glob(".a.*.partial.h5")
            os.truncate(partial, partial.stat().st_size - 20_000)

    monkeypatch.setattr(h5py.File, "close", lossy)
    with pytest.raises(WriteError, match="cannot be read"):
        put(tmp_path / "a.h5", y=np.zeros(50_000))
    monkeypatch.undo()
    assert get(tmp_path / "a.h5") == {"x": [1]}


# about 80 kB a video, eight of them
@pytest.mark.parametrize("limit", [0, 100, 2_047, 2_048, 50_000, 90_000, 300_000, 550_000])
def test_a_full_disk_is_an_error_and_no_crash(tmp_path: Path, limit: int) -> None:
    """Written by the library's own driver, these limits end the process with a segmentation fault."""
    done = run(WRITE_VIDEOS, tmp_path, str(limit))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused")
    assert "File too large" in done.stdout
    assert not (tmp_path / "store.h5").exists()
    assert not [p for p in tmp_path.rglob("*") if "partial" in p.name]
    again = run(WRITE_VIDEOS, tmp_path, str(1 << 30))
    assert again.stdout == "written\n", again.stderr
    assert names(tmp_path) == ["store.h5"]
    with h5py.File(tmp_path / "store.h5") as file:
        assert len(file) == 8
        assert all(group["values"].shape == (2000, 5) and group["values"][-1, -1] for group in file.values())


def test_what_was_done_before_a_kill_counts(tmp_path: Path) -> None:
    code = """
import sys
from safe_files import GroupedHDF5
from safe_files.faults import fault
store = GroupedHDF5("store.h5", {"what": "test"})
for k in range(3):
    if f"v{k}" not in store:
        with store.add(f"v{k}") as group:
            group["x"] = [k]
        print("did", k, flush=True)
with fault(sys.argv[1], "kill"):
    store.merge()
"""
    with GroupedHDF5(tmp_path / "store.h5") as store, store.add("old") as group:
        group["x"] = [9]
    for point in POINTS:
        killed = run(code, tmp_path, point)
        assert killed.returncode == -signal.SIGKILL
        assert killed.stdout == ("did 0\ndid 1\ndid 2\n" if point == "create" else "")
        with h5py.File(tmp_path / "store.h5") as file:
            assert list(file) == ["old"]
        assert GroupedHDF5(tmp_path / "store.h5").names() == {"old", "v0", "v1", "v2"}
    with GroupedHDF5(tmp_path / "store.h5", {"what": "test"}):
        pass
    with h5py.File(tmp_path / "store.h5") as file:
        assert {name: group["x"][0] for name, group in file.items()} == {"old": 9, "v0": 0, "v1": 1, "v2": 2}
        assert file.attrs["what"] == "test"
    assert [n for n in names(tmp_path) if "partial" not in n] == ["store.h5"]


def test_a_group_that_fails_is_left_out_and_the_others_stay(tmp_path: Path) -> None:
    with GroupedHDF5(tmp_path / "s.h5") as store:
        with store.add("a") as group:
            group["x"] = [1]
        with pytest.raises(ValueError, match="bad frame"), store.add("b") as group:  # noqa: PT012
            group["x"] = [1]
            raise ValueError("bad frame")
    with pytest.raises(KeyboardInterrupt), GroupedHDF5(tmp_path / "s.h5") as store:  # noqa: PT012
        with store.add("c") as group:
            group["x"] = [3]
        raise KeyboardInterrupt
    assert GroupedHDF5(tmp_path / "s.h5").names() == {"a", "c"}
    assert names(tmp_path) == ["s.h5"]


def test_a_group_of_the_same_name_is_replaced_and_its_space_is_free_again(tmp_path: Path) -> None:
    for k in range(4):
        with GroupedHDF5(tmp_path / "s.h5") as store, store.add("a") as group:
            group["x"] = np.full(100_000, k)
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["a/x"][0] == 3
    assert (tmp_path / "s.h5").stat().st_size < 2 * 800_000


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "nul\0"])
def test_names_that_hdf5_would_take_for_something_else(tmp_path: Path, name: str) -> None:
    store = GroupedHDF5(tmp_path / "s.h5")
    with pytest.raises(ValueError, match="cannot be a group's name"), store.add(name):
        pass


def test_a_target_that_is_no_hdf5_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s.h5").write_text("my notes")
    with pytest.raises(ValueError, match=r"s\.h5: not a readable HDF5 file"):
        GroupedHDF5(tmp_path / "s.h5").names()
    assert (tmp_path / "s.h5").read_text() == "my notes"


def test_two_processes_add_to_one_file(tmp_path: Path) -> None:
    code = """
import sys
from safe_files import GroupedHDF5
for k in range(12):
    with GroupedHDF5("s.h5") as store, store.add(f"{sys.argv[1]}{k}") as group:
        group["x"] = [k]
"""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, c], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
        )
        for c in "ab"
    ]
    assert [w.wait(timeout=120) for w in writers] == [0, 0]
    assert GroupedHDF5(tmp_path / "s.h5").names() == {f"{c}{k}" for c in "ab" for k in range(12)}
    assert names(tmp_path) == ["s.h5"]


def test_values_of_two_kinds_do_not_get_into_one_file(tmp_path: Path) -> None:
    with GroupedHDF5(tmp_path / "s.h5", {"encoder": "a"}) as store:
        store.put("v", [1, 2])
    with pytest.raises(ValueError, match=r"s\.h5: was begun with the encoder a, not b; give another output"):
        GroupedHDF5(tmp_path / "s.h5", {"encoder": "b"})
    GroupedHDF5(tmp_path / "t.h5", {"encoder": "a"}).put("v", [1])  # as after a kill: only the part is there
    with pytest.raises(ValueError, match=r"delete t\.h5 and t\.h5\.parts"):
        GroupedHDF5(tmp_path / "t.h5", {"encoder": "b"})
    assert get(tmp_path / "s.h5") == {"v": [1, 2]}
