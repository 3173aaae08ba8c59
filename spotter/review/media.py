"""The videos that the page shows: known by id, never by path; playable copies; small pictures; times of frames.

Browsers play H.264, VP8, VP9 and AV1 in MP4 and WebM. Anything else gets a copy in H.264, made once, with a key frame
every second so that seeking is quick, upright, without sound, and with every frame at its own time.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safe_files import whole_file, write_bytes

from ..project.endings import holds_pictures

__all__ = [
    "Media",
    "MediaError",
    "MediaFile",
    "frame_times",
    "make_playable",
    "media_id",
    "picture",
    "plays_in_browsers",
]

LARGEST_SIDE = 1280
"""Pixels; copies are made no larger."""
TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
CODECS = {"mp4": ("h264", "av1", "vp9"), "webm": ("vp8", "vp9", "av1")}
PIXELS = ("yuv420p", "yuvj420p")
LATE = 1e-3
"""Seconds: a file whose first frame comes later than this gets a copy, since players disagree about its zero."""


class MediaError(ValueError):
    """A video cannot be shown."""


def media_id(kind: str, name: str) -> str:
    """What a video is called in addresses: says nothing of its path."""
    return hashlib.sha256(f"{kind}\0{name}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class MediaFile:
    """A video, or a pose file, that the page may ask for.

    Attributes:
        id: see `media_id`.
        kind: "video" for what is searched, "exemplar" for example clips.
        name: as detections have it.
        path: of the file.
    """

    id: str
    kind: str
    name: str
    path: Path

    @property
    def pictures(self) -> bool:
        """Whether it holds pictures (a pose file holds none)."""
        return holds_pictures(self.path)


class Media:
    """The files of a page, by id, with what was made of them.

    Args:
        folder: where copies and pictures are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, MediaFile] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._making: dict[str, _Making] = {}
        self._lock = threading.Lock()
        self._one_copy = threading.Lock()
        self._stop = threading.Event()

    def add(self, kind: str, files: Mapping[str, Path]) -> None:
        """Makes files known."""
        for name, path in files.items():
            one = MediaFile(media_id(kind, name), kind, name, path)
            self.files[one.id] = one

    def file(self, id: str) -> MediaFile:
        """The file of an id.

        Raises:
            MediaError: there is none.
        """
        if id not in self.files:
            raise MediaError(f"no video has the id {id!r}")
        return self.files[id]

    def facts(self, id: str) -> dict[str, Any]:
        """What the page needs to know to show a video: size, frame rate, duration, whether it can be played now.

        Raises:
            MediaError: the file is gone or not readable.
        """
        file = self.file(id)
        if id not in self._facts:
            self._facts[id] = _facts_of(file)
        facts = dict(self._facts[id])
        if facts["pictures"] and not facts.pop("plays"):
            facts |= self._copy_of(file)
        else:
            facts |= {"ready": True, "made": 1.0, "error": ""}
        return facts

    def playable(self, id: str) -> tuple[Path, str]:
        """(file, media type) to send.

        Raises:
            MediaError: there is nothing to play (yet).
        """
        file = self.file(id)
        facts = self.facts(id)
        if not facts["pictures"] or not facts["ready"]:
            raise MediaError(f"{file.name}: cannot be played" + (" yet" if facts["pictures"] else ""))
        if self._facts[id]["plays"]:
            return file.path, TYPES[file.path.suffix.lower()]
        return self._target(file), "video/mp4"

    def _target(self, file: MediaFile) -> Path:
        return self.folder / "playable" / f"{_stamp(file.path)}.mp4"

    def _copy_of(self, file: MediaFile) -> dict[str, Any]:
        if self._target(file).is_file():
            return {"ready": True, "made": 1.0, "error": ""}
        with self._lock:
            making = self._making.get(file.id)
            if making is None:
                making = self._making[file.id] = _Making()
                threading.Thread(target=self._make, args=(file, making), daemon=True, name="copy").start()
        return {"ready": False, "made": making.share, "error": making.error}

    def _make(self, file: MediaFile, making: _Making) -> None:
        def tell(share: float) -> None:
            making.share = share

        with self._one_copy:  # one after the other: two would take twice as long each
            try:
                make_playable(file.path, self._target(file), tell, self._stop)
            except (ValueError, OSError) as error:
                making.error = str(error)

    def close(self) -> None:
        """Stops making copies; what is not finished leaves nothing behind."""
        self._stop.set()
        with self._one_copy:
            pass

    def picture(self, id: str, seconds: float, height: int) -> Path:
        """A JPEG of the frame on screen at a time, made once.

        Raises:
            MediaError: the file holds no pictures or is not readable.
        """
        file = self.file(id)
        if not file.pictures:
            raise MediaError(f"{file.name}: holds no pictures")
        ms = max(0, round(seconds * 1000))
        target = self.folder / "pictures" / f"{_stamp(file.path)}-{ms}-{height}.jpg"
        if not target.is_file():
            write_bytes(target, picture(file.path, ms / 1000, height))
        return target


@dataclass
class _Making:
    """A copy that is being made: share done, and why it failed."""

    share: float = 0.0
    error: str = ""


