"""Files appear whole or not at all: on errors, full disks and kills, with the right modes, and through no link."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safe_files import (
    WriteError,
    inside,
    open_whole,
    previous_folder,
    sweep,
    whole_file,
    whole_folder,
    write_bytes,
    write_json,
    write_text,
)
from safe_files.faults import KINDS, POINTS, fault
from safe_files.whole import _temporary

from ..conftest import REPOSITORY


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@contextmanager
def umask(value: int) -> Iterator[None]:
    old = os.umask(value)
    try:
        yield
    finally:
        os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def in_a_process(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def test_text_bytes_and_json_are_written_as_they_are(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Zeichen\r\nund\n手")
    write_bytes(tmp_path / "b.bin", b"\x00\r\n")
    write_json(tmp_path / "deep" / "er" / "c.json", {"ä": [1]})
    with open_whole(tmp_path / "d.csv") as file:
        file.write("x\r\ny\n")
    assert (tmp_path / "a.txt").read_bytes() == "Zeichen\r\nund\n手".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\r\n"
    assert (tmp_path / "deep" / "er" / "c.json").read_text(encoding="utf-8") == '{\n  "ä": [\n    1\n  ]\n}\n'
    assert (tmp_path / "d.csv").read_bytes() == b"x\r\ny\n"
    assert names(tmp_path) == ["a.txt", "b.bin", "d.csv", "deep"]


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with pytest.raises(RuntimeError, match="mine"), whole_file(path) as partial:  # noqa: PT012
        partial.write_text("half")
        raise RuntimeError("mine")
    with pytest.raises(KeyboardInterrupt), open_whole(path) as file:  # noqa: PT012
        file.write("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_a_missing_input_in_the_block_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"input\.csv") as caught, whole_file(tmp_path / "out.csv"):
        (tmp_path / "input.csv").read_text()
    assert not isinstance(caught.value, WriteError)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "kill"])
@pytest.mark.parametrize("point", POINTS)
def test_a_fault_at_any_point_is_one_clear_error_and_leaves_the_old_file(tmp_path: Path, point: str, kind: str) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with fault(point, kind), pytest.raises(WriteError, match=r"table\.csv: cannot be written \(") as caught:
        write_text(path, "new")
    assert caught.value.errno == getattr(errno, kind)
    assert os.strerror(getattr(errno, kind)) in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, OSError)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_leaves_the_old_file_whole(tmp_path: Path, point: str) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")
    killed = in_a_process(
        "from safe_files import write_text; from safe_files.faults import fault\n"
        f"with fault({point!r}, 'kill'): write_text('table.csv', 'new' * 1000)",
        tmp_path,
    )
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    assert sweep(tmp_path, older_than=0) == 1
    assert names(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("limit", [0, 1, 4096, 99_999])
@pytest.mark.parametrize("writer", ["write_text(p, 'x' * 100_000)", "save_file({'a': np.zeros(100_000)}, p)"])
def test_a_disk_that_fills_up_at_any_byte(tmp_path: Path, limit: int, writer: str) -> None:
    """The system itself refuses the bytes after the limit, to Python and to a library in Rust."""
    body = f"with whole_file('out.bin') as p: {writer}" if "save_file" in writer else f"p = 'out.bin'; {writer}"
    done = in_a_process(
        "import resource, numpy as np; from safetensors.numpy import save_file\n"
        "from safe_files import WriteError, whole_file, write_text\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        f"try:\n    {body}\nexcept WriteError as error:\n    print('refused', error)",
        tmp_path,
    )
    assert done.stdout.startswith("refused out.bin: cannot be written (File too large)"), done.stderr
    assert names(tmp_path) == []


def test_a_full_disk_said_in_a_librarys_own_error(tmp_path: Path) -> None:
    refused = pytest.raises(WriteError, match=r"x\.faiss: cannot be written \(No space left on device\)")
    with refused, whole_file(tmp_path / "x.faiss"):
        raise RuntimeError("Error in FileIOWriter: write error in x: 0 != 1 (No space left on device)")


@pytest.mark.parametrize("value", [0o022, 0o077, 0o002, 0o000])
def test_modes_are_those_of_the_umask(tmp_path: Path, value: int) -> None:
    from safetensors.numpy import save_file

    with umask(value):
        write_text(tmp_path / "new" / "a.txt", "x")
        with whole_file(tmp_path / "b.safetensors") as partial:
            save_file({"a": np.zeros(2)}, partial)  # a library that makes its files private
        with whole_folder(tmp_path / "c") as folder:
            (folder / "inside.txt").write_text("x")
    assert mode(tmp_path / "new") == 0o777 & ~value
    assert mode(tmp_path / "new" / "a.txt") == 0o666 & ~value
    assert mode(tmp_path / "b.safetensors") == 0o666 & ~value
    assert mode(tmp_path / "c") == 0o777 & ~value
    assert mode(tmp_path / "c" / "inside.txt") == 0o666 & ~value


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("precious")
    (tmp_path / "out.txt").symlink_to(tmp_path / "precious.txt")
    write_text(tmp_path / "out.txt", "new")
    assert (tmp_path / "precious.txt").read_text() == "precious"
    assert not (tmp_path / "out.txt").is_symlink()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "kept").write_text("kept")
    (tmp_path / "folder").symlink_to(tmp_path / "old")
    with whole_folder(tmp_path / "folder") as folder:
        (folder / "a").write_text("a")
    assert not (tmp_path / "folder").is_symlink()
    assert names(tmp_path / "folder") == ["a"]
    assert names(tmp_path / "old") == ["kept"]
    assert names(tmp_path) == ["folder", "old", "out.txt", "precious.txt"]


def test_a_planted_temporary_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever guesses a temporary name and puts a link there gets nothing: the file must be new."""
    (tmp_path / "precious.txt").write_text("precious")
    guesses = iter(["guessed00000", "other0000000"])
    monkeypatch.setattr("secrets.token_hex", lambda count: next(guesses))
    (tmp_path / ".out.guessed00000.partial.txt").symlink_to(tmp_path / "precious.txt")
    write_text(tmp_path / "out.txt", "new")
    assert (tmp_path / "precious.txt").read_text() == "precious"
    assert (tmp_path / "out.txt").read_text() == "new"


