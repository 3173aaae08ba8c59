"""`Region`: a turned square of the picture that a network looks at, and the way there and back."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Crops", "Region"]

Array = NDArray[np.float32]


class Region(NamedTuple):
    """A square in the picture.

    Attributes:
        x, y: its middle, in pixels (a pixel's own middle has whole coordinates).
        side: length of its sides, in pixels.
        angle: radians by which its upright is turned clockwise, as seen, from the picture's.
    """

    x: float
    y: float
    side: float
    angle: float

    def shifted(self, right: float, down: float) -> Region:
        """Moved along its own axes by shares of its side."""
        sin, cos = math.sin(self.angle) * self.side, math.cos(self.angle) * self.side
        return self._replace(x=self.x + right * cos - down * sin, y=self.y + right * sin + down * cos)

    def away_from(self, other: Region) -> float:
        """Distance of the middles, in sides of the larger square."""
        return math.hypot(self.x - other.x, self.y - other.y) / max(self.side, other.side, 1.0)

    def to_picture(self, points: Array) -> Array:
        """Points (N, 2) of the unit square (0, 0 is its upper left corner) in pixels of the picture."""
        sin, cos = math.sin(self.angle) * self.side, math.cos(self.angle) * self.side
        u, v = points[:, 0] - 0.5, points[:, 1] - 0.5
        return np.stack([self.x + u * cos - v * sin, self.y + u * sin + v * cos], axis=1).astype(np.float32)


class Crops:
    """Cuts regions out of one picture (H, W, 3) uint8; large ones from a copy of half the size, so that no detail
    between the sampled pixels is lost."""

    def __init__(self, frame: NDArray[np.uint8]) -> None:
        self.frame = np.ascontiguousarray(frame)
        self._levels = [self.frame]

    def cut(self, region: Region, pixels: int) -> NDArray[np.uint8]:
        """(pixels, pixels, 3): the region, bilinearly sampled; black where it reaches beyond the picture."""
        import cv2

        level = max(0, min(4, math.floor(math.log2(max(1.0, region.side / pixels / 1.2)))))
        while len(self._levels) <= level:
            last = self._levels[-1]
            half = (max(1, last.shape[1] // 2), max(1, last.shape[0] // 2))
            self._levels.append(np.asarray(cv2.resize(last, half, interpolation=cv2.INTER_AREA), np.uint8))
        shrunk = 2.0**level
        step = region.side / pixels / shrunk
        sin, cos = math.sin(region.angle) * step, math.cos(region.angle) * step
        # a pixel's middle is half a pixel from its corner, in the crop as in the picture
        x, y = (region.x + 0.5) / shrunk - 0.5, (region.y + 0.5) / shrunk - 0.5
        middle = (pixels - 1) / 2
        back = np.array([[cos, -sin, x - middle * (cos - sin)], [sin, cos, y - middle * (sin + cos)]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(self._levels[level], back, (pixels, pixels), flags=flags), np.uint8)