def _stamp(path: Path) -> str:
    """Names a file's content in this folder: its path, size and date, which is enough for copies of it."""
    try:
        facts = path.stat()
    except OSError:
        raise MediaError(f"{path}: no such file (any more); link it again with spotter new") from None
    return hashlib.sha256(f"{path.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}".encode()).hexdigest()[:20]


def _facts_of(file: MediaFile) -> dict[str, Any]:
    from embeddings.video import VideoError, probe

    _stamp(file.path)
    if not file.pictures:
        return {"pictures": False, "plays": False}
    try:
        info = probe(file.path)
        plays = plays_in_browsers(file.path)
    except VideoError as error:
        raise MediaError(str(error)) from None
    return {
        "pictures": True, "plays": plays, "width": info.width, "height": info.height, "fps": info.fps,
        "duration": info.duration,
    }  # fmt: skip


def plays_in_browsers(path: Path) -> bool:
    """Whether today's browsers play the file as it is, with its first frame at time 0.

    Raises:
        VideoError: not readable.
    """
    from embeddings.video_decode import first_frame, open_video

    container, stream = open_video(path)
    with container:
        kind = "webm" if "webm" in container.format.name else "mp4" if "mp4" in container.format.name else ""
        if path.suffix.lower() not in TYPES or stream.codec_context.name.removeprefix("lib") not in CODECS.get(
            kind, ()
        ):
            return False
        first = first_frame(path, container, stream)
        return first.format.name in PIXELS and abs(first.time or 0.0) < LATE


def make_playable(
    source: Path,
    target: Path,
    progress: Callable[[float], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Writes a copy that browsers play: H.264, upright, no sound, frames at their own times, quick to seek.

    Args:
        progress: called with the share done.
        stop: set from elsewhere, it ends the work; nothing is left behind.

    Raises:
        MediaError: the source holds no frame, or the work was stopped.
        VideoError: not readable.
    """
    import av

    from embeddings.video import probe
    from embeddings.video_decode import timed_frames

    info = probe(source)
    scale = min(1.0, LARGEST_SIDE / max(info.width, info.height))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (info.width, info.height))
    with whole_file(target) as partial, av.open(str(partial), "w", options={"movflags": "+faststart"}) as out:
        stream: Any = out.add_stream("libx264", rate=round(info.fps) or 25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = max(1, round(info.fps))
        stream.options = {"crf": "21", "preset": "veryfast", "bf": "0"}
        clock = _Ticks(stream)
        for seconds, _, frame in timed_frames(source, 0.0):
            if stop is not None and stop.is_set():
                raise MediaError(f"{source}: stopped")
            out.mux(stream.encode(clock.stamped(_upright(frame, width, height), seconds)))
            if progress is not None and info.duration > 0:
                progress(min(1.0, seconds / info.duration))
        out.mux(stream.encode())


class _Ticks:
    """Gives frames their times in a fine clock; two frames never have the same."""

    RATE = 90_000

    def __init__(self, stream: Any) -> None:
        from fractions import Fraction

        self.base = Fraction(1, self.RATE)
        stream.codec_context.time_base = self.base
        self.last = -1

    def stamped(self, frame: Any, seconds: float) -> Any:
        self.last = max(self.last + 1, round(seconds * self.RATE))
        frame.pts, frame.time_base = self.last, self.base
        return frame


def _upright(frame: Any, width: int, height: int) -> Any:
    import av

    from embeddings.video_decode import PictureMaker, rotation

    if rotation(frame):
        return av.VideoFrame.from_ndarray(PictureMaker((width, height))(frame), format="rgb24").reformat(
            format="yuv420p"
        )
    return frame.reformat(width=width, height=height, format="yuv420p")


def frame_times(path: Path, start: float, end: float) -> list[float]:
    """Times of the frames that are shown between start and end, in seconds since the first frame, ascending.

    Read from the packets, so nothing is decoded but one frame.

    Raises:
        VideoError: not readable.
    """
    from embeddings.video_decode import first_frame, open_video

    container, stream = open_video(path)
    with container:
        zero = first_frame(path, container, stream).time or 0.0
        base = float(stream.time_base)
        container.seek(int(max(0.0, start + zero - 1.0) / base), stream=stream, backward=True)
        times: set[float] = set()
        for packet in container.demux(stream):
            if packet.pts is None or packet.is_discard:
                continue
            seconds = packet.pts * base - zero
            if start <= seconds < end:
                times.add(round(seconds, 6))
            # pictures are stored out of order, but never by more than a second or so
            if packet.dts is not None and packet.dts * base - zero > end + 2.0:
                break
    return sorted(times)


def picture(path: Path, seconds: float, height: int) -> bytes:
    """A JPEG of the frame on screen at a time; the last frame for later times.

    Raises:
        MediaError: no frame there.
    """
    import io

    from PIL import Image

    from embeddings.video import VideoError, probe, read_frames

    try:
        info = probe(path)
        width = max(1, round(info.width * height / info.height))
        latest = max(0.0, info.duration - 2 / max(info.fps, 1.0)) if info.duration else seconds
        for _, frame in read_frames(path, max(info.fps, 1.0), min(seconds, latest), size=(width, height)):
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "JPEG", quality=78)
            return buffer.getvalue()
    except VideoError as error:
        raise MediaError(str(error)) from None
    raise MediaError(f"{path}: no frame at {seconds:.2f} s")
