"""The 225-column MediaPipe landmark table: 21 right-hand, 21 left-hand and 33 pose points × (x, y, z) per frame.

Besides: video, user, frame (from 0), path, label. Missing is −2. Ours: (T, 75, 3), shares of the frame, NaN missing.
Each video becomes a part file of its own, so that a stopped run goes on where it was; `join` makes the one table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safe_files import inside, open_whole, reader, write_bytes

from .sample import DatasetError, Sample
from .text import number, whole

__all__ = ["COLUMNS", "MISSING", "POINTS", "join", "make_table", "read_table", "to_rows"]

POINTS = (
    *(f"right_hand_{i}" for i in range(21)),
    *(f"left_hand_{i}" for i in range(21)),
    *(f"pose_{i}" for i in range(33)),
)
COLUMNS = tuple(f"{point}_{axis}" for point in POINTS for axis in "xyz")
FACTS = ("video", "user", "frame", "path", "label")
MISSING = -2


def to_rows(sample: Sample, landmarks: ArrayLike) -> str:
    """Text of one video's rows, without a header.

    Args:
        landmarks: (T, 75, 3), right hand, left hand, pose; NaN where missing.

    Raises:
        DatasetError: another shape.
    """
    values = np.asarray(landmarks, np.float64)
    if values.ndim != 3 or values.shape[1:] != (len(POINTS), 3):
        raise DatasetError(sample.id, None, f"its landmarks are {values.shape}; expected (T, {len(POINTS)}, 3)")
    missing = np.asarray(np.isnan(values).any(axis=-1))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for frame, (points, gone) in enumerate(zip(values, missing, strict=True)):
        cells = [MISSING if away else value for row, away in zip(points.tolist(), gone, strict=True) for value in row]
        writer.writerow([*cells, sample.id, sample.signer, frame, sample.path, sample.label])
    return text.getvalue()


@reader(DatasetError)
def read_table(path: str | Path) -> Iterator[tuple[Sample, NDArray[np.float64]]]:
    """Videos of a table one after another (memory: one video): the sample and its landmarks (T, 75, 3), NaN missing.

    Raises:
        DatasetError: columns missing, a cell that is no number, frames out of order, a video in two places.
    """
    path = Path(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        absent = [name for name in (*COLUMNS, *FACTS) if name not in header]
        if absent:
            raise DatasetError(path, 1, f"lacks {len(absent)} columns, e.g. {', '.join(absent[:3])}")
        places, facts = [header.index(n) for n in COLUMNS], {n: header.index(n) for n in FACTS}
        done: set[str] = set()
        current: tuple[str, Sample] | None = None
        frames: list[list[float]] = []
        for row, cells in enumerate(rows, 2):
            if len(cells) != len(header):
                raise DatasetError(path, row, f"has {len(cells)} columns; expected {len(header)}")
            video = cells[facts["video"]]
            if current is None or video != current[0]:
                if current is not None:
                    yield current[1], _array(frames)
                if video in done:
                    raise DatasetError(path, row, f"the video {video!r} is in two places; its rows must be together")
                done.add(video)
                sample = Sample(video, cells[facts["label"]], cells[facts["path"]], cells[facts["user"]], source=video)
                current, frames = (video, sample), []
            if whole(cells[facts["frame"]], path, row, "the frame") != len(frames):
                raise DatasetError(path, row, f"the frame is {cells[facts['frame']]}; expected {len(frames)}")
            frames.append([number(cells[i], path, row, header[i]) for i in places])
        if current is not None:
            yield current[1], _array(frames)


def _array(frames: list[list[float]]) -> NDArray[np.float64]:
    values = np.array(frames, np.float64).reshape(-1, len(POINTS), 3)
    values[(values == MISSING).all(axis=-1)] = np.nan
    return values


def make_table(
    samples: Sequence[Sample],
    media: str | Path,
    folder: str | Path,
    estimate: Callable[[Path], ArrayLike],
    workers: int = 1,
    progress: Callable[[str, str], None] | None = None,
) -> dict[str, str]:
    """Estimates each video's landmarks into `folder/<id>.csv`; videos that have their file are passed over.

    Args:
        estimate: path of a video → landmarks (T, 75, 3); a module's function, so that processes can share it.
        progress: called with each id and its error or "".

    Returns:
        Id → error, of the videos that failed; the others are done.
    """
    folder = Path(folder)
    left = [sample for sample in samples if not _part(folder, sample).is_file()]
    failed: dict[str, str] = {}

    def note(sample: Sample, error: str) -> None:
        if error:
            failed[sample.id] = error
        if progress is not None:
            progress(sample.id, error)

    if workers <= 1:
        for sample in left:
            note(sample, _one(sample, Path(media), folder, estimate))
        return failed
    with ProcessPoolExecutor(workers) as pool:
        jobs = {pool.submit(_one, sample, Path(media), folder, estimate): sample for sample in left}
        for job in as_completed(jobs):
            note(jobs[job], job.result())
    return failed


def _part(folder: Path, sample: Sample) -> Path:
    return inside(folder, f"{sample.id.replace('/', '__')}.csv")


def _one(sample: Sample, media: Path, folder: Path, estimate: Callable[[Path], ArrayLike]) -> str:
    try:
        write_bytes(_part(folder, sample), to_rows(sample, estimate(media / sample.path)).encode())
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def join(samples: Sequence[Sample], folder: str | Path, path: str | Path) -> int:
    """One table of the parts, in the order of `samples`; streams, whole or not at all.

    Returns:
        Number of videos in it (those without a part are left out).
    """
    count = 0
    with open_whole(path) as table:
        table.write(",".join([*COLUMNS, *FACTS]) + "\n")
        for sample in samples:
            part = _part(Path(folder), sample)
            if part.is_file():
                table.write(part.read_text(encoding="utf-8"))
                count += 1
    return count
