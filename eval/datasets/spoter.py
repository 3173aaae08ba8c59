"""SPOTER's CSV (Bohacek & Hruz, 2022): one row per video, each cell a list with one number per frame.

Columns `nose_X`, `nose_Y`, … of 12 body joints, `wrist_0_X` … of 21 joints per hand (`_0` or `_left` the left one),
and `labels` from 1. Values are shares of the frame, y upwards, 0 where a joint is missing. Ours: y downwards, NaN.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safe_files import write_bytes

from .sample import DatasetError, Sample
from .text import read_text, whole

__all__ = ["BODY", "HAND", "JOINTS", "read", "write"]

BODY = (
    *("nose", "neck", "rightEye", "leftEye", "rightEar", "leftEar"),
    *("rightShoulder", "leftShoulder", "rightElbow", "leftElbow", "rightWrist", "leftWrist"),
)
HAND = (
    "wrist",
    *(f"{finger}{part}" for finger in ("index", "middle", "ring", "little") for part in ("Tip", "DIP", "PIP", "MCP")),
    *("thumbTip", "thumbIP", "thumbMP", "thumbCMC"),
)
JOINTS = (*BODY, *(f"{joint}_0" for joint in HAND), *(f"{joint}_1" for joint in HAND))
"""The 54 joints: body, left hand, right hand; the order of the project's skeleton `spoter-54`."""


def read(path: str | Path, classes: Sequence[str] | None = None) -> Iterator[tuple[Sample, NDArray[np.float64]]]:
    """Rows one after another: the sample, and its joints (T, 54, 2) as shares of the frame, y down, NaN missing.

    Args:
        classes: names of the labels 1, 2, …; without them the label is the number as a string.

    Raises:
        DatasetError: a column is missing, a cell is no list of numbers, lists of unequal length, a label below 1.
    """
    path = Path(path)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    rows = csv.reader(io.StringIO(read_text(path)))
    header = [name.strip().replace("_left_", "_0_").replace("_right_", "_1_") for name in next(rows, [])]
    wanted = [f"{joint}_{axis}" for joint in JOINTS for axis in ("X", "Y")]
    absent = [name for name in (*wanted, "labels") if name not in header]
    if absent:
        raise DatasetError(path, 1, f"lacks {len(absent)} columns, e.g. {', '.join(absent[:3])}")
    places = [header.index(name) for name in wanted]
    further = [(i, name) for i, name in enumerate(header) if name not in {*wanted, "labels"}]
    for row, cells in enumerate(rows, 2):
        if not cells:
            continue
        if len(cells) != len(header):
            raise DatasetError(path, row, f"has {len(cells)} columns; expected {len(header)}")
        values = _lists([cells[i] for i in places], wanted, path, row)
        xy = values.reshape(len(JOINTS), 2, -1).transpose(2, 0, 1)
        label = whole(cells[header.index("labels")], path, row, "the label", low=1)
        if classes is not None and label > len(classes):
            raise DatasetError(path, row, f"the label is {label}; expected 1 to {len(classes)}")
        name = classes[label - 1] if classes is not None else str(label)
        extra = {column: cells[i] for i, column in further}
        sample = Sample(f"{path.stem}_{row - 2}", name, end=xy.shape[0], start=0, number=label, extra=extra)
        yield sample, _ours(xy)


def _lists(cells: Sequence[str], names: Sequence[str], path: Path, row: int) -> NDArray[np.float64]:
    """(columns, T)"""
    lists: list[Any] = []
    for cell, name in zip(cells, names, strict=True):
        try:
            values = json.loads(cell)
        except json.JSONDecodeError:
            raise DatasetError(path, row, f"{name} is {cell[:40]!r}; expected a list of numbers") from None
        if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
            raise DatasetError(path, row, f"{name} is {cell[:40]!r}; expected a list of numbers")
        if lists and len(values) != len(lists[0]):
            raise DatasetError(path, row, f"{name} has {len(values)} frames; expected {len(lists[0])} as {names[0]}")
        lists.append(values)
    result = np.array(lists, np.float64)
    if not np.isfinite(result).all():
        raise DatasetError(path, row, "holds a value that is not finite; a missing joint is 0")
    return result


def _ours(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    missing = (xy == 0).all(axis=-1)
    # Fifteen decimals undo the rounding of 1 − y, so that reading and writing again changes no digit.
    flipped = np.stack([xy[..., 0], np.round(1 - xy[..., 1], 15)], axis=-1)
    flipped[missing] = np.nan
    return flipped


def write(path: str | Path, samples: Iterable[tuple[Sample, ArrayLike]], numbers: dict[str, int] | None = None) -> None:
    """Writes joints (T, 54, 2), shares of the frame, y down, NaN missing, in SPOTER's form.

    Args:
        numbers: label → class from 1; by default each sample's `number`.

    Raises:
        DatasetError: an array of another shape, or a sample without a class of at least 1.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(f"{joint}_{axis}" for joint in JOINTS for axis in ("X", "Y")), "labels"])
    for sample, joints in samples:
        xy = np.asarray(joints, np.float64)
        if xy.ndim != 3 or xy.shape[1:] != (len(JOINTS), 2):
            raise DatasetError(path, sample.id, f"joints are {xy.shape}; expected (T, {len(JOINTS)}, 2)")
        label = sample.number if numbers is None else numbers.get(sample.label)
        if label is None or label < 1:
            raise DatasetError(path, sample.id, f"its class is {label}; SPOTER's labels count from 1")
        missing = np.isnan(xy).any(axis=-1)
        theirs = np.stack([xy[..., 0], np.round(1 - xy[..., 1], 15)], axis=-1)
        theirs[missing] = 0.0
        columns = theirs.transpose(1, 2, 0).reshape(2 * len(JOINTS), -1)
        writer.writerow([*(json.dumps(column.tolist()) for column in columns), label])
    write_bytes(path, text.getvalue().encode())
