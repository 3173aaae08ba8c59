"""Reading a recording: a clip with what an encoder asks for, or one error that says what to give instead."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import boundary

from ..clip import Clip, Film, Pose
from ..pose.formats.errors import PoseFileError
from ..pose.formats.frankmocap import FrankMocapError
from .find import Recording, one_recording, source_name
from .kinds import KINDS, RecordingError, parts_needed
from .poses import PoseSource

__all__ = ["read_pictures", "read_recording", "require"]

WORDS = {
    "pose": "a pose", "frames": "pictures", "rotations": "joint rotations", "hand": "hand images",
    "semantic": "semantic vectors", "depth": "depth maps",
}  # fmt: skip
INSTEAD = {
    "pose": "the video or a pose file of it (spotter pose VIDEO)",
    "frames": "the video or a folder of its frames",
    "rotations": "FrankMocap's output for it",
    "hand": "its hand images (spotter phonology hands VIDEO)",
    "semantic": "its semantic vectors (spotter phonology vle semantic VIDEO)",
    "depth": "its depth maps, beside the video (spotter train --data 'CLIPS?depth=MAPS')",
}

Source = str | os.PathLike[str] | Clip | Pose
"""A path (FILE#CLIP for a clip of a file of many), a `Recording`, a `Clip` or a `Pose`."""


def read_recording(
    source: Source,
    needs: Sequence[str] = ("pose",),
    poses: PoseSource | None = None,
    fps: float = 25.0,
    start: float = 0.0,
    end: float | None = None,
    asker: str = "this command",
    streamed: bool = False,
) -> Clip:
    """A clip with what is needed: read, decoded, estimated, or filled in where a given clip has a file.

    Args:
        source: see `Source`.
        needs: an encoder's `required_inputs`.
        poses: how poses are estimated where there are none; default MediaPipe, nothing kept.
        fps: of pictures decoded from a video.
        start, end: of the part, in seconds.
        asker: who needs it, for the message.
        streamed: leave pictures in the file: `Clip.film` says where to decode them from, whatever their length.

    Raises:
        RecordingError: it does not hold what is needed, nor can that be estimated from it.
        ValueError: it cannot be read; the message names the file.
    """
    poses = PoseSource() if poses is None else poses
    if isinstance(source, Pose):
        clip = Clip(source_name(source), source.fps, source)
    elif isinstance(source, Clip):
        clip = source
    else:
        recording = one_recording(source)
        require(recording, needs, asker)
        if recording.filmed:
            beside = recording.pose_file
            kept = None if beside is None else read_recording(beside, ("pose",), poses, asker=asker).pose
            return _filmed(recording.path, recording.name, needs, poses, fps, start, end, kept, streamed)
        clip = _read(recording, poses.fps)
    clip = _completed(clip, needs, poses, fps, asker, streamed)
    return _part(clip, start, end)


def require(recording: Recording, needs: Sequence[str], asker: str) -> None:
    """Raises `RecordingError` where a recording cannot give what an encoder's `required_inputs` ask for."""
    if not recording.can_give(needs):
        raise _lacking(str(recording), recording.kind, recording.holds, needs, asker)


def _read(recording: Recording, fps: float) -> Clip:
    kind = KINDS[recording.kind]
    assert kind.read is not None
    if kind.entries is not None and not recording.part:
        with boundary(recording.path, RecordingError, PoseFileError):
            entries = kind.entries(recording.path)
        if not entries:
            raise RecordingError(f"{recording} ({kind.name}): holds no complete clip")
    with boundary(recording.path, RecordingError, PoseFileError, FrankMocapError):
        clip = kind.read(recording.path, recording.part, fps)
    return replace(
        clip, name=recording.name, path=None if recording.part else recording.path,
        label=recording.label or None, signer=recording.signer or None,
    )  # fmt: skip


def _completed(clip: Clip, needs: Sequence[str], poses: PoseSource, fps: float, asker: str, streamed: bool) -> Clip:
    """The clip with what it lacks, from its file, or its pose from its pictures; as it is when it lacks nothing."""
    lacks = parts_needed(needs, clip.extra) - _held(clip)
    if not lacks:
        return clip
    if lacks == {"pose"} and clip.frames is not None:
        return replace(clip, pose=poses.of_frames(clip.frames, clip.fps, clip.name))
    if clip.path is None or not lacks <= {"pose", "frames"}:
        raise _lacking(clip.name, "clip", _held(clip), needs, asker)
    source = one_recording(clip.path)
    if not source.filmed:
        read = read_recording(source, needs, poses, fps, asker=asker)
        return replace(clip, pose=read.pose, frames=read.frames, fps=read.fps)
    start, end = (0.0, None) if clip.film is None else (clip.film.start, clip.film.end)
    read = _filmed(clip.path, clip.name, needs, poses, fps, start, end, clip.pose, streamed)
    film = clip.film if read.film is None else read.film
    return replace(clip, pose=read.pose, frames=read.frames, fps=read.fps, film=film)


def _held(clip: Clip) -> frozenset[str]:
    own = {"pose": clip.pose, "frames": clip.film if clip.frames is None else clip.frames}
    return frozenset(clip.extra) | {name for name, value in own.items() if value is not None}


def _filmed(
    path: Path,
    name: str,
    needs: Sequence[str],
    poses: PoseSource,
    fps: float,
    start: float = 0.0,
    end: float | None = None,
    pose: Pose | None = None,
    streamed: bool = False,
) -> Clip:
    """The pictures of a video or folder of images, its pose, or both at one rate.

    Args:
        pose: of the whole recording, if it is known; None estimates it where it is needed.
    """
    from ..video import read_clip

    wanted = parts_needed(needs)
    rate = poses.fps if path.is_dir() else fps
    clip = Clip(name, rate, path=path)
    if "pose" in wanted:
        pose = poses.pose(path) if pose is None else pose
        clip = _part(replace(clip, pose=pose, fps=pose.fps), start, end)
    if "frames" not in wanted:
        return clip
    if streamed:
        film = Film(path, rate if path.is_dir() else None, start, end, crops=poses.crops)
        resampled = None if clip.pose is None else clip.pose.resample(rate)
        return replace(clip, fps=rate, pose=resampled, film=film)
    frames = read_clip(path, rate, start, end).frames
    assert frames is not None
    if clip.pose is None:
        return replace(clip, frames=frames)
    resampled = clip.pose.resample(rate)
    length = min(len(resampled), len(frames))
    return replace(clip, fps=rate, pose=resampled[:length], frames=frames[:length])


def _part(clip: Clip, start: float, end: float | None) -> Clip:
    if start == 0 and end is None:
        return clip
    first = round(start * clip.fps)
    if first >= len(clip):
        raise RecordingError(f"{clip.name}: is {len(clip) / clip.fps:.2f} s long and has no part from {start} s on")
    last = len(clip) if end is None else min(len(clip), round(end * clip.fps))
    return clip.cut(first, max(first + 1, last))


def _lacking(name: str, kind: str, holds: frozenset[str], needs: Sequence[str], asker: str) -> RecordingError:
    lacks = sorted(parts_needed(needs, holds) - holds - ({"pose"} if "frames" in holds else set()))
    held = ", ".join(WORDS.get(part, part) for part in sorted(holds)) or "nothing"
    asked = ", ".join(WORDS.get(part, part) for part in lacks)
    instead = " and ".join(INSTEAD.get(part, part) for part in lacks)
    return RecordingError(f"{name} ({kind}): holds {held}, and {asker} needs {asked}; give {instead}")


def read_pictures(recording: Recording, fps: float) -> Iterator[NDArray[np.uint8]]:
    """The pictures of a recording, those of a video and a folder of images streamed; a video's at `fps`.

    Raises:
        RecordingError: the recording has no pictures.
    """
    from ..video import read_frames

    media = recording.media if recording.media is not None else recording.path if recording.filmed else None
    if media is not None:
        return (frame for _, frame in read_frames(media, fps=fps))
    frames = read_recording(recording, ("frames",), asker="cutting pictures").frames
    assert frames is not None
    return iter(frames)
