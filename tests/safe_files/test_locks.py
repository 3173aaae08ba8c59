"""Two writers at once: nothing is lost, on every kind of store."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from gallery import Gallery, GalleryChangedError, GalleryError
from safe_files import BusyError, content_hash, locked, sweep

from ..conftest import REPOSITORY


def test_of_two_writers_nothing_is_lost() -> None:
    # a process of its own with one thread: the writers are forked from it
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-m", "tests.safe_files.two_writers", "1"], cwd=REPOSITORY, capture_output=True, text=True,
        env={**os.environ, **threads}, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_lock_is_one_threads(tmp_path: Path) -> None:
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(tmp_path / "a"):
            inside.set()
            leave.wait()
            order.append("first")

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    with pytest.raises(BusyError, match="a: another process is writing it"), locked(tmp_path / "a", wait=0.1):
        pass
    with locked(tmp_path / "b"), locked(tmp_path / "b"):  # another file, and a block in a block
        leave.set()
    with locked(tmp_path / "a"):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_locks_nothing(tmp_path: Path) -> None:
    code = f"""
        import os, signal
        from safe_files import locked
        with locked({str(tmp_path / "a")!r}):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=REPOSITORY, check=False)
    assert (tmp_path / ".a.writing").exists()
    with locked(tmp_path / "a", wait=1.0):
        assert sweep(tmp_path, older_than=0) == 0, "one that is held stays"
    (tmp_path / ".b.writing").touch()
    assert sweep(tmp_path, older_than=0) == 1


def saved(folder: Path) -> Gallery:
    gallery = Gallery(2, "e")
    gallery.add(np.eye(2, dtype=np.float32), ["HOUSE", "TREE"])
    gallery.save(folder)
    return gallery


def test_a_gallery_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    saved(tmp_path / "g")
    mine, other = Gallery.load(tmp_path / "g"), Gallery.load(tmp_path / "g")
    other.add(np.eye(2, dtype=np.float32)[:1], ["OTHER"])
    other.save(tmp_path / "g")
    other.remove(["TREE"])
    other.save(tmp_path / "g")  # again: it has read what it wrote
    mine.add(np.eye(2, dtype=np.float32)[:1], ["MINE"])
    with pytest.raises(GalleryChangedError, match="another process has changed this gallery"):
        mine.save(tmp_path / "g")
    assert Gallery.load(tmp_path / "g").labels == ("HOUSE", "OTHER")
    mine.save(tmp_path / "elsewhere")
    with pytest.raises(GalleryError, match="no exemplar"), Gallery.changing(tmp_path / "g") as changed:
        changed.remove(["HOUSE"]) or changed.remove(["HOUSE"])
    assert Gallery.load(tmp_path / "g").labels == ("HOUSE", "OTHER")


@pytest.mark.parametrize("label", ["A\rB", "A\0B", "\x1b[2J", "A\x85", "\udc80"])
def test_a_label_with_a_control_character_is_refused(label: str, tmp_path: Path) -> None:
    gallery = saved(tmp_path / "g")
    with pytest.raises(GalleryError, match="control character"):
        gallery.add(np.eye(2, dtype=np.float32)[:1], [label])
    with pytest.raises(GalleryError, match="control character"):
        gallery.add(np.eye(2, dtype=np.float32)[:1], ["A"], ids=[label])
    assert Gallery.load(tmp_path / "g").labels == ("HOUSE", "TREE")


def test_labels_that_a_table_might_change_come_back(tmp_path: Path) -> None:
    labels = ["007", "NA", "", " A", 'say "A"', "a,b", "NaN", "1e3", "GEBÄRDE", "‪手", "A\u2028B", "=cmd()"]
    labels = [label for label in labels if label]
    gallery = Gallery(2, "e")
    facts = [{"source": f"{label}\n.mp4", "start": 0.5} for label in labels]
    gallery.add(np.tile(np.eye(2, dtype=np.float32)[:1], (len(labels), 1)), labels, facts=facts)
    gallery.save(tmp_path / "g")
    again = Gallery.load(tmp_path / "g")
    assert (again.exemplar_labels, [f["source"] for f in again.facts]) == (labels, [f["source"] for f in facts])


def test_what_cannot_be_read_back_does_not_replace_a_gallery(tmp_path: Path) -> None:
    gallery = saved(tmp_path / "g")
    gallery.exemplar_labels[0] = "A\0B"  # past the check, as a later fault in it would be
    # readers of tables cut the label at the NUL or keep it, by their version
    with pytest.raises(GalleryError, match=r"does not read the same|control character"):
        gallery.save(tmp_path / "g")
    assert Gallery.load(tmp_path / "g").labels == ("HOUSE", "TREE")


def rewritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\1" * 4096)


@pytest.mark.parametrize("prepare", [lambda path: None, lambda path: os.utime(path, ns=(0, 0))])
def test_a_hash_sees_a_change_in_the_middle(prepare: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "talk.pose"
    path.write_bytes(bytes(4 << 20))
    prepare(path)
    before = content_hash(path)
    rewritten(path)
    prepare(path)  # size and time as before
    assert content_hash(path) != before
    assert content_hash(tmp_path) != content_hash(path)


def test_the_hash_of_a_large_file_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safe_files import content

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(content, "LARGE", 1 << 10)
    monkeypatch.setattr(content, "SETTLED", -1.0)
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(1 << 14))
    first = content_hash(path)
    content._of_file.cache_clear()  # as in another process
    (remembered,) = (tmp_path / "cache" / "sign-spotter" / "hashes").iterdir()
    assert remembered.read_text() == first == content_hash(path)
    remembered.write_text("cut")
    content._of_file.cache_clear()
    assert content_hash(path) == first
    rewritten(path)
    assert content_hash(path) != first


def test_parts_of_a_store_from_a_folder_that_was_removed(tmp_path: Path) -> None:
    """A merge that waited for another finds its parts gone and leaves the target alone."""
    from safe_files import GroupedHDF5

    first, second = GroupedHDF5(tmp_path / "s.h5"), GroupedHDF5(tmp_path / "s.h5")
    first.put("a", np.ones(2))
    second.merge()
    second.put("b", np.ones(2))
    first.merge()
    with h5py.File(tmp_path / "s.h5") as file:
        assert set(file) == {"a", "b"}
