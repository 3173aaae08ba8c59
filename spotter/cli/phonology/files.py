"""What the commands of `spotter phonology` share: walking over videos, files to go on with, tables of signers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safe_files import reader

from ..console import Failures, progress_bar

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from embeddings.recordings import PoseSource, Recording

    from ..options import Poses

__all__ = ["READING_ERRORS", "over_poses", "read_pose_of", "read_signers", "write_rows"]

READING_ERRORS = (ValueError, KeyError, OSError)
"""What a bad file raises; it is told in one line, and the next one is taken."""


def over_poses(
    videos: list[Path],
    poses: Poses,
    work: Callable[[Recording, Pose], None],
    done: Collection[str] = (),
    needs: Sequence[str] = ("pose",),
) -> int:
    """Calls `work` with each recording and its pose, under a progress bar; those that fail are told and passed over.

    Args:
        done: names of recordings that are finished already.
        needs: ("pose", "frames") where pictures are cut too.

    Returns:
        How many were worked on.

    Raises:
        typer.Exit: at the end, when a file failed.
    """
    from embeddings.recordings import find_recordings, require

    recordings = find_recordings(videos, needs, unique=True)
    left = [recording for recording in recordings if recording.name not in done]
    source = poses.source(left, needs)
    failures = Failures()
    with progress_bar() as bar:
        task = bar.add_task("videos", total=len(recordings), completed=len(recordings) - len(left))
        for recording in left:
            try:
                require(recording, needs, "phonology")
                work(recording, read_pose_of(recording, source))
            except READING_ERRORS as error:
                failures.add(recording, error)
            bar.advance(task)
    failures.finish(len(recordings))
    return len(left)


def read_pose_of(named: Recording | Path, source: PoseSource) -> Pose:
    """The pose of a recording.

    Raises:
        ValueError: it has none, or cannot be read.
    """
    from embeddings.recordings import read_recording

    pose = read_recording(named, ("pose",), source, asker="phonology").pose
    assert pose is not None
    return pose


@reader(ValueError)
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


def write_rows(path: Path, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """A CSV, whole or not at all."""
    import pandas as pd

    from safe_files import whole_file

    with whole_file(path) as partial:
        pd.DataFrame(rows, columns=list(columns)).to_csv(partial, index=False, encoding="utf-8", lineterminator="\n")
