"""IPN Hand's compaction: frame-wise hand landmarks and annotations → one row per gesture, 13 classes from 0.

Each row has 42 columns `x0,y0,…,x20,y20`, each cell a list with one number per frame, and `video,label,id,t_start,
t_end,frames` (both ends included, from 1). Non-gesture is left out; a frame nobody labelled belongs to no class.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safe_files import parse_json, reader, write_bytes

from .ipn import GESTURES, NO_GESTURE
from .sample import DatasetError, Sample
from .text import read_table, whole

__all__ = ["COLUMNS", "compact", "read"]

COLUMNS = tuple(f"{axis}{i}" for i in range(21) for axis in "xy")
FACTS = ("video", "label", "id", "t_start", "t_end", "frames")
MISSING = -2


def compact(path: str | Path, samples: Iterable[Sample], landmarks: Callable[[str], ArrayLike]) -> int:
    """Writes one row per gesture.

    Args:
        samples: of `ipn.read`.
        landmarks: video → (T, 21, 2) of the hand over the whole video, NaN where missing; asked once per video as
            long as a video's samples come together.

    Returns:
        Number of rows.

    Raises:
        DatasetError: landmarks of another shape, or fewer frames than a sample needs.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *FACTS])
    count, video, xy = 0, None, np.zeros((0, 21, 2))
    for sample in samples:
        if sample.label == NO_GESTURE:
            continue
        if sample.label not in GESTURES or sample.start is None or sample.end is None:
            raise DatasetError(sample.id, None, f"is {sample.label!r}; expected one of {GESTURES} with start and end")
        if sample.source != video:
            video, xy = sample.source, np.asarray(landmarks(sample.source), np.float64)
            if xy.ndim != 3 or xy.shape[1:] != (21, 2):
                raise DatasetError(sample.id, None, f"its landmarks are {xy.shape}; expected (T, 21, 2)")
        start, end = int(sample.start), int(sample.end)
        if end > len(xy):
            raise DatasetError(sample.id, None, f"ends at frame {end}; its video has {len(xy)}")
        part = np.where(np.isnan(xy[start:end]).any(axis=-1, keepdims=True), MISSING, xy[start:end])
        cells = [json.dumps(column.tolist()) for column in part.reshape(end - start, 42).T]
        place = GESTURES.index(sample.label)
        writer.writerow([*cells, sample.source, sample.label, place, start + 1, end, end - start])
        count += 1
    write_bytes(path, text.getvalue().encode())
    return count


@reader(DatasetError)
def read(path: str | Path) -> Iterator[tuple[Sample, NDArray[np.float64]]]:
    """Rows of a compacted table: the sample (`number` 0–12) and its landmarks (T, 21, 2), NaN missing."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    for row, cells in read_table(path, [*COLUMNS, *FACTS]):
        first, last = (whole(cells[name], path, row, name, low=1) for name in ("t_start", "t_end"))
        place = whole(cells["id"], path, row, "id", low=0)
        if place >= len(GESTURES) or GESTURES[place] != cells["label"]:
            raise DatasetError(path, row, f"label {cells['label']!r} with id {place}; expected a pair of {GESTURES}")
        try:
            values = np.array([parse_json(cells[name]) for name in COLUMNS], np.float64)
        except ValueError:
            raise DatasetError(
                path, row, "holds a cell that is no list of numbers, or lists of unequal length"
            ) from None
        if values.shape != (42, last - first + 1):
            raise DatasetError(path, row, f"holds {values.shape[-1]} frames; expected {last - first + 1}")
        xy = values.T.reshape(-1, 21, 2).copy()
        xy[(xy == MISSING).all(axis=-1)] = np.nan
        name = f"{cells['video']}^{first}"
        yield Sample(name, cells["label"], source=cells["video"], start=first - 1, end=last, fps=30.0, number=place), xy
