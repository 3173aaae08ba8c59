"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import progress_bar

if TYPE_CHECKING:
    from ..sources import PoseSource

__all__ = ["pose_source"]


class Estimator(StrEnum):
    mediapipe = "mediapipe"
    mmpose = "mmpose"
    rtmlib = "rtmlib"


class PoseFormat(StrEnum):
    pose = "pose"
    h5 = "h5"


Videos = Annotated[list[Path], typer.Argument(help="Video or pose files, or folders of them.", show_default=False)]

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


def pose_source(files: list[Any], folder: Path | None, estimator: Estimator, workers: int) -> PoseSource:
    """Where poses come from; several videos are estimated in parallel first, into the folder or a temporary one."""
    import tempfile

    from embeddings.pose import estimate_videos

    from ..sources import VIDEO_SUFFIXES, PoseSource

    videos = [Path(f) for f in files if Path(f).suffix.lower() in VIDEO_SUFFIXES]
    if len(videos) > 1 and len({v.stem for v in videos}) == len(videos):
        kept = folder if folder is not None else Path(tempfile.mkdtemp(prefix="spotter-poses-"))
        with progress_bar() as bar:
            task = bar.add_task("poses", total=len(videos))
            # what fails here is reported by the step that needs it
            for _ in estimate_videos(videos, kept, estimator.value, workers=workers):
                bar.advance(task)
        return PoseSource(estimator.value, kept)
    return PoseSource(estimator.value, folder)
