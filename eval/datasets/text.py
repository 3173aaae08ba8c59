"""Reading annotation text so that every mistake names its file, row and rule."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from safe_files import JSONError, parse_json, reader

from .sample import DatasetError

__all__ = ["Ids", "number", "read_json", "read_lines", "read_table", "read_text", "span", "whole"]


@reader(DatasetError)
def read_text(path: str | Path) -> str:
    """UTF-8 text without a byte-order mark; line ends as they are."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(path, None, f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise DatasetError(path, None, f"is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


@reader(DatasetError)
def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, line) of the lines that hold something."""
    any_line = False
    for row, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            any_line = True
            yield row, line
    if not any_line:
        raise DatasetError(path, None, "is empty; expected one row per sample")


@reader(DatasetError)
def read_json(path: str | Path, kind: type) -> Any:
    """The JSON value, which must be of `kind` (list or dict)."""
    try:
        value = parse_json(read_text(path))
    except JSONError as error:
        raise DatasetError(path, error.line, f"is {error.rule}" if error.rule else str(error)) from None
    if not isinstance(value, kind):
        raise DatasetError(path, None, f"holds a {type(value).__name__}; expected a {kind.__name__}")
    if not value:
        raise DatasetError(path, None, "holds nothing; expected one entry per sample")
    return value


@reader(DatasetError)
def read_table(
    path: str | Path, columns: Sequence[str], delimiter: str = ",", header: bool = True
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number from 1, {column: cell}) of each row.

    With a header, the named columns must be in it, in any order, and further ones are passed on; without, each row
    must have exactly the named columns.
    """
    lines = (line for _, line in read_lines(path)) if not header else iter(read_text(path).splitlines())
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    names = list(columns)
    try:
        if header:
            names = [name.strip() for name in next(rows, [])]
            absent = [name for name in columns if name not in names]
            if absent:
                rule = f"has the columns {', '.join(names)}; expected also {', '.join(absent)}"
                raise DatasetError(path, 1, rule if any(names) else f"is empty; expected {', '.join(columns)}")
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise DatasetError(path, rows.line_num, f"has {len(cells)} columns; expected {len(names)}")
            yield rows.line_num, dict(zip(names, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise DatasetError(path, rows.line_num, f"is no CSV row ({error})") from None


def whole(value: Any, path: str | Path, row: int | str, name: str, low: int | None = None) -> int:
    """An integer, at least `low`."""
    try:
        result = int(value)
    except (TypeError, ValueError):
        raise DatasetError(path, row, f"{name} is {value!r}; expected a whole number") from None
    if isinstance(value, float) and value != result:
        raise DatasetError(path, row, f"{name} is {value!r}; expected a whole number")
    if low is not None and result < low:
        raise DatasetError(path, row, f"{name} is {result}; expected at least {low}")
    return result


def number(value: Any, path: str | Path, row: int | str, name: str, low: float | None = None) -> float:
    """A finite number, at least `low`."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise DatasetError(path, row, f"{name} is {value!r}; expected a number") from None
    if not math.isfinite(result):
        raise DatasetError(path, row, f"{name} is {result}; expected a finite number")
    if low is not None and result < low:
        raise DatasetError(path, row, f"{name} is {result:g}; expected at least {low:g}")
    return result


def span(start: float, end: float, path: str | Path, row: int | str) -> None:
    """Refuses a half-open range that is empty or turned round."""
    if end <= start:
        raise DatasetError(path, row, f"ends at {end:g}, not after its start at {start:g} (half-open)")


class Ids:
    """Ids seen so far in one file; a second use is an error that names both rows."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.rows: dict[str, int | str] = {}

    def add(self, name: str, row: int | str) -> str:
        if not name:
            raise DatasetError(self.path, row, "the id is empty; expected a unique name")
        if name in self.rows:
            raise DatasetError(self.path, row, f"the id {name!r} is given twice (first in row {self.rows[name]})")
        self.rows[name] = row
        return name
