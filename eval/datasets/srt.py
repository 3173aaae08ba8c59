"""Glosses as subtitles (SubRip), as in the Peruvian AEC and PUCP-DGI156 collections: one gloss a cue, ms times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from safe_files import write_bytes

from .sample import DatasetError, Sample, seconds_of
from .text import read_text, span

__all__ = ["read", "write"]

TIMES = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{3})\s*-->\s*(\d+):(\d\d):(\d\d)[,.](\d{3})")


def read(path: str | Path) -> list[Sample]:
    """Cues of one file; the label is the cue's text, the source the file's name. Cues without text are passed over.

    Raises:
        DatasetError: a cue without a number or times, or one that ends before it starts.
    """
    path = Path(path)
    lines = read_text(path).splitlines()
    samples: list[Sample] = []
    row = 0
    while row < len(lines):
        if not lines[row].strip():
            row += 1
            continue
        if not lines[row].strip().isdecimal():
            raise DatasetError(path, row + 1, f"is {lines[row].strip()[:40]!r}; expected a cue's number")
        found = TIMES.match(lines[row + 1].strip()) if row + 1 < len(lines) else None
        if found is None:
            raise DatasetError(path, row + 2, "is no line of times 00:00:00,000 --> 00:00:00,000")
        start, end = _milliseconds(found.groups()[:4]), _milliseconds(found.groups()[4:])
        if end != start:  # real files hold a few empty cues
            span(start, end, path, row + 2)
        first = row + 2
        row = first
        while row < len(lines) and lines[row].strip():
            row += 1
        text = " ".join(line.strip() for line in lines[first:row])
        if text:
            name = f"{path.stem}^{len(samples) + 1}"
            times = start / 1000, end / 1000
            samples.append(Sample(name, text, "", "", "", path.stem, *times, "seconds"))
    if not samples:
        raise DatasetError(path, None, "holds no cue")
    return samples


def _milliseconds(parts: tuple[str, ...]) -> int:
    hours, minutes, seconds, thousandths = map(int, parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def write(path: str | Path, samples: Iterable[Sample]) -> None:
    """Cues numbered from 1; read again, they are equal."""
    cues = []
    for place, sample in enumerate(samples, 1):
        start, end = seconds_of(sample)
        if end is None:
            raise DatasetError(sample.id, None, "has no end; a cue needs one")
        cues.append(f"{place}\n{_stamp(start)} --> {_stamp(end)}\n{sample.label}\n")
    write_bytes(path, ("\n".join(cues)).encode())


def _stamp(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d},{whole % 1000:03d}"
