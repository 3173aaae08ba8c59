"""OSLWL, track 2 of the ECCV 2022 sign spotting challenge: find one query sign in 4 s clips, with one example.

Query videos `p##_s##.mp4`, one per sign; search clips `p##_s##_n###.mp4`, `s##` being the sign to look for. Signs
0–19 are the validation set, 20–39 the test set. Trims of the queries: `CLASS;SIGN;BEGIN;END` in ms, perhaps with a
byte-order mark. 25 fps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from safe_files import reader, write_bytes

from ..segments import Segment, read_segments
from .report import Published
from .sample import DatasetError, Sample
from .text import number, read_table, span, whole

__all__ = ["PUBLISHED_SEARCH", "read_queries", "read_search", "read_trims", "write_trims"]

PUBLISHED_SEARCH = Published(607, 20, 6, {"test": 607}, "the challenge's test set")
QUERY = re.compile(r"(p\d{2})_s(\d{2})")
SEARCH = re.compile(r"(p\d{2})_s(\d{2})_n\d{3}")
TRIM_COLUMNS = ("CLASS", "SIGN", "BEGIN", "END")
FPS = 25.0


def _split(sign: int, where: str | Path) -> str:
    if not 0 <= sign < 40:
        raise DatasetError(where, None, f"the sign is {sign}; expected 0–19 (validation) or 20–39 (test)")
    return "validation" if sign < 20 else "test"


@reader(DatasetError)
def read_trims(path: str | Path) -> dict[int, tuple[str, float, float]]:
    """Class → (sign, begin, end), milliseconds."""
    trims: dict[int, tuple[str, float, float]] = {}
    for row, cells in read_table(path, TRIM_COLUMNS, delimiter=";"):
        place = whole(cells["CLASS"].lstrip("s"), path, row, "CLASS", low=0)
        if place in trims:
            raise DatasetError(path, row, f"the class {place} is given twice")
        begin, end = (number(cells[name], path, row, name, low=0) for name in ("BEGIN", "END"))
        span(begin, end, path, row)
        trims[place] = (cells["SIGN"], begin, end)
    return trims


def write_trims(path: str | Path, trims: dict[int, tuple[str, float, float]]) -> None:
    """The trims' own form again."""
    lines = [f"{place};{sign};{begin:g};{end:g}\n" for place, (sign, begin, end) in trims.items()]
    write_bytes(path, (";".join(TRIM_COLUMNS) + "\n" + "".join(lines)).encode())


@reader(DatasetError)
def read_queries(folder: str | Path, trims: str | Path | None = None) -> list[Sample]:
    """Query videos of a folder, one exemplar per sign, with start and end where trims are given.

    Raises:
        DatasetError: no video, a name of another form, two queries of one sign, or a query without a trim.
    """
    folder = Path(folder)
    table = read_trims(trims) if trims is not None else None
    samples: dict[int, Sample] = {}
    for video in _videos(folder):
        found = QUERY.fullmatch(video.stem)
        if found is None:
            continue
        sign = int(found[2])
        if sign in samples:
            raise DatasetError(video, None, f"is a second query of sign {sign}, beside {samples[sign].path}")
        times: tuple[float | None, float | None] = (None, None)
        if table is not None:
            if sign not in table:
                raise DatasetError(folder / video.name, None, f"the trims hold no class {sign}")
            times = table[sign][1] / 1000, table[sign][2] / 1000
        path = video.relative_to(folder).as_posix()
        samples[sign] = Sample(
            video.stem, str(sign), path, found[1], _split(sign, video), video.stem, *times, "seconds", FPS, sign
        )
    if not samples:
        raise DatasetError(folder, None, "holds no query video p##_s##.mp4")
    return [samples[sign] for sign in sorted(samples)]


@reader(DatasetError)
def read_search(folder: str | Path, truth: str | Path | None = None) -> list[Sample]:
    """Search clips of a folder; `label` is the sign to look for. With `truth`, one sample per true segment instead.

    Raises:
        DatasetError: no clip, or a truth that names a clip that is absent or a sign that its name does not.
    """
    folder = Path(folder)
    clips = {video.stem: video for video in _videos(folder) if SEARCH.fullmatch(video.stem)}
    if not clips:
        raise DatasetError(folder, None, "holds no search clip p##_s##_n###.mp4")
    if truth is None:
        return [_clip(clips[name], folder, None) for name in sorted(clips)]
    samples = []
    for name, segments in read_segments(truth).items():
        if name not in clips:
            raise DatasetError(truth, name, f"is not in {folder}")
        samples += [_clip(clips[name], folder, segment) for segment in segments]
    return samples


def _clip(video: Path, folder: Path, segment: Segment | None) -> Sample:
    found = SEARCH.fullmatch(video.stem)
    if found is None:
        raise DatasetError(video, None, "is no search clip p##_s##_n###.mp4")
    sign = int(found[2])
    if segment is not None and segment.sign != str(sign):
        raise DatasetError(video, None, f"its name says sign {sign}, the ground truth {segment.sign}")
    start, end = (None, None) if segment is None else (segment.start, segment.end)
    path = video.relative_to(folder).as_posix()
    split = _split(sign, video)
    return Sample(video.stem, str(sign), path, found[1], split, video.stem, start, end, "seconds", FPS, sign)


def _videos(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        raise DatasetError(folder, None, "is no folder; expected the challenge's videos")
    return sorted(folder.rglob("*.mp4"))
