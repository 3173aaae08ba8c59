"""What lies beside recordings under their names, and is put into their clips: key-frames, depth maps.

videos/?depth=depth/ &keyframes=keyframes.h5
recording "talk" ── its clip ── with the depth of "talk" or "talk_depth" ── the key-frames of "talk" alone
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from safe_files import open_hdf5

from ..clip import Clip
from ..recordings import Recording, RecordingError, find_recordings, read_recording
from .items import Item
from .source_kinds import DataError

__all__ = ["BESIDE", "with_depth", "with_keyframes"]

T = TypeVar("T")


def with_keyframes(items: Sequence[Item], file: Path, fps: float) -> list[Item]:
    """Items of which only the key-frames are taken, in their order.

    Args:
        file: of `spotter phonology keyframes`: [recording] (N,) frame numbers, with the rate that they count at.
        fps: of the network. A clip of key-frames has this rate, so that every key-frame is one of the network's frames.

    Raises:
        DataError: no such file, or a recording without key-frames.
    """

    if not file.is_file():
        raise DataError(f"{file}: no such file; spotter phonology keyframes makes one")
    with open_hdf5(file) as stored:
        rows = {name: (stored[name][:], float(stored[name].attrs.get("fps", fps))) for name in stored}
    return [
        replace(item, load=partial(_at_keyframes, item.load, *_own(rows, item, file), fps)) for item in _named(items)
    ]


def _at_keyframes(load: Callable[[], Clip], numbers: NDArray[np.int64], counted_at: float, fps: float) -> Clip:
    clip = load()
    rows = np.clip(np.round(numbers * clip.fps / counted_at).astype(np.int64), 0, len(clip) - 1)
    pose = clip.pose
    if pose is not None:
        z = None if pose.z is None else pose.z[rows]
        pose = replace(pose, xy=pose.xy[rows], confidence=pose.confidence[rows], z=z, fps=fps)
    frames = None if clip.frames is None else clip.frames[rows]
    extra = {name: values[rows] for name, values in clip.extra.items()}
    return replace(clip, fps=fps, pose=pose, frames=frames, extra=extra, spans=())


def with_depth(items: Sequence[Item], maps: Path, fps: float) -> list[Item]:
    """Items with `extra["depth"]` (T, H, W) uint8, a map for each frame of the clip.

    Args:
        maps: a store of depth maps ([recording]/depth, attribute fps), or a folder with a grey video, a folder of
            images or an .npz file for each recording, called as it is or with _depth at the end or for _color.
        fps: of a store that does not say.

    Raises:
        DataError: a recording without depth.
    """
    try:
        found = {r.name: r for r in (*_recordings(maps, "depth"), *_recordings(maps, "frames"))}
    except RecordingError as error:
        raise DataError(str(error)) from None
    return [replace(item, load=partial(_with_depth, item.load, _own(found, item, maps), fps)) for item in _named(items)]


def _recordings(maps: Path, holds: str) -> list[Recording]:
    return [recording for recording in find_recordings([maps], (holds,)) if holds in recording.holds]


def _with_depth(load: Callable[[], Clip], recording: Recording, fps: float) -> Clip:
    clip = load()
    holds = "depth" if "depth" in recording.holds else "frames"
    maps = read_recording(recording, (holds,), fps=clip.fps, asker="the network")
    values = maps.extra["depth"] if holds == "depth" else maps.frames
    assert values is not None
    if values.ndim == 4:  # a grey video, decoded as three equal channels
        values = np.round(values.mean(axis=-1)).astype(np.uint8)
    rows = np.ceil(np.arange(len(clip)) * maps.fps / clip.fps - 0.5).astype(np.int64)
    return replace(clip, extra={**clip.extra, "depth": values[np.clip(rows, 0, len(values) - 1)]})


def _named(items: Sequence[Item]) -> Sequence[Item]:
    """The items, all of which are whole recordings.

    Raises:
        DataError: one is not.
    """
    for item in items:
        if not item.recording:
            raise DataError(f"{item.id}: key-frames and depth are of whole recordings; this clip is none")
    return items


def _own(stored: Mapping[str, T], item: Item, place: Path) -> T:
    """What is stored of an item's recording.

    Raises:
        DataError: nothing is.
    """
    name = item.recording
    for key in (name, f"{name}_depth", name.removesuffix("_color") + "_depth"):
        if key in stored:
            return stored[key]
    raise DataError(f"{place}: holds nothing of {name!r}; it holds {', '.join(sorted(stored)[:4])}")


BESIDE: dict[str, Callable[[Sequence[Item], Path, float], list[Item]]] = {
    "depth": with_depth, "keyframes": with_keyframes,
}  # fmt: skip
"""Option of a source → what it puts into the clips; depth comes first, so that key-frames are taken of it, too."""
