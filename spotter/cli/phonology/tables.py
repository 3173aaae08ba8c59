"""`spotter phonology keyframes | locations | movements | orientations`: one parameter of many videos, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safe_files import GroupedHDF5

from ..console import out
from ..options import Poses, Videos, reads_recordings
from .files import over_poses, write_rows

if TYPE_CHECKING:
    from typing import Any

    from embeddings.clip import Pose
    from embeddings.recordings import Recording

__all__ = ["register"]


def register(group: typer.Typer) -> None:
    """Adds the commands of this module to `spotter phonology`."""
    group.command(epilog="Example: [bold]spotter phonology keyframes talks/ -o keyframes.h5 --strips strips/[/bold]")(
        keyframes
    )
    group.command(epilog="Example: [bold]spotter phonology locations talks/ -o locations.h5[/bold]")(locations)
    group.command(epilog="Example: [bold]spotter phonology movements talks/ -o movements.csv[/bold]")(movements)
    group.command(epilog="Example: [bold]spotter phonology orientations talks/ -o orientations.csv[/bold]")(
        orientations
    )


@reads_recordings
def keyframes(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file, one array per video.")] = Path(
        "keyframes.h5"
    ),
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Key-frames of a video.")] = 16,
    resting: Annotated[bool, typer.Option("--resting", help="Second variant: frames in which both wrists rest.")] = (
        False
    ),
    strips: Annotated[Path | None, typer.Option(help="Folder for one picture strip per video.")] = None,
) -> None:
    """The frames in which the signer moves least. Videos that the file holds are not done again."""
    from embeddings.phonology.keyframes import keyframes as slowest
    from embeddings.phonology.keyframes import resting_keyframes

    def work(recording: Recording, pose: Pose) -> None:
        chosen = resting_keyframes(pose) if resting else slowest(pose, count)
        if strips is not None:
            _strip(strips / f"{recording.name}.png", recording, pose, chosen)
        store.put(recording.name, chosen, {"fps": pose.fps})

    with GroupedHDF5(output) as store:
        done = over_poses(videos, poses, work, store.names())
    out.print(f"key-frames of {done} videos → {output}")


def _strip(target: Path, recording: Recording, pose: Pose, chosen: Any) -> None:
    """The strip of one recording: its pictures, or stick figures where it has none."""
    from embeddings.phonology.pictures import keyframe_strip, write_picture
    from embeddings.recordings import read_pictures

    wanted = {int(k) for k in chosen}
    frames = None
    if recording.filmed or recording.media is not None:
        frames = {k: frame for k, frame in enumerate(read_pictures(recording, pose.fps)) if k in wanted}
    write_picture(target, keyframe_strip(pose, chosen, frames))


@reads_recordings
def locations(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file: frame_number, vector per video.")] = Path(
        "locations.h5"
    ),
) -> None:
    """Location vectors (T, 2, 15), named places per frame, and the place of the sign per hand (left, right)."""
    import numpy as np

    from embeddings.phonology.locations import LOCATIONS, location_histogram, sign_location
    from embeddings.phonology.locations import locations as places
    from embeddings.phonology.location_boxes import location_vectors
    from embeddings.phonology.signer_space import signer_space

    def work(recording: Recording, pose: Pose) -> None:
        space = signer_space(pose)
        located = places(space)
        left, right = sign_location(located)
        with store.add(recording.name) as group:
            group["frame_number"] = np.arange(len(space))
            group.create_dataset("vector", data=location_vectors(pose), compression="gzip")
            group["place"], group["confidence"] = located.index, located.confidence.astype(np.float32)
            group["histogram"] = location_histogram(located)
            group.attrs.update({"places": list(LOCATIONS), "left": left, "right": right, "fps": pose.fps})
        out.print(f"{recording.name}: left hand {left or 'not seen'}, right hand {right or 'not seen'}")

    with GroupedHDF5(output) as store:
        done = over_poses(videos, poses, work, store.names())
    out.print(f"locations of {done} videos → {output}")


@reads_recordings
def movements(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV of segments, in seconds.")] = Path(
        "movements.csv"
    ),
) -> None:
    """What each hand does: holds, directions, twisting; where it comes from, goes to, passes and touches."""
    from embeddings.phonology.movements import movements as moved
    from embeddings.phonology.signer_space import signer_space

    rows: list[tuple[Any, ...]] = []

    def work(recording: Recording, pose: Pose) -> None:
        for s in moved(signer_space(pose)).segments:
            times = (round(s.start / pose.fps, 4), round(s.end / pose.fps, 4))
            told = (s.away_from, s.towards, " ".join(s.passage), s.contact, round(s.confidence, 3))
            rows.append((recording.name, s.hand, s.kind, *times, *told))

    columns = ("video", "hand", "kind", "start", "end", "away_from", "towards", "passage", "contact", "confidence")
    try:
        over_poses(videos, poses, work)
    finally:
        write_rows(output, columns, rows)
        out.print(f"{len(rows)} segments → {output}")


@reads_recordings
def orientations(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV of stretches, in seconds.")] = Path(
        "orientations.csv"
    ),
) -> None:
    """Which way the palms face: up, down, right, left (the signer's own), away, body."""
    from embeddings.phonology.describe import describe

    rows: list[tuple[Any, ...]] = []

    def work(recording: Recording, pose: Pose) -> None:
        found = [s for s in describe(pose) if s.parameter == "orientation"]
        rows.extend(
            (recording.name, s.hand, s.value, round(s.start, 4), round(s.end, 4), round(s.confidence, 3)) for s in found
        )

    try:
        over_poses(videos, poses, work)
    finally:
        write_rows(output, ("video", "hand", "palm", "start", "end", "confidence"), rows)
        out.print(f"{len(rows)} stretches → {output}")
