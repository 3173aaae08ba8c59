"""AUTSL: 226 Turkish signs by 43 signers (Sincan & Keles, 2020; the ChaLearn 2021 split by signer).

`train_labels.csv`, `val_labels.csv`, `test_labels.csv`: `signer0_sample1,41` per line, no header, classes from 0;
`SignList_ClassId_TR_EN.csv` names the classes. Videos: `train/signer0_sample1_color.mp4`, one clip each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from safe_files import reader, write_bytes

from .report import Published
from .sample import DatasetError, Sample
from .text import Ids, read_table, whole

__all__ = ["PUBLISHED", "read", "read_classes", "read_labels", "write_labels"]

PUBLISHED = Published(
    samples=36_302,
    classes=226,
    signers=43,
    splits={"train": 28_142, "validation": 4_418, "test": 3_742},
    source="ChaLearn LAP data set page; checked against the published label files",
)

FILES = {"train": ("train_labels",), "validation": ("val_labels", "validation_labels"), "test": ("test_labels",)}
NAME = re.compile(r"(signer\d+)_sample\d+")


@reader(DatasetError)
def read_classes(path: str | Path) -> list[str]:
    """Turkish names of the classes 0, 1, … of `SignList_ClassId_TR_EN.csv`."""
    names: list[str] = []
    for row, cells in read_table(path, ["ClassId", "TR", "EN"]):
        if whole(cells["ClassId"], path, row, "ClassId") != len(names):
            raise DatasetError(path, row, f"ClassId is {cells['ClassId']}; expected {len(names)} (in order, from 0)")
        names.append(cells["TR"])
    return names


@reader(DatasetError)
def read_labels(path: str | Path, split: str, classes: list[str] | None = None) -> list[Sample]:
    """Samples of one label file; labels are class names where `classes` is given, else the number as a string."""
    samples, ids = [], Ids(path)
    for row, cells in read_table(path, ["sample", "class"], header=False):
        name = ids.add(cells["sample"], row)
        match = NAME.fullmatch(name)
        if match is None:
            raise DatasetError(path, row, f"the sample is {name!r}; expected signer#_sample#")
        place = whole(cells["class"], path, row, "the class", low=0)
        if place >= (len(classes) if classes is not None else 226):
            raise DatasetError(path, row, f"the class is {place}; expected a class of the sign list (from 0)")
        label = classes[place] if classes is not None else str(place)
        folder = "val" if split == "validation" else split
        samples.append(Sample(name, label, f"{folder}/{name}_color.mp4", match[1], split, source=name, number=place))
    return samples


@reader(DatasetError)
def read(folder: str | Path) -> list[Sample]:
    """All splits whose label file lies in `folder`.

    Raises:
        DatasetError: no label file, or a broken one.
    """
    folder = Path(folder)
    lists = sorted(folder.glob("SignList*.csv"))
    classes = read_classes(lists[0]) if lists else None
    samples: list[Sample] = []
    for split, names in FILES.items():
        for path in (folder / f"{name}.csv" for name in names):
            if path.is_file():
                samples += read_labels(path, split, classes)
                break
    if not samples:
        raise DatasetError(folder, None, "holds no train_labels.csv, val_labels.csv or test_labels.csv")
    return samples


def write_labels(path: str | Path, samples: Iterable[Sample]) -> None:
    """A label file in the benchmark's form, to the byte (its line ends are CR LF)."""
    write_bytes(path, "".join(f"{sample.id},{sample.number}\r\n" for sample in samples).encode())