def test_temporary_names_cannot_be_told_in_advance(tmp_path: Path) -> None:
    assert len({_temporary(tmp_path / "x.csv") for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("there", "is a folder"),
        ("pipe", "device or a pipe"),
        ("file.txt/inside.txt", r"file\.txt"),
        ("x" * 300, "too long"),
        ("new/" + "x" * 300 + "/y", "too long"),
    ],
)
def test_places_that_cannot_be_written(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WriteError, match=reason) as caught:
        write_text(tmp_path / name, "x")
    assert str(tmp_path / name) in str(caught.value)
    assert (tmp_path / "file.txt").read_text() == "x"
    assert stat.S_ISFIFO(os.lstat(tmp_path / "pipe").st_mode)
    assert not [n for n in names(tmp_path) if "partial" in n]


@given(st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=255))
@settings(max_examples=60, deadline=None)
def test_every_name_that_the_disk_takes_can_be_written(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """The temporary name is never longer than the final one may be."""
    folder = tmp_path_factory.mktemp("names")
    if name in (".", "..") or len(os.fsencode(name)) > 255:
        return
    write_text(folder / name, "x")
    assert names(folder) == [name]
    assert len(os.fsencode(_temporary(folder / name).name)) <= 120


def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(WriteError, match="Permission denied"):
        write_text(tmp_path / "closed" / "a.txt", "x")


def test_a_folder_is_exchanged_whole(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with whole_folder(tmp_path / "gallery") as folder:
            (folder / "sub").mkdir()
            (folder / "sub" / content).write_text(content)
    assert names(tmp_path) == ["gallery"]
    assert names(tmp_path / "gallery" / "sub") == ["second"]


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("point", POINTS)
def test_a_fault_leaves_the_old_folder(
    tmp_path: Path, point: str, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:
        monkeypatch.setattr("safe_files.whole._exchange", lambda one, other: False)
    with whole_folder(tmp_path / "g") as folder:
        (folder / "old").write_text("old")
    refused = pytest.raises(WriteError, match=r"/g: cannot be written \(Input/output error\)")
    with fault(point, "EIO"), refused, whole_folder(tmp_path / "g") as folder:
        (folder / "new").write_text("new")
    assert names(tmp_path) == ["g"]
    assert names(tmp_path / "g") == ["old"]
    with whole_folder(tmp_path / "g") as folder:
        (folder / "new").write_text("new")
    assert names(tmp_path) == ["g"]
    assert names(tmp_path / "g") == ["new"]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_leaves_the_old_folder(tmp_path: Path, point: str) -> None:
    with whole_folder(tmp_path / "g") as folder:
        (folder / "old").write_text("old")
    killed = in_a_process(
        "from safe_files import whole_folder; from safe_files.faults import fault\n"
        f"with fault({point!r}, 'kill'):\n"
        "    with whole_folder('g') as folder: (folder / 'new').write_text('new')",
        tmp_path,
    )
    assert killed.returncode == -signal.SIGKILL
    assert names(tmp_path / "g") == ["old"]
    sweep(tmp_path, older_than=0)
    assert names(tmp_path) == ["g"]


def test_a_second_rename_that_fails_brings_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safe_files.whole._exchange", lambda one, other: False)
    with whole_folder(tmp_path / "g") as folder:
        (folder / "old").write_text("old")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if ".partial" in self.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(WriteError, match="Input/output error"), whole_folder(tmp_path / "g") as folder:
        (folder / "new").write_text("new")
    assert names(tmp_path / "g") == ["old"]
    assert not previous_folder(tmp_path / "g").exists()


def test_a_folder_does_not_take_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "g").write_text("mine")
    with pytest.raises(WriteError, match="it is a file"), whole_folder(tmp_path / "g"):
        raise AssertionError("the block must not run")
    assert (tmp_path / "g").read_text() == "mine"


def test_sweep_leaves_what_is_being_written_what_is_young_and_what_is_others(tmp_path: Path) -> None:
    (tmp_path / ".notes.partial").write_text("a user's own")
    (tmp_path / ".talk.0123456789ab.partial.csv").write_text("left by a kill")
    with whole_file(tmp_path / "now.csv") as partial, whole_folder(tmp_path / "now") as folder:
        old = time.time() - 10_000
        os.utime(partial, (old, old))
        os.utime(folder, (old, old))
        assert sweep(tmp_path) == 0
        assert sweep(tmp_path, older_than=0) == 1
        assert partial.exists()
        assert folder.exists()
    assert names(tmp_path) == [".notes.partial", "now", "now.csv"]
    assert sweep(tmp_path / "absent") == 0


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    code = "from safe_files import write_text\nfor _ in range(40): write_text('x.txt', '{}' * 50_000)"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code.format(c)], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
        )
        for c in "ab"
    ]
    assert [w.wait(timeout=120) for w in writers] == [0, 0]
    assert (tmp_path / "x.txt").read_text() in ("a" * 50_000, "b" * 50_000)
    assert names(tmp_path) == ["x.txt"]


@pytest.mark.parametrize("name", ["../x.txt", "a/b.txt", "/etc/x", "..", ".", "", ".hidden", "a\\b", "nul\0"])
def test_names_from_data_do_not_lead_out_of_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a file's name"):
        inside(tmp_path, name)


def test_ordinary_names_stay_in_their_folder(tmp_path: Path) -> None:
    assert inside(tmp_path, "Gebärde 手 (2).txt") == tmp_path / "Gebärde 手 (2).txt"


def test_file_and_folder_are_on_the_disk_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    def fsync(handle: int) -> None:
        happened.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")

    replace = os.replace
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", lambda *names: (happened.append("rename"), replace(*names)))
    write_text(tmp_path / "a.txt", "x")
    assert happened == ["file", "rename", "folder"]
    happened.clear()
    with whole_folder(tmp_path / "g") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a").write_text("x")
    assert happened == ["folder", "file", "folder", "folder"]  # sub, sub/a, g, and where g lies
