"""Windows: which stretches of a query are compared with an exemplar.

Windows of several lengths share their centres, so a sign's track has one value per centre whatever the lengths.
Windows at the edges reach beyond the clip, where the first or last frame is repeated: every frame is the middle of
some window, and no frame is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["LENGTHS", "RATIOS", "centres", "length_grid", "lengths_for", "windows_at"]

RATIOS: tuple[float, ...] = (0.3, 0.42, 0.58, 0.8, 1.1)
"""Window lengths as shares of the exemplar's: signs in a sentence are shorter than in a dictionary, most often about
half as long."""

LENGTHS: tuple[int, ...] = (7, 12, 20)
"""Window lengths in frames of 25 fps where the judge knows its encoder, the same for all signs: of signs in fluent
signing, in slow signing, and of dictionary forms. A video is embedded once however many signs are looked for."""

SHORTEST = 4
"""Frames; below this a window shows a posture, not a sign."""


def centres(frames: int, stride: int) -> NDArray[np.float64]:
    """Centre positions (W,) in frames (frame i's middle is i + 0.5), `stride` apart, the last frame included.

    Raises:
        ValueError: stride < 1.
    """
    if stride < 1:
        raise ValueError(f"stride is {stride}; expected at least 1 frame")
    return np.minimum(np.arange(0, frames + stride - 1, stride), max(frames - 1, 0))[: _count(frames, stride)] + 0.5


def _count(frames: int, stride: int) -> int:
    return 0 if frames == 0 else 1 + -(-(frames - 1) // stride)


def windows_at(middle: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Half-open windows (W, 2) of one length around centres."""
    return np.stack([middle - length / 2, middle + length / 2], axis=1)


def length_grid(lengths: Sequence[float], step: float = 1.12) -> NDArray[np.int64]:
    """Few whole lengths such that each given one is within half a `step` of one; embedded once for all signs."""
    wanted = np.maximum(np.asarray(list(lengths), np.float64), SHORTEST)
    if len(wanted) == 0:
        return np.zeros(0, np.int64)
    places = np.unique(np.round(np.log(wanted / SHORTEST) / np.log(step)))
    return np.unique(np.round(SHORTEST * step**places).astype(np.int64))


def lengths_for(frames: float, grid: NDArray[np.int64], ratios: Sequence[float] = RATIOS) -> NDArray[np.intp]:
    """Indexes into `grid` (ascending, unique) of the windows that an exemplar of `frames` frames is compared with."""
    wanted = np.maximum(frames * np.asarray(ratios, np.float64), SHORTEST)
    return np.unique(np.abs(np.log(grid[None] / wanted[:, None])).argmin(axis=1))
