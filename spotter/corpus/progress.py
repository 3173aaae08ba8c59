"""How far the filling of a corpus is: what runs were asked for, what of it is done, failed and still to do.

Each run of `spotter index`, or each part of one, has a file in `runs/` of the corpus with the names of its videos and
why some failed, and holds that file's lock while it works. What is done follows from the corpus's own files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safe_files import BusyError, locked, read_json, reader, write_json

from .share import Share
from .video import ENDING, CorpusError

if TYPE_CHECKING:
    from .folder import Corpus

__all__ = ["CorpusStatus", "RunRecord", "running", "status_of"]

SAVED_EVERY = 60.0
"""Seconds between writes of the failures of a run that goes on."""

HOUR, DAY = 3600.0, 86400.0


@dataclass(eq=False)
class RunRecord:
    """The file of one run.

    Attributes:
        path: of the file.
        planned: names of the run's videos.
        failed: name → why, of those that could not be used.
    """

    path: Path
    planned: tuple[str, ...]
    failed: dict[str, str]
    saved: float = 0.0

    @classmethod
    @reader(CorpusError)
    def load(cls, path: Path) -> RunRecord:
        """A run's file.

        Raises:
            CorpusError: damaged.
        """
        values = read_json(path)
        failed = {str(name): str(why) for name, why in dict(values["failed"]).items()}
        return cls(path, tuple(str(name) for name in values["planned"]), failed)

    def write(self) -> None:
        """Writes the file, whole."""
        write_json(self.path, {"planned": list(self.planned), "failed": dict(sorted(self.failed.items()))})
        self.saved = time.monotonic()

    def fail(self, name: str, why: str) -> None:
        """Notes a failure; the file is written now and then, and at the end."""
        self.failed[name] = why
        if time.monotonic() - self.saved > SAVED_EVERY:
            self.write()

    @property
    def label(self) -> str:
        """`whole`, or the part as `3/8`."""
        return self.path.stem.replace("-of-", "/")


@contextmanager
def running(folder: Path, share: Share | None, names: Iterable[str]) -> Iterator[RunRecord]:
    """The record of a run that begins now; it is written at the beginning and at the end, and locked between.

    Args:
        folder: of the corpus.

    Raises:
        CorpusError: the same run, or the same part of it, goes on already.
    """
    inside = folder / "runs"
    inside.mkdir(exist_ok=True)
    path = inside / ("whole.json" if share is None else f"{share.number}-of-{share.count}.json")
    try:
        with locked(path, wait=0):
            record = RunRecord(path, tuple(names), {})
            record.write()
            try:
                yield record
            finally:
                record.write()
    except BusyError:
        what = "this corpus" if share is None else f"part {share} of this corpus"
        raise CorpusError(f"{folder}: {what} is being indexed by another process; wait for it") from None


def goes_on(path: Path) -> bool:
    """Whether the process that writes a run's file still works."""
    try:
        with locked(path, wait=0):
            return False
    except BusyError:
        return True


@dataclass(frozen=True)
class CorpusStatus:
    """How far a corpus is.

    Attributes:
        planned: videos that runs were asked for; done: of these, stored; waiting: neither stored nor failed.
        failed: name → why.
        active: labels of the runs that go on, stopped: of those that do not and are not complete.
        last_hour, last_day: videos stored in that time.
        videos, hours, windows: of the corpus, whether planned or not; unindexed: windows that the index does not know.
    """

    planned: int
    done: int
    waiting: int
    failed: Mapping[str, str]
    active: tuple[str, ...]
    stopped: tuple[str, ...]
    last_hour: int
    last_day: int
    videos: int
    hours: float
    windows: int
    unindexed: int

    @property
    def remaining_hours(self) -> float | None:
        """Until nothing waits, at the pace of the last hour, else of the last day; None when nothing was stored."""
        pace = self.last_hour or self.last_day / 24
        return self.waiting / pace if pace else None


def status_of(corpus: Corpus) -> CorpusStatus:
    """Reads the runs' files and the corpus's.

    Raises:
        CorpusError: a file is damaged.
    """
    records = [RunRecord.load(path) for path in sorted((corpus.folder / "runs").glob("*.json"))]
    planned = {name for record in records for name in record.planned}
    stored = set(corpus.videos)
    failed = {name: why for record in records for name, why in record.failed.items() if name not in stored}
    active, stopped = [], []
    for record in records:
        if goes_on(record.path):
            active.append(record.label)
        elif any(name not in stored and name not in failed for name in record.planned):
            stopped.append(record.label)
    now = time.time()
    written = [file.stat().st_mtime for file in (corpus.folder / "videos").glob(f"*{ENDING}")]
    return CorpusStatus(
        planned=len(planned), done=len(planned & stored), waiting=len(planned - stored - set(failed)), failed=failed,
        active=tuple(active), stopped=tuple(stopped),
        last_hour=sum(now - at <= HOUR for at in written), last_day=sum(now - at <= DAY for at in written),
        videos=len(stored), hours=sum(v.duration for v in corpus.videos.values()) / 3600, windows=corpus.rows,
        unindexed=sum(v.rows for v in corpus.unindexed()),
    )  # fmt: skip
