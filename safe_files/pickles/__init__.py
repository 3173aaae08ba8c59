"""A reader of pickles that runs nothing: plain containers, strings, numbers and NumPy arrays only.

Ground truth, submissions and some estimators' poses are pickles, and a pickle is a program; Python's own reader runs
it. This one interprets the instructions that data needs and builds every value itself. Nothing that a file names is
imported or called; any other instruction or name ends the reading.

The file is read as a stream. What its values take is counted beforehand and bounded by the file's size and 48 MiB, so
the process grows by less than 64 MiB beyond the file's size.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from .arrays import RefusedError
from .machine import Reader
from .plain import check

__all__ = ["PickleError", "read_pickle", "read_stream"]


class PickleError(ValueError):
    """The file is damaged or holds more than plain data."""


MOST_SHARED = 1 << 20
"""Values of a file in which containers occur repeatedly, each time counted."""


def read_pickle(path: str | Path) -> Any:
    """The plain data of a pickle: dict, list, tuple, str, bytes, int, float, bool, None, NumPy arrays and scalars.

    OrderedDict and defaultdict become dict; arrays are read-only. Keys of a dict are strings, bytes, whole numbers,
    truth values or None; whole numbers have up to 128 bits (64 as keys), texts up to 2 MiB; arrays hold numbers or
    strings of fixed width. (Protocols 0 to 2 write arrays as text.)

    Raises:
        PickleError: the file is missing, empty, truncated, or names or holds anything else; a container holds itself;
            the values would take more than 48 MiB beyond the file's size.
    """
    path = Path(path)
    try:
        with open(path, "rb", opener=_open) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise PickleError(f"{path}: cannot be read (not a file)")
            return read_stream(file, status.st_size, path)
    except OSError as error:
        raise PickleError(f"{path}: cannot be read ({error.strerror})") from None


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe would wait for a writer


def read_stream(file: BinaryIO, size: int, path: str | Path) -> Any:
    """The same of an open file of `size` bytes; `path` is what messages call it."""
    if not size:
        raise PickleError(f"{path}: the file is empty (0 bytes)")
    reader = Reader(file, size)
    try:
        value = reader.run()
        check(value, max(MOST_SHARED, size))
    except RefusedError as error:
        raise PickleError(f"{path}: {error}") from None
    except (ValueError, OverflowError) as error:  # of our checks, of int() and of decoding text
        what = " ".join(str(error).split())[:200]
        raise PickleError(f"{path}: not a readable pickle (byte {reader.position}: {what})") from None
    return value
