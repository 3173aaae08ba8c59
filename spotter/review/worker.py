"""One process beside the server for the heavy work (encoder, search, learning): the server stays small and quick.

It starts with the first task, does tasks in their order, and ends when nothing was asked of it for a while, which gives
its memory back. A task that takes the process down (out of memory, a crash in a native library) fails alone: the next
task gets a new process.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["Task", "Worker", "WorkerError"]

IDLE_SECONDS = 600.0


class WorkerError(RuntimeError):
    """The process ended in the middle of a task."""


@dataclass
class Task:
    """A task on its way: its result as a future, and the share that is done."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    result: Future[Any] = field(default_factory=Future)
    share: float = 0.0


class Worker:
    """Runs functions of one module in a process of its own.

    Args:
        home: the module; its function `begin(**start)` gives the object that every task function takes first, followed
            by `tell(share)`.
        start: arguments of `begin`.
        idle: seconds without a task after which the process ends.
    """

    def __init__(self, home: str, start: Mapping[str, Any], idle: float = IDLE_SECONDS) -> None:
        self.home, self.start, self.idle = home, dict(start), idle
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._tasks: dict[int, Task] = {}
        self._pipe: Connection | None = None
        self._process: Any = None

    @property
    def pid(self) -> int | None:
        """Of the process, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def submit(self, name: str, **arguments: Any) -> Task:
        """Starts a task; its result is a future."""
        task = Task(name, arguments)
        with self._lock:
            self._send(task)
        return task

    def _send(self, task: Task) -> None:
        number = next(self._numbers)
        pipe = self._started()
        self._tasks[number] = task
        with contextlib.suppress(OSError):  # `_listen` sees the end of a broken pipe and looks after its tasks
            pipe.send((number, task.name, dict(task.arguments)))

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            process, self._process, self._pipe = self._process, None, None
        if process is not None and process.is_alive():
            process.terminate()
            process.join(10)

    def _started(self) -> Connection:
        if self._pipe is not None:
            return self._pipe
        context = get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, self.home, self.start, self.idle), daemon=True)
        process.start()
        there.close()
        self._pipe, self._process = here, process
        threading.Thread(target=self._listen, args=(here, process), daemon=True, name="worker answers").start()
        return here

    def _listen(self, pipe: Connection, process: Any) -> None:
        while True:
            try:
                number, kind, value = pipe.recv()
            except (EOFError, OSError):
                break
            with self._lock:
                task = self._tasks.get(number) if kind == "share" else self._tasks.pop(number, None)
            if task is None:
                continue
            if kind == "share":
                task.share = value
                continue
            task.arguments = {}  # an uploaded clip stays nowhere
            if kind == "done":
                task.result.set_result(value)
            else:
                task.result.set_exception(ValueError(value) if kind == "mistake" else RuntimeError(value))
        process.join()
        self._look_after(pipe, process.exitcode)

    def _look_after(self, pipe: Connection, exitcode: int) -> None:
        """Tasks of a process that has ended: the one it died on fails, the others go to a new process."""
        with self._lock:
            waiting = list(self._tasks.values())
            self._tasks.clear()
            closed = self._pipe is not pipe
            failed = waiting if closed else waiting[:1] if exitcode else []
            if not closed:
                self._pipe = None
                for task in waiting[len(failed) :]:
                    self._send(task)
        for task in failed:
            task.result.set_exception(
                WorkerError("the process for heavy work died on this task (a crash, or no memory)")
            )


def _serve(pipe: Connection, home: str, start: Mapping[str, Any], idle: float) -> None:
    """What the process does."""
    module = import_module(home)
    held: Any = None
    while True:
        if not pipe.poll(idle):
            return
        try:
            number, name, arguments = pipe.recv()
        except EOFError:
            return

        def tell(share: float, number: int = number) -> None:
            with contextlib.suppress(OSError):
                pipe.send((number, "share", float(share)))

        try:
            held = module.begin(**start) if held is None else held
            work: Callable[..., Any] = getattr(module, name)
            answer = ("done", work(held, tell, **arguments))
        except (ValueError, KeyError, OSError, ImportError) as error:
            text = error.args[0] if isinstance(error, KeyError) and error.args else error
            answer = ("mistake", str(text))
        except Exception as error:
            answer = ("failure", f"{type(error).__name__}: {error}")
        pipe.send((number, *answer))
