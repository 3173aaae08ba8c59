"""What VTN-HC and VTN-PF look at: squares around both hands cut along the forearm, pose flow, depth of the hands.

De Coster, Van Herreweghe, Dambre, "Isolated Sign Recognition from RGB Video using Pose Flow and Self-Attention" (CVPR
Workshops 2021): the centre is c = w + 0.15 (w − e) for wrist w and elbow e, the side s = 1.2 ‖l − r‖ for shoulders l
and r. Where one of the four joints is missing, the crop of the temporally nearest frame that has one takes its place
(of two equally near the earlier; the published code replaces the wrong one); a hand never seen is the full frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..clip import Clip, Pose
from ..nearest import nearest_rows
from ..pose.flow import Unit, pose_flow
from .image_encoder import clip_frames

__all__ = ["cut_square", "depth_input", "flow_input", "forearm_squares", "hand_inputs", "whole_square"]

BEYOND_WRIST, SHOULDERS = 0.15, 1.2
SIDES = ("left", "right")


def forearm_squares(pose: Pose) -> NDArray[np.float32]:
    """Squares (T, 2, 3) around the left and the right hand: centre x, centre y, side in pixels; NaN where unknown."""
    left, right = (pose.xy[:, pose.joint(f"{side}_shoulder")] for side in SIDES)
    length = SHOULDERS * np.linalg.norm(left - right, axis=-1)  # (T,)
    squares = np.full((len(pose), 2, 3), np.nan, np.float32)
    for hand, side in enumerate(SIDES):
        wrist, elbow = (pose.xy[:, pose.joint(f"{side}_{joint}")] for joint in ("wrist", "elbow"))
        squares[:, hand, :2] = wrist + BEYOND_WRIST * (wrist - elbow)
        squares[:, hand, 2] = length
    unknown = np.isnan(squares).any(axis=-1) | (squares[..., 2] < 1)
    squares[unknown] = np.nan
    return squares


def cut_square(picture: NDArray[np.uint8], square: NDArray[np.floating], side: int) -> NDArray[np.uint8]:
    """A square (x, y, length) of a picture (H, W[, 3]) at side × side; beyond the edge the edge repeats."""
    import cv2

    length = max(1, round(float(square[2])))
    left, top = (int(np.floor(centre - length / 2 + 0.5)) for centre in square[:2])
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(top, top + length), 0, height - 1)
    columns = np.clip(np.arange(left, left + length), 0, width - 1)
    cut = picture[rows[:, None], columns]
    shrinks = cv2.INTER_AREA if length > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (side, side), interpolation=shrinks), np.uint8)


def whole_square(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A whole picture (H, W[, 3]) at side × side, whatever its shape."""
    import cv2

    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _cut_hands(
    pictures: Iterable[NDArray[np.uint8]], squares: NDArray[np.float32], side: int
) -> list[NDArray[np.uint8]]:
    """Both hands' crops, each (T, side, side[, 3]), of pictures that pass by once; T is the shorter of the two."""
    known = ~np.isnan(squares[..., 0])  # (T, 2)
    crops: tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]] = ([], [])
    for picture, row, there in zip(pictures, squares, known, strict=False):
        for hand in (0, 1):
            # a hand that is never seen needs every frame whole; one that is missing here is filled in below
            missing = whole_square(picture, side) if not known[:, hand].any() else np.zeros(0, np.uint8)
            crops[hand].append(cut_square(picture, row[hand], side) if there[hand] else missing)
    frames = len(crops[0])
    result = []
    for hand in (0, 1):
        source = nearest_rows(known[:frames, hand])
        result.append(np.stack(crops[hand] if source is None else [crops[hand][row] for row in source]))
    return result


def _posed(clip: Clip, fps: float) -> Pose:
    if clip.pose is None:
        raise ValueError(f"{clip.name}: hand crops and pose flow need a pose; estimate it first (spotter pose)")
    if not len(clip.pose):
        raise ValueError(f"{clip.name}: the pose has no frames")
    return clip.pose.resample(fps)


def hand_inputs(clip: Clip, fps: float, side: int) -> dict[str, NDArray[np.uint8]]:
    """{"left_hand", "right_hand": (T, side, side, 3) uint8} of a clip at a frame rate.

    Raises:
        ValueError: no pose, or neither frames nor a path.
    """
    left, right = _cut_hands(clip_frames(clip, fps), forearm_squares(_posed(clip, fps)), side)
    return {"left_hand": left, "right_hand": right}


def flow_input(clip: Clip, fps: float, unit: Unit = "clip") -> NDArray[np.float32]:
    """Pose flow (T, 106) of a clip at a frame rate: `pose.flow.pose_flow`, see there for the unit."""
    return pose_flow(_posed(clip, fps), unit)


def depth_input(clip: Clip, fps: float, side: int) -> NDArray[np.uint8]:
    """Depth of both hands (T, 2, side, side) uint8 from `clip.extra["depth"]` (T, H, W) uint8, cut like the pictures.

    Raises:
        ValueError: no depth, another shape, or not scaled to 0–255.
    """
    depth = clip.extra.get("depth")
    if depth is None or depth.ndim != 3 or depth.dtype != np.uint8:
        given = "nothing" if depth is None else f"{depth.dtype} of shape {depth.shape}"
        raise ValueError(f"{clip.name}: clip.extra['depth'] must be uint8 (T, H, W), scaled to 0-255; given {given}")

    def at_fps() -> Iterator[NDArray[np.uint8]]:
        rows = max(1, round(len(depth) * fps / clip.fps))
        for row in range(rows):
            yield depth[min(int(np.ceil(row * clip.fps / fps - 0.5)), len(depth) - 1)]  # type: ignore[misc]

    return np.stack(_cut_hands(at_fps(), forearm_squares(_posed(clip, fps)), side), axis=1)
