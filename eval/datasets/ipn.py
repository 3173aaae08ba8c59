"""IPN Hand: 13 continuous gestures and non-gesture (Benitez-Garcia et al., 2021), 200 videos of 50 people, 30 fps.

Two forms: `trainlistall.txt`/`vallistall.txt`, rows `./frames/VIDEO class first last` with classes from 1 as in
`classIndAll.txt`; and `Annot_TrainList.txt`/`Annot_TestList.txt`/`Annot_List.txt`, rows
`video,label,id,t_start,t_end,frames`. Frames count from 1 and the last is included. D0X is "no gesture".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import reader, write_bytes

from .report import Published
from .sample import DatasetError, Sample
from .text import Ids, read_lines, read_table, span, whole

__all__ = ["GESTURES", "NO_GESTURE", "PUBLISHED", "frame_labels", "read", "read_annotations", "read_list", "write_list"]

NO_GESTURE = "D0X"
GESTURES = ("B0A", "B0B", *(f"G{i:02d}" for i in range(1, 12)))
"""The 13 gestures; their place is the class (0–12) of the compacted form."""

CLASSES = (NO_GESTURE, *GESTURES)
FPS = 30.0
PUBLISHED = Published(
    samples=5_519, classes=14, splits={"train": 4_039, "validation": 1_480}, source="the published lists, counted"
)
"""Of the two lists; the paper counts 4,218 gestures where its lists hold 4,214."""

COLUMNS = ("video", "label", "id", "t_start", "t_end", "frames")


@reader(DatasetError)
def read(folder: str | Path) -> list[Sample]:
    """Both lists (or both `Annot_*List.txt`) of a folder; the paper's test list is called validation in the other form.

    Raises:
        DatasetError: neither form is there, or a broken row.
    """
    folder = Path(folder)
    if (folder / "trainlistall.txt").is_file():
        classes = read_classes(folder / "classIndAll.txt") if (folder / "classIndAll.txt").is_file() else CLASSES
        lists = [("train", folder / "trainlistall.txt"), ("validation", folder / "vallistall.txt")]
        return [sample for split, path in lists if path.is_file() for sample in read_list(path, split, classes)]
    annotated = [("train", folder / "Annot_TrainList.txt"), ("test", folder / "Annot_TestList.txt")]
    samples = [s for split, path in annotated if path.is_file() for s in read_annotations(path, split)]
    if not samples:
        raise DatasetError(folder, None, "holds neither trainlistall.txt nor Annot_TrainList.txt")
    return samples


@reader(DatasetError)
def read_classes(path: str | Path) -> tuple[str, ...]:
    """Class names of `classIndAll.txt`, rows `1 D0X` from 1 on."""
    names: list[str] = []
    for row, line in read_lines(path):
        parts = line.split()
        if len(parts) != 2 or whole(parts[0], path, row, "the class", low=1) != len(names) + 1:
            raise DatasetError(path, row, f"is {line!r}; expected {len(names) + 1} and a class name")
        names.append(parts[1])
    return tuple(names)


@reader(DatasetError)
def read_list(path: str | Path, split: str, classes: Sequence[str] = CLASSES) -> list[Sample]:
    """Rows `./frames/VIDEO class first last`."""
    samples, counts = [], _Counter(path)
    for row, line in read_lines(path):
        parts = line.split()
        if len(parts) != 4:
            raise DatasetError(path, row, f"has {len(parts)} columns; expected ./frames/VIDEO class first last")
        video = parts[0].rsplit("/", 1)[-1]
        place, first, last = (
            whole(v, path, row, n) for v, n in zip(parts[1:], ("class", "first", "last"), strict=True)
        )
        if not 1 <= place <= len(classes):
            raise DatasetError(path, row, f"the class is {place}; expected 1 to {len(classes)}")
        samples.append(_sample(video, classes[place - 1], place, first, last, split, path, row, counts))
    return samples


@reader(DatasetError)
def read_annotations(path: str | Path, split: str = "") -> list[Sample]:
    """Rows `video,label,id,t_start,t_end,frames`, with or without that header."""
    path = Path(path)
    _, line = next(read_lines(path))
    samples, counts = [], _Counter(path)
    for row, cells in read_table(path, COLUMNS, header=line.replace(" ", "").startswith("video,")):
        first, last = (whole(cells[name], path, row, name) for name in ("t_start", "t_end"))
        if whole(cells["frames"], path, row, "frames") != last - first + 1:
            rule = (
                f"frames is {cells['frames']}; expected t_end − t_start + 1 = {last - first + 1} (both ends included)"
            )
            raise DatasetError(path, row, rule)
        place = whole(cells["id"], path, row, "id", low=1)
        if place > len(CLASSES) or CLASSES[place - 1] != cells["label"]:
            raise DatasetError(path, row, f"label {cells['label']!r} with id {place}; expected a pair of {CLASSES}")
        samples.append(_sample(cells["video"], cells["label"], place, first, last, split, path, row, counts))
    return samples


class _Counter:
    """Running number of a video's rows, and the frames already taken."""

    def __init__(self, path: str | Path) -> None:
        self.ids = Ids(path)
        self.rows: dict[str, int] = {}
        self.last: dict[str, int] = {}


def _sample(
    video: str, label: str, place: int, first: int, last: int, split: str, path: str | Path, row: int, seen: _Counter
) -> Sample:
    if first < 1:
        raise DatasetError(path, row, f"the first frame is {first}; expected at least 1")
    span(first - 1, last, path, row)
    if first <= seen.last.get(video, 0):
        raise DatasetError(path, row, f"starts at frame {first}, inside the row before (to frame {seen.last[video]})")
    seen.last[video] = last
    seen.rows[video] = seen.rows.get(video, 0) + 1
    name = seen.ids.add(f"{video}^{seen.rows[video]}", row)
    return Sample(name, label, f"{video}.avi", "", split, video, first - 1, last, fps=FPS, number=place)


def write_list(path: str | Path, samples: Iterable[Sample]) -> None:
    """The `trainlistall.txt` form again, to the byte."""
    lines = [f"./frames/{s.source} {s.number} {_first(s)} {_last(s)}\n" for s in samples]
    write_bytes(path, "".join(lines).encode())


def write_annotations(path: str | Path, samples: Iterable[Sample]) -> None:
    """The `Annot_List.txt` form again."""
    lines = [f"{s.source},{s.label},{s.number},{_first(s)},{_last(s)},{_last(s) - _first(s) + 1}\n" for s in samples]
    write_bytes(path, "".join([",".join(COLUMNS) + "\n", *lines]).encode())


def _first(sample: Sample) -> int:
    return 1 if sample.start is None else int(sample.start) + 1


def _last(sample: Sample) -> int:
    if sample.end is None:
        raise DatasetError(sample.id, None, "has no end; this form needs one")
    return int(sample.end)


def frame_labels(samples: Iterable[Sample], video: str, frames: int) -> NDArray[np.int64]:
    """(frames,) class of each frame, 0–12 for the gestures; −1 for non-gesture and for frames nobody labelled.

    Raises:
        DatasetError: a sample reaches beyond the video.
    """
    labels = np.full(frames, -1, np.int64)
    for sample in samples:
        if sample.source != video or sample.label == NO_GESTURE:
            continue
        if _last(sample) > frames:
            raise DatasetError(sample.id, None, f"ends at frame {_last(sample)}; its video has {frames}")
        labels[_first(sample) - 1 : _last(sample)] = GESTURES.index(sample.label)
    return labels
