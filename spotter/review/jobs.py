"""Things that take a while: started by one request, asked about by later ones."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .worker import Task, Worker

__all__ = ["Job", "Jobs"]

REMEMBERED = 50


@dataclass
class Job:
    """Something that takes a while: what it is, how far it is, what came out."""

    id: str
    kind: str
    task: Task
    finish: Callable[[Any], Mapping[str, Any]]
    result: Mapping[str, Any] | None = None
    error: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settled(self) -> dict[str, Any]:
        """Its state for the page; the result is taken in once, by whoever asks first after the work is done."""
        with self.lock:
            if self.task.result.done() and self.result is None and not self.error:
                try:
                    self.result = self.finish(self.task.result.result())
                except Exception as error:
                    self.error = str(error)
            state = "failed" if self.error else "done" if self.result is not None else "running"
            return {"id": self.id, "kind": self.kind, "state": state, "share": self.task.share, "error": self.error,
                    "result": self.result}  # fmt: skip


class Jobs(dict[str, Job]):
    """Jobs by id, the newest ones."""

    def begin(self, worker: Worker, kind: str, finish: Callable[[Any], Mapping[str, Any]], **arguments: Any) -> Job:
        """Starts a task of a worker as a job; `finish` makes of its result what the page gets."""
        job = Job(uuid.uuid4().hex, kind, worker.submit(kind, **arguments), finish)
        self[job.id] = job
        for old in list(self)[:-REMEMBERED]:
            del self[old]
        return job

    @property
    def running(self) -> int:
        """How many are not done."""
        return sum(not job.task.result.done() for job in self.values())
