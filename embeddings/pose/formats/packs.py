"""Landmark packs: many sequences of MediaPipe landmarks in one `.npz`.

`frames` (sum_T, P, C) with x, y as shares of the frame, z, and visibility; `offsets` (n + 1); `point_names` (P,); and
one value a sequence of `label`, `signer`, `seq_id`, `fps` where they are known. An undetected hand is all zeros.
A pack does not keep the size of its pictures, so a frame is taken to be square unless the caller knows better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import ArraysError, read_npz, reader

from ...clip import Pose
from ...skeletons import SKELETONS
from .dot_pose import published_names
from .errors import PoseFileError

__all__ = ["PackedSequence", "read_pack", "read_sequence", "sequence_names"]


@dataclass(frozen=True, eq=False)
class PackedSequence:
    """One sequence of a pack: its pose, and label, signer and id as text ("" where the pack does not say)."""

    pose: Pose
    label: str
    signer: str
    id: str


@reader(PoseFileError)
def sequence_names(path: str | Path) -> list[tuple[str, str, str]]:
    """(name, label, signer) of every sequence: its `seq_id`, with its number after it where that is not unique.

    Raises:
        PoseFileError: as `read_pack`.
    """
    arrays = _arrays(Path(path))
    numbers = range(len(arrays["offsets"]) - 1)
    often = Counter(_text(arrays, "seq_id", i) for i in numbers)
    names = (_text(arrays, "seq_id", i) for i in numbers)
    unique = (name if name and often[name] == 1 else f"{name}.{i}".lstrip(".") for i, name in enumerate(names))
    return [(name, _text(arrays, "label", i), _text(arrays, "signer", i)) for i, name in enumerate(unique)]


def _text(arrays: dict[str, NDArray[Any]], key: str, sequence: int) -> str:
    return str(arrays[key][sequence]) if key in arrays else ""


@reader(PoseFileError, KeyError)
def read_sequence(path: str | Path, name: str, fps: float = 25.0) -> Pose:
    """The pose of one sequence by its name in `sequence_names`.

    Raises:
        PoseFileError: as `read_pack`.
        KeyError: no such sequence.
    """
    place = _places(Path(path), *_version(Path(path)))[name]
    return next(read_pack(path, fps, sequences=[place])).pose


@lru_cache(maxsize=1)
def _places(path: Path, changed: int, size: int) -> dict[str, int]:
    return {name: place for place, (name, _, _) in enumerate(sequence_names(path))}


@reader(PoseFileError)
def read_pack(
    path: str | Path,
    fps: float = 25.0,
    size: tuple[int, int] = (1000, 1000),
    depth: bool = True,
    sequences: Iterable[int] | None = None,
) -> Iterator[PackedSequence]:
    """The sequences of a pack in their order, or those numbered, one pose in memory at a time beside the pack itself.

    Args:
        fps: of packs that do not say.
        size: (width, height) in pixels of the frame that x and y are shares of; packs do not keep it.
        depth: whether z is kept.

    Raises:
        PoseFileError: absent, damaged, or without the arrays of a pack.
    """
    path = Path(path)
    arrays = _arrays(path)
    frames, offsets = arrays["frames"], arrays["offsets"]
    skeleton, columns, joints = _layout(path, frames.shape[1], arrays.get("point_names"))
    for i in range(len(offsets) - 1) if sequences is None else sequences:
        rate = float(arrays["fps"][i]) if "fps" in arrays else fps
        values = frames[offsets[i] : offsets[i + 1], columns].astype(np.float32)
        label, signer, name = (_text(arrays, key, i) for key in ("label", "signer", "seq_id"))
        pose = _pose(values, skeleton, joints, rate, size, depth, source=name)
        yield PackedSequence(pose, label, signer, name)


def _version(path: Path) -> tuple[int, int]:
    """What tells a file from another under the same name."""
    if not path.is_file():
        raise PoseFileError(f"{path}: no such landmark pack")
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    return _loaded(path, *_version(path))


@lru_cache(maxsize=1)  # sequences are asked for one by one, and a compressed array is only read whole
def _loaded(path: Path, changed: int, size: int) -> dict[str, NDArray[Any]]:
    try:
        arrays: dict[str, NDArray[Any]] = read_npz(path)
    except ArraysError as error:
        raise PoseFileError(str(error)) from None
    lacking = [name for name in ("frames", "offsets") if name not in arrays]
    if lacking:
        raise PoseFileError(f"{path}: lacks {', '.join(lacking)}; it holds {', '.join(arrays)}")
    frames, offsets = arrays["frames"], arrays["offsets"]
    numbers = frames.dtype.kind == "f" and offsets.ndim == 1 and offsets.dtype.kind in "iu" and len(offsets) > 0
    if not numbers or frames.ndim != 3 or frames.shape[2] < 2 or offsets[0] != 0 or offsets[-1] != len(frames):
        raise PoseFileError(f"{path}: frames {frames.shape} and offsets {offsets.shape} do not fit together")
    if (np.diff(offsets.astype(np.int64)) < 0).any():
        raise PoseFileError(f"{path}: its offsets do not rise")
    for name in ("label", "signer", "seq_id", "fps"):
        if name in arrays and arrays[name].shape != (len(offsets) - 1,):
            raise PoseFileError(f"{path}: {name} is {arrays[name].shape} for {len(offsets) - 1} sequences")
    return arrays


def _layout(path: Path, points: int, names: NDArray[Any] | None) -> tuple[str, list[int], list[int]]:
    """(skeleton, columns of the pack, joints of the skeleton they are): by point names, else by their number."""
    by_number = {75: "mediapipe-holistic", 67: "mediapipe-upper-67"}
    if names is None:
        if points not in by_number:
            raise PoseFileError(f"{path}: {points} points without names; expected 75 or 67")
        return by_number[points], list(range(points)), list(range(points))
    found = [(i, _joint(str(name))) for i, name in enumerate(names)]
    skeleton = by_number.get(points, "mediapipe-holistic")
    layout = SKELETONS[skeleton]
    pairs = [(i, layout.index(joint)) for i, joint in found if joint is not None and joint in layout]
    if not pairs:
        raise PoseFileError(f"{path}: point names such as {names[0]!r} are not known")
    return skeleton, [i for i, _ in pairs], [j for _, j in pairs]


def _joint(name: str) -> str | None:
    """Our joint of POSE_LEFT_PINKY, LEFT_HAND_INDEX_FINGER_TIP, LEFT_HAND_INDEX_TIP …; None for a face's."""
    upper = name.upper()
    if upper.startswith("POSE_"):
        return published_names()["POSE_LANDMARKS"].get(upper.removeprefix("POSE_"))
    joint = upper.replace("_FINGER", "").lower()
    return joint if joint in SKELETONS["mediapipe-holistic"] else None


def _pose(
    values: NDArray[np.float32], skeleton: str, joints: list[int], fps: float, size: tuple[int, int], depth: bool,
    source: str,
) -> Pose:  # fmt: skip
    count = len(SKELETONS[skeleton].joints)
    seen = (values[..., :2] != 0).any(axis=-1) & ~np.isnan(values[..., :2]).any(axis=-1)
    xy = np.full((len(values), count, 2), np.nan, np.float32)
    confidence = np.zeros((len(values), count), np.float32)
    sure = np.clip(values[..., 3], 0, 1) if values.shape[2] > 3 else np.ones(values.shape[:2], np.float32)
    # a landmark that has a place is never wholly unsure: 0 is kept for what is missing
    confidence[:, joints] = np.where(seen, np.maximum(np.nan_to_num(sure), 1e-3), 0)
    xy[:, joints] = np.where(seen[..., None], values[..., :2] * np.array(size, np.float32), np.nan)
    z = None
    if depth and values.shape[2] > 2:
        z = np.full((len(values), count), np.nan, np.float32)
        z[:, joints] = np.where(seen, values[..., 2] * size[0], np.nan)
    return Pose(xy, confidence, skeleton, fps, size, z, estimator="mediapipe-holistic", source=source)
