"""The log of decisions: SQLite in WAL mode, lines are appended and never changed.

::

    search (id, at, who, kind, encoder, base, detail)     a list of hits came from somewhere
    found  (search, hit, video, sign, start, end, score)   what it found
    line   (n, token, at, who, client, action, hit, base, search, weights, detail)

A line says who did what to which hit, when, having seen the log up to which line (`base`), looking at which search
and weights. What holds now follows from the lines (`state`); undoing is one more line. Triggers refuse to change or
delete a row, so whoever opens the file with another program cannot rewrite the log by accident either.

A line is on disk before `append` returns, and a line with a token that is there already is not written again: a client
that does not know whether its request arrived sends it once more.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safe_files import boundary, parse_json

__all__ = ["ACTIONS", "DecisionLog", "Found", "Line", "LogError", "Search", "now"]

VERSION = 1
APPLICATION = 0x53504F54
"""`PRAGMA application_id`: "SPOT"."""

PATIENCE = 30.0
"""Seconds to wait while another process writes."""

ACTIONS: tuple[str, ...] = (
    "accept", "reject", "unsure", "clear", "span", "relabel", "split", "merge", "add", "exemplar", "retire", "sample",
    "note", "export", "undo",
)  # fmt: skip

_TABLES = (
    """CREATE TABLE search (
      id TEXT PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL, encoder TEXT NOT NULL,
      base INTEGER NOT NULL, detail TEXT NOT NULL)""",
    """CREATE TABLE found (
      search TEXT NOT NULL REFERENCES search(id), hit TEXT NOT NULL, video TEXT NOT NULL, sign TEXT NOT NULL,
      start REAL NOT NULL, end REAL NOT NULL, score REAL NOT NULL, PRIMARY KEY (search, hit)) WITHOUT ROWID""",
    """CREATE TABLE line (
      n INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, at TEXT NOT NULL, who TEXT NOT NULL,
      client TEXT NOT NULL, action TEXT NOT NULL, hit TEXT NOT NULL, base INTEGER NOT NULL, search TEXT NOT NULL,
      weights TEXT NOT NULL, detail TEXT NOT NULL)""",
)
_GUARDS = tuple(
    f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the log of decisions is append-only'); END"
    for table in ("search", "found", "line")
    for verb in ("UPDATE", "DELETE")
)


class LogError(ValueError):
    """The log cannot be opened, or a line does not fit into it."""


@dataclass(frozen=True)
class Search:
    """Where a list of hits came from.

    Attributes:
        id: its name in the log.
        at: when (ISO 8601, UTC).
        who: asked for it.
        kind: "spot", "search", "more" (from a drawn span), "learned" (after decisions), "import".
        encoder: id of the weights.
        base: the last line of the log that it took into account.
        detail: options, signs, versions.
    """

    id: str
    at: str
    who: str
    kind: str
    encoder: str
    base: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A hit as a search gave it; times in seconds."""

    hit: str
    video: str
    sign: str
    start: float
    end: float
    score: float


@dataclass(frozen=True)
class Line:
    """One line of the log.

    Attributes:
        action: one of `ACTIONS`.
        hit: what it is about; "" for lines about no hit.
        who: took the decision.
        token: names the line for ever; the same token again is the same line.
        client: the browser tab or program that sent it.
        base: number of the last line its author had seen.
        search, weights: the list it was decided on, and the encoder's id.
        detail: what the action needs (`state` says what).
        n: place in the log, 0 before it is in one; at: when.
    """

    action: str
    hit: str
    who: str
    token: str
    client: str = ""
    base: int = 0
    search: str = ""
    weights: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    n: int = 0
    at: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise LogError(f"action {self.action!r} is not known; expected one of {', '.join(ACTIONS)}")
        if not self.token:
            raise LogError(f"a line {self.action!r} without a token; every line needs one of its own")


