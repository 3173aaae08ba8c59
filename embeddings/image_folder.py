"""A folder of numbered images as a video: one image a frame, in the order of their numbers.

Images carry no time, so the frame rate is what the caller says it is. One image is in memory at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import reader

from .video_decode import VideoError

__all__ = ["IMAGE_ENDINGS", "IMAGE_FPS", "image_files", "image_size", "read_images"]

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
IMAGE_FPS = 25.0
"""Frames per second where nobody says another rate."""


def image_files(folder: Path) -> list[Path]:
    """The numbered images of a folder by the last number in their names; [] where it holds fewer than two."""
    images = [f for f in folder.iterdir() if f.suffix.lower() in IMAGE_ENDINGS and not f.name.startswith(".")]
    numbers = {f: re.findall(r"\d+", f.stem) for f in images}
    if len(images) < 2 or not all(numbers.values()):
        return []
    return sorted(images, key=lambda f: (int(numbers[f][-1]), f.name))


def image_size(folder: Path) -> tuple[int, int, int]:
    """(width, height) of the first image as shown, and how many there are.

    Raises:
        VideoError: no numbered images, or the first cannot be read.
    """
    files = image_files(folder)
    if not files:
        raise VideoError(f"{folder}: a folder without two or more numbered images (0001.png, 0002.png, …)")
    height, width = _image(files[0], None).shape[:2]
    return width, height, len(files)


@reader(VideoError)
def read_images(
    folder: Path,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    size: tuple[int, int] | None = None,
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Streams (seconds, RGB image (H, W, 3) uint8) of the images shown in [start, end) at `fps` images a second.

    Args:
        size: (width, height) to resize to; None takes the first image's, to which later ones are brought.

    Raises:
        VideoError: no numbered images, or one cannot be read.
    """
    width, height, count = image_size(folder)
    rate = IMAGE_FPS if fps is None else fps
    limit = count if end is None else min(count, int(np.ceil(end * rate - 1e-6)))
    for row, file in enumerate(image_files(folder)[:limit]):
        if row / rate >= start - 1e-6:
            yield row / rate, _image(file, size if size is not None else (width, height))


def _image(file: Path, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            shown = ImageOps.exif_transpose(picture).convert("RGB")
            return np.array(shown if size is None or shown.size == size else shown.resize(size), np.uint8)
    except (OSError, UnidentifiedImageError) as error:
        raise VideoError(f"{file}: not a readable image ({error})") from None
