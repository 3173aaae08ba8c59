"""Fault points: where a test lets a write fail, or the process die, to see what is left. Off unless switched on."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["KINDS", "POINTS", "fault", "reach"]

POINTS = ("create", "write", "close", "rename")
"""In the order of a write: the temporary file exists; data goes into it; it goes to the disk; it gets its name."""

KINDS = ("ENOSPC", "EDQUOT", "EIO", "EROFS", "kill")


@dataclass
class _Fault:
    point: str
    kind: str
    passes: int


_active: _Fault | None = None


@contextmanager
def fault(point: str, kind: str, passes: int = 0) -> Iterator[None]:
    """Inside the block, reaching `point` fails with the error `kind` or kills the process.

    Args:
        point: one of `POINTS`. kind: one of `KINDS`.
        passes: how often the point is passed unharmed first.

    Raises:
        ValueError: unknown point or kind.
    """
    global _active
    if point not in POINTS or kind not in KINDS:
        raise ValueError(f"fault {kind!r} at {point!r}; expected one of {KINDS} at one of {POINTS}")
    _active = _Fault(point, kind, passes)
    try:
        yield
    finally:
        _active = None


def reach(point: str, partial: Path | None = None) -> None:
    """Called by the writer at each point.

    Args:
        partial: the temporary file; cut to half its size before the fault, as an interrupted write leaves it.
    """
    if _active is None or _active.point != point:
        return
    if _active.passes > 0:
        _active.passes -= 1
        return
    if partial is not None and partial.is_file():
        os.truncate(partial, partial.stat().st_size // 2)
    if _active.kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    number = int(getattr(errno, _active.kind))
    raise OSError(number, os.strerror(number))
