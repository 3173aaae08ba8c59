"""Decoding of a video's frames in order, each with its time; what `embeddings.video` is built on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av.video.frame

__all__ = ["Frame", "PictureMaker", "VideoError", "first_frame", "open_video", "rotation", "timed_frames"]

Frame = NDArray[np.uint8]


class VideoError(ValueError):
    """A video cannot be read; the message names the file and the reason in one line."""


def open_video(path: Path) -> Any:
    import av

    if not path.exists():
        raise VideoError(f"{path}: no such file")
    if path.is_dir():
        raise VideoError(f"{path}: is a folder, not a video")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes)")
    try:
        container = av.open(str(path), metadata_errors="replace")  # a title in another encoding is no damage
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoError(f"{path}: not a readable video ({reason})") from None
    # a still picture attached to a sound file is a video stream by name only
    streams = [s for s in container.streams.video if not (s.disposition & av.stream.Disposition.attached_pic)]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "no streams"
        container.close()
        raise VideoError(f"{path}: holds no video stream (found: {kinds})")
    stream = streams[0]
    stream.thread_type = "AUTO"
    return container, stream


def first_frame(path: Path, container: Any, stream: Any) -> Any:
    import av

    try:
        for frame in container.decode(stream):
            return frame
    except av.FFmpegError as error:
        raise VideoError(f"{path}: no frame could be decoded ({error.strerror})") from None
    raise VideoError(f"{path}: holds no decodable frame")


def rotation(frame: av.video.frame.VideoFrame) -> int:
    return round(getattr(frame, "rotation", 0) / 90) % 4 * 90


class PictureMaker:
    """RGB pixels as shown: rotated by the file's metadata, resized to (width, height).

    A stream that changes its size on the way is brought to the size of its first frame.
    """

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = size

    def __call__(self, frame: Any) -> Frame:
        turns = rotation(frame) // 90
        stored = (frame.height, frame.width) if turns % 2 else (frame.width, frame.height)
        if self.size is None:
            self.size = stored
        if stored != self.size:
            width, height = (self.size[1], self.size[0]) if turns % 2 else self.size
            frame = frame.reformat(width=width, height=height, format="rgb24")
        pixels = frame.to_ndarray(format="rgb24")
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def timed_frames(path: Path, start: float) -> Iterator[tuple[float, float, Any]]:
    """(seconds since the first frame, seconds on screen, decoded frame), from at or before ``start`` on.

    Where the file is damaged it stops, with a warning that says how much was decoded.

    Raises:
        VideoError: nothing can be decoded.
    """
    container, stream = open_video(path)
    clock = _Clock(stream)
    try:
        if start > 0:
            # the zero of time is the first frame shown, which a seek would hide
            clock.zero = first_frame(path, container, stream).time or 0.0
            container, stream = _sought(path, container, stream, clock.zero + start)
        yield from _decoded(path, container, stream, clock)
    finally:
        container.close()
    if clock.shown == 0 and start == 0:
        raise VideoError(f"{path}: holds no decodable frame")


def _decoded(path: Path, container: Any, stream: Any, clock: _Clock) -> Iterator[tuple[float, float, Any]]:
    import av

    frames = container.decode(stream)
    corrupt: list[float] = []
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            break
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if clock.shown == 0:
                raise VideoError(f"{path}: no frame could be decoded ({reason})") from None
            warnings.warn(
                f"{path}: damaged after {clock.end:.2f} s ({reason}); what was decoded before is kept", stacklevel=3
            )
            return
        if frame.is_corrupt:
            # concealed from what is left of it: pictures that never were; the one before stays on screen
            corrupt.append((frame.time or 0.0) - (clock.zero or 0.0))
            continue
        yield clock.tick(frame)
    if corrupt:
        warnings.warn(
            f"{path}: {len(corrupt)} damaged frames left out, the first at {corrupt[0]:.2f} s; "
            f"{clock.end:.2f} s were decoded",
            stacklevel=3,
        )
    lacking = _announced(container, stream) - clock.end
    if clock.shown and lacking > max(0.25, 3 * clock.step):
        warnings.warn(
            f"{path}: the file says {clock.end + lacking:.2f} s but its frames end at {clock.end:.2f} s; "
            "it is truncated, what was decoded is kept",
            stacklevel=3,
        )


def _sought(path: Path, container: Any, stream: Any, seconds: float) -> tuple[Any, Any]:
    """The container placed at or before a time of its own clock; at its beginning where the format cannot seek."""
    import av

    try:
        container.seek(int(seconds / stream.time_base), stream=stream, backward=True)
        landed = next(container.decode(stream), None)
        if landed is not None and landed.time is not None and landed.time <= seconds:
            container.seek(int(seconds / stream.time_base), stream=stream, backward=True)
            return container, stream
    except (av.FFmpegError, OSError):
        pass  # decoded from the beginning below: slower, never wrong
    container.close()
    return open_video(path)


class _Clock:
    """Seconds of decoded frames since the first one; they never go backwards."""

    def __init__(self, stream: Any) -> None:
        self.step = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        self.zero: float | None = None
        self.shown, self.seconds, self.end = 0, 0.0, 0.0

    def tick(self, frame: Any) -> tuple[float, float, Any]:
        at = frame.time
        if self.zero is None:
            self.zero = at if at is not None else 0.0
        follows = self.end if self.shown else 0.0
        # a frame without a timestamp follows the one before; so does one whose clock was started anew (joined files)
        seconds = follows if at is None else at - self.zero
        if self.shown and seconds < self.seconds:
            if self.seconds - seconds > 1 and at is not None:
                self.zero = at - follows
            seconds = follows
        lasts = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else self.step
        self.shown, self.seconds, self.end = self.shown + 1, seconds, seconds + lasts
        return seconds, lasts, frame


def _announced(container: Any, stream: Any) -> float:
    """Seconds of pictures the container promises; 0.0 when it does not say."""
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    # the whole file's length is the pictures' only where nothing else could be longer
    alone = len(container.streams) == 1
    return float(container.duration / 1e6) if alone and container.duration is not None else 0.0
