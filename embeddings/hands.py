"""Hand images: square cut-outs of both hands for handshape networks, in HDF5 (rows A4 and A5).

Layout: `[video]["left_hand" | "right_hand"]` with `images` (n, 70, 70, 3) uint8 RGB, `frames` (n,) frame numbers and
`bboxes` (n, 4) x0, y0, x1, y1 as shares of the frame. The hands are independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .clip import Pose
from .skeletons import SKELETONS

__all__ = ["SIZE", "hand_box", "hand_images", "write_hand_images"]

SIZE = 70
"""Pixels of a hand image's side."""
MIN_CONFIDENCE = 0.4
ENLARGE = 1.2
SIDES = ("left", "right")

Image = NDArray[np.uint8]


def hand_box(joints: NDArray[np.floating], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Pixels x0, y0, x1, y1 (half-open) of a hand: its joints' box enlarged by 20 % in all, squared, shifted inside.

    Args:
        joints: (21, 2) pixels, NaN where missing.
        size: (width, height) of the frame.

    Returns:
        None when no joint is known or the box lies outside the frame.
    """
    known = joints[np.isfinite(joints).all(axis=1)]
    if len(known) == 0:
        return None
    low, high = known.min(axis=0), known.max(axis=0)
    if (high < 0).any() or (low >= size).any():
        return None
    side = min(max(2, round(float((high - low).max()) * ENLARGE)), *size)
    corner = np.round((low + high - side) / 2).astype(int)
    x0, y0 = (int(np.clip(corner[k], 0, size[k] - side)) for k in (0, 1))
    return x0, y0, x0 + side, y0 + side


def hand_images(
    frames: Iterable[Image], pose: Pose, side: str, least: float = MIN_CONFIDENCE
) -> tuple[Image, NDArray[np.int64], NDArray[np.float32]]:
    """Images (n, 70, 70, 3), frame numbers (n,) and boxes (n, 4) of one hand where it is seen clearly enough.

    Args:
        frames: the frames of the pose's rows, streamed.
        side: "left" or "right", the signer's own.
        least: mean confidence of the 21 joints below which a frame is left out.
    """
    import cv2

    if side not in SIDES:
        raise ValueError(f"side is {side!r}; expected 'left' or 'right'")
    rows = SKELETONS[pose.skeleton].hand(side)
    images: list[Image] = []
    numbers: list[int] = []
    boxes: list[NDArray[np.float64]] = []
    for number, (frame, joints, sure) in enumerate(
        zip(frames, pose.xy[:, rows], pose.confidence[:, rows], strict=False)
    ):
        size = (frame.shape[1], frame.shape[0])
        box = hand_box(joints, size) if float(sure.mean()) >= least else None
        if box is not None:
            x0, y0, x1, y1 = box
            images.append(cv2.resize(frame[y0:y1, x0:x1], (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.uint8))
            numbers.append(number)
            boxes.append(np.array(box) / np.array([*size, *size]))
    return (
        np.stack(images) if images else np.zeros((0, SIZE, SIZE, 3), np.uint8),
        np.array(numbers, np.int64),
        np.array(boxes, np.float32).reshape(-1, 4),
    )


def write_hand_images(path: Path, video: str, frames: Iterable[Image], pose: Pose) -> dict[str, int]:
    """Adds both hands of one video to an HDF5 file (made when absent; a video already there is replaced).

    Returns:
        Images written per side.
    """
    import h5py

    kept = list(frames)  # both hands are cut from the same frames; give short stretches
    counts = {}
    with h5py.File(path, "a") as file:
        if video in file:
            del file[video]
        for side in SIDES:
            images, numbers, boxes = hand_images(kept, pose, side)
            group = file.create_group(f"{video}/{side}_hand")
            chunks = (min(64, len(images)), SIZE, SIZE, 3) if len(images) else None
            group.create_dataset("images", data=images, chunks=chunks, compression="gzip" if chunks else None)
            group["frames"], group["bboxes"] = numbers, boxes
            counts[side] = len(images)
    return counts
