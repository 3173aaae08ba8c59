"""What is known of the videos of a corpus beside their signing: who signs, when it was recorded, and whatever else."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from safe_files import open_whole, reader

from .video import CorpusError

__all__ = ["columns_of", "read_facts", "within", "write_facts"]

COLUMNS = ("video", "signer", "date")
"""Columns that every table has; it may have any others."""


def write_facts(path: Path, facts: Mapping[str, Mapping[str, str]]) -> None:
    """Writes video → {signer, date, …} as a CSV, by the videos' names; cells that a row lacks are empty."""
    with open_whole(path) as file:
        table = csv.DictWriter(file, columns_of(facts), restval="", lineterminator="\n")
        table.writeheader()
        table.writerows({"video": name, **row} for name, row in sorted(facts.items()))


@reader(CorpusError)
def read_facts(path: Path) -> dict[str, dict[str, str]]:
    """Facts from a CSV with the column video (a name or file) and any others; every row has signer and date, maybe "".

    A date is YYYY-MM-DD, or only its month or year.

    Raises:
        CorpusError: not such a table; names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            rows, columns = list(table), [name.strip() for name in table.fieldnames or ()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from None
    lowered = [name.casefold() for name in columns]
    if "video" not in columns or len(columns) < 2 or "" in columns or len(set(lowered)) < len(lowered):
        raise CorpusError(
            f"{path}: columns are {', '.join(columns) or 'none'}; expected video and any others (signer, date, …), "
            "each with a name of its own"
        )
    facts: dict[str, dict[str, str]] = {}
    for number, cells in enumerate(rows, start=2):
        if None in cells:
            raise CorpusError(f"{path}, line {number}: has more cells than the table has columns")
        row = {key.strip(): (cell or "").strip() for key, cell in cells.items()}
        name, date = Path(row.pop("video")).stem, row.get("date", "")
        if not name or not _is_date(date):
            raise CorpusError(f"{path}, line {number}: video {name!r}, date {date!r}; expected a name and YYYY-MM-DD")
        facts[name] = {"signer": "", "date": "", **row}
    return facts


def columns_of(facts: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """`COLUMNS`, then the others in the order in which they come."""
    others = dict.fromkeys(name for row in facts.values() for name in row if name not in COLUMNS)
    return (*COLUMNS, *others)


def within(date: str, since: str | None, until: str | None) -> bool:
    """Whether a date lies in since … until, both inclusive; a shortened limit takes in all of its month or year.

    Without limits every date passes, with one an unknown date does not.

    Raises:
        CorpusError: a limit is no date.
    """
    for limit in (since, until):
        if limit is not None and (not limit or not _is_date(limit)):
            raise CorpusError(f"date {limit!r}; expected YYYY-MM-DD, YYYY-MM or YYYY")
    if since is None and until is None:
        return True
    return bool(date) and (since is None or date >= since) and (until is None or date[: len(until)] <= until)


def _is_date(text: str) -> bool:
    parts = text.split("-")
    widths = [len(part) for part in parts]
    return not text or (widths in ([4], [4, 2], [4, 2, 2]) and all(part.isdigit() for part in parts))
