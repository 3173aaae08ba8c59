"""Tables with a header, and JSON lists of objects: columns by name, in any order, upper or lower case.

| column | may also be called | |
|---|---|---|
| `video` | `file`, `clip`, `source` | a file's name, such as `talks/a.mp4`, names the video `a` |
| `sign` | `label`, `gloss` | |
| `start`, `end` | `start_s`, `start_ms`, `start_frame` … | the name states the unit; without one it is seconds |
| `score` | | may be missing or empty |
| `fps` | | of `start_frame` and `end_frame` |

JSON is the list itself, or an object with it under `detections` or `segments` (and perhaps `unit`, `videos`): the form
that `spotter.write` writes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from safe_files import plain_cell, reader

from . import Annotations, Row, SegmentError, read_text

__all__ = [
    "DETECTIONS", "OWN_COLUMNS", "SEGMENTS", "VERSION", "has_times", "read_object", "read_records", "read_table",
    "records_of",
]  # fmt: skip

DETECTIONS, SEGMENTS, VERSION = "sign-spotter detections", "sign-spotter segments", 1
OWN_COLUMNS = ("video", "sign", "start", "end", "score")
"""The table that `spotter.write` writes: a header of just these is in seconds for certain."""
VIDEOS, SIGNS = ("video", "file", "clip", "source"), ("sign", "label", "gloss")
MEDIA = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".mts", ".pose", ".h5", ".hdf5")
"""Endings of recordings: a name with one of them is a file's, and the video goes by its stem."""
TIMES = (("_ms", "ms", True), ("_s", "s", True), ("_frame", "frames", True), ("", "s", False))
"""Ending of the columns' names, unit, whether the name states it."""


class _Columns(NamedTuple):
    """The names in a table of what a row needs; "" for what it does not have."""

    video: str
    sign: str
    times: tuple[tuple[str, str, str, bool], ...]
    score: str
    fps: str


