"""What the commands of `spotter phonology` share: walking over videos, files to go on with, tables of signers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console import Failures, progress_bar, video_files
from ..options import Estimator, pose_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embeddings.clip import Pose

__all__ = ["READING_ERRORS", "fitting_frames", "over_poses", "read_signers", "stored_names", "write_rows"]

READING_ERRORS = (ValueError, KeyError, OSError)
"""What a bad file raises; it is told in one line, and the next one is taken."""


def over_poses(
    videos: list[Path],
    poses: Path | None,
    estimator: Estimator,
    workers: int,
    work: Callable[[Path, Pose], None],
    done: frozenset[str] = frozenset(),
) -> int:
    """Calls `work` with each file and its pose, under a progress bar; files that fail are told and passed over.

    Args:
        done: names (file stems) that are finished already.

    Returns:
        How many were worked on.

    Raises:
        typer.Exit: at the end, when a file failed.
    """
    from ...sources import pose_of

    files = video_files(videos)
    left = [path for path in files if path.stem not in done]
    source = pose_source(left, poses, estimator, workers)
    failures = Failures()
    with progress_bar() as bar:
        task = bar.add_task("videos", total=len(files), completed=len(files) - len(left))
        for path in left:
            try:
                work(path, pose_of(path, source))
            except READING_ERRORS as error:
                failures.add(path, error)
            bar.advance(task)
    failures.finish(len(files))
    return len(left)


def stored_names(path: Path) -> frozenset[str]:
    """Videos that an HDF5 file holds already; none when there is no file.

    Raises:
        ValueError: there is a file, but it is not HDF5.
    """
    import h5py

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        return frozenset()
    try:
        with h5py.File(path, "r") as file:
            return frozenset(name for name in file if not name.startswith("."))
    except OSError as error:
        raise ValueError(f"{path}: not a readable HDF5 file ({error}); delete it or give another output") from None


def read_signers(path: Path | None) -> dict[str, str]:
    """Video → signer from a CSV with the columns video and signer; empty without a file.

    Raises:
        ValueError: a column is missing.
    """
    import pandas as pd

    if path is None:
        return {}
    table = pd.read_csv(path, dtype=str)
    if not {"video", "signer"} <= set(table.columns):
        raise ValueError(f"{path}: columns {', '.join(table.columns)}; expected video and signer")
    return dict(zip(table["video"], table["signer"], strict=True))


def fitting_frames(path: Path, pose: Pose) -> Iterator[NDArray[np.uint8]]:
    """The frames of a video at its pose's rate, streamed.

    Raises:
        ValueError: the file is a pose file: there are no pictures to cut.
    """
    from embeddings.video import read_frames

    from ...sources import VIDEO_SUFFIXES

    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise ValueError(f"{path}: pictures are cut from videos; this is a pose file (keep its poses with --poses)")
    for row, (_, frame) in enumerate(read_frames(path, fps=pose.fps)):
        if row < len(pose):
            yield frame


def write_rows(path: Path, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """A CSV, whole or not at all."""
    import pandas as pd

    from embeddings.files import whole_file

    with whole_file(path) as partial:
        pd.DataFrame(rows, columns=list(columns)).to_csv(partial, index=False, encoding="utf-8", lineterminator="\n")
