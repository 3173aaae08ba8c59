"""Segments as CSV (pandas) and JSON; `eval.annotations.tables` reads both."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.annotations.tables import DETECTIONS, OWN_COLUMNS, SEGMENTS, VERSION
from eval.segments import Segment
from safe_files import safe_cell, whole_file, write_json

__all__ = ["write_csv", "write_json_table"]


def write_csv(path: Path, segments: Sequence[Segment]) -> None:
    """A table video, sign, start, end, score; numbers keep every digit (shortest form that reads back the same).

    Segments that all lack a score have no such column. A video or sign that a spreadsheet would take for a formula has
    an apostrophe before it (`safe_files.safe_cell`), which our readers take away again.
    """
    import pandas as pd

    table = pd.DataFrame([asdict(s) for s in segments], columns=list(OWN_COLUMNS))
    for column in ("video", "sign"):
        table[column] = [safe_cell(text) for text in table[column]]
    if len(table) and table["score"].isna().all():
        table = table.drop(columns="score")
    # pandas leaves a lone carriage return unquoted and would read it back as the end of a row
    quoting = csv.QUOTE_NONNUMERIC if any("\r" in s.sign + s.video for s in segments) else csv.QUOTE_MINIMAL
    with whole_file(path) as partial:
        table.to_csv(partial, index=False, encoding="utf-8", lineterminator="\n", quoting=quoting)


def write_json_table(
    path: Path, segments: Sequence[Segment], videos: Sequence[str] = (), notes: Mapping[str, Any] | None = None
) -> None:
    """An object with `format`, `version` and the list `detections`; segments without scores as `segments`.

    Args:
        videos: those that were looked at, also the ones without a segment; listed with segments without scores, since
            ground truth says what is not there too.
        notes: further facts for its head.
    """
    rows = [_plain(s) for s in segments]
    if any(s.score is None for s in segments):
        value = {"format": SEGMENTS, "version": VERSION, "unit": "s", "videos": list(videos), "segments": rows}
    else:
        value = {"format": DETECTIONS, "version": VERSION, **(notes or {}), "detections": rows}
    write_json(path, value)


def _plain(segment: Segment) -> dict[str, Any]:
    return {name: value for name, value in asdict(segment).items() if value is not None}
