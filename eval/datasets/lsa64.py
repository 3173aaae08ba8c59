"""LSA64: 64 Argentinian signs, 10 signers, 5 times each (Ronchetti et al., 2016).

One clip a file, `SSS_PPP_RRR.mp4`: sign, signer and repetition from 1; the signs' names are `01|Opaque|R|` rows
(R one-handed, B both hands).
"""

from __future__ import annotations

import re
from pathlib import Path

from safe_files import reader

from .report import Published
from .sample import DatasetError, Sample
from .text import read_lines, whole

__all__ = ["PUBLISHED", "expected", "read", "read_signs"]

PUBLISHED = Published(3_200, 64, 10, source="Ronchetti et al. 2016")
NAME = re.compile(r"(\d{3})_(\d{3})_(\d{3})")


@reader(DatasetError)
def read_signs(path: str | Path) -> dict[int, tuple[str, str]]:
    """Number → (name, hands "R" or "B")."""
    signs: dict[int, tuple[str, str]] = {}
    for row, line in read_lines(path):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 3 or cells[2] not in ("R", "B"):
            raise DatasetError(path, row, f"is {line!r}; expected number|name|R or B|")
        place = whole(cells[0], path, row, "the sign's number", low=1)
        if place in signs:
            raise DatasetError(path, row, f"the sign {place} is given twice")
        signs[place] = (cells[1], cells[2])
    return signs


def expected(signs: dict[int, tuple[str, str]]) -> list[Sample]:
    """All clips that the data set publishes, so that missing files can be named."""
    names = [f"{sign:03d}_{person:03d}_{time:03d}" for sign in signs for person in range(1, 11) for time in range(1, 6)]
    return [_sample(name, signs, name) for name in names]


@reader(DatasetError)
def read(folder: str | Path, signs: str | Path | None = None) -> list[Sample]:
    """Clips of a folder of videos; without one video, those that ought to be there.

    Args:
        signs: file of the signs' names; by default `*signs*` in the folder.

    Raises:
        DatasetError: no list of signs, or a file whose name does not follow the rule.
    """
    folder = Path(folder)
    lists = [Path(signs)] if signs is not None else sorted(p for p in folder.glob("*signs*") if p.is_file())
    if not lists:
        raise DatasetError(folder, None, "holds no list of the signs' names; give one with `signs`")
    names = read_signs(lists[0])
    videos = sorted(folder.rglob("*.mp4"))
    if not videos:
        return expected(names)
    return [_sample(video.stem, names, video.relative_to(folder).as_posix()) for video in videos]


def _sample(name: str, signs: dict[int, tuple[str, str]], path: str) -> Sample:
    match = NAME.fullmatch(name)
    if match is None or int(match[1]) not in signs:
        raise DatasetError(path, None, f"the name is {name!r}; expected sign_signer_repetition, e.g. 001_010_005")
    place = int(match[1])
    label, hands = signs[place]
    file = path if path.endswith(".mp4") else f"{path}.mp4"
    return Sample(
        name, label, file, match[2], source=name, number=place, extra={"hands": hands, "repetition": int(match[3])}
    )
