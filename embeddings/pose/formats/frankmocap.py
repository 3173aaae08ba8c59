"""FrankMocap's output as the 39 axis-angle rotations that the 3D SL-GCN takes.

Rong et al., "FrankMocap: A Monocular 3D Whole-Body Pose Estimation System via Regression and Integration" (ICCV
Workshops 2021) writes one result a frame: `pred_body_pose` (72 numbers, 24 joints of SMPL; 66 without the hands'
roots), `pred_left_hand_pose`, `pred_right_hand_pose` (45, or 48 with the hand's own orientation first). The published
encoder numbers the joints body 0–23, left hand 24–38, right hand 39–53 and keeps 39 of them ("smplx-39").

Read are: a folder of frames (`.json`, `.npz`, `.pkl`), one `.json` with a list of frames, one `.npz` with arrays
(T, …). Frames missing from a numbered folder are rows of NaN. Of several people the first counts. Of pickles
NumPy arrays and plain data are read; nothing in them runs (`safe_files.pickles`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import read_json, read_npz, reader
from safe_files.pickles import PickleError, read_pickle

__all__ = ["JOINTS", "FrankMocapError", "read_rotations", "rotations_of"]

JOINTS: tuple[int, ...] = (9, 13, 16, 18, 20, 14, 17, 19, 21, *range(24, 54))
"""The 39 of the 54 joints, in the order of the skeleton "smplx-39"."""

ENDINGS = (".json", ".npz", ".pkl")
KEYS = ("pred_body_pose", "pred_left_hand_pose", "pred_right_hand_pose")


class FrankMocapError(ValueError):
    """Not FrankMocap's output; the message names the file and says what was expected."""


@reader(FrankMocapError)
def read_rotations(path: str | Path) -> NDArray[np.float32]:
    """Rotations (T, 39, 3), axis-angle in radians; NaN in frames without a person.

    Raises:
        FrankMocapError: nothing of FrankMocap's in the file or folder, or a damaged frame.
    """
    path = Path(path)
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() not in ENDINGS or not path.is_file():
        raise FrankMocapError(f"{path}: expected a folder or a file ending in {', '.join(ENDINGS)}")
    content = _content(path)
    frames = content.get("frames", content) if isinstance(content, Mapping) else content
    if not isinstance(frames, list | Mapping):
        raise FrankMocapError(f"{path}: holds a {type(frames).__name__}; expected FrankMocap's frames")
    if isinstance(frames, Mapping) and _dimensions(_first(frames, path).get(KEYS[0], 0)) > 1:
        return rotations_of(_first(frames, path), str(path))
    listed = frames if isinstance(frames, list) else [frames]
    return np.concatenate([_frame(frame, path) for frame in listed]) if listed else np.zeros((0, 39, 3), np.float32)


def _dimensions(values: Any) -> int:
    try:
        return int(np.ndim(values))
    except ValueError:  # rows of several lengths; `_numbers` says so
        return 0


def _folder(folder: Path) -> NDArray[np.float32]:
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS)
    if not files:
        raise FrankMocapError(f"{folder}: holds no frame ending in {', '.join(ENDINGS)}")
    numbers = [re.findall(r"\d+", file.stem) for file in files]
    if not all(numbers) or len({int(n[-1]) for n in numbers}) < len(files):
        return np.concatenate([_frame(_content(file), file) for file in files])
    rows = {int(n[-1]): _frame(_content(file), file) for n, file in zip(numbers, files, strict=True)}
    first, last = min(rows), max(rows)
    nobody = np.full((1, 39, 3), np.nan, np.float32)
    return np.concatenate([rows.get(row, nobody) for row in range(first, last + 1)])


def _content(path: Path) -> Any:
    try:
        if path.suffix.lower() == ".json":
            return read_json(path)
        if path.suffix.lower() == ".npz":
            return read_npz(path)
        return read_pickle(path)
    except PickleError as error:  # it names the file
        raise FrankMocapError(str(error)) from None
    except (OSError, ValueError, EOFError) as error:
        raise FrankMocapError(f"{path}: cannot be read ({error})") from None


def _first(frame: Any, path: Path) -> Mapping[str, Any]:
    """The first person's numbers of one frame; {} when there is nobody."""
    people = frame.get("pred_output_list", frame) if isinstance(frame, Mapping) else frame
    if isinstance(people, list):
        people = people[0] if people else {}
    if people is None:
        people = {}
    if not isinstance(people, Mapping):
        raise FrankMocapError(f"{path}: a frame is a {type(people).__name__}; expected FrankMocap's mapping")
    return people


def _frame(frame: Any, path: Path) -> NDArray[np.float32]:
    person = _first(frame, path) if frame is not None else {}
    return rotations_of(person, str(path)) if person else np.full((1, 39, 3), np.nan, np.float32)


def rotations_of(person: Mapping[str, Any], where: str = "a frame") -> NDArray[np.float32]:
    """Rotations (T, 39, 3) of FrankMocap's three arrays, (T, n) or (n,) each; a hand that is None is NaN.

    Raises:
        FrankMocapError: no body pose, or numbers of another count.
    """
    if person.get(KEYS[0]) is None:
        raise FrankMocapError(f"{where}: has no {KEYS[0]}; found {', '.join(map(str, person)) or 'nothing'}")
    body = _numbers(person[KEYS[0]], (66, 72), where, KEYS[0])
    joints = np.full((len(body), 54, 3), np.nan, np.float32)
    joints[:, : body.shape[1] // 3] = body.reshape(len(body), -1, 3)
    for key, start in ((KEYS[1], 24), (KEYS[2], 39)):
        if person.get(key) is not None:
            hand = _numbers(person[key], (45, 48), where, key)
            if len(hand) != len(body):
                raise FrankMocapError(f"{where}: {key} has {len(hand)} frames, the body {len(body)}")
            joints[:, start : start + 15] = hand[:, -45:].reshape(len(hand), 15, 3)
    return joints[:, list(JOINTS)]


def _numbers(values: Any, counts: tuple[int, ...], where: str, key: str) -> NDArray[np.float32]:
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise FrankMocapError(f"{where}: {key} holds something other than numbers") from None
    if not array.size:
        raise FrankMocapError(f"{where}: {key} is empty; expected {counts} numbers a frame")
    array = array.reshape(1, -1) if array.ndim < 2 else array.reshape(len(array), -1)
    if array.shape[1] not in counts:
        raise FrankMocapError(f"{where}: {key} has {array.shape[1]} numbers a frame; expected {counts}")
    return array
