"""Body crops: the signer cut out of the frame at one place and size; and the same with all but the skeleton masked.

The crops of UWB ChaLearn-SLR (2021). They are fixed over a video by its first frame: S is that frame's shoulder width
(80 px when it is below 30), the centre lies 0.3 S below the neck, the half-size is 2 S; the picture is padded by what
lies outside it and resized to 256 × 256. The masked variant keeps the drawn skeleton alone: 75 points on each bone,
each a square reaching 20 px from the bone of the head, 4 px from those of the palm and 2 px from those of the fingers,
in pixels of the SOURCE picture, before it is cut. The published bones are nose to neck and those of the hands; `arms`
adds shoulders and arms, drawn like the palm.

The published padding is 150 px on every side, which is too little for people near the picture's edge; ours pads as
much as is needed. The published crop is resized by nearest neighbour, the masked one by cubic interpolation; ours by
the mean over the area, which loses no thin fingers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import HAND_EDGES
from .signer_space import MIN_CONFIDENCE

if TYPE_CHECKING:
    import h5py

__all__ = ["SIZE", "BodyBox", "body_box", "body_crops", "cut_box", "skeleton_mask", "write_body_crops"]

SIZE = 256
"""Pixels of a crop's side."""
LEAST_SHOULDERS, SHOULDERS_INSTEAD = 30.0, 80.0
BELOW_NECK, HALF_SIZE = 0.3, 2.0
HEAD_REACH, PALM_REACH, FINGER_REACH = 20, 4, 2
POINTS = 75
"""On each bone."""
ARMS = ((1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7))
"""Bones of the body in "openpose-50": neck, shoulders, elbows, wrists."""

Image = NDArray[np.uint8]


class BodyBox(NamedTuple):
    """A square in pixels of the frame; it may reach outside. `left`, `top`: its corner; `side`: its length."""

    left: int
    top: int
    side: int


def body_box(pose: Pose) -> BodyBox:
    """The crop of a video, from the first frame that shows neck and shoulders.

    Raises:
        ValueError: no frame shows them.
    """
    mapped = pose.to("openpose-50")
    joints = mapped.xy[:, [mapped.joint(name) for name in ("neck", "left_shoulder", "right_shoulder")]]
    known = np.flatnonzero(np.isfinite(joints).all(axis=(1, 2)))
    if len(known) == 0:
        raise ValueError(f"{pose.source or 'the pose'}: neck and shoulders are never seen; no body to crop")
    neck, left, right = joints[known[0]].astype(np.float64)
    width = float(np.linalg.norm(left - right))
    width = SHOULDERS_INSTEAD if width < LEAST_SHOULDERS else width
    middle = neck + np.array([0.0, BELOW_NECK * width])
    half = HALF_SIZE * width
    corner = np.round(middle - half).astype(int)
    return BodyBox(int(corner[0]), int(corner[1]), max(2, round(2 * half)))


def body_crops(
    frames: Iterable[Image], pose: Pose, masked: bool = False, size: int = SIZE, arms: bool = False
) -> Iterator[Image]:
    """Crops (size, size, 3) of each frame, streamed.

    Args:
        frames: (H, W, 3) uint8, one for each of the pose's rows.
        masked: black out everything but the skeleton; arms: which then includes the arms.

    Raises:
        ValueError: the shoulders are never seen, or there are not as many frames as rows.
    """
    import cv2

    box, mapped = body_box(pose), pose.to("openpose-50")
    points = np.where((mapped.confidence >= MIN_CONFIDENCE)[..., None], mapped.xy, np.nan)
    row = -1
    for row, frame in enumerate(frames):
        if row >= len(points):
            raise ValueError(f"more frames than the pose's {len(points)} rows; give the frames that it was made from")
        whole = (
            frame * skeleton_mask(points[row], (frame.shape[0], frame.shape[1]), arms)[..., None] if masked else frame
        )
        yield cv2.resize(cut_box(whole, box), (size, size), interpolation=cv2.INTER_AREA).astype(np.uint8)
    if row + 1 < len(points):
        raise ValueError(f"{row + 1} frames for the pose's {len(points)} rows; the video is damaged or another one")


def cut_box(frame: Image, box: BodyBox) -> Image:
    """The square of a frame, black where it lies outside."""
    height, width = frame.shape[:2]
    result = np.zeros((box.side, box.side, 3), np.uint8)
    x0, y0 = max(0, box.left), max(0, box.top)
    x1, y1 = min(width, box.left + box.side), min(height, box.top + box.side)
    if x0 < x1 and y0 < y1:
        result[y0 - box.top : y1 - box.top, x0 - box.left : x1 - box.left] = frame[y0:y1, x0:x1]
    return result


def skeleton_mask(points: NDArray[np.floating], size: tuple[int, int], arms: bool = False) -> NDArray[np.bool_]:
    """(height, width) true on the drawn skeleton.

    Args:
        points: (50, 2) joints of "openpose-50" in pixels of the picture, NaN where missing.
        size: (height, width) of the picture.
        arms: draws shoulders and arms too.
    """
    import cv2

    hands = [(first + a, first + b, PALM_REACH if a == 0 else FINGER_REACH) for first in (8, 29) for a, b in HAND_EDGES]
    bones = [(0, 1, HEAD_REACH), *hands]
    bones += [(a, b, PALM_REACH) for a, b in (*ARMS, (7, 8), (4, 29))] if arms else []
    share = np.arange(POINTS)[:, None] / POINTS
    mask = np.zeros(size, bool)
    for reach in (HEAD_REACH, PALM_REACH, FINGER_REACH):
        drawn = np.zeros(size, np.uint8)
        for a, b, own in bones:
            line = points[a] + share * (points[b] - points[a])
            if own != reach or not np.isfinite(line).all():
                continue
            x, y = np.trunc(line).astype(np.int64).T
            inside = (x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])
            drawn[y[inside], x[inside]] = 1
        mask |= cv2.dilate(drawn, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    return mask


def write_body_crops(
    group: h5py.Group, frames: Iterable[Image], pose: Pose, masked: bool = False, arms: bool = False
) -> int:
    """Writes the crops of one video into its HDF5 group: `crops` (T, 256, 256, 3), with the box as an attribute.

    What an error or a kill leaves in the group is a part; `safe_files.GroupedHDF5` keeps whole groups alone.

    Returns:
        Frames written.
    """
    data = group.create_dataset(
        "crops", (0, SIZE, SIZE, 3), np.uint8, maxshape=(None, SIZE, SIZE, 3), chunks=(1, SIZE, SIZE, 3),
        compression="gzip", compression_opts=4,
    )  # fmt: skip
    data.attrs["box"] = np.array(body_box(pose), np.int64)
    data.attrs["masked"] = masked
    for count, crop in enumerate(body_crops(frames, pose, masked, arms=arms), start=1):
        data.resize(count, axis=0)
        data[count - 1] = crop
    return int(data.shape[0])
