"""The bytes of a pickle, counted, and the memory that its values take, counted before it is taken."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

from .arrays import RefusedError

__all__ = ["DamageError", "Source"]


class DamageError(ValueError):
    """What is wrong with the instructions of a pickle."""


MOST_BYTES = 48 << 20
"""Memory that all values together may take beyond the file's size; an estimate from above."""

MOST_LINE = 1 << 10
"""Bytes of one number or name written as a line."""


class Source:
    """A file of `size` bytes that is read once from its beginning."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size, self.position = file, size, 0
        self.free = size + MOST_BYTES

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.size - self.position:
            raise DamageError(f"{count} bytes expected, {self.size - self.position} left: the file is cut")
        data = self.file.read(count)
        self.position += len(data)
        if len(data) != count:
            raise DamageError("the file became shorter while it was read")
        return data

    def line(self, most: int = MOST_LINE) -> bytes:
        """The bytes before the next line end."""
        data = self.file.readline(most + 1)
        self.position += len(data)
        if not data.endswith(b"\n"):
            raise DamageError(f"a line has more than {most} bytes" if len(data) > most else "the file is cut in a line")
        return data[:-1]

    def number(self, form: str) -> Any:
        """The next number in the form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def charge(self, count: int) -> None:
        """Counts bytes of memory before they are taken."""
        self.free -= count
        if self.free < 0:
            raise RefusedError(f"its values would take more than {MOST_BYTES >> 20} MiB beyond the file's size")
