"""`spotter phonology …`: handshape, location, movement and orientation over time, for linguists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import Failures, out, print_json, progress_bar, video_files
from ..options import Estimator, EstimatorName, PosesFolder, Videos, Workers, pose_source
from . import hands as linguistics_hands
from . import handshapes as linguistics_vle
from . import tables as linguistics_tables

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Describe signing by its phonological parameters.")
    group.command(epilog="Example: [bold]spotter phonology describe lecture.mp4 -o described/[/bold]")(describe)
    group.command(epilog="Example: [bold]spotter phonology compare HOUSE.mp4 ROOF.mp4[/bold]")(compare)
    linguistics_tables.register(group)
    linguistics_hands.register(group)
    linguistics_vle.register(group)
    app.add_typer(group, name="phonology")


def describe(
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for .eaf, .csv and .html.")] = Path(
        "described"
    ),
    poses: PosesFolder = None,
    estimator: EstimatorName = Estimator.mediapipe,
    workers: Workers = 0,
) -> None:
    """Time-aligned tiers per parameter and hand: ELAN, a table, and a page under the video."""
    from embeddings.phonology.describe import describe as describe_pose

    from ...report.phonology import write_description
    from ...sources import VIDEO_SUFFIXES, pose_of

    files = video_files(videos)
    source = pose_source(list(files), poses, estimator, workers)
    failures = Failures()
    with progress_bar() as bar:
        task = bar.add_task("videos", total=len(files))
        for path in files:
            try:
                stretches = describe_pose(pose_of(path, source))
                media = path if path.suffix.lower() in VIDEO_SUFFIXES else None
                for ending in (".eaf", ".csv", ".html"):
                    write_description(output / f"{path.stem}{ending}", stretches, path.stem, media)
                out.print(f"{path.name}: {len(stretches)} stretches → {output}/{path.stem}.eaf .csv .html")
            except (ValueError, KeyError, OSError) as error:
                failures.add(path, error)
            bar.advance(task)
    failures.finish(len(files))


def compare(
    first: Annotated[Path, typer.Argument(help="Video or pose file of one sign.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Video or pose file of another.", show_default=False)],
    poses: PosesFolder = None,
    estimator: EstimatorName = Estimator.mediapipe,
    json_output: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """In which parameters two signs differ."""
    from dataclasses import asdict

    from embeddings.phonology.describe import compare as compare_poses

    from ...sources import pose_of

    source = pose_source([first, second], poses, estimator, 0)
    found = compare_poses(pose_of(first, source), pose_of(second, source))
    if json_output:
        print_json(asdict(found))
    else:
        for name, distance in found.distances.items():
            values = " · ".join(found.values.get(name, ("", "")))
            mark = "differs" if name in found.differ else "alike"
            out.print(f"{name:<12} {mark:<8} {distance:.2f}  {values}")
