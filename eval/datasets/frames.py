"""Frames of a data set's samples as pictures: parallel, resumable, one folder per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import inside, whole_folder

from .sample import Sample, seconds_of

__all__ = ["extract_frames"]

ReadFrames = Callable[..., Iterator[tuple[float, NDArray[np.uint8]]]]
"""`read(path, start=seconds, end=seconds or None)` → (seconds, RGB frame); e.g. `embeddings.video.read_frames`."""


def extract_frames(
    samples: Sequence[Sample],
    media: str | Path,
    folder: str | Path,
    read: ReadFrames,
    workers: int = 1,
    quality: int = 90,
    progress: Callable[[str, str], None] | None = None,
) -> dict[str, str]:
    """Writes `folder/[split/]label/id/00000.jpg …`; a sample whose folder is there is done and passed over.

    A folder appears under its name only when it is whole. Frames of a sample with start and end are those shown
    within [start, end).

    Args:
        read: decoder; a module's function, so that processes can share it.
        progress: called with each id and its error or "".

    Returns:
        Id → error, of the samples that failed.
    """
    root = Path(folder)
    left = [(sample, _place(root, sample)) for sample in samples]
    left = [(sample, place) for sample, place in left if not place.is_dir()]
    failed: dict[str, str] = {}

    def note(name: str, error: str) -> None:
        if error:
            failed[name] = error
        if progress is not None:
            progress(name, error)

    if workers <= 1:
        for sample, place in left:
            note(sample.id, _one(sample, Path(media), place, read, quality))
        return failed
    with ProcessPoolExecutor(workers) as pool:
        jobs: dict[Any, str] = {
            pool.submit(_one, sample, Path(media), place, read, quality): sample.id for sample, place in left
        }
        for job in as_completed(jobs):
            note(jobs[job], job.result())
    return failed


def _place(root: Path, sample: Sample) -> Path:
    place = root
    for part in (sample.split, sample.label, sample.id):
        place = inside(place, part.replace("/", "_")) if part else place
    return place


def _one(sample: Sample, media: Path, place: Path, read: ReadFrames, quality: int) -> str:
    from PIL import Image

    start, end = seconds_of(sample)
    try:
        with whole_folder(place) as partial:
            count = 0
            for _, frame in read(media / sample.path, start=start, end=end):
                Image.fromarray(frame).save(partial / f"{count:05d}.jpg", quality=quality)
                count += 1
            if count == 0:
                raise ValueError(f"{media / sample.path}: no frame from {start:g} s on")
    except (ValueError, OSError) as error:
        return str(error)
    return ""
