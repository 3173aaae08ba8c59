"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import progress_bar

if TYPE_CHECKING:
    from embeddings.recordings import PoseSource

__all__ = ["pose_source"]


class Estimator(StrEnum):
    mediapipe = "mediapipe"
    mmpose = "mmpose"
    rtmlib = "rtmlib"


class PoseFormat(StrEnum):
    pose = "pose"
    h5 = "h5"


RECORDINGS = "Videos, pose files, folders of images or of OpenPose JSON, … (docs/inputs.md), or folders of them."

Videos = Annotated[list[Path], typer.Argument(help=RECORDINGS, show_default=False)]

Clips = Annotated[
    list[Path],
    typer.Argument(
        help="Clips of single signs (the file name up to ~ is the gloss), folders of them, folders of folders "
        "(the folder's name is the gloss), or a CSV with file,label[,start,end].",
        show_default=False,
    ),
]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

EncoderName = Annotated[str, typer.Option("--encoder", "-e", help="A shipped encoder's name, or a checkpoint file.")]

Workers = Annotated[int, typer.Option("--workers", "-j", min=0, help="Processes (0: one per core).")]

EstimatorName = Annotated[Estimator, typer.Option(help="Pose estimator for videos.")]

PosesFolder = Annotated[
    Path | None, typer.Option("--poses", help="Folder where estimated poses are kept and found again.")
]

Rate = Annotated[
    float,
    typer.Option(
        "--fps", min=0.1, help="Frames per second of recordings that do not say: images, OpenPose, FrankMocap, tables."
    ),
]


def pose_source(
    recordings: Iterable[Any],
    needs: Sequence[str],
    folder: Path | None,
    estimator: Estimator,
    workers: int,
    fps: float = 25.0,
) -> PoseSource:
    """How poses are estimated. Those of several videos are, in parallel and now, where an encoder needs poses.

    They go into the folder, or into a temporary one.
    """
    from dataclasses import replace

    from embeddings.recordings import PoseSource, Recording, parts_needed

    source = PoseSource(estimator.value, folder, fps=fps)
    films = [r for r in recordings if isinstance(r, Recording) and r.filmed and "pose" in parts_needed(needs)]
    if len(films) < 2 or len({r.name for r in films}) < len(films):
        return source
    source = replace(source, folder=folder if folder is not None else _temporary_folder())
    with progress_bar() as bar:
        task = bar.add_task("poses", total=len(films))
        # what fails here is reported by the step that needs it
        for _ in source.estimated([r.path for r in films], workers=workers):
            bar.advance(task)
    return source


def _temporary_folder() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="spotter-poses-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
