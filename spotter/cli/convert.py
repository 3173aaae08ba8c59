"""`spotter convert …`: published forms of one thing into those that the other commands read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from .console import Failures, out, progress_bar
from .options import Estimator, EstimatorName, Poses, Rate, Videos, Workers, reads_recordings

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from embeddings.recordings import PoseSource, Recording
    from eval.datasets import Sample

__all__ = ["register"]

LANDMARKS = "mediapipe-holistic"
"""The skeleton of the landmark table: 33 points of the body, 21 of each hand."""

Manifest = Annotated[Path, typer.Argument(help="manifest.csv of `spotter data`, or your own.", show_default=False)]
Media = Annotated[Path, typer.Option(help="Folder that the manifest's paths are relative to.")]


def register(app: typer.Typer) -> None:
    """Adds the group of this module."""
    group = typer.Typer(no_args_is_help=True, help="Convert checkpoints and data sets from and to published forms.")
    group.command(epilog="Example: [bold]spotter convert i3d bsl5k.pth.tar -o bsl5k.safetensors[/bold]")(i3d)
    group.command(epilog="Example: [bold]spotter convert frames manifest.csv --media videos/ -o frames/[/bold]")(frames)
    group.command(
        epilog="Example: [bold]spotter convert landmarks manifest.csv --media videos/ -o landmarks.csv[/bold]"
    )(landmarks)
    group.command(
        epilog="Example: [bold]spotter convert gestures ipn/annotations/ --poses poses/ -o gestures.csv[/bold]"
    )(gestures)
    group.command(epilog="Example: [bold]spotter convert lists manifest.csv --media videos/ -o lists/[/bold]")(lists)
    group.command(epilog="Example: [bold]spotter convert aligned queries/ --poses poses/ -o aligned/[/bold]")(aligned)
    app.add_typer(group, name="convert")


def lists(
    manifest: Manifest,
    media: Media,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the tables.")] = Path("lists"),
) -> None:
    """A manifest's recordings as tables for other commands: train.csv, labels.csv, validation.csv, signers.csv."""
    from ..reproduce.lists import write_lists

    for name, count in write_lists(manifest, media, output).items():
        out.print(f"{count} rows → {output / name}")


def i3d(
    checkpoint: Annotated[Path, typer.Argument(help="A published .pth or .pth.tar.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .safetensors file to write.")],
) -> None:
    """A published I3D checkpoint as an encoder: `spotter enroll … -e OUTPUT` reads it. Code in the file never runs."""
    from embeddings.encoders.checkpoint import save_checkpoint
    from embeddings.encoders.convert_i3d import load_i3d

    save_checkpoint(output, load_i3d(checkpoint), {"converted_from": checkpoint.name})
    out.print(f"encoder → {output}")


def frames(
    manifest: Manifest,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder: [split/]label/id/00000.jpg …")],
    media: Media = Path(),
    workers: Workers = 0,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of the JPEG files.")] = 90,
) -> None:
    """Every sample's frames as pictures. A sample whose folder is there is done; a stopped run goes on."""
    from embeddings.video import read_frames
    from eval.datasets.frames import extract_frames

    samples = _samples(manifest)
    with _progress(len(samples)) as (failures, note):
        extract_frames(samples, media, output, read_frames, _processes(workers), quality, note)
    out.print(f"frames of {len(samples) - len(failures.failed)} of {len(samples)} samples → {output}/")
    failures.finish(len(samples))


def landmarks(
    manifest: Manifest,
    output: Annotated[Path, typer.Option("--output", "-o", help="The table (.csv) to write.")],
    media: Media = Path(),
    estimator: EstimatorName = Estimator.holistic,
    workers: Workers = 0,
    fps: Rate = 25.0,
) -> None:
    """The table of 225 landmark columns: right hand, left hand, body × (x, y, z), a row a frame.

    x and y are shares of the picture, z is in the unit of x (0 where the estimator gives none); -2 is missing. The
    videos' own tables lie in OUTPUT.parts/ until the whole is done, so that a stopped run goes on.
    """
    from embeddings.recordings import PoseSource
    from eval.datasets.landmark_table import join, make_table

    samples = _samples(manifest)
    cut = next((sample for sample in samples if sample.start is not None), None)
    if cut is not None:
        raise ValueError(
            f"{manifest}: {cut.id} is a part of its video (it has a start); this table is of whole videos: "
            "write the parts as folders of pictures with `spotter convert frames` and name those in a manifest"
        )
    parts = output.with_name(output.name + ".parts")
    read = partial(_landmarks, PoseSource(estimator.value, fps=fps))
    with _progress(len(samples)) as (failures, note):
        make_table(samples, media, parts, read, _processes(workers), note)
    written = join(samples, parts, output)
    out.print(f"landmarks of {written} of {len(samples)} samples → {output}")
    failures.finish(len(samples))
    shutil.rmtree(parts)


