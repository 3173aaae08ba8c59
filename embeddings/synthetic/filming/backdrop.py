"""`Backdrop`: the wall behind the signer, and the lens and sensor that record the painted picture.

Whole numbers only from the painted pixels on: libraries that blur and shrink pictures differ between builds and
processors by a grey level here and there, which an encoder then spreads over the frame.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from .look import Look

__all__ = ["Backdrop"]

Picture = NDArray[np.uint8]
_BLUR_BITS = 8
"""Weights of the blur are multiples of 2^-8."""
_NOISE_MARGIN = 64


class Backdrop:
    """Wall and noise of a recording, made once.

    Attributes:
        size: (width, height) of the recording's frames.
        scale: how many painted pixels make one of the frame, along each side.
        wall: uint8 picture at the painted resolution.
    """

    def __init__(self, look: Look, size: tuple[int, int]) -> None:
        width, height = size
        self.size = size
        self.scale = 2.0 if width * height < 800 * 800 else 1.5
        # at 1.5, pairs of pixels are made of three painted ones
        full = (2 * width, 2 * height) if self.scale == 2 else (3 * math.ceil(width / 2), 3 * math.ceil(height / 2))
        rng = Draws("backdrop", look.seed)
        self.wall = _wall(look, full, rng)
        # A tile of noise larger than the frame; every frame looks at another part of it.
        tile = rng.normal(0, look.noise, (height + _NOISE_MARGIN, width + _NOISE_MARGIN, 3))
        self._noise = np.clip(np.rint(tile), -127, 127).astype(np.int16)
        self._blur = _blur_weights(look.blur)

    def recorded(self, picture: Picture, look: Look, frame: int) -> Picture:
        """The painted picture through lens and sensor, at the frame's size."""
        width, height = self.size
        small = (_halved(picture) if self.scale == 2 else _two_thirds(picture))[:height, :width]
        if look.blur > 0:
            small = _blurred(small, self._blur)
        if look.noise > 0:
            y, x = Draws("noise", look.seed, frame).integers(0, _NOISE_MARGIN, 2).tolist()
            noisy = small + self._noise[y : y + height, x : x + width]
            small = np.clip(noisy, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(small)


def _wall(look: Look, size: tuple[int, int], rng: Draws) -> Picture:
    """The background's colour, darker at the rims and away from the light, a little cloudy."""
    width, height = size
    x, y = (np.arange(width) / width - 0.5)[None], (np.arange(height) / height - 0.5)[:, None]
    shade = 1.04 - 0.35 * (x * x + y * y) + 0.10 * x * np.sign(look.light[0]) - 0.06 * y
    cloudy = _eased(height, 7) @ rng.normal(0, 1, (7, 9)) @ _eased(width, 9).T
    wall = (shade + 0.03 * look.texture * cloudy)[..., None] * (np.array(look.background) * look.gain)
    return np.clip(np.rint(wall), 0, 255).astype(np.uint8)


def _eased(length: int, knots: int) -> NDArray[np.float64]:
    """(length, knots) weights of smooth steps between evenly spread knots."""
    position = np.arange(length) * ((knots - 1.0) / max(1, length))
    low = position.astype(int)
    share = position - low
    weight = share * share * (3 - 2 * share)
    rows = np.zeros((length, knots))
    rows[np.arange(length), low] = 1 - weight
    rows[np.arange(length), low + 1] = weight
    return rows


def _halved(picture: Picture) -> Picture:
    """Each pixel is the mean of two by two, halves up. (OpenCV rounds halves by the instruction set it finds.)"""
    rows = np.add(picture[0::2], picture[1::2], dtype=np.uint16)
    rows += 1
    columns = rows[:, 0::2] + rows[:, 1::2]
    columns >>= 2
    return columns.astype(np.uint8)


def _two_thirds(picture: Picture) -> Picture:
    """Two pixels of every three by area. Means are ninths, never near a half, so any arithmetic rounds them alike."""
    height, width = picture.shape[:2]
    shrunk = cv2.resize(picture, (width // 3 * 2, height // 3 * 2), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8)


def _blur_weights(deviation: float) -> NDArray[np.float32]:
    """Gaussian weights, whole numbers that make 2^8 together."""
    if not deviation > 0:
        return np.array([1 << _BLUR_BITS], np.float32)
    reach = 1 if deviation < 0.8 else 2
    share = [math.exp(-0.5 * (k / deviation) ** 2) for k in range(reach + 1)]
    total = share[0] + 2 * sum(share[1:])
    outer = [round(s / total * (1 << _BLUR_BITS)) for s in share[1:]]
    return np.array([*outer[::-1], (1 << _BLUR_BITS) - 2 * sum(outer), *outer], np.float32)


def _blurred(picture: Picture, weights: NDArray[np.float32]) -> Picture:
    """Both directions in turn: sums of whole numbers below 2^24, which float32 holds exactly in any order."""
    total = cv2.sepFilter2D(picture, cv2.CV_32F, weights, weights, borderType=cv2.BORDER_REPLICATE)
    return np.rint(total * np.float32(2.0 ** (-2 * _BLUR_BITS))).astype(np.uint8)
