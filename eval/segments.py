"""Ground truth and predictions of spotting, read from and written to the forms they travel in.

| form | content | unit |
|---|---|---|
| `.pkl` | ``{video: [[sign, start, end, …], …]}``: the challenge's ground truth and submissions | ms |
| `.json` | the same dictionary | ms unless said otherwise |
| `.json` | ``[{"video": …, "sign": …, "start": …, "end": …, "score": …}, …]``: our own detections | s |
| `.csv` | header `video,sign,start,end[,score]` in any order (`label` for `sign`; `start_s`, `start_ms` …) | s |
| folder | one `video.txt` per video, rows `sign,start_ms,end_ms`, no header | ms |

Signs come back as strings (``20`` and ``20.0`` are both ``"20"``), so that forms can be mixed; times in milliseconds.
"""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safe_files import inside, write_bytes

from .pickles import read_pickle

__all__ = ["Rows", "TruthError", "read_segments", "write_segments"]

Rows = dict[str, list[tuple[Any, ...]]]
"""Video → rows (sign, start, end) or (sign, start, end, score)."""

UNITS = {"s": 1.0, "ms": 1000.0}


class TruthError(ValueError):
    """A file of segments is damaged: one line with file, row and rule."""


def read_segments(path: str | Path, unit: str | None = None) -> Rows:
    """Segments of a file or a folder of text files; times in milliseconds, exact for the challenge's integers.

    Args:
        unit: "ms" or "s": the unit of the times in the file; by default the one in the table above.

    Returns:
        Video → rows (sign, start ms, end ms[, score]), in the order of the file.

    Raises:
        TruthError: unreadable, wrong columns, a time that is negative or not finite, an end before its start.
    """
    path = Path(path)
    if unit is not None and unit not in UNITS:
        raise TruthError(f"unit is {unit!r}; expected 'ms' or 's'")
    if path.is_dir():
        return _read_folder(path, unit)
    if path.suffix == ".pkl":
        return _from_mapping(read_pickle(path), path, unit if unit is not None else "ms")
    if path.suffix == ".json":
        return _read_json(path, unit)
    if path.suffix in (".csv", ".tsv"):
        return _read_csv(path, unit)
    raise TruthError(
        f"{path}: its ending is {path.suffix!r}; expected .pkl, .json, .csv, .tsv or a folder of .txt files"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TruthError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise TruthError(f"{path}: not UTF-8 text (byte {error.start})") from None


def _sign(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _row(values: Iterable[Any], where: str, unit: str) -> tuple[Any, ...]:
    values = list(values)
    if not len(values) >= 3:
        raise TruthError(f"{where}: has {len(values)} columns; expected sign, start, end and perhaps a score")
    sign = _sign(values[0])
    if not sign:
        raise TruthError(f"{where}: the sign is empty; expected a gloss or a class number")
    try:
        start, end, *score = (float(value) for value in values[1:4])
    except (TypeError, ValueError):
        raise TruthError(f"{where}: holds {values[1:4]}; expected numbers for start, end and score") from None
    if not all(math.isfinite(value) for value in (start, end, *score)):
        raise TruthError(f"{where}: holds {values[1:4]}; expected finite numbers")
    if start < 0:
        raise TruthError(f"{where}: starts at {start:g}; expected a time of at least 0")
    if end < start:
        raise TruthError(f"{where}: ends at {end:g}, before its start at {start:g}")
    # Whole milliseconds are integers, as in the official scorer's files; a product of seconds is only nearly whole.
    exact = [value if unit == "ms" else round(value * 1000, 6) for value in (start, end)]
    times = [int(value) if value.is_integer() else value for value in exact]
    return (sign, *times, *score)


def _from_mapping(value: Any, path: Path, unit: str) -> Rows:
    if not isinstance(value, dict):
        raise TruthError(f"{path}: holds a {type(value).__name__}; expected {{video: [[sign, start, end], …]}}")
    rows: Rows = {}
    for video, segments in value.items():
        if not isinstance(segments, list | tuple) and not hasattr(segments, "tolist"):
            raise TruthError(f"{path}: video {video}: holds a {type(segments).__name__}; expected a list of rows")
        listed = segments.tolist() if hasattr(segments, "tolist") else segments
        for number, row in enumerate(listed, 1):
            if not isinstance(row, list | tuple) and not hasattr(row, "tolist"):
                raise TruthError(f"{path}: video {video}, row {number}: is {row!r}; expected [sign, start, end]")
        rows[str(video)] = [_row(row, f"{path}: video {video}, row {n}", unit) for n, row in enumerate(listed, 1)]
    return rows


def _read_json(path: Path, unit: str | None) -> Rows:
    try:
        value = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise TruthError(f"{path}:{error.lineno}: not valid JSON ({error.msg}); is the file cut short?") from None
    if isinstance(value, dict) and isinstance(value.get("detections"), list):
        value = value["detections"]
    if isinstance(value, dict):
        return _from_mapping(value, path, unit if unit is not None else "ms")
    if not isinstance(value, list):
        raise TruthError(f"{path}: holds a {type(value).__name__}; expected a dictionary or a list of detections")
    return _from_records(value, path, unit, first_row=1)


def _read_csv(path: Path, unit: str | None) -> Rows:
    delimiter = "\t" if path.suffix == ".tsv" else ","
    reader = csv.DictReader(io.StringIO(_text(path)), delimiter=delimiter)
    if reader.fieldnames is None:
        raise TruthError(f"{path}: the file is empty; expected a header video,sign,start,end")
    return _from_records(reader, path, unit, first_row=2)


def _from_records(records: Iterable[Any], path: Path, unit: str | None, first_row: int) -> Rows:
    rows: Rows = {}
    for number, record in enumerate(records, first_row):
        where = f"{path}:{number}"
        if not isinstance(record, dict):
            raise TruthError(f"{where}: is {record!r}; expected an object with video, sign, start, end")
        names = {str(name).strip().lower(): name for name in record}
        sign, start = _column(names, where, "sign", "label"), _column(names, where, "start", "start_s", "start_ms")
        end, video = _column(names, where, "end", "end_s", "end_ms"), _column(names, where, "video")
        own_unit = "ms" if str(start).lower().endswith("_ms") else "s"
        values = [record[sign], record[start], record[end]]
        if "score" in names and record[names["score"]] not in (None, ""):
            values.append(record[names["score"]])
        key = str(record[video]).strip()
        rows.setdefault(key, []).append(_row(values, where, unit if unit is not None else own_unit))
    return rows


def _column(names: dict[str, Any], where: str, *choices: str) -> Any:
    for choice in choices:
        if choice in names:
            return names[choice]
    raise TruthError(f"{where}: has the columns {', '.join(names)}; expected one called {' or '.join(choices)}")


def _read_folder(folder: Path, unit: str | None) -> Rows:
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise TruthError(f"{folder}: holds no .txt file; expected one per video with rows sign,start_ms,end_ms")
    rows: Rows = {}
    for file in files:
        lines = [(n, line) for n, line in enumerate(_text(file).splitlines(), 1) if line.strip()]
        own = unit if unit is not None else "ms"
        rows[file.stem] = [_row(line.split(","), f"{file}:{n}", own) for n, line in lines]
    return rows


def write_segments(path: str | Path, rows: Rows, unit: str = "ms") -> None:
    """Writes rows (times in milliseconds) in the form that `path`'s ending names; a path without one is a folder.

    Class numbers are written as numbers, as the challenge does. `unit` applies to `.csv`; the other forms hold
    milliseconds.

    Raises:
        TruthError: another ending or unit.
    """
    path = Path(path)
    plain = {video: [[_number(row[0]), *row[1:]] for row in segments] for video, segments in rows.items()}
    if path.suffix == ".pkl":
        write_bytes(path, pickle.dumps(plain, protocol=4))
    elif path.suffix == ".json":
        write_bytes(path, (json.dumps(plain, ensure_ascii=False) + "\n").encode())
    elif path.suffix == ".csv":
        write_bytes(path, _as_csv(rows, unit).encode())
    elif path.suffix == "":
        files = {inside(path, f"{video}.txt"): segments for video, segments in plain.items()}
        path.mkdir(parents=True, exist_ok=True)
        for file, segments in files.items():
            write_bytes(file, "".join(f"{sign},{start},{end}\n" for sign, start, end, *_ in segments).encode())
    else:
        raise TruthError(f"{path}: its ending is {path.suffix!r}; expected .pkl, .json, .csv or a folder")


def _number(sign: str) -> Any:
    return int(sign) if sign.isdecimal() and str(int(sign)) == sign else sign


def _as_csv(rows: Rows, unit: str) -> str:
    if unit not in UNITS:
        raise TruthError(f"unit is {unit!r}; expected 'ms' or 's'")
    scored = any(len(row) > 3 for segments in rows.values() for row in segments)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    times = ["start_ms", "end_ms"] if unit == "ms" else ["start", "end"]
    writer.writerow(["video", "sign", *times, *(["score"] if scored else [])])
    for video, segments in rows.items():
        for sign, start, end, *score in segments:
            moments = [start, end] if unit == "ms" else [start / 1000, end / 1000]
            writer.writerow([video, sign, *moments, *(score if scored else [])])
    return text.getvalue()