def now() -> str:
    """This moment, ISO 8601 in UTC to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class DecisionLog:
    """The log of one project, opened; safe to use from several threads.

    Args:
        path: the SQLite file; it is made when it is not there.

    Raises:
        LogError: the file is no log of decisions, is damaged, or was written by a newer version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(self.path, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise LogError(f"{self.path}: cannot be opened as a log of decisions ({error})") from None
        try:
            with boundary(self.path, LogError):
                self._prepare()
        except LogError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        # in this order: who makes the log at the same time writes both in one transaction
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        if tables and application != APPLICATION:
            raise LogError(f"{self.path}: a database of another program; expected a log of decisions")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA trusted_schema = OFF")  # nothing in a file from elsewhere may call functions
        self._db.execute("PRAGMA cell_size_check = ON")
        # WAL lets others read while one writes; FULL waits for the disk at every commit
        self._with_patience("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise LogError(f"{self.path}: version {version}; this program reads up to {VERSION}")
            if version == 0:
                for statement in (*_TABLES, *_GUARDS):
                    db.execute(statement)
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(f"PRAGMA user_version = {VERSION}")

    def _with_patience(self, statement: str) -> None:
        """Runs a statement before which SQLite itself does not wait for another process that has the file."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._db.execute(statement)
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
            time.sleep(0.01)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One writer at a time, from the first statement on; rolled back when the block fails."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Closes the file; what was appended is on disk already."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def last(self) -> int:
        """Number of the last line, 0 when there is none."""
        with boundary(self.path, LogError), self._lock:
            (n,) = self._db.execute("SELECT coalesce(max(n), 0) FROM line").fetchone()
            return int(n)

    def append(self, lines: Sequence[Line]) -> list[Line]:
        """Writes lines, all or none; gives them back with number and time, those already there as they stand.

        Raises:
            LogError: the disk refuses (full, read-only, locked for more than 30 s).
        """
        at = now()
        try:
            with self._transaction() as db:
                written = [self._append_one(db, line, at) for line in lines]
        except sqlite3.Error as error:
            raise LogError(f"{self.path}: the decisions could not be written ({error})") from None
        return written

    def _append_one(self, db: sqlite3.Connection, line: Line, at: str) -> Line:
        there = db.execute("SELECT * FROM line WHERE token = ?", (line.token,)).fetchone()
        if there is not None:
            return _line(there)
        values = (
            line.token, line.at or at, line.who, line.client, line.action, line.hit, line.base, line.search,
            line.weights, _json(line.detail),
        )  # fmt: skip
        places = ",".join("?" * len(values))
        done = db.execute(
            f"INSERT INTO line (token, at, who, client, action, hit, base, search, weights, detail) VALUES ({places})",
            values,
        )
        return _line((done.lastrowid, *values))

    def lines(self, since: int = 0, until: int | None = None) -> list[Line]:
        """Lines with since < n <= until, in order."""
        with boundary(self.path, LogError), self._lock, closing(self._db.cursor()) as cursor:
            limit = until if until is not None else (1 << 62)
            rows = cursor.execute("SELECT * FROM line WHERE n > ? AND n <= ? ORDER BY n", (since, limit))
            return [_line(row) for row in rows]

    def add_search(self, search: Search, found: Iterable[Found]) -> None:
        """Writes a search and its hits, all or none.

        Raises:
            LogError: a search of this id is there, a hit is named twice, or the disk refuses.
        """
        rows = [(search.id, f.hit, f.video, f.sign, f.start, f.end, f.score) for f in found]
        try:
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO search VALUES (?,?,?,?,?,?,?)",
                    (search.id, search.at, search.who, search.kind, search.encoder, search.base, _json(search.detail)),
                )
                db.executemany("INSERT INTO found VALUES (?,?,?,?,?,?,?)", rows)
        except sqlite3.Error as error:
            raise LogError(f"{self.path}: the search could not be written ({error})") from None

    def searches(self, since: int = 0) -> list[Search]:
        """Every search in the order it was written, from the `since`-th on."""
        with boundary(self.path, LogError), self._lock, closing(self._db.cursor()) as cursor:
            rows = cursor.execute("SELECT * FROM search ORDER BY rowid LIMIT -1 OFFSET ?", (since,)).fetchall()
        return [_search(row) for row in rows]

    def found(self, search: str) -> list[Found]:
        """The hits of a search, by video and time."""
        with boundary(self.path, LogError), self._lock, closing(self._db.cursor()) as cursor:
            columns = "hit, video, sign, start, end, score"
            rows = cursor.execute(
                f"SELECT {columns} FROM found WHERE search = ? ORDER BY video, start, end, sign", (search,)
            ).fetchall()
            return [Found(*row) for row in rows]


def _line(row: Sequence[Any]) -> Line:
    n, token, at, who, client, action, hit, base, search, weights, detail = row
    return Line(action, hit, who, token, client, base, search, weights, parse_json(detail), n, at)


def _search(row: Sequence[Any]) -> Search:
    name, at, who, kind, encoder, base, detail = row
    return Search(name, at, who, kind, encoder, base, parse_json(detail))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, sort_keys=True, allow_nan=False)
