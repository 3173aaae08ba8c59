"""Picture strips for the report: a few frames of a stretch of video side by side, as JPEG or WebP."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAMES", "HEIGHT", "Frame", "data_url", "jpeg", "jpeg_strips", "strip_size", "strips", "webp"]

FRAMES = 4
"""Pictures in a strip."""
HEIGHT = 72
"""Pixels."""
WIDEST = 128
GAP_SECONDS = 8.0
"""Stretches nearer than this are read in one pass; farther ones by a seek of their own."""

Frame = NDArray[np.uint8]


def strips(video: Path, spans: Sequence[tuple[float, float]]) -> list[str]:
    """A data URL per span (start s, end s) of a video, "" where the video shows nothing there; see `jpeg_strips`."""
    return [data_url(picture) if picture else "" for picture in _strips(video, spans, webp)]


def jpeg_strips(video: Path, spans: Sequence[tuple[float, float]]) -> list[bytes]:
    """A JPEG file's bytes per span (start s, end s) of a video, none where the video shows nothing there.

    The video is streamed: only the pictures of the strips are kept in memory. A video that cannot be decoded gives
    none anywhere, and a warning.
    """
    return _strips(video, spans, jpeg)


def _strips(
    video: Path, spans: Sequence[tuple[float, float]], encoded: Callable[[Iterable[Frame]], bytes]
) -> list[bytes]:
    from embeddings.video import VideoError, probe

    result = [b""] * len(spans)
    if not spans:
        return result
    try:
        info = probe(video)
        size = strip_size(info.width, info.height)
        for group in _passes(spans):
            for at, pictures in _grab(video, spans, group, size):
                result[at] = encoded(pictures)
    except (VideoError, OSError) as error:
        warnings.warn(f"{video.name}: no pictures in the report ({error})", stacklevel=2)
    return result


def strip_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of one picture of a strip, with the video's proportions."""
    return max(16, min(WIDEST, round(HEIGHT * width / height))), HEIGHT


def _passes(spans: Sequence[tuple[float, float]]) -> Iterator[list[int]]:
    """Indexes of spans grouped by nearness in time."""
    group: list[int] = []
    until = -np.inf
    for at in sorted(range(len(spans)), key=lambda i: spans[i]):
        if group and spans[at][0] > until + GAP_SECONDS:
            yield group
            group = []
        group.append(at)
        until = max(until, spans[at][1])
    yield group


def _grab(
    video: Path, spans: Sequence[tuple[float, float]], group: Sequence[int], size: tuple[int, int]
) -> Iterator[tuple[int, list[Frame]]]:
    from embeddings.video import read_frames

    # moments well inside the stretch: its first and last frames are still transition
    moments = sorted(
        (start + (end - start) * (k + 0.6) / (FRAMES + 0.2), at)
        for at in group
        for start, end in [spans[at]]
        for k in range(FRAMES)
    )
    pictures_of: dict[int, list[Frame]] = {at: [] for at in group}
    first, last = min(spans[at][0] for at in group), max(spans[at][1] for at in group)
    n, shown = 0, None
    for seconds, frame in read_frames(video, start=max(0.0, first - 0.2), end=last + 0.5, size=size):
        while n < len(moments) and moments[n][0] < seconds:
            pictures_of[moments[n][1]].append(frame if shown is None else shown)
            n += 1
        shown = frame
        if n == len(moments):
            break
    for _, at in moments[n:]:
        if shown is not None:
            pictures_of[at].append(shown)
    yield from ((at, pictures) for at, pictures in pictures_of.items() if pictures)


def jpeg(pictures: Iterable[Frame]) -> bytes:
    """Pictures of one height side by side, a white line between them."""
    return _encoded(pictures, "JPEG", quality=72, optimize=True)


def webp(pictures: Iterable[Frame]) -> bytes:
    """The same in a third less bytes, for pages: every browser of the last years shows it."""
    return _encoded(pictures, "WEBP", quality=62, method=4)


def _encoded(pictures: Iterable[Frame], form: str, **options: Any) -> bytes:
    from PIL import Image

    listed = list(pictures)
    line = np.full((HEIGHT, 2, 3), 255, np.uint8)
    parts = [part for picture in listed for part in (picture, line)][:-1]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(parts, axis=1)).save(buffer, form, **options)
    return buffer.getvalue()


def data_url(picture: bytes) -> str:
    """A JPEG or WebP file's bytes as a `data:` URL."""
    kind = "jpeg" if picture.startswith(b"\xff\xd8") else "webp"
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode()
