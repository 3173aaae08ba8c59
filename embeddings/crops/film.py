"""The pictures of a film at a frame rate, one in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ..clip import Film
from ..video import read_frames

__all__ = ["pictures"]

Picture = NDArray[np.uint8]


def pictures(film: Film, fps: float) -> Iterator[Picture]:
    """The film's part as (H, W, 3) uint8 RGB, a picture for each 1 / fps seconds.

    Of a video the picture on screen at that moment; of a folder of images the nearest one, of two the earlier.
    """
    for picture in _decoded(film, fps):
        yield np.ascontiguousarray(picture[:, ::-1]) if film.mirrored else picture


def _decoded(film: Film, fps: float) -> Iterator[Picture]:
    own = film.fps
    if own is None or own == fps:
        for _, picture in read_frames(film.path, fps if own is None else own, film.start, film.end):
            yield picture
        return
    row, count, last = 0, 0, None
    for _, picture in read_frames(film.path, own, film.start, film.end):
        while ceil(row * own / fps - 0.5) <= count:
            yield picture
            row += 1
        count, last = count + 1, picture
    while last is not None and row < max(1, round(count * fps / own)):
        yield last
        row += 1
