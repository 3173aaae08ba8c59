"""MSSL, track 1 of the ECCV 2022 sign spotting challenge: 60 Spanish signs in continuous signing.

Ground truth `{p##_n###: [[class 0–59, start ms, end ms], …]}` as a pickle, or a folder of text files; 25 fps, all
times are multiples of 40 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from safe_files import reader

from ..annotations.challenge import write_submission
from ..segments import Segment, by_video, read_segments
from .report import Published
from .sample import DatasetError, Sample, seconds_of
from .text import read_lines, span, whole

__all__ = ["FPS", "FRAME_MS", "PUBLISHED", "read", "write"]

FPS, FRAME_MS = 25.0, 40
PUBLISHED = Published(2_111, 60, 5, {"train": 2_111}, "the published training set, counted")
NAME = re.compile(r"(p\d{2})_n\d{3}")


@reader(DatasetError)
def read(path: str | Path, split: str = "train", labels: str | Path | None = None) -> list[Sample]:
    """Instances of a ground-truth file (.pkl, .json, folder of .txt), or of the one `*GT.pkl` in a folder.

    Args:
        labels: file of the classes' names, one a line; by default `*LABELS.txt` in the folder, else class numbers.

    Raises:
        DatasetError: unreadable, a time off the 40 ms grid, a class without name, a name of another form.
    """
    path = Path(path)
    if path.is_dir() and not list(path.glob("*.txt")) + list(path.glob("*GT.pkl")):
        raise DatasetError(path, None, "holds neither *GT.pkl nor text files of the ground truth")
    folder = path if path.is_dir() else path.parent
    path = next(iter(sorted(path.glob("*GT.pkl"))), path) if path.is_dir() else path
    tables = [Path(labels)] if labels is not None else sorted(folder.glob("*LABELS.txt"))
    names = [line.strip() for _, line in read_lines(tables[0])] if tables else None
    try:
        videos = read_segments(path, "ms")
    except ValueError as error:  # of the pickle or of a row
        raise DatasetError(path, None, str(error).removeprefix(f"{path}: ")) from None
    return [s for video, segments in videos.items() for s in _video(video, segments, path, split, names)]


def _video(video: str, segments: list[Segment], path: Path, split: str, names: list[str] | None) -> list[Sample]:
    match = NAME.fullmatch(video)
    if match is None:
        raise DatasetError(path, video, "the video's name is not of the form p##_n###")
    samples = []
    for place, segment in enumerate(segments, 1):
        row, (start, end) = f"video {video}, row {place}", segment.exact_milliseconds
        number = whole(segment.sign, path, row, "the class", low=0)
        if number >= (len(names) if names is not None else 60):
            raise DatasetError(path, row, f"the class is {number}; expected one of the list of labels (from 0)")
        for value in (start, end):
            if value % FRAME_MS:
                raise DatasetError(path, row, f"holds the time {value} ms; expected a multiple of {FRAME_MS} (25 fps)")
        span(start, end, path, row)
        label = names[number] if names is not None else str(number)
        frames = start // FRAME_MS, end // FRAME_MS
        name = f"{video}^{place}"
        samples.append(Sample(name, label, f"{video}.mp4", match[1], split, video, *frames, fps=FPS, number=number))
    return samples


def write(path: str | Path, samples: Iterable[Sample]) -> None:
    """The challenge's form again (.pkl, .json, or a folder of text files); the pickle to the byte."""
    segments = []
    for sample in samples:
        start, end = seconds_of(sample)
        if end is None:
            raise DatasetError(sample.id, None, "has no end; the challenge's form needs one")
        segments.append(Segment(sample.source, str(sample.number), start, end))
    write_submission(path, by_video(segments))
