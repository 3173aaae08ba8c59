"""What is known of the videos of a corpus beside their signing: who signs, and when it was recorded."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from safe_files import open_whole, reader

from .video import CorpusError

__all__ = ["read_facts", "within", "write_facts"]

COLUMNS = ("video", "signer", "date")


def write_facts(path: Path, facts: Mapping[str, Mapping[str, str]]) -> None:
    """Writes video → {signer, date} as a CSV, by the videos' names."""
    with open_whole(path) as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows({"video": name, **row} for name, row in sorted(facts.items()))


@reader(CorpusError)
def read_facts(path: Path) -> dict[str, dict[str, str]]:
    """Facts from a CSV with the columns video (a name or file), signer, date; the latter two may be empty.

    A date is YYYY-MM-DD, or only its month or year.

    Raises:
        CorpusError: not such a table; names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            rows, columns = list(table), set(table.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from None
    if "video" not in columns or not columns & {"signer", "date"}:
        raise CorpusError(f"{path}: columns are {', '.join(sorted(columns)) or 'none'}; expected video, signer, date")
    facts: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, start=2):
        name, date = Path(row["video"] or "").stem, (row.get("date") or "").strip()
        if not name or not _is_date(date):
            raise CorpusError(f"{path}, line {number}: video {name!r}, date {date!r}; expected a name and YYYY-MM-DD")
        facts[name] = {"signer": (row.get("signer") or "").strip(), "date": date}
    return facts


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
