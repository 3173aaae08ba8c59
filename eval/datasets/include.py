"""INCLUDE: 263 Indian signs (Sridhar et al., 2020); split lists with one path per line.

`include_train.txt`, `include_val.txt`, `include_test.txt` (`include50_…` the subset of 50):
`Category/4. Bird/MVI_2988.MOV`, a few with a folder more before the file. The number before the sign (where there is
one) belongs to its category; the label is both.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from safe_files import reader, write_bytes

from .report import Published
from .sample import DatasetError, Sample
from .text import Ids, read_lines

__all__ = ["PUBLISHED", "read", "write_split"]

COUNTED = "the published lists, counted"
PUBLISHED = {
    "include": Published(4_292, 263, None, {"train": 3_127, "validation": 348, "test": 817}, COUNTED),
    "include50": Published(None, 50, source=COUNTED),
}


@reader(DatasetError)
def read(folder: str | Path, subset: str = "include") -> list[Sample]:
    """Clips of the lists `<subset>_train.txt`, `_val.txt`, `_test.txt` in a folder."""
    samples: list[Sample] = []
    for name, split in (("train", "train"), ("val", "validation"), ("test", "test")):
        path = Path(folder) / f"{subset}_{name}.txt"
        if not path.is_file():
            continue
        ids = Ids(path)
        for row, line in read_lines(path):
            parts = line.strip().split("/")
            if len(parts) < 3 or not all(parts):
                raise DatasetError(path, row, f"is {line.strip()[:60]!r}; expected Category/number. sign/file")
            file = ids.add(line.strip(), row)
            samples.append(Sample(file.rsplit(".", 1)[0], "/".join(parts[:2]), file, "", split, file))
    if not samples:
        raise DatasetError(folder, None, f"holds no {subset}_train.txt, {subset}_val.txt or {subset}_test.txt")
    return samples


def write_split(path: str | Path, samples: Iterable[Sample]) -> None:
    """One list again."""
    write_bytes(path, "\n".join(sample.path for sample in samples).encode())
