"""GSL: continuous Greek sign language (Adaloglou et al., 2021); rows `video folder|GLOSS GLOSS …`, no times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from safe_files import reader, write_bytes

from .sample import DatasetError, Sample
from .text import Ids, read_lines

__all__ = ["read", "write"]

NAME = re.compile(r".*_(signer\d+)_rep\d+_.*")


@reader(DatasetError)
def read(path: str | Path, split: str = "") -> list[Sample]:
    """Sentences of one list; the label is the whole gloss sequence, `extra["glosses"]` its parts."""
    samples, ids = [], Ids(path)
    for row, line in read_lines(path):
        video, bar, glosses = line.partition("|")
        match = NAME.fullmatch(video)
        if not bar or not glosses.strip() or match is None:
            raise DatasetError(path, row, f"is {line[:60]!r}; expected …_signer#_rep#_…/sentence|GLOSS GLOSS")
        name = ids.add(video, row)
        extra = {"glosses": glosses.split()}
        samples.append(Sample(name, glosses, video, match[1], split, name, extra=extra))
    return samples


def write(path: str | Path, samples: Iterable[Sample]) -> None:
    """The list again."""
    write_bytes(path, "".join(f"{sample.path}|{sample.label}\n" for sample in samples).encode())
