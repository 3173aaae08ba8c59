"""Video in and out: probe, decode by presentation time with bounded memory, write H.264.

PyAV does the decoding. Frames come one at a time, so an hour of video never sits in memory. Time is what the file
says (presentation timestamps), counted from the first frame shown; frames are never counted to get a time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .clip import Clip

if TYPE_CHECKING:
    import av.video.frame

__all__ = ["VideoError", "VideoInfo", "probe", "read_clip", "read_frames", "write_video"]

Frame = NDArray[np.uint8]
MAX_CLIP_SECONDS = 120.0
"""`read_clip` refuses more: frames of longer video belong in a stream."""


class VideoError(ValueError):
    """A video cannot be read; the message names the file and the reason in one line."""


@dataclass(frozen=True)
class VideoInfo:
    """What the container says about a video.

    Attributes:
        path: the file.
        width, height: as shown, after rotation, in pixels.
        fps: average frames per second.
        duration: seconds, 0.0 when the container does not say.
        rotation: degrees counter-clockwise by which stored frames are turned for showing: 0, 90, 180 or 270.
    """

    path: Path
    width: int
    height: int
    fps: float
    duration: float
    rotation: int

    @property
    def frames(self) -> int:
        """Expected number of frames (an estimate where the frame rate varies)."""
        return round(self.duration * self.fps)


def _open(path: Path) -> Any:
    import av

    if not path.exists():
        raise VideoError(f"{path}: no such file")
    if path.is_dir():
        raise VideoError(f"{path}: is a folder, not a video")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes)")
    try:
        container = av.open(str(path))
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


def _first_frame(path: Path, container: Any, stream: Any) -> Any:
    import av

    try:
        for frame in container.decode(stream):
            return frame
    except av.FFmpegError as error:
        raise VideoError(f"{path}: no frame could be decoded ({error.strerror})") from None
    raise VideoError(f"{path}: holds no decodable frame")


def probe(path: str | Path) -> VideoInfo:
    """Size, frame rate and length of a video; decodes its first frame only.

    Raises:
        VideoError: missing, empty, unreadable, or without a video stream.
    """
    path = Path(path)
    container, stream = _open(path)
    with container:
        first = _first_frame(path, container, stream)
        rotation = _rotation(first)
        width, height = (first.height, first.width) if rotation % 180 else (first.width, first.height)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        if stream.duration is not None and stream.time_base is not None:
            duration = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration = container.duration / 1e6
        else:
            duration = 0.0
    return VideoInfo(path, width, height, float(rate), duration, rotation)


def _rotation(frame: av.video.frame.VideoFrame) -> int:
    return round(getattr(frame, "rotation", 0) / 90) % 4 * 90


def _picture(frame: Any, size: tuple[int, int] | None) -> Frame:
    """RGB pixels as shown: rotated by the file's metadata, then resized to (width, height)."""
    turns = _rotation(frame) // 90
    if size is not None:
        width, height = (size[1], size[0]) if turns % 2 else size
        frame = frame.reformat(width=width, height=height, format="rgb24")
    pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _timed_frames(path: Path, start: float) -> Iterator[tuple[float, Any]]:
    """(seconds since the first frame, decoded frame); stops with a warning where the file is damaged."""
    import av

    container, stream = _open(path)
    with container:
        base: float | None = None if start > 0 else 0.0
        if base is None:
            # the zero of time is the first frame shown, which a seek would hide
            base = _first_frame(path, container, stream).time or 0.0
            container.seek(int((base + start) / stream.time_base), stream=stream, backward=True)
        shown, seconds, step = 0, 0.0, 1 / float(stream.average_rate or 25)
        offset: float | None = None if start <= 0 else base
        frames = container.decode(stream)
        while True:
            try:
                frame = next(frames)
            except StopIteration:
                break
            except av.FFmpegError as error:
                if shown == 0:
                    raise VideoError(f"{path}: no frame could be decoded ({error.strerror})") from None
                warnings.warn(
                    f"{path}: damaged after {seconds:.2f} s ({error.strerror}); what was decoded before is kept",
                    stacklevel=2,
                )
                return
            at = frame.time
            if offset is None:
                offset = at if at is not None else 0.0
            # a frame without a timestamp follows the one before
            seconds = seconds + step if at is None else at - offset
            shown += 1
            yield seconds, frame
        if shown == 0:
            raise VideoError(f"{path}: holds no decodable frame")
        expected = float(stream.duration * stream.time_base) if stream.duration is not None else 0.0
        if expected - (seconds + step) > max(1.0, 3 * step):
            warnings.warn(
                f"{path}: the file says {expected:.2f} s but frames end at {seconds + step:.2f} s; it may be truncated",
                stacklevel=2,
            )


