"""The OSLWL entry's alignment of pictures: 512 × 512 with the nose at (256, 150) in every frame, joints moved alike.

The picture is first scaled so that its height is 512 px, as `sl-gcn` with `alignment="nose"` scales its joints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from .clean import nose_shifts

__all__ = ["SIDE", "NosePlaces", "nose_crops", "nose_cropped"]

SIDE = 512
"""Pixels of the square's side; the nose stands at (256, 150)."""


def nose_cropped(pose: Pose) -> Pose:
    """The pose in pixels of the square: joints outside of it keep their places.

    A frame without a nose moves like the nearest one.

    Raises:
        ValueError: the nose was never seen.
    """
    scale, moves = _placed(pose)
    z = None if pose.z is None else (pose.z * scale).astype(np.float32)
    return replace(pose, xy=(pose.xy * scale + moves[:, None]).astype(np.float32), z=z, size=(SIDE, SIDE))


def nose_crops(frames: Iterable[NDArray[np.uint8]], pose: Pose) -> Iterator[NDArray[np.uint8]]:
    """The pictures (512, 512, 3) of a video, streamed; black where the frame ends.

    Args:
        frames: (H, W, 3), those of the pose's rows; more than these are left out.

    Raises:
        ValueError: the nose was never seen, or a frame is not of the pose's size.
    """
    places = NosePlaces(pose)
    for row, frame in zip(range(len(pose)), frames, strict=False):
        yield places(frame, row)


class NosePlaces:
    """Cuts the square out of the pictures of a pose's rows.

    Attributes:
        scale: of the picture; moves: (T, 2) pixels, what is added after it.

    Raises:
        ValueError: the nose was never seen.
    """

    def __init__(self, pose: Pose) -> None:
        self.size = (int(pose.size[0]), int(pose.size[1]))
        self.scale, self.moves = _placed(pose)

    def __call__(self, frame: NDArray[np.uint8], row: int) -> NDArray[np.uint8]:
        """The square (512, 512, 3) of the picture of a row; black where the picture ends.

        Raises:
            ValueError: the picture is not of the pose's size.
        """
        import cv2

        if (frame.shape[1], frame.shape[0]) != self.size:
            width, height = self.size
            raise ValueError(f"a frame of {frame.shape[1]} × {frame.shape[0]} for a pose of {width} × {height}")
        # in pixels' middles, which lie half a pixel from the picture's corner
        corner = self.moves[row] + 0.5 * self.scale - 0.5
        matrix = np.array([[self.scale, 0, corner[0]], [0, self.scale, corner[1]]])
        return np.asarray(cv2.warpAffine(frame, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def _placed(pose: Pose) -> tuple[float, NDArray[np.float64]]:
    """The scale, and (T, 2) what is added after it."""
    scale = SIDE / pose.size[1]
    # `nose_shifts` brings the nose to the middle of the frame's own width
    to_middle = np.array([SIDE / 2 - scale * pose.size[0] / 2, 0.0])
    return scale, nose_shifts(pose).astype(np.float64) * scale + to_middle
