"""Detections as CSV (pandas) and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safe_files import whole_file, write_json

from ..detection import Detection

__all__ = ["COLUMNS", "read_csv", "read_json", "write_csv", "write_json_table"]

COLUMNS: tuple[str, ...] = ("video", "sign", "start", "end", "score")
FORMAT, VERSION = "sign-spotter detections", 1


def write_csv(path: Path, detections: Sequence[Detection]) -> None:
    """A table of `COLUMNS`; numbers keep every digit (shortest form that reads back the same)."""
    import pandas as pd

    table = pd.DataFrame([asdict(d) for d in detections], columns=list(COLUMNS))
    # pandas leaves a lone carriage return unquoted and would read it back as the end of a row
    quoting = csv.QUOTE_NONNUMERIC if any("\r" in d.sign + d.video for d in detections) else csv.QUOTE_MINIMAL
    with whole_file(path) as partial:
        table.to_csv(partial, index=False, encoding="utf-8", lineterminator="\n", quoting=quoting)


def read_csv(path: Path) -> list[Detection]:
    """A table with at least the columns video, sign, start, end; without score each has score 1.

    Raises:
        ValueError: not a table, a missing column, or a bad row (named by its line).
    """
    import pandas as pd

    try:
        # everything as text first, so that the gloss "NA" stays a gloss and a bad number can be named
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:  # pandas' parser errors and undecodable bytes are ValueErrors
        raise ValueError(f"{path}: not a readable CSV table ({error})") from None
    missing = [name for name in COLUMNS[:4] if name not in table.columns]
    if missing:
        raise ValueError(f"{path}, line 1: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    rows = table.to_dict("records")
    return [_detection(row, f"{path}, line {number}") for number, row in enumerate(rows, start=2)]


def write_json_table(path: Path, detections: Sequence[Detection]) -> None:
    """An object with `format`, `version` and the list `detections`."""
    write_json(path, {"format": FORMAT, "version": VERSION, "detections": [asdict(d) for d in detections]})


def read_json(path: Path) -> list[Detection]:
    """The list `detections` of a file that `write_json_table` made, or a bare list of the same objects.

    Raises:
        ValueError: no JSON, another format, a newer version, or a bad entry (named by its number).
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {error.lineno}: not valid JSON ({error.msg})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    if isinstance(value, dict):
        if value.get("format") != FORMAT:
            raise ValueError(f"{path}: format is {value.get('format')!r}; expected {FORMAT!r}")
        if value.get("version") != VERSION:
            raise ValueError(f"{path}: version {value.get('version')!r} is not known; this program reads {VERSION}")
        value = value.get("detections")
    if not isinstance(value, list):
        raise ValueError(f"{path}: holds no list of detections")
    return [_detection(row, f"{path}, detection {number}") for number, row in enumerate(value, start=1)]


def _detection(row: Any, where: str) -> Detection:
    if not isinstance(row, dict) or not all(name in row for name in COLUMNS[:4]):
        raise ValueError(f"{where}: expected {', '.join(COLUMNS)}")
    try:
        start, end = float(row["start"]), float(row["end"])
        score = float(row["score"]) if row.get("score") not in (None, "") else 1.0
    except (TypeError, ValueError):
        told = ", ".join(f"{name} {row.get(name)!r}" for name in COLUMNS[2:])
        raise ValueError(f"{where}: {told}; expected numbers") from None
    try:
        return Detection(str(row["video"]), str(row["sign"]), start, end, score)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