@reader(SegmentError)
def records_of(path: Path, bare: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, {column: cell}) of every row of a table; the delimiter is a tab, a comma or a semicolon.

    Args:
        bare: the columns of a table that may have no header, the first of them one of `VIDEOS`.

    Raises:
        SegmentError: unreadable, or without a header.
    """
    text = read_text(path)
    header = text.partition("\n")[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ";" if header.count(";") > header.count(",") else ","
    spaced = f"{delimiter} " in header  # a table set by hand; in others a space belongs to the gloss
    cells = header.strip().split(delimiter)
    names = bare if len(cells) == len(bare) and cells[0].strip().lower() not in VIDEOS else None
    reader = csv.DictReader(io.StringIO(text, newline=""), names, delimiter=delimiter, skipinitialspace=spaced)
    if not reader.fieldnames:
        raise SegmentError(f"{path}: no CSV table, the file is empty; expected a header as {','.join(OWN_COLUMNS)}")
    try:
        for row in reader:
            cells_of = {name.strip(): (cell or "").strip() for name, cell in row.items() if name} if spaced else row
            yield (
                f"{path}, line {reader.line_num}",
                {name: plain_cell(cell) if isinstance(cell, str) else cell for name, cell in cells_of.items()},
            )
    except csv.Error as error:
        raise SegmentError(f"{path}, line {reader.line_num}: no row of a table ({error})") from None


def has_times(record: Mapping[str, Any]) -> bool:
    """Whether a row fills one of the columns for start and end."""
    names = {f"{side}{ending}" for side in ("start", "end") for ending, _, _ in TIMES}
    return any(str(name).strip().lower() in names and value not in (None, "") for name, value in record.items())


@reader(SegmentError)
def read_table(path: Path, labelled: bool = True) -> Annotations:
    """The rows of a `.csv` or `.tsv`.

    Args:
        labelled: False takes a table without a column for the sign too, and rows clip,start,end without a header.

    Raises:
        SegmentError: unreadable, or a column is missing.
    """
    records = records_of(path, () if labelled else ("clip", "start", "end"))
    return read_records(records, labelled=labelled, header=f"{path}, line 1")


def read_object(value: list[Any] | dict[str, Any], path: Path) -> Annotations:
    """The rows of a JSON list, or of the object around it.

    Raises:
        SegmentError: another format, a newer version, no list, or an entry that is no object.
    """
    header: dict[str, Any] = {"unit": None}
    entries: Any = value
    if isinstance(value, dict):
        header = {"format": SEGMENTS if "segments" in value else DETECTIONS, "version": VERSION, "unit": "s", **value}
        if header["format"] not in (DETECTIONS, SEGMENTS):
            raise SegmentError(f"{path}: format is {header['format']!r}; expected {DETECTIONS!r} or {SEGMENTS!r}")
        if header["version"] != VERSION:
            raise SegmentError(f"{path}: version {header['version']!r} is not known; this program reads {VERSION}")
        entries = header.get("segments" if header["format"] == SEGMENTS else "detections")
    videos = header.get("videos", [])
    if not isinstance(entries, list) or not isinstance(videos, list):
        raise SegmentError(f"{path}: holds no list of detections or segments")
    kind = "segment" if header.get("format") == SEGMENTS else "detection"
    annotations = read_records(((f"{path}, {kind} {n}", entry) for n, entry in enumerate(entries, 1)), header["unit"])
    return Annotations(annotations.rows, [*map(str, videos), *annotations.videos])


def read_records(
    records: Iterable[tuple[str, Any]], unit: str | None = None, labelled: bool = True, header: str = ""
) -> Annotations:
    """Rows from records {column: value}.

    Args:
        unit: what `start` and `end` are in, where something beside their names states it.
        header: where the columns' names stand; "" in each record.

    Raises:
        SegmentError: a record that is no object, or lacks a column.
    """
    rows: list[Row] = []
    columns_of: dict[tuple[str, ...], _Columns] = {}
    for where, record in records:
        if not isinstance(record, dict):
            raise SegmentError(f"{where}: is {record!r}; expected an object with video, sign, start, end")
        names = tuple(name for name in record if name is not None)
        columns = columns_of[names] if names in columns_of else _columns(names, header if header else where, labelled)
        columns_of[names] = columns
        start, end, named, stated = _times(record, columns)
        own = unit is not None or names == OWN_COLUMNS  # what `spotter.write` writes comes back as it is
        video = str(record[columns.video] or "")
        rows.append(
            Row(
                where,
                video if own else _stem(video),
                record.get(columns.sign, "?"),
                record[start],
                record[end],
                record.get(columns.score),
                named if stated or unit is None else unit,
                stated or own,
                record.get(columns.fps),
            )
        )
    return Annotations(rows, list(dict.fromkeys(row.video for row in rows)))


def _stem(video: str) -> str:
    file = PurePath(video.replace("\\", "/"))
    return file.stem if file.suffix.lower() in MEDIA else video


def _columns(names: tuple[str, ...], where: str, labelled: bool) -> _Columns:
    by_name = {str(name).strip().lower(): name for name in reversed(names)}

    def one_of(choices: Iterable[str]) -> str:
        for choice in choices:
            if choice in by_name:
                return by_name[choice]
        raise SegmentError(
            f"{where}: has the columns {', '.join(map(str, names))}; expected one called {' or '.join(choices)}"
        )

    times = tuple(
        (by_name[f"start{ending}"], by_name[f"end{ending}"], unit, stated)
        for ending, unit, stated in TIMES
        if {f"start{ending}", f"end{ending}"} <= by_name.keys()
    )
    video, sign = one_of(VIDEOS), one_of(SIGNS) if labelled else ""
    if not times:
        one_of([f"start{ending}" for ending, _, _ in reversed(TIMES)])
        one_of([f"end{ending}" for ending, _, _ in reversed(TIMES)])
        raise SegmentError(f"{where}: the columns of start and end have different units; expected start_ms and end_ms")
    return _Columns(video, sign, times, by_name.get("score", ""), by_name.get("fps", ""))


def _times(record: Mapping[str, Any], columns: _Columns) -> tuple[str, str, str, bool]:
    """The pair of columns that this record fills (a table may offer seconds and frames); the last one where none is."""
    for pair in columns.times:
        if all(record[name] not in (None, "") for name in pair[:2]):
            return pair
    return columns.times[-1]
