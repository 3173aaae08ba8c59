"""What all commands share: consoles, progress bars, how warnings and failures are shown."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.text import Text

__all__ = [
    "Failures", "PlainProgress", "duration", "err", "listed", "out", "print_json", "progress_bar", "say", "say_warning",
    "shown", "state",
]  # fmt: skip

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that terminals obey; names of files and glosses may hold them."""


class SafeConsole(Console):
    """A console on which no text can move the cursor, change colours or set the window's title, but ours."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text, its control characters as they are written in Python."""
        return super().render_str(_visible(text), **options)


def _visible(text: str) -> str:
    return CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


out = SafeConsole(highlight=False, soft_wrap=True)
err = SafeConsole(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class State:
    debug: bool = False


state = State()


def say_warning(message: Warning | str, category: type, filename: str, lineno: int, *_: Any) -> None:
    """One line on stderr instead of Python's two with a source path; libraries' notices only with --debug."""
    ours = issubclass(category, UserWarning) and not issubclass(category, DeprecationWarning)
    if ours or state.debug:
        err.print(f"[yellow]warning:[/yellow] {escape(shown(message))}")


def print_json(value: Any) -> None:
    """Machine-readable output, alone on stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


class PlainProgress:
    """Progress as lines, for logs: what is done, of how many, how long the rest may take; every now and then."""

    EVERY = 10.0
    """Seconds between lines; they grow with the time that has passed, so that a night's log stays short."""

    def __init__(self) -> None:
        self._tasks: list[_Task] = []

    def add_task(self, description: str, total: float | None = None, completed: float | None = None) -> int:
        """As `rich.progress.Progress`."""
        self._tasks.append(_Task(description, total, time.monotonic(), completed or 0.0, completed))
        return len(self._tasks) - 1

    def advance(self, task: int, advance: float = 1) -> None:
        """As `rich.progress.Progress`."""
        self.update(task, advance=advance)

    def update(
        self,
        task: int,
        *,
        completed: float | None = None,
        total: float | None = None,
        description: str | None = None,
        advance: float | None = None,
    ) -> None:
        """As `rich.progress.Progress`."""
        completed = completed if advance is None else self._tasks[task].done + advance
        one, now = self._tasks[task], time.monotonic()
        one.total = one.total if total is None else total
        one.text = one.text if description is None else description
        if completed is not None:
            if one.first is None:
                one.first = completed  # what was there before this run says nothing about its speed
            one.done = completed
        passed = now - one.begun
        if now - one.told >= max(self.EVERY, passed / 20) and one.total:
            one.told = now
            done = one.done - (one.first or 0)
            left = f", about {duration(passed / done * (one.total - one.done))} left" if done > 0 else ""
            err.print(f"{one.text}: {one.done:.4g} of {one.total:g} after {duration(passed)}{left}", markup=False)


@dataclass
class _Task:
    text: str
    total: float | None
    begun: float
    done: float = 0.0
    first: float | None = None
    told: float = 0.0

    def __post_init__(self) -> None:
        self.told = self.begun


def duration(seconds: float) -> str:
    """Time for people: 40 s, 12 min, 3 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def shown(value: object) -> str:
    """A text that any terminal can show: names of files may hold bytes that are no letters, and control characters."""
    return _visible(str(value).encode("utf-8", "backslashreplace").decode())


def say(value: object) -> None:
    """A text as it is, on stdout, for tables that other programs read too."""
    sys.stdout.write(shown(value) + "\n")


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a row, the first of many."""
    more = len(names) - most
    return shown(", ".join(names[:most])) + (f" and {more} more" if more > 0 else "")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar with elapsed and remaining time on stderr; plain lines when stderr is no terminal."""
    if not err.is_terminal:
        yield cast("Progress", PlainProgress())
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err) as bar:
        yield bar


class Failures:
    """Recordings that could not be used: said in one line each, counted at the end, exit code 1."""

    def __init__(self) -> None:
        self.failed: list[tuple[str, str]] = []

    def add(self, what: Any, why: object) -> None:
        self.failed.append((shown(what), shown(why)))
        text = shown(why)
        prefix = "" if shown(what) in text else f"{shown(what)}: "
        err.print(f"[red]failed:[/red] {escape(prefix + text)}")

    def finish(self, total: int) -> None:
        """Ends the command with code 1 when anything failed."""
        if self.failed:
            parts = (what.partition("#") for what, _ in self.failed)
            names = ", ".join(f"{Path(file).name}{mark}{clip}" for file, mark, clip in parts)
            err.print(f"{len(self.failed)} of {total} failed: {escape(names)}")
            raise typer.Exit(1)
