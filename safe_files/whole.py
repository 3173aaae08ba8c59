"""The writer: a temporary name in the same folder, everything on the disk, then one rename."""

from __future__ import annotations

import ctypes
import errno
import io
import json
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .faults import reach

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "WriteError", "inside", "open_whole", "previous_folder", "sweep", "whole_file", "whole_folder", "write_bytes",
    "write_json", "write_npz", "write_text",
]  # fmt: skip

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG)
"""Errors of the disk that is written to, whichever file a library names with them."""

PARTIAL = re.compile(r"^\..*\.[0-9a-f]{12}\.partial(\.[^.]*)?$")
LOCK_FILE = re.compile(r"^\..+\.writing$")
"""Names of the files of `locks.locked`."""
NAME_BYTES = 48
"""Of the final name in the temporary one, which must not grow longer than a file system takes."""

AT_FDCWD, RENAME_EXCHANGE = -100, 2


class WriteError(OSError, ValueError):
    """A file or folder cannot be written; the message names it and the reason. What was there before is still there."""


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary file beside `path`, for any library that writes to a name; `path` itself when the block ends well.

    Its folder is made when absent. File and folders get the modes of the process's umask. A symbolic link at `path` is
    replaced, not followed. On an error, in the block or in writing, the temporary file is removed and `path` is as
    before.

    Yields:
        The temporary file: empty, with the suffix of `path`.

    Raises:
        WriteError: full or read-only disk, no permission, a name that is too long, or `path` is a folder or a device.
    """
    path = Path(path)
    with _errors(path):
        partial, handle, mode = _create(path)
    try:
        with _errors(path, partial):
            reach("create")
            yield partial
            reach("write", partial)
            _to_disk(partial, mode)
            reach("rename")
            _close(handle)  # HDF5 refuses to read a file that somebody has locked
            handle = None
            os.replace(partial, path)
            _folder_to_disk(path.parent)
    finally:
        _close(handle)
        _remove(partial)


@contextmanager
def open_whole(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """`whole_file`, opened: UTF-8 text with line ends as written ("w"), or bytes ("wb").

    Raises:
        WriteError: as for `whole_file`.
    """
    with whole_file(path) as partial, _Raw(partial, "wb") as raw, io.BufferedWriter(raw) as data:
        if mode == "wb":
            yield data
        else:
            with io.TextIOWrapper(data, encoding="utf-8", newline="") as text:
                yield text


class _Raw(io.FileIO):
    """A file whose every write is a fault point."""

    def write(self, data: Any, /) -> int:
        reach("write", Path(str(self.name)))
        return super().write(data)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes bytes, whole or not at all.

    Raises:
        WriteError: as for `whole_file`.
    """
    with open_whole(path, "wb") as file:
        file.write(content)


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text with line ends as they are, whole or not at all.

    Raises:
        WriteError: as for `whole_file`.
    """
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Writes JSON, whole or not at all.

    Raises:
        WriteError: as for `whole_file`.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_npz(path: str | Path, **arrays: Any) -> None:
    """Writes arrays as a compressed `.npz`, whole or not at all; it is made in memory.

    Raises:
        WriteError: as for `whole_file`.
    """
    import numpy as np

    content = io.BytesIO()  # NumPy leaves its zip archive open where a write fails, and that would complain later
    np.savez_compressed(content, **arrays)
    write_bytes(path, content.getvalue())


@contextmanager
def whole_folder(folder: str | Path) -> Iterator[Path]:
    """A temporary folder beside `folder`; when the block ends well it takes its place, with all that is in it.

    Where the system can exchange two folders in one step (Linux), there is no moment without a folder. Elsewhere the
    old one bears the name `previous_folder` for the moment between two renames.

    Raises:
        WriteError: as for `whole_file`, or `folder` is a file.
    """
    folder = Path(folder)
    with _errors(folder):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep_once(folder.parent)
        partial = _temporary(folder)
        partial.mkdir()
        handle = _lock_folder(partial)
    try:
        with _errors(folder, partial):
            reach("create")
            yield partial
            reach("write")
            for file in partial.rglob("*"):
                _folder_to_disk(file) if file.is_dir() else _to_disk(file)
            _folder_to_disk(partial)
            reach("rename")
            _take_place(partial, folder)
            _folder_to_disk(folder.parent)
    finally:
        _close(handle)
        _remove(partial)


def inside(folder: str | Path, name: str) -> Path:
    """The place of a file called `name` in `folder`, for names that come from somebody's data.

    Raises:
        ValueError: a name that leads elsewhere (``../x``, ``a/b``), begins with a dot, or that no file can have.
    """
    if not name or name.startswith(".") or any(c in name for c in "/\\\0"):
        raise ValueError(f"{name!r} cannot be a file's name in {folder}; expected a name without / and leading dot")
    return Path(folder) / name


def previous_folder(folder: Path) -> Path:
    """Where `whole_folder` keeps the old folder between two renames, on systems that cannot exchange folders."""
    return folder.with_name(f".{folder.name}.previous")


def sweep(folder: Path, older_than: float = 3600.0) -> int:
    """Removes temporary files and folders, and locks, that killed writers left in `folder`; those in use stay.

    Writers do so themselves, once for each folder in a process.

    Args:
        older_than: seconds since they were last changed; younger ones stay.

    Returns:
        How many were removed.
    """
    removed = 0
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not (PARTIAL.match(place.name) or LOCK_FILE.match(place.name)) or place.is_symlink():
            continue
        with suppress(OSError):
            handle = os.open(place, os.O_RDONLY)
            try:
                if time.time() - os.fstat(handle).st_mtime >= older_than and _locked(handle):
                    _remove(place)
                    removed += 1
            finally:
                os.close(handle)
    return removed


_swept: set[tuple[int, str]] = set()


def _sweep_once(folder: Path) -> None:
    """Clears away what killed writers left, at the first file that this process writes to a folder."""
    place = (os.getpid(), os.path.abspath(folder))
    if place not in _swept:
        _swept.add(place)
        with suppress(OSError):
            sweep(folder)


# --- the steps -------------------------------------------------------------------------------------------------


def _temporary(path: Path) -> Path:
    stem, suffix = path.stem, path.suffix
    if path.is_dir() or len(os.fsencode(suffix)) > 16:
        stem, suffix = path.name, ""
    short = os.fsencode(stem)[:NAME_BYTES].decode("utf-8", "ignore")
    return path.with_name(f".{short}.{secrets.token_hex(6)}.partial{suffix}")


def _create(path: Path) -> tuple[Path, int | None, int]:
    """A new file that nobody else has; what keeps it locked; its mode."""
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        kind = stat.S_IFREG
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "it is a folder; expected the name of a file")
    if not stat.S_ISREG(kind) and not stat.S_ISLNK(kind):
        raise OSError(errno.EINVAL, "it is a device or a pipe; expected the name of a file")
    if len(os.fsencode(path.name)) > 255:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    _sweep_once(path.parent)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    for attempt in range(20):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _temporary(path)
        try:
            handle = os.open(partial, flags | getattr(os, "O_BINARY", 0), 0o666)
        except (FileExistsError, FileNotFoundError):  # a name that is taken; a folder that was removed just now
            if attempt == 19:
                raise
            continue
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if fcntl is None:  # Windows does not rename an open file
            os.close(handle)
            return partial, None, mode
        _locked(handle)
        return partial, handle, mode
    raise AssertionError("unreachable")


def _locked(handle: int) -> bool:
    """Takes the lock that tells `sweep` that somebody writes here; False where another has it, or there are none."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _close(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _lock_folder(folder: Path) -> int | None:
    if os.name == "nt":
        return None
    handle = os.open(folder, os.O_RDONLY)
    _locked(handle)
    return handle


