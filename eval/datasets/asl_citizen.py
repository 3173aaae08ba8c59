"""ASL Citizen: 2,731 American signs by 52 signers (Desai et al., 2023).

`splits/train.csv`, `val.csv`, `test.csv` with `Participant ID,Video file,Gloss,ASL-LEX Code`; one clip a file in
`videos/`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from safe_files import reader, write_bytes

from .report import Published
from .sample import DatasetError, Sample
from .text import Ids, read_table

__all__ = ["PUBLISHED", "read", "read_split", "write_split"]

PUBLISHED = Published(83_399, 2_731, 52, {"train": 40_154, "validation": 10_304, "test": 32_941}, "Desai et al. 2023")
COLUMNS = ("Participant ID", "Video file", "Gloss", "ASL-LEX Code")


@reader(DatasetError)
def read(folder: str | Path) -> list[Sample]:
    """All splits of the data set's folder (or of its folder `splits`)."""
    folder = Path(folder)
    base = folder / "splits" if (folder / "splits").is_dir() else folder
    samples: list[Sample] = []
    for name, split in (("train", "train"), ("val", "validation"), ("test", "test")):
        if (base / f"{name}.csv").is_file():
            samples += read_split(base / f"{name}.csv", split)
    if not samples:
        raise DatasetError(base, None, "holds no train.csv, val.csv or test.csv")
    return samples


@reader(DatasetError)
def read_split(path: str | Path, split: str) -> list[Sample]:
    """One split."""
    samples, ids = [], Ids(path)
    for row, cells in read_table(path, COLUMNS):
        name = ids.add(cells["Video file"].removesuffix(".mp4"), row)
        if not cells["Gloss"]:
            raise DatasetError(path, row, "the gloss is empty")
        code = {"ASL-LEX Code": cells["ASL-LEX Code"]}
        file = f"videos/{cells['Video file']}"
        samples.append(Sample(name, cells["Gloss"], file, cells["Participant ID"], split, name, extra=code))
    return samples


def write_split(path: str | Path, samples: Iterable[Sample]) -> None:
    """The benchmark's form again."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sample in samples:
        code = sample.extra.get("ASL-LEX Code", "")
        writer.writerow([sample.signer, sample.path.rsplit("/", 1)[-1], sample.label, code])
    write_bytes(path, text.getvalue().encode())