def gestures(
    annotation: Annotated[Path, typer.Argument(help="IPN Hand's folder of lists.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The table (.csv) to write.")],
    poses: Annotated[Path, typer.Option(help="Folder of the videos' poses (`spotter pose`).")],
) -> None:
    """IPN Hand's compacted table: one row a gesture, the 21 points of the hand that does most of the work."""
    from eval.datasets import ipn, ipn_compact

    rows = ipn_compact.compact(output, ipn.read(annotation), partial(_active_hand, poses))
    out.print(f"{rows} gestures → {output}")


@reads_recordings
def aligned(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder: NAME.mp4 and NAME.pose of each.")],
) -> None:
    """Videos and poses as the OSLWL entry aligns them: 512 × 512, the nose at (256, 150) in every frame.

    Videos whose two files are there are done; a stopped run goes on.
    """
    from embeddings.pose import write_pose
    from embeddings.pose.nose_crop import nose_cropped, nose_crops
    from embeddings.recordings import read_pictures
    from embeddings.video import write_video

    from .phonology.files import over_poses

    def work(recording: Recording, pose: Pose) -> None:
        write_video(output / f"{recording.name}.mp4", nose_crops(read_pictures(recording, pose.fps), pose), pose.fps)
        write_pose(output / f"{recording.name}.pose", nose_cropped(pose))

    there = {path.stem for path in output.glob("*.pose") if path.with_suffix(".mp4").is_file()}
    done = over_poses(videos, poses, work, there, ("pose", "frames"))
    out.print(f"{done} videos → {output}/")


def _samples(manifest: Path) -> list[Sample]:
    from eval.datasets import read_dataset

    return read_dataset("manifest", manifest)


def _processes(workers: int) -> int:
    return workers or os.cpu_count() or 1


@contextmanager
def _progress(total: int) -> Iterator[tuple[Failures, Callable[[str, str], None]]]:
    """A bar over samples; what is done or failed is noted by (id, error or "")."""
    failures = Failures()
    with progress_bar() as bar:
        task = bar.add_task("samples", total=total)

        def note(name: str, error: str) -> None:
            if error:
                failures.add(name, error)
            bar.advance(task)

        yield failures, note


def _landmarks(source: PoseSource, video: Path) -> NDArray[np.float64]:
    """(T, 75, 3) of a video: right hand, left hand, body; shares of the picture, NaN where missing."""
    pose = source.pose(video).to(LANDMARKS)
    depth = np.zeros(pose.confidence.shape) if pose.z is None else pose.z
    values = np.concatenate([pose.xy, depth[..., None]], axis=2) / (*pose.size, pose.size[0])
    body, left, right = np.split(values, [33, 54], axis=1)
    return np.concatenate([right, left, body], axis=1)


def _active_hand(folder: Path, video: str) -> NDArray[np.float64]:
    """(T, 21, 2) of the hand that does most of the work in a video, shares of the picture, NaN where missing."""
    from embeddings.handedness import left_share
    from embeddings.pose import read_pose

    files = [folder / f"{video}{ending}" for ending in (".pose", ".h5") if (folder / f"{video}{ending}").is_file()]
    if not files:
        raise ValueError(f"{folder}: holds no pose of {video!r}; expected {video}.pose or {video}.h5 of `spotter pose`")
    pose = read_pose(files[0]).to(LANDMARKS)
    hand = slice(33, 54) if left_share(pose) > 0.5 else slice(54, 75)
    return np.asarray(pose.xy[:, hand] / pose.size, np.float64)
