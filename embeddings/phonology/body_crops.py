"""Body crops: the signer cut out of the frame at one place and size; and the same with all but the skeleton masked.

Rows A2 and A3. The crop is fixed over a video by its first frame: S is that frame's shoulder width (80 px when it is
below 30), the centre lies 0.3 S below the neck, the half-size is 2 S; the picture is padded by what lies outside it and
resized to 256 × 256. The masked variant keeps only the drawn skeleton: each bone as a line of discs, of radius 20 px
from head to neck, 4 in the palm and 2 in the fingers, measured as published at a crop of 256 px.

The published padding is 150 px on every side, which is too little for people near the picture's edge; ours pads as
much as is needed.
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

__all__ = ["SIZE", "BodyBox", "body_box", "body_crops", "skeleton_mask", "write_body_crops"]

SIZE = 256
"""Pixels of a crop's side."""
LEAST_SHOULDERS, SHOULDERS_INSTEAD = 30.0, 80.0
BELOW_NECK, HALF_SIZE = 0.3, 2.0
HEAD_RADIUS, PALM_RADIUS, FINGER_RADIUS = 20, 4, 2
ARMS = ((1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7))
"""Bones of the body in "openpose-50": neck, shoulders, elbows, wrists; drawn like the palm."""

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


def body_crops(frames: Iterable[Image], pose: Pose, masked: bool = False, size: int = SIZE) -> Iterator[Image]:
    """Crops (size, size, 3) of each frame, streamed.

    Args:
        frames: (H, W, 3) uint8, one for each of the pose's rows.
        masked: black out everything but the skeleton.

    Raises:
        ValueError: the shoulders are never seen, or there are more frames than rows.
    """
    import cv2

    box = body_box(pose)
    points = (pose.to("openpose-50").xy - np.array([box.left, box.top])) * (size / box.side)
    sure = pose.to("openpose-50").confidence >= MIN_CONFIDENCE
    for row, frame in enumerate(frames):
        if row >= len(points):
            raise ValueError(f"more frames than the pose's {len(points)} rows; give the frames that it was made from")
        crop = cv2.resize(_cut(frame, box), (size, size), interpolation=cv2.INTER_AREA)
        if masked:
            crop = crop * skeleton_mask(np.where(sure[row][:, None], points[row], np.nan), size)[..., None]
        yield crop.astype(np.uint8)


def _cut(frame: Image, box: BodyBox) -> Image:
    """The square of a frame, black where it lies outside."""
    height, width = frame.shape[:2]
    result = np.zeros((box.side, box.side, 3), np.uint8)
    x0, y0 = max(0, box.left), max(0, box.top)
    x1, y1 = min(width, box.left + box.side), min(height, box.top + box.side)
    if x0 < x1 and y0 < y1:
        result[y0 - box.top : y1 - box.top, x0 - box.left : x1 - box.left] = frame[y0:y1, x0:x1]
    return result


def skeleton_mask(points: NDArray[np.floating], size: int = SIZE) -> NDArray[np.bool_]:
    """(size, size) true on the drawn skeleton.

    Args:
        points: (50, 2) joints of "openpose-50" in pixels of the crop, NaN where missing.
    """
    import cv2

    mask = np.zeros((size, size), np.uint8)

    def line(a: int, b: int, radius: int) -> None:
        ends = points[[a, b]]
        if np.isfinite(ends).all() and np.abs(ends).max() < 16 * size:
            (x0, y0), (x1, y1) = (tuple(int(v) for v in np.round(p)) for p in ends)
            cv2.line(mask, (x0, y0), (x1, y1), (1,), 2 * max(1, round(radius * size / SIZE)) - 1)

    line(0, 1, HEAD_RADIUS)
    for a, b in ARMS:
        line(a, b, PALM_RADIUS)
    for first in (8, 29):
        line(7 if first == 8 else 4, first, PALM_RADIUS)
        for a, b in HAND_EDGES:
            line(first + a, first + b, PALM_RADIUS if a == 0 else FINGER_RADIUS)
    return mask.astype(bool)


def write_body_crops(group: h5py.Group, frames: Iterable[Image], pose: Pose, masked: bool = False) -> int:
    """Writes the crops of one video into its HDF5 group: `crops` (T, 256, 256, 3), with the box as an attribute.

    Returns:
        Frames written.
    """
    data = group.create_dataset(
        "crops", (0, SIZE, SIZE, 3), np.uint8, maxshape=(None, SIZE, SIZE, 3), chunks=(1, SIZE, SIZE, 3),
        compression="gzip", compression_opts=4,
    )  # fmt: skip
    data.attrs["box"] = np.array(body_box(pose), np.int64)
    data.attrs["masked"] = masked
    for count, crop in enumerate(body_crops(frames, pose, masked), start=1):
        data.resize(count, axis=0)
        data[count - 1] = crop
    return int(data.shape[0])
