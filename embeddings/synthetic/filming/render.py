"""`render_frames`: pictures of a figure: a shaded person before a wall, drawn from back to front.

All surfaces are quads of a few millimetres. Per frame they are placed, lit, culled and sorted in NumPy, and painted
far to near by OpenCV at a multiple of the resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..signing.figure import Figure
from ..signing.perform import Performance
from .backdrop import Backdrop
from .camera import Camera
from .look import Look
from .mesh import Puppet
from .paint import paint

__all__ = ["render_frames", "render_video"]

_CHUNK = 16
"""Frames that are placed at once: enough to spread NumPy's overhead, little enough to stay in the cache."""

_FINE = 600.0
"""Pixels per metre from which the quads are fine."""


def render_frames(
    figure: Figure | Performance, look: Look | None = None, camera: Camera | None = None, seed: int | None = None
) -> Iterator[NDArray[np.uint8]]:
    """Pictures (height, width, 3) uint8 RGB of every frame, the same for the same arguments bit for bit, on any
    machine (`draws`).

    Args:
        figure: the body; of a `Performance` its figure.
        look: person, clothes, room and recording; None for a standard one.
        camera: which also says the size of the picture; None for a frontal one.
        seed: of noise and texture; None for the look's own.
    """
    body = figure.figure if isinstance(figure, Performance) else figure
    look = Look() if look is None else look
    look = look if seed is None else replace(look, seed=seed)
    camera = Camera() if camera is None else camera
    puppet, backdrop = Puppet(look, fine=camera.focal / camera.distance > _FINE), Backdrop(look, camera.size)
    for start in range(0, len(body), _CHUNK):
        vertices = puppet.vertices(body.xyz[start : start + _CHUNK].astype(np.float64))
        for row, placed in enumerate(vertices):
            yield paint(puppet, placed, look, camera, backdrop, start + row)


def render_video(
    path: str | Path,
    figure: Figure | Performance,
    look: Look | None = None,
    camera: Camera | None = None,
    crf: int = 20,
    seed: int | None = None,
) -> Path:
    """Writes the pictures as H.264 at the figure's frame rate, one frame in memory at a time.

    Args:
        crf: x264's constant rate factor; smaller is better and bigger.
        seed: as of `render_frames`.
    """
    from ...video import write_video

    body = figure.figure if isinstance(figure, Performance) else figure
    return write_video(path, render_frames(body, look, camera, seed), body.fps, crf)
