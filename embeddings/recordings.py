"""A recording as a network needs it: poses from a pose file or by estimation, pictures, stored arrays, rotations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .clip import Clip, Pose

__all__ = ["PICTURES", "read_arrays", "read_recording"]

PICTURES = frozenset({"frames", "left_hand", "right_hand"})
POSES = (".pose", ".h5", ".hdf5")


def read_recording(
    path: Path,
    needs: tuple[str, ...],
    poses: Path | None = None,
    fps: float = 25.0,
    start: float = 0.0,
    end: float | None = None,
) -> Clip:
    """A clip with what a network needs.

    Pose files and folders of OpenPose JSON give poses; `.npz` gives arrays (`read_arrays`); FrankMocap output gives
    rotations where the network needs them; a video gives pictures, and poses by estimation.

    Args:
        needs: the network's `required_inputs`.
        poses: folder where estimated poses are kept and found again; without it they are estimated each time.
        fps: of pictures.
        start, end: of the part, in seconds.

    Raises:
        ValueError: unreadable, or not what the network needs.
    """
    suffix = path.suffix.lower()
    if "rotations" in needs and (path.is_dir() or suffix in (".json", ".npz", ".pkl")):
        from .pose.formats.frankmocap import read_rotations

        clip = Clip(path.stem, fps, extra={"rotations": read_rotations(path)}, path=path)
    elif suffix == ".npz":
        clip = read_arrays(path, fps)
    elif suffix in POSES or path.is_dir():
        from .pose import read_pose

        if PICTURES & set(needs):
            raise ValueError(f"{path}: this network looks at pictures ({', '.join(needs)}); give the video")
        pose = read_pose(path)
        clip = Clip(path.stem, pose.fps, pose, path=path)
    else:
        return _video(path, needs, poses, fps, start, end)
    return _part(clip, start, end)


def _part(clip: Clip, start: float, end: float | None) -> Clip:
    if start == 0 and end is None:
        return clip
    first = min(len(clip) - 1, round(start * clip.fps))
    last = len(clip) if end is None else min(len(clip), round(end * clip.fps))
    return clip.cut(first, max(first + 1, last))


def _video(path: Path, needs: tuple[str, ...], poses: Path | None, fps: float, start: float, end: float | None) -> Clip:
    clip = Clip(path.stem, fps, path=path)
    if set(needs) - {"frames"}:
        pose = _estimated(path, poses)
        clip = _part(replace(clip, pose=pose, fps=pose.fps), start, end)
    if not PICTURES & set(needs):
        return clip
    from .video import read_clip

    frames = read_clip(path, fps, start, end).frames
    assert frames is not None
    if clip.pose is None:
        return replace(clip, frames=frames)
    pose = clip.pose.resample(fps)
    length = min(len(pose), len(frames))
    return replace(clip, fps=fps, pose=pose[:length], frames=frames[:length])


def _estimated(path: Path, folder: Path | None) -> Pose:
    from .pose import estimate, estimate_videos, read_pose

    if folder is None:
        return estimate(path)
    (result,) = estimate_videos([path], folder, workers=1)
    if result.output is None:
        raise ValueError(result.error)
    return read_pose(result.output)


def read_arrays(path: Path, fps: float = 25.0) -> Clip:
    """A clip of an `.npz` file's arrays, each with a row a frame ("semantic", "rotations", "hand", …); "fps" if given.

    Raises:
        ValueError: not an .npz file of plain arrays, empty, or arrays of unequal length.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, NDArray[np.generic]] = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable .npz file of plain arrays ({error})") from None
    rate = float(arrays.pop("fps", np.float64(fps)))
    lengths = {len(array) if array.ndim else 0 for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"{path}: its arrays have {sorted(lengths)} rows; expected a row a frame in each")
    return Clip(path.stem, rate, extra=arrays, path=path)
