"""SPOTER's CSV: one video a row, a list of numbers a cell; 54 joints, 0..1 of the frame, y upwards, missing 0."""

from __future__ import annotations

import ast
import csv
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from safe_files import open_whole, reader

from ...clip import Pose
from ...skeletons import SKELETONS
from .errors import PoseFileError

__all__ = ["SPOTER_COLUMNS", "is_spoter_csv", "labels_of_rows", "read_spoter_csv", "write_spoter_csv"]

_PARTS = {"tip": "Tip", "dip": "DIP", "pip": "PIP", "mcp": "MCP", "ip": "IP", "cmc": "CMC"}


def _column(joint: str) -> str:
    """The file's name of one of our joints: left_elbow → leftElbow, left_hand_pinky_tip → littleTip_0."""
    side, _, rest = joint.partition("_hand_")
    if not rest:
        first, *others = joint.split("_")
        return first + "".join(word.capitalize() for word in others)
    number = {"left": 0, "right": 1}[side]
    if rest == "wrist":
        return f"wrist_{number}"
    finger, part = rest.split("_")
    # the thumb's second joint is the metacarpo-phalangeal one like the fingers', but the file calls it MP
    ending = "MP" if (finger, part) == ("thumb", "mcp") else _PARTS[part]
    return f"{'little' if finger == 'pinky' else finger}{ending}_{number}"


SPOTER_COLUMNS: tuple[str, ...] = tuple(_column(joint) for joint in SKELETONS["spoter-54"].joints)
"""Column names without their `_X` or `_Y`, in the order of the skeleton "spoter-54"; `_0` is left, `_1` right."""


_TRACKS = frozenset(f"{column}_{axis}" for column in SPOTER_COLUMNS for axis in "XY")


class _Table(NamedTuple):
    """Column names, and where each row begins: row number (2 follows the header) → (byte, label)."""

    columns: list[str]
    rows: dict[int, tuple[int, str]]


def is_spoter_csv(path: Path) -> bool:
    """Whether the first line of a file names one of SPOTER's columns."""
    try:
        with path.open("rb") as file:
            first = file.readline(1 << 16).decode("utf-8-sig")
        return bool(_TRACKS & {_plain(name) for name in next(csv.reader([first]), [])})
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def _plain(column: str) -> str:
    return column.strip().replace("_left_", "_0_").replace("_right_", "_1_")


@reader(PoseFileError)
def labels_of_rows(path: str | Path) -> dict[int, str]:
    """Row number, counted as lines are with the header as 1, → label ("" without a column `labels`).

    Raises:
        PoseFileError: as `read_spoter_csv`.
    """
    return {number: label for number, (_, label) in _table(Path(path)).rows.items()}


@reader(PoseFileError)
def read_spoter_csv(
    path: str | Path,
    fps: float = 25.0,
    size: tuple[int, int] = (1000, 1000),
    rows: Iterable[int] | None = None,
) -> Iterator[tuple[Pose, str]]:
    """(pose, label) of every row, or of the rows numbered (the header is 1); one in memory at a time.

    Columns may be missing (the neck often is): those joints are missing. `_left_`/`_right_` in a name is read like
    `_0_`/`_1_`. Columns video_fps, video_size_width and video_size_height are used where they are.

    Args:
        fps, size: of files that do not say.

    Raises:
        PoseFileError: absent, no SPOTER columns, or a damaged cell; the message names row and column.
    """
    path = Path(path)
    columns, places = _table(path)
    with path.open("rb") as file:
        for number in places if rows is None else rows:
            offset, label = places[number]
            file.seek(offset)
            _, cells = next(_cells(file, offset))
            row = dict(zip(columns, cells, strict=False))
            yield _row_pose(f"{path}: row {number}", row, fps, size), label


def _table(path: Path) -> _Table:
    if not path.is_file():
        raise PoseFileError(f"{path}: no such file")
    facts = path.stat()
    return _scanned(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=2)  # rows are asked for one by one
