"""Pictures of a clip: which frames of it a network sees, and how large."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MARGIN", "central_inputs", "clip_rows", "middle_of", "square_frame", "square_frames"]

MARGIN = 256 / 224
"""Training pictures are this much larger than the network's: room for the crops."""


def clip_rows(frames: int, samples: int = 16, stride: int = 2) -> NDArray[np.intp]:
    """Indexes (samples,) of frames at a stride around the middle of a clip; the last repeats when it is short.

    With an odd number of frames left over, the earlier half has one less.
    """
    if frames < 1:
        raise ValueError(f"cannot sample a clip of {frames} frames; expected at least 1")
    start = max(0, (frames - ((samples - 1) * stride + 1)) // 2)
    return np.minimum(start + stride * np.arange(samples), frames - 1)


def _resize(frame: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    import cv2

    if frame.shape[1] == width and frame.shape[0] == height:
        return frame
    shrinks = width * height < frame.shape[0] * frame.shape[1]
    resized = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def square_frame(frame: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A frame (H, W, 3) with the short side resized to `side` and the centre cut out: (side, side, 3)."""
    scale = side / min(frame.shape[:2])
    width, height = max(side, round(frame.shape[1] * scale)), max(side, round(frame.shape[0] * scale))
    return middle_of(_resize(frame, width, height), side)


def middle_of(frame: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle (side, side, 3) of a frame (H, W, 3)."""
    top, left = ((length - side) // 2 for length in frame.shape[:2])
    return frame[top : top + side, left : left + side]


def square_frames(frames: Iterable[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    """Frames (H, W, 3) with the short side resized to `side` and the centre cut out: (T, side, side, 3)."""
    rows = [square_frame(frame, side) for frame in frames]
    return np.stack(rows) if rows else np.zeros((0, side, side, 3), np.uint8)


def central_inputs(inputs: Mapping[str, NDArray[Any]], size: int = 224) -> dict[str, NDArray[Any]]:
    """What a network sees outside training: the middle size × size of square pictures and depth; flow as it is."""
    result: dict[str, NDArray[Any]] = {}
    for name, values in inputs.items():
        if name == "flow":
            result[name] = values
            continue
        side = values.shape[-1] if name == "depth" else values.shape[1]
        middle = slice((side - size) // 2, (side - size) // 2 + size)
        cut = values[..., middle, middle] if name == "depth" else values[:, middle, middle]
        result[name] = np.ascontiguousarray(cut)
    return result
