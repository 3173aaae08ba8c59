"""RWTH-BOSTON-104: 201 continuous American sentences with hand tracks and word segments.

`hands_condensed.csv` (`video,frame,left-x,left-y,right-x,right-y,nose-x,nose-y`, pixels, y down, frames from 0),
`train_words.csv`/`test_words.csv` (`video,speaker,word,startframe,endframe`, the last frame included). 30 fps.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import reader, write_bytes

from .report import Published
from .sample import DatasetError, Sample
from .text import read_table, span, whole

__all__ = ["POINTS", "PUBLISHED", "read", "read_tracks", "write_words"]

FPS = 30.0
POINTS = ("left", "right", "nose")
PUBLISHED = Published(888, 113, 3, {"train": 710, "test": 178}, "the published files, counted")
WORDS = ("video", "speaker", "word", "startframe", "endframe")
TRACKS = ("video", "frame", *(f"{point}-{axis}" for point in POINTS for axis in "xy"))


@reader(DatasetError)
def read(folder: str | Path) -> list[Sample]:
    """Word segments of both lists."""
    samples: list[Sample] = []
    for split in ("train", "test"):
        path = Path(folder) / f"{split}_words.csv"
        for row, cells in read_table(path, WORDS):
            first = whole(cells["startframe"], path, row, "startframe", low=0)
            last = whole(cells["endframe"], path, row, "endframe", low=0)
            span(first, last + 1, path, row)
            name = f"{cells['video']}^{split}{row - 1}"
            speaker, video = cells["speaker"], cells["video"]
            samples.append(Sample(name, cells["word"], "", speaker, split, video, first, last + 1, fps=FPS))
    return samples


def write_words(path: str | Path, samples: Iterable[Sample]) -> None:
    """A word list in the source's form again."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(WORDS)
    for sample in samples:
        if sample.start is None or sample.end is None:
            raise DatasetError(sample.id, None, "has no start or end; this form needs both")
        writer.writerow([sample.source, sample.signer, sample.label, int(sample.start), int(sample.end) - 1])
    write_bytes(path, text.getvalue().encode())


@reader(DatasetError)
def read_tracks(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """Video → (T, 3, 2): left hand, right hand, nose, in pixels.

    Raises:
        DatasetError: frames that do not follow each other from 0.
    """
    rows: dict[str, list[list[int]]] = {}
    for row, cells in read_table(path, TRACKS):
        frames = rows.setdefault(cells["video"], [])
        if whole(cells["frame"], path, row, "frame") != len(frames):
            raise DatasetError(path, row, f"the frame is {cells['frame']}; expected {len(frames)}")
        frames.append([whole(cells[name], path, row, name) for name in TRACKS[2:]])
    return {video: np.array(frames, np.float64).reshape(-1, 3, 2) for video, frames in rows.items()}