def _to_disk(file: Path, mode: int | None = None) -> None:
    """Waits until the file is on the disk; `mode`: some libraries replace the file by one that only its owner reads."""
    reach("close", file)
    handle = os.open(file, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    try:
        if mode is not None and stat.S_IMODE(os.fstat(handle).st_mode) != mode:
            os.chmod(file, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def _folder_to_disk(folder: Path) -> None:
    """The names in a folder, too, have to reach the disk; not every system lets a program wait for that."""
    if os.name == "nt":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)


def _take_place(partial: Path, folder: Path) -> None:
    if not os.path.lexists(folder):
        partial.rename(folder)
        _remove(previous_folder(folder))
        return
    if _exchange(partial, folder):
        return  # what was there is the temporary folder now, and goes with it
    old = previous_folder(folder)
    _remove(old)
    folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    _remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Exchanges two names in one step, where the system can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0)


def _remove(place: Path) -> None:
    with suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


@contextmanager
def _errors(path: Path, partial: Path | None = None) -> Iterator[None]:
    """Turns what goes wrong in writing into `WriteError`; other errors of the block pass."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        others_file = error.filename is not None and partial is not None and not _within(error.filename, partial)
        if others_file and error.errno not in DISK_ERRORS:
            raise  # the block could not read something
        full = error.errno in DISK_ERRORS
        reason = os.strerror(error.errno) if full and error.errno else error.strerror or str(error)
        if partial is None and error.filename is not None and Path(error.filename) != path:
            reason = f"{error.filename}: {reason}"
        raise _write_error(path, reason, error.errno) from error
    except Exception as error:  # FAISS and safetensors tell of a full disk in their own kinds of error
        for number in DISK_ERRORS:
            if os.strerror(number) in str(error):
                raise _write_error(path, os.strerror(number), number) from error
        raise


def _within(name: Any, partial: Path) -> bool:
    try:
        place = Path(os.fsdecode(name))
    except TypeError:
        return False
    return place == partial or partial in place.parents


def _write_error(path: Path, reason: str, number: int | None) -> WriteError:
    error = WriteError(f"{path}: cannot be written ({reason})")
    error.errno = number
    return error
