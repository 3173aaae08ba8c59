"""Processes that estimate poses: they end with the program that started them, and at once when it is interrupted."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process

__all__ = ["estimator_processes"]


@contextmanager
def estimator_processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes. When the block ends by an error or Ctrl-C, what they do is given up."""
    # spawn: the native libraries of the estimators do not survive a fork
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)
    try:
        yield pool
    except BaseException:
        # without this the program would first wait for the hours that are left of the videos in work
        for process in list(getattr(pool, "_processes", None) or {}):
            _end(process)
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _end(process: int) -> None:
    try:
        os.kill(process, signal.SIGTERM)
    except (OSError, ValueError):
        return


def _begin() -> None:
    """In each process: Ctrl-C is for the program alone, and where that is gone nobody waits for the result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