def _scanned(path: Path, changed: int, size: int) -> _Table:
    try:
        with path.open("rb") as file:
            rows = _cells(file, 0)
            columns = [_plain(name) for name in next(rows, (0, []))[1]]
            if not _TRACKS & set(columns):
                raise PoseFileError(f"{path}: none of SPOTER's columns (nose_X, wrist_0_X, …) is in the first line")
            label = columns.index("labels") if "labels" in columns else len(columns)
            places = {
                number: (offset, cells[label] if label < len(cells) else "")
                for number, (offset, cells) in enumerate(((o, c) for o, c in rows if c), start=2)
            }
    except (csv.Error, UnicodeDecodeError) as error:
        raise PoseFileError(f"{path}: not a readable CSV ({error})") from None
    return _Table(columns, places)


def _cells(file: BinaryIO, offset: int) -> Iterator[tuple[int, list[str]]]:
    """(first byte, cells) of every row from where the file stands."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a cell holds a whole track
    end = offset

    def lines() -> Iterator[str]:
        nonlocal end
        for line in file:
            end += len(line)
            yield line.decode("utf-8-sig")

    start = offset
    for cells in csv.reader(lines()):
        yield start, cells
        start = end


def _row_pose(where: str, row: dict[str, str], fps: float, size: tuple[int, int]) -> Pose:
    tracks = {name: _track(where, name, cell) for name, cell in row.items() if name in _TRACKS}
    lengths = {len(track) for track in tracks.values()}
    if len(lengths) != 1:
        raise PoseFileError(f"{where}: tracks have {sorted(lengths)} frames; all joints of a row need the same number")
    (frames,) = lengths
    xy = np.full((frames, len(SPOTER_COLUMNS), 2), np.nan, np.float32)
    try:
        width = int(float(row.get("video_size_width") or size[0]))
        height = int(float(row.get("video_size_height") or size[1]))
        rate = float(row.get("video_fps") or fps)
    except ValueError as error:
        raise PoseFileError(f"{where}: {error}") from None
    for joint, column in enumerate(SPOTER_COLUMNS):
        x, y = tracks.get(f"{column}_X"), tracks.get(f"{column}_Y")
        if x is None or y is None:
            continue
        seen = (x != 0) | (y != 0)
        xy[seen, joint] = np.stack([x * width, (1 - y) * height], axis=1)[seen]
    confidence = (~np.isnan(xy[..., 0])).astype(np.float32)
    return Pose(xy, confidence, "spoter-54", rate, (width, height), source=where)


def _track(where: str, name: str, cell: str) -> NDArray[np.float64]:
    try:
        values = np.array(ast.literal_eval(cell), np.float64)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        raise PoseFileError(f"{where}, column {name}: {str(cell)[:40]!r} is not a list of numbers") from None
    if values.ndim != 1:
        raise PoseFileError(f"{where}, column {name}: expected one list of numbers, got shape {values.shape}")
    return values


def write_spoter_csv(path: str | Path, poses: Iterable[tuple[Pose, str]]) -> Path:
    """Writes (pose, label) rows from poses on any skeleton that has a counterpart in "spoter-54"; whole or not at all.

    Labels are written as given (SPOTER itself wants whole numbers from 1).
    """
    path = Path(path)
    names = [f"{column}_{axis}" for column in SPOTER_COLUMNS for axis in "XY"]
    with open_whole(path) as file:
        writer = csv.writer(file)
        writer.writerow([*names, "labels", "video_fps", "video_size_width", "video_size_height"])
        for pose, label in poses:
            xy = pose.to("spoter-54").xy.astype(np.float64)
            x, y = xy[..., 0] / pose.size[0], 1 - xy[..., 1] / pose.size[1]
            tracks = np.nan_to_num(np.stack([x, y], axis=-1)).reshape(len(pose), -1).T
            cells = [str([round(v, 6) for v in track]) for track in tracks.tolist()]
            writer.writerow([*cells, label, pose.fps, *pose.size])
    return path
