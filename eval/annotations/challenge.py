"""The files of the ECCV 2022 sign spotting challenge: milliseconds, and the only place that keeps them.

Ground truth and submissions are ``{video: [[sign, start ms, end ms], …]}`` as a pickle or JSON, perhaps with a score
in fourth place; or a folder with a `video.txt` for each video, rows `sign,start_ms,end_ms`, no header.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safe_files import inside, reader, write_bytes
from safe_files.pickles import read_pickle

from . import Annotations, Row, SegmentError, read_text

if TYPE_CHECKING:
    from ..segments import Segment

__all__ = ["read_mapping", "read_submission", "read_texts", "write_submission"]


@reader(SegmentError)
def read_submission(path: Path) -> Annotations:
    """The rows of a pickle; only plain data is read, so that a file cannot run code.

    Raises:
        SegmentError: unreadable, more than plain data, or of another shape.
    """
    try:
        return read_mapping(read_pickle(path), path)
    except SegmentError:
        raise
    except ValueError as error:
        raise SegmentError(str(error)) from None


def read_mapping(value: Any, path: Path) -> Annotations:
    """The rows of ``{video: [[sign, start, end(, score)], …]}``.

    Raises:
        SegmentError: it is of another shape.
    """
    if not isinstance(value, dict):
        raise SegmentError(f"{path}: holds a {type(value).__name__}; expected {{video: [[sign, start, end], …]}}")
    rows: list[Row] = []
    for video, segments in value.items():
        listed = segments.tolist() if hasattr(segments, "tolist") else segments
        if not isinstance(listed, list | tuple):
            raise SegmentError(f"{path}, video {video}: holds a {type(segments).__name__}; expected a list of rows")
        for number, row in enumerate(listed, 1):
            where = f"{path}, video {video}, row {number}"
            row = row.tolist() if hasattr(row, "tolist") else row
            if not isinstance(row, list | tuple):
                raise SegmentError(f"{where}: is {row!r}; expected [sign, start, end]")
            rows.append(_row(row, where, str(video)))
    return Annotations(rows, [str(video) for video in value])


def read_texts(files: Sequence[Path]) -> Annotations:
    """The rows of text files, one for each video.

    Raises:
        SegmentError: unreadable, or a row with too few columns.
    """
    rows = [
        _row([cell.strip() for cell in line.split(",")], f"{file}, line {number}", file.stem)
        for file in files
        for number, line in enumerate(read_text(file).splitlines(), 1)
        if line.strip()
    ]
    return Annotations(rows, [file.stem for file in files])


def _row(cells: Sequence[Any], where: str, video: str) -> Row:
    if len(cells) < 3:
        raise SegmentError(f"{where}: has {len(cells)} columns; expected sign, start, end and perhaps a score")
    sign, start, end, *score = cells
    return Row(where, video, sign, start, end, score[0] if score else None, "ms", stated=False)


def write_submission(path: str | Path, segments: Mapping[str, Sequence[Segment]], step_ms: int | None = None) -> None:
    """Writes the challenge's form: `.pkl`, `.json`, or a folder of text files where the path has no ending.

    Args:
        segments: video → its segments; a video without any is listed too. Class numbers are written as numbers.
        step_ms: times become whole multiples of it, a segment lasting one at least (40 is a frame of the challenge's
            videos); None keeps them as they are.

    Raises:
        SegmentError: another ending, or a step below 1.
    """
    path = Path(path)
    if step_ms is not None and step_ms < 1:
        raise SegmentError(f"step_ms is {step_ms}; expected at least 1")
    plain = {
        video: [
            [_class_number(s.sign), *(s.exact_milliseconds if step_ms is None else s.milliseconds(step_ms))]
            for s in listed
        ]
        for video, listed in segments.items()
    }
    if path.suffix == ".pkl":
        write_bytes(path, pickle.dumps(plain, protocol=4))  # what every Python 3 reads
    elif path.suffix == ".json":
        write_bytes(path, (json.dumps(plain, ensure_ascii=False) + "\n").encode())
    elif path.suffix == "":
        files = {inside(path, f"{video}.txt"): rows for video, rows in plain.items()}
        for file, rows in files.items():
            write_bytes(file, "".join(f"{sign},{start},{end}\n" for sign, start, end in rows).encode())
    else:
        raise SegmentError(f"{path}: its ending is {path.suffix!r}; expected .pkl, .json or a folder")


def _class_number(sign: str) -> int | str:
    """A plain number only: "007" and "²" are glosses."""
    return int(sign) if sign.isascii() and sign.isdigit() and str(int(sign)) == sign else sign
