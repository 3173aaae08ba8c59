"""`spotter phonology keyframes | locations | movements | orientations`: one parameter of many videos, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safe_files import GroupedHDF5, open_hdf5

from ..console import out
from ..options import Poses, Tiers, Videos, reads_recordings
from .files import over_poses, write_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from embeddings.clip import Pose
    from embeddings.phonology.locations import Located
    from embeddings.phonology.sign_locations import SignLocation
    from embeddings.recordings import Recording
    from eval.segments import Segment

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
    signs: Annotated[
        Path | None,
        typer.Option(
            help="Where the signs are in continuous signing: detections, ELAN, as for ground truth. Without it a video "
            "is one sign, trimmed from hands-up to hands-down.",
        ),
    ] = None,
    tiers: Tiers = None,
    table: Annotated[Path | None, typer.Option(help="CSV of the signs and their places, too.")] = None,
    literal: Annotated[
        bool, typer.Option("--published", help="Vectors with the published program's endless arms and lost faces.")
    ] = False,
) -> None:
    """Location vectors (T, 2, 15), named places per frame, and the place of each sign per hand (left, right)."""
    from embeddings.phonology.locations import locations as places
    from embeddings.phonology.sign_locations import sign_locations
    from embeddings.phonology.signer_space import signer_space

    segments = _signs_of(signs, tiers)

    def work(recording: Recording, pose: Pose) -> None:
        space = signer_space(pose)
        located = places(space)
        names, spans = _spans(recording.name, pose, segments)
        found = sign_locations(space, spans, located) if spans else []
        with store.add(recording.name) as group:
            _write_locations(group, pose, located, literal)
            _write_signs(group.create_group("signs"), pose.fps, names, found)
            rows = _signs_rows(recording.name, group)
        for row in rows:
            out.print(_in_words(*row))

    try:
        with GroupedHDF5(output) as store:
            done = over_poses(videos, poses, work, store.names())
    finally:
        if table is not None:
            write_rows(table, ("video", "sign", "start", "end", "left", "right"), _signs_of_file(output))
    out.print(f"locations of {done} videos → {output}")


def _write_locations(group: Any, pose: Pose, located: Located, literal: bool) -> None:
    import numpy as np

    from embeddings.phonology.location_boxes import location_vectors
    from embeddings.phonology.locations import LOCATIONS

    group["frame_number"] = np.arange(len(pose))
    group.create_dataset("vector", data=location_vectors(pose, literal), compression="gzip")
    group["place"], group["confidence"] = located.index, located.confidence.astype(np.float32)
    group.attrs.update({"places": list(LOCATIONS), "fps": pose.fps})


def _write_signs(group: Any, fps: float, names: Sequence[str], found: Sequence[SignLocation]) -> None:
    import h5py
    import numpy as np

    text = h5py.string_dtype()
    group["times"] = np.array([(s.start / fps, s.end / fps) for s in found], np.float64).reshape(-1, 2)
    group["histogram"] = np.array([s.histogram for s in found], np.float64).reshape(-1, 2, 15)
    group.create_dataset("sign", data=np.array(names, object), dtype=text)
    for hand, side in enumerate(("left", "right")):
        group.create_dataset(side, data=np.array([s.places[hand] for s in found], object), dtype=text)


def _signs_of_file(path: Path) -> list[tuple[Any, ...]]:
    """Rows of all videos of the file, also of those that a run before this one did."""

    if not path.is_file():
        return []
    with open_hdf5(path) as file:
        return [row for video in file if "signs" in file[video] for row in _signs_rows(video, file[video])]


def _signs_rows(video: str, group: Any) -> list[tuple[str, str, float, float, str, str]]:
    """(video, sign, start s, end s, place of the left hand, of the right hand) of each sign in the file."""
    signs = group["signs"]
    names, left, right = ([str(v) for v in signs[key].asstr()[:]] for key in ("sign", "left", "right"))
    times = [(round(float(a), 4), round(float(b), 4)) for a, b in signs["times"][:]]
    return [(video, name, *t, a, b) for name, t, a, b in zip(names, times, left, right, strict=True)]


def _in_words(video: str, sign: str, start: float, end: float, left: str, right: str) -> str:
    hands = f"left hand {left or 'not used'}, right hand {right or 'not used'}"
    return f"{video}: {sign or 'the sign'} {start:.2f}–{end:.2f} s: {hands}"


def _signs_of(path: Path | None, tiers: list[str] | None) -> dict[str, list[Segment]] | None:
    if path is None:
        return None
    from eval.segments import read_segments

    return read_segments(path, tiers=tiers)


def _spans(
    video: str, pose: Pose, segments: dict[str, list[Segment]] | None
) -> tuple[list[str], list[tuple[int, int]]]:
    """Glosses and frames [start, end) of a video's signs, each at least a frame long and inside the video."""
    from ...enrolment import hands_up_span

    if segments is None:
        return [""], [hands_up_span(pose)]
    if video not in segments:
        raise ValueError(f"the signs name no video {video!r}; they name {', '.join(list(segments)[:3]) or 'none'}")
    inside = [s for s in segments[video] if round(s.start * pose.fps) < len(pose)]
    starts = [round(s.start * pose.fps) for s in inside]
    ends = [min(max(round(s.end * pose.fps), start + 1), len(pose)) for s, start in zip(inside, starts, strict=True)]
    return [s.sign for s in inside], list(zip(starts, ends, strict=True))


@reads_recordings
def movements(
    poses: Poses,
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV of segments, in seconds.")] = Path(
        "movements.csv"
    ),
) -> None:
    """What each hand does: holds, directions, twisting; whence, whither, past and touching what; both hands alike."""
    from embeddings.phonology.movements import movements as moved
    from embeddings.phonology.signer_space import signer_space

    rows: list[tuple[Any, ...]] = []

    def work(recording: Recording, pose: Pose) -> None:
        found = moved(signer_space(pose))
        for s in found.segments:
            times = (round(s.start / pose.fps, 4), round(s.end / pose.fps, 4))
            symmetric = "yes" if found.symmetric[s.start : s.end].mean() > 0.5 else "no"
            told = (s.away_from, s.towards, " ".join(s.passage), s.contact, symmetric, round(s.confidence, 3))
            rows.append((recording.name, s.hand, s.kind, *times, *told))

    places = ("away_from", "towards", "passage", "contact")
    columns = ("video", "hand", "kind", "start", "end", *places, "symmetric", "confidence")
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
