"""Locks: one writer at a time for what is read, changed and written again."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from .whole import WriteError

__all__ = ["BusyError", "locked"]

WAIT = 600.0
"""Seconds; merging into the largest store takes a part of it."""
STEP = 0.02

_held = threading.local()


class BusyError(WriteError):
    """Another process is writing the same file or folder, and did not end in the time that was waited."""


@contextmanager
def locked(path: str | Path, wait: float = WAIT) -> Iterator[None]:
    """Holds the lock of a file or folder: of several processes or threads, one is in such a block at a time.

    The lock is a file `.NAME.writing` beside `path`, removed at the end; one that a killed process left locks nothing,
    and `sweep` removes it.
    Readers need none: files appear whole. A block inside another of the same path holds the lock already.

    Args:
        path: what will be written; need not exist.
        wait: seconds to wait for others.

    Raises:
        BusyError: another process still holds it after that time.
        WriteError: the lock file cannot be made.
    """
    path = Path(path)
    place = path.parent.resolve() / f".{path.name}.writing"
    mine: set[Path] = _held.__dict__.setdefault("places", set())
    if place in mine:
        yield
        return
    handle = _taken(path, place, wait)
    mine.add(place)
    try:
        yield
    finally:
        mine.discard(place)
        if os.name != "nt":
            place.unlink(missing_ok=True)
        os.close(handle)


def _taken(path: Path, place: Path, wait: float) -> int:
    """The lock file, opened and locked."""
    until = time.monotonic() + wait
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    while True:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(place, flags, 0o666)
        except FileNotFoundError:  # the folder was removed just now
            continue
        except OSError as error:
            raise WriteError(f"{path}: cannot be written ({place.name}: {error.strerror})") from error
        try:
            if _lock(handle) and os.path.samestat(os.fstat(handle), os.stat(place)):
                return handle
        except FileNotFoundError:  # the one before removed the file as it ended: what is locked is no more
            pass
        os.close(handle)
        if time.monotonic() > until:
            raise BusyError(f"{path}: another process is writing it; wait until it has ended, then try again")
        time.sleep(STEP)


def _lock(handle: int) -> bool:
    if sys.platform == "win32":
        msvcrt = import_module("msvcrt")
        with suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
