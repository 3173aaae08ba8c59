"""Video in and out: probe, decode by presentation time with bounded memory, write H.264.

A folder of numbered images is read like a video of 25 frames a second, or of as many as are asked for.

PyAV does the decoding. Frames come one at a time, so an hour of video never sits in memory. Time is what the file
says (presentation timestamps), counted from the first frame shown; frames are never counted to get a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import reader, whole_file

from .clip import Clip
from .image_folder import IMAGE_FPS, image_size, read_images
from .video_decode import Frame, PictureMaker, VideoError, first_frame, open_video, rotation, timed_frames

__all__ = ["VideoError", "VideoInfo", "probe", "read_clip", "read_frames", "write_video"]

MOMENT = 1e-6
"""Seconds below which two times are the same."""
MAX_CLIP_SECONDS = 120.0
"""`read_clip` refuses more: frames of longer video belong in a stream."""


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


def probe(path: str | Path) -> VideoInfo:
    """Size, frame rate and length of a video; decodes its first frame only.

    Raises:
        VideoError: missing, empty, unreadable, or without a video stream.
    """
    path = Path(path)
    if path.is_dir():
        width, height, count = image_size(path)
        return VideoInfo(path, width, height, IMAGE_FPS, count / IMAGE_FPS, 0)
    container, stream = open_video(path)
    with container:
        first = first_frame(path, container, stream)
        turned = rotation(first)
        width, height = (first.height, first.width) if turned % 180 else (first.width, first.height)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        if stream.duration is not None and stream.time_base is not None:
            duration = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration = container.duration / 1e6
        else:
            duration = 0.0
    return VideoInfo(path, width, height, float(rate), duration, turned)


@reader(VideoError)
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
            variable-rate video are repeated or left out, never shifted. Of a folder of images it is the images' own.
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
    if path.is_dir():
        yield from read_images(path, fps, start, end, size)
        return
    limit = float("inf") if end is None else end
    if fps is not None:
        yield from _resampled(path, fps, start, limit, size)
        return
    picture = PictureMaker(size)
    for seconds, _, frame in timed_frames(path, start):
        if seconds >= limit - MOMENT:
            return
        if seconds >= start - MOMENT:
            yield seconds, picture(frame)


def _resampled(
    path: Path, fps: float, start: float, limit: float, size: tuple[int, int] | None
) -> Iterator[tuple[float, Frame]]:
    row, last, until, picture, render = 0, None, 0.0, None, PictureMaker(size)
    for seconds, lasts, frame in timed_frames(path, start):
        # everything due before this frame appears shows the frame before it. Containers round times to their tick
        # (Matroska: 1 ms); without the tolerance a frame rounded up would miss its own moment
        tick = min(float(frame.time_base or 0) * 1.01, lasts / 4)
        while last is not None and start + row / fps < min(seconds - max(tick, MOMENT), limit - MOMENT):
            picture = render(last) if picture is None else picture
            yield start + row / fps, picture
            row += 1
        if start + row / fps >= limit - MOMENT:
            return
        last, until, picture = frame, seconds + lasts, None
    # the last frame stays for as long as the file says
    while last is not None and start + row / fps < min(until, limit) - MOMENT:
        picture = render(last) if picture is None else picture
        yield start + row / fps, picture
        row += 1


@reader(VideoError)
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
            raise VideoError(f"{path}: longer than {MAX_CLIP_SECONDS:.0f} s, stream it with read_frames")
    if not frames:
        raise VideoError(f"{path}: no frame between {start} s and {end} s")
    return Clip(path.stem, fps, frames=np.stack(frames), path=path)


def write_video(path: str | Path, frames: Iterable[Frame], fps: float, crf: int = 20) -> Path:
    """Writes RGB frames as H.264 (yuv420p, BT.601, playable everywhere) straight from an iterator.

    The same frames give the same bytes on every machine with the same encoder: one thread, no algorithm chosen by
    processor, colours converted in whole numbers. The format needs even sizes: an odd last row or column is written
    twice. The file appears under its name only when it is whole.

    Raises:
        VideoError: there is no frame, or one has another size than the first.
        ValueError: fps is not positive.
    """
    import av

    path = Path(path)
    if not fps > 0:
        raise ValueError(f"fps is {fps}; expected a positive number")
    options = {"fflags": "+bitexact"}
    if path.suffix.lower() in (".mp4", ".mov"):
        options["movflags"] = "+faststart"
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise VideoError(f"{path}: no frames to write")
    with whole_file(path) as partial, av.open(str(partial), "w", options=options) as out:
        stream = out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        height, width = first.shape[:2]
        stream.height, stream.width = height + height % 2, width + width % 2
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast", "x264-params": _REPEATABLE}
        for picture in chain([first], pictures):
            planes = _planes(_even(path, picture, first.shape[:2]))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        out.mux(stream.encode())
    return path


# x264 looks beyond the rim of pictures whose width is no multiple of 64 in the kernels that it chooses for newer
# processors, and finds there what the memory held before: two runs differed in most frames.
_REPEATABLE = "threads=1:lookahead-threads=1:cpu-independent=1"

# BT.601 with a black of 16 and a white of 235, in 2^-16
_LUMA = np.array([16829, 33039, 6416], np.int32)
_CHROMA = np.array([[-9714, -19071, 28785], [28785, -24103, -4682]], np.int32)


def _planes(picture: Frame) -> NDArray[np.uint8]:
    """The picture in Y, U, V, a plane after the other as PyAV takes them; colour is the mean of two by two pixels."""
    height, width = picture.shape[:2]
    rgb = picture.astype(np.int32)
    luma = (rgb @ _LUMA + (16 << 16) + (1 << 15)) >> 16
    rows = rgb[0::2] + rgb[1::2]
    chroma = ((rows[:, 0::2] + rows[:, 1::2]) @ _CHROMA.T + (128 << 18) + (1 << 17)) >> 18
    packed = np.concatenate([luma.ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()])
    return packed.astype(np.uint8).reshape(height * 3 // 2, width)


def _even(path: Path, picture: Frame, shape: tuple[int, ...]) -> Frame:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise VideoError(f"{path}: a frame is {picture.dtype} {picture.shape}; expected uint8 (H, W, 3)")
    if picture.shape[:2] != shape:
        raise VideoError(f"{path}: a frame is {picture.shape[:2]}, the first was {shape}; one video has one size")
    odd_rows, odd_columns = shape[0] % 2, shape[1] % 2
    if odd_rows or odd_columns:
        picture = np.pad(picture, ((0, odd_rows), (0, odd_columns), (0, 0)), mode="edge")
    return np.ascontiguousarray(picture)