def read_frames(
    path: str | Path,
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    size: tuple[int, int] | None = None,
) -> Iterator[tuple[float, Frame]]:
    """Streams (seconds, RGB frame (H, W, 3) uint8), one frame in memory at a time.

    Args:
        path: the video.
        fps: None gives every frame at its own time. A number resamples by presentation time: row i is the frame
            that is on screen at ``start + i / fps`` (the last one shown at or before that moment), so frames of a
            variable-rate video are repeated or left out, never shifted.
        start, end: seconds since the first frame, ``[start, end)``; end None is the end of the file.
        size: (width, height) to resize to, as shown.

    Raises:
        VideoError: nothing can be decoded. Damage after the first frame ends the stream with a warning instead.
        ValueError: start, end or fps make no sense.
    """
    path = Path(path)
    if fps is not None and not fps > 0:
        raise ValueError(f"fps is {fps}; expected a positive number")
    if start < 0 or (end is not None and end <= start):
        raise ValueError(f"cannot read from {start} s to {end} s; expected 0 <= start < end")
    limit = float("inf") if end is None else end
    if fps is None:
        for seconds, frame in _timed_frames(path, start):
            if seconds >= limit:
                return
            if seconds >= start - 1e-6:
                yield seconds, _picture(frame, size)
        return
    yield from _resampled(path, fps, start, limit, size)


def _resampled(
    path: Path, fps: float, start: float, limit: float, size: tuple[int, int] | None
) -> Iterator[tuple[float, Frame]]:
    row, last, last_time, picture, spacing = 0, None, 0.0, None, 1 / fps
    for seconds, frame in _timed_frames(path, start):
        # everything due before this frame appears shows the frame before it
        while last is not None and start + row / fps < min(seconds - 1e-6, limit):
            picture = _picture(last, size) if picture is None else picture
            yield start + row / fps, picture
            row += 1
        if start + row / fps >= limit:
            return
        if last is not None:
            spacing = seconds - last_time
        last, last_time, picture = frame, seconds, None
    # the last frame stays on screen for as long as the one before it did
    while last is not None and start + row / fps < min(last_time + spacing - 1e-6, limit):
        picture = _picture(last, size) if picture is None else picture
        yield start + row / fps, picture
        row += 1


def read_clip(
    path: str | Path,
    fps: float = 25.0,
    start: float = 0.0,
    end: float | None = None,
    size: tuple[int, int] | None = None,
) -> Clip:
    """A short video with its frames in memory, at a constant frame rate.

    Raises:
        VideoError: unreadable, or longer than `MAX_CLIP_SECONDS` (stream it with `read_frames`).
    """
    path = Path(path)
    frames = []
    for _, frame in read_frames(path, fps, start, end, size):
        frames.append(frame)
        if len(frames) > MAX_CLIP_SECONDS * fps:
            raise VideoError(f"{path}: longer than {MAX_CLIP_SECONDS:.0f} s; stream it with read_frames")
    if not frames:
        raise VideoError(f"{path}: no frame between {start} s and {end} s")
    return Clip(path.stem, fps, frames=np.stack(frames), path=path)


def write_video(path: str | Path, frames: Iterable[Frame], fps: float, crf: int = 20) -> Path:
    """Writes RGB frames as H.264 (yuv420p, playable everywhere); odd sizes lose one row or column.

    The file appears under its name only when it is whole.

    Raises:
        VideoError: there is no frame.
    """
    import av

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    stream = None
    try:
        with av.open(
            str(partial), "w", options={"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}
        ) as out:
            for picture in frames:
                if stream is None:
                    stream = out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
                    stream.width, stream.height = picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2
                    stream.pix_fmt = "yuv420p"
                    stream.options = {"crf": str(crf), "preset": "veryfast"}
                pixels = np.ascontiguousarray(picture[: stream.height, : stream.width])
                out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            if stream is None:
                raise VideoError(f"{path}: no frames to write")
            out.mux(stream.encode())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path
