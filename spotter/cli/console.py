"""What all commands share: consoles, progress bars, how warnings and failures are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Failures", "err", "out", "print_json", "progress_bar", "say_warning", "state"]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class State:
    debug: bool = False


state = State()


def say_warning(message: Warning | str, category: type, filename: str, lineno: int, *_: Any) -> None:
    """One line on stderr instead of Python's two with a source path; libraries' notices only with --debug."""
    ours = issubclass(category, UserWarning) and not issubclass(category, DeprecationWarning)
    if ours or state.debug:
        err.print(f"[yellow]warning:[/yellow] {escape(str(message))}")


def print_json(value: Any) -> None:
    """Machine-readable output, alone on stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar with elapsed and remaining time on stderr; silent when stderr is no terminal."""
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
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        yield bar


class Failures:
    """Recordings that could not be used: said in one line each, counted at the end, exit code 1."""

    def __init__(self) -> None:
        self.failed: list[tuple[str, str]] = []

    def add(self, what: Any, why: object) -> None:
        self.failed.append((str(what), str(why)))
        text = str(why)
        prefix = "" if str(what) in text else f"{what}: "
        err.print(f"[red]failed:[/red] {escape(prefix + text)}")

    def finish(self, total: int) -> None:
        """Ends the command with code 1 when anything failed."""
        if self.failed:
            parts = (what.partition("#") for what, _ in self.failed)
            names = ", ".join(f"{Path(file).name}{mark}{clip}" for file, mark, clip in parts)
            err.print(f"{len(self.failed)} of {total} failed: {escape(names)}")
            raise typer.Exit(1)
