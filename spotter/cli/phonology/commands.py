"""`spotter phonology …`: handshape, location, movement and orientation over time, for linguists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import out, print_json
from ..options import Poses, Videos, reads_recordings
from . import hands as linguistics_hands
from . import handshapes as linguistics_vle
from . import tables as linguistics_tables
from .files import over_poses, read_pose_of

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from embeddings.recordings import Recording

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


@reads_recordings
def describe(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for .eaf, .csv and .html.")] = Path(
        "described"
    ),
) -> None:
    """Time-aligned tiers per parameter and hand: ELAN, a table, and a page under the video."""
    from embeddings.phonology.describe import describe as describe_pose

    from ...report.phonology import write_description

    def work(recording: Recording, pose: Pose) -> None:
        values = describe_pose(pose)
        for ending in (".eaf", ".csv", ".html"):
            write_description(output / f"{recording.name}{ending}", values, recording.name, recording.media)
        out.print(f"{recording.name}: {len(values)} values → {output}/{recording.name}.eaf .csv .html")

    over_poses(videos, poses, work)


@reads_recordings
def compare(
    poses: Poses,
    first: Annotated[Path, typer.Argument(help="Recording of one sign.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Recording of another.", show_default=False)],
    json_output: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """In which parameters two signs differ."""
    from dataclasses import asdict

    from embeddings.phonology.describe import compare as compare_poses
    from embeddings.recordings import one_recording

    pair = [one_recording(path) for path in (first, second)]
    source = poses.source(pair, ("pose",))
    differences = compare_poses(*(read_pose_of(recording, source) for recording in pair))
    if json_output:
        print_json(asdict(differences))
    else:
        for name, distance in differences.distances.items():
            values = " · ".join(differences.values.get(name, ("", "")))
            mark = "differs" if name in differences.differ else "alike"
            out.print(f"{name:<12} {mark:<8} {distance:.2f}  {values}")
