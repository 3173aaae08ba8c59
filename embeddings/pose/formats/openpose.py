"""OpenPose JSON folders: BODY-25 with hands, or BODY-135, one file a frame.

Rows A1 and B2 of the systems this toolkit covers: of several people the one with the widest shoulders is kept; a
frame in which nobody was found stays a row of missing joints, so that rows and video frames agree.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import JSONError, read_json, reader

from ...clip import Pose
from ...skeletons import SKELETONS
from .errors import PoseFileError

__all__ = ["pack_150", "read_openpose", "unpack_150"]

# BODY-25's joints that the 50-joint layout keeps: nose (its head), neck, right and left shoulder, elbow, wrist
_BODY_25 = (0, 1, 2, 3, 4, 5, 6, 7)
_SHOULDERS = {25: (2, 5), 135: (6, 5)}


@reader(PoseFileError)
def read_openpose(folder: str | Path, fps: float = 25.0, size: tuple[int, int] | None = None) -> Pose:
    """A pose from a folder of `*_keypoints.json`, sorted by the frame number in the name.

    Args:
        fps: OpenPose does not write it.
        size: (width, height) of the video; None takes the extent of the keypoints.

    Raises:
        PoseFileError: no JSON file, a damaged one (named), or an unknown number of keypoints.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*.json"), key=_frame_number)
    if not files:
        raise PoseFileError(f"{folder}: no *.json keypoint files in this folder")
    rows: list[NDArray[np.float32] | None] = [_widest(file) for file in files]
    joints = next((len(row) for row in rows if row is not None), 50)
    if any(row is not None and len(row) != joints for row in rows):
        raise PoseFileError(
            f"{folder}: frames have different numbers of keypoints; one folder holds one model's output"
        )
    values = np.stack([np.zeros((joints, 3), np.float32) if row is None else row for row in rows])
    skeleton = "openpose-body135" if joints == 135 else "openpose-50"
    return _pose(values, skeleton, fps, size, folder.name)


def _frame_number(file: Path) -> tuple[int, str]:
    numbers = re.findall(r"\d+", file.stem)
    return (int(numbers[-1]) if numbers else -1, file.name)


def _widest(file: Path) -> NDArray[np.float32] | None:
    """(J, 3) of the person with the widest shoulders, None when nobody was found."""
    try:
        people = read_json(file)["people"]
        found = [_person(person) for person in people]
    except JSONError as error:
        raise PoseFileError(str(error)) from None
    except (ValueError, KeyError, TypeError) as error:
        raise PoseFileError(f"{file}: not OpenPose keypoints ({type(error).__name__}: {error})") from None
    return max(found, key=lambda p: p[1])[0] if found else None


def _person(person: dict[str, Any]) -> tuple[NDArray[np.float32], float]:
    body = np.array(person["pose_keypoints_2d"], np.float32).reshape(-1, 3)
    if len(body) not in _SHOULDERS:
        raise ValueError(f"{len(body)} body keypoints; expected 25 (BODY-25) or 135 (BODY-135)")
    right, left = body[list(_SHOULDERS[len(body)])]
    span = float(np.hypot(*(right - left)[:2])) if min(right[2], left[2]) > 0 else 0.0
    if len(body) == 135:
        return body, span
    hands = [
        np.array(person.get(f"hand_{side}_keypoints_2d") or np.zeros(63), np.float32).reshape(21, 3)
        for side in ("left", "right")
    ]
    return np.concatenate([body[list(_BODY_25)], *hands]), span


def _pose(values: NDArray[np.float32], skeleton: str, fps: float, size: tuple[int, int] | None, source: str) -> Pose:
    confidence = np.clip(values[..., 2], 0, 1)
    xy = np.where(confidence[..., None] > 0, values[..., :2], np.nan).astype(np.float32)
    if size is None:
        seen = xy[~np.isnan(xy[..., 0])]
        size = (int(np.ceil(seen[:, 0].max())) + 1, int(np.ceil(seen[:, 1].max())) + 1) if len(seen) else (1, 1)
    return Pose(xy, confidence.astype(np.float32), skeleton, fps, size, estimator="openpose", source=source)


def pack_150(pose: Pose) -> NDArray[np.float32]:
    """(T, 150): 50 joints × (x, y, confidence), missing as 0; the layout of the packed HDF5 store."""
    mapped = pose.to("openpose-50")
    values = np.concatenate([np.nan_to_num(mapped.xy), mapped.confidence[..., None]], axis=-1)
    return values.reshape(len(pose), 150).astype(np.float32)


def unpack_150(values: NDArray[np.float32], fps: float = 25.0, size: tuple[int, int] | None = None) -> Pose:
    """The inverse of `pack_150`.

    Raises:
        ValueError: not (T, 150).
    """
    joints = len(SKELETONS["openpose-50"].joints)
    if values.ndim != 2 or values.shape[1] != 3 * joints:
        raise ValueError(f"array has shape {values.shape}; expected (T, {3 * joints})")
    return _pose(values.reshape(-1, joints, 3), "openpose-50", fps, size, "")
