"""One interface for all pose estimators.

An estimator is an object with ``name``, ``skeleton``, ``detect(frame) -> Keypoints`` and ``close()``; it may keep a
state from frame to frame (tracking), which ``forget(frame)`` ends. One that looks ahead also has
``follow(frames, fps)``, which yields `Keypoints` frame by frame; one that needs to see a long video before its pieces
has ``settled(path, settings, start, end)``, which returns the settings for them. `ESTIMATORS` says where each one is.

A long video is estimated in pieces of `PIECE_SECONDS`, each by an estimator that has watched nothing but the
`WARM_UP_SECONDS` before it. So the work spreads over processes, memory stays flat, and positions do not depend on the
number of processes (MediaPipe's confidences, which it smooths over time, do in their second decimal at a piece's
first frames).
"""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from safe_files import parse_json

from ..clip import Pose
from ..files import readable
from ..video import VideoError, probe, read_frames
from .estimators.keypoints import Keypoints
from .processes import estimator_processes

__all__ = ["ESTIMATORS", "PoseEstimator", "estimate", "estimate_frames", "make_estimator"]

ESTIMATORS: dict[str, str] = {
    "holistic": ".estimators.holistic.estimator:Holistic",
    "mediapipe": ".estimators.mediapipe:MediaPipeHolistic",
    "mmpose": ".estimators.mmpose:MMPoseWholeBody",
    "rtmlib": ".estimators.rtmlib:RTMPoseWholeBody",
}
PIECE_SECONDS = 60.0
WARM_UP_SECONDS = 1.0

Progress = Callable[[float], None]
"""Told the share of a video that is done, in [0, 1]."""
Follow = Callable[[Iterable[NDArray[np.uint8]], float], Iterator[Keypoints]]


class NoFramesError(VideoError):
    """A stream of frames had none."""


class PoseEstimator(Protocol):
    """What every estimator offers."""

    name: str
    skeleton: str

    def detect(self, frame: NDArray[np.uint8]) -> Keypoints:
        """Keypoints of the main person of one RGB frame (H, W, 3)."""
        ...

    def close(self) -> None:
        """Frees the models."""
        ...


def make_estimator(name: str, **settings: Any) -> PoseEstimator:
    """An estimator by its name in `ESTIMATORS`; settings are its own (config, checkpoint, model files …).

    Raises:
        ValueError: no such estimator.
        ImportError: its package is not installed; the message has the line that installs it.
    """
    made = _class_of(name)
    try:
        inspect.signature(made).bind(**settings)
    except TypeError as error:
        raise ValueError(f"estimator {name!r} does not take these settings ({error})") from None
    estimator: PoseEstimator = made(**settings)
    return estimator


def _class_of(name: str) -> Any:
    if name not in ESTIMATORS:
        raise ValueError(f"estimator {name!r} is not known; expected one of {', '.join(ESTIMATORS)}")
    module, _, attribute = ESTIMATORS[name].partition(":")
    return getattr(import_module(module, __package__), attribute)


def estimate_frames(
    frames: Iterable[NDArray[np.uint8]], fps: float, estimator: PoseEstimator, source: str = ""
) -> Pose:
    """A pose from a stream of frames; holds one frame at a time and T rows of keypoints.

    Raises:
        NoFramesError: there is no frame.
    """
    stream = iter(frames)
    first = next(stream, None)
    if first is None:
        raise NoFramesError(f"{source or 'the stream'}: no frames to estimate a pose from")
    follow: Follow = getattr(estimator, "follow", None) or partial(_one_by_one, estimator)
    rows = [Keypoints(*found) for found in follow(chain([first], stream), fps)]
    return Pose(
        np.stack([row.xy for row in rows]),
        np.stack([row.confidence for row in rows]),
        estimator.skeleton,
        fps,
        (first.shape[1], first.shape[0]),
        z=_stacked([row.z for row in rows]),
        estimator=estimator.name,
        source=source,
        hand_metres=_stacked([row.hand_metres for row in rows]),
    )


def _one_by_one(estimator: PoseEstimator, frames: Iterable[NDArray[np.uint8]], fps: float) -> Iterator[Keypoints]:
    return (estimator.detect(frame) for frame in frames)


def _stacked(values: list[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    there = [value for value in values if value is not None]
    return np.stack(there) if len(there) == len(values) else None


def estimate(
    path: str | Path,
    estimator: str | PoseEstimator = "holistic",
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    pieces_in: Path | None = None,
    **settings: Any,
) -> Pose:
    """The pose of the signer of a video.

    Args:
        path: the video.
        estimator: a name of `ESTIMATORS`, or an estimator that is already made (used as it is, not closed).
        fps: rows per second; None keeps the video's average rate. Always by presentation time.
        start, end: seconds.
        workers: processes for the pieces of a long video; positions are the same for any number.
        progress: told the share that is done.
        pieces_in: folder in which the finished pieces of a long video are kept, so that a stopped estimate goes on; of
            this very video, estimator and settings. Whoever calls removes it.
        settings: passed to the estimator.

    Raises:
        VideoError: the video cannot be read, or shows nothing between start and end.
    """
    path = Path(path)
    info = probe(path)
    rate = info.fps if fps is None else fps
    length = max(0.0, (info.duration if end is None else min(end, info.duration)) - start)
    tell = progress if progress is not None else lambda share: None
    if not isinstance(estimator, str):
        frames = (frame for _, frame in read_frames(path, rate, start, end))
        return estimate_frames(_told(frames, round(length * rate), tell), rate, estimator, source=readable(path.name))
    if length > 1.5 * PIECE_SECONDS:
        settled = getattr(_class_of(estimator), "settled", None)
        settings = settings if settled is None else settled(path, settings, start, start + length)
    pieces = _pieces(path, estimator, settings, rate, start, end, length)
    if pieces_in is not None and len(pieces) > 1:
        pieces = [piece._replace(kept=pieces_in / f"{piece.first}-{piece.last}.h5") for piece in pieces]
    return _joined(path, pieces, _estimated(pieces, workers, tell))


class _Piece(NamedTuple):
    """Rows ``[first, last)`` of a video at `fps`, counted from `start`; `last` None is everything that follows."""

    path: Path
    estimator: str
    settings: dict[str, Any]
    fps: float
    start: float
    end: float | None
    first: int
    last: int | None
    kept: Path | None = None


def _pieces(
    path: Path, estimator: str, settings: dict[str, Any], fps: float, start: float, end: float | None, length: float
) -> list[_Piece]:
    rows = max(1, round(PIECE_SECONDS * fps))
    # what the container says of its length is only a guess: the last piece has no end
    firsts = list(range(0, max(1, round(length * fps) - rows // 2), rows))
    lasts = [*firsts[1:], None]
    return [
        _Piece(path, estimator, settings, fps, start, end, first, last)
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _told(frames: Iterable[NDArray[np.uint8]], count: int, tell: Progress | None) -> Iterator[NDArray[np.uint8]]:
    for done, frame in enumerate(frames, start=1):
        yield frame
        if tell is not None and count > 0:
            tell(min(1.0, done / count))


def _unaware(frames: Iterator[NDArray[np.uint8]], estimator: PoseEstimator) -> Iterator[NDArray[np.uint8]]:
    """The frames, before which an estimator that follows people has forgotten what it saw."""
    first = next(frames, None)
    if first is None:
        return
    forget = getattr(estimator, "forget", None)
    if forget is not None:
        forget(first)
    yield first
    yield from frames


def _kept_piece(
    piece: _Piece, tell: Progress | None = None, used: PoseEstimator | None = None
) -> tuple[Pose | None, list[str]]:
    """As `_estimate_piece`, from the file where it is kept if an earlier estimate came so far."""
    if piece.kept is None:
        return _estimate_piece(piece, tell, used)
    from .files import read_pose, write_pose
    from .formats.dot_pose import read_header

    if piece.kept.exists():
        with suppress(ValueError):  # damaged: estimated again
            return read_pose(piece.kept), parse_json(read_header(piece.kept).get("warning", "[]"))
    pose, told = _estimate_piece(piece, tell, used)
    if pose is not None:
        with suppress(OSError):  # the disk is full: the pose itself will say so
            write_pose(piece.kept, pose, warning=json.dumps(told))
    return pose, told


def _estimate_piece(
    piece: _Piece, tell: Progress | None = None, used: PoseEstimator | None = None
) -> tuple[Pose | None, list[str]]:
    """The piece's rows (None where the video has none left) and what was warned of.

    used: an estimator that has seen other pieces; None makes one for this piece alone.
    """
    warm_up = min(piece.first, round(WARM_UP_SECONDS * piece.fps))
    begin = piece.start + (piece.first - warm_up) / piece.fps
    count = None if piece.last is None else piece.last - piece.first + warm_up
    made = make_estimator(piece.estimator, **piece.settings) if used is None else used
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            stream = (frame for _, frame in read_frames(piece.path, piece.fps, begin, piece.end))
            frames = islice(stream if used is None else _unaware(stream, made), count)
            pose = estimate_frames(_told(frames, count or 0, tell), piece.fps, made, source=readable(piece.path.name))
        except NoFramesError:
            pose = None
        finally:
            if used is None:
                made.close()
    kept = None if pose is None or len(pose) <= warm_up else pose[warm_up:]
    told = [str(w.message) for w in seen if issubclass(w.category, UserWarning)]
    if getattr(made, "people", 1) > 1 and "person" not in piece.settings:
        told.append(f"{piece.path}: several people are seen, and the largest is followed; choose one with --person")
    return kept, told


def _share_of_all(tell: Progress, done: int, pieces: int, share: float) -> None:
    tell((done + share) / pieces)


def _estimated(pieces: list[_Piece], workers: int, tell: Progress) -> Iterator[tuple[Pose | None, list[str]]]:
    if workers <= 1 or len(pieces) == 1:
        made = make_estimator(pieces[0].estimator, **pieces[0].settings)
        try:
            for done, piece in enumerate(pieces):
                share = partial(_share_of_all, tell, done, len(pieces))
                yield _kept_piece(piece, share, made)
        finally:
            made.close()
        return
    with estimator_processes(min(workers, len(pieces))) as pool:
        for done, result in enumerate(pool.map(_kept_piece, pieces), start=1):
            tell(done / len(pieces))
            yield result


def _joined(path: Path, pieces: list[_Piece], results: Iterable[tuple[Pose | None, list[str]]]) -> Pose:
    found: list[Pose] = []
    warned: set[str] = set()
    for piece, (pose, messages) in zip(pieces, results, strict=False):
        warned.update(messages)
        if pose is not None:
            found.append(pose)
        if piece.last is not None and (pose is None or len(pose) < piece.last - piece.first):
            break  # the video ends, or is damaged, before it said it would: nothing after this is in its place
    for message in sorted(warned):
        warnings.warn(message, stacklevel=3)
    if not found:
        raise VideoError(f"{path}: no frame between {pieces[0].start} s and {pieces[0].end} s")
    return replace(
        found[0],
        xy=np.concatenate([pose.xy for pose in found]),
        confidence=np.concatenate([pose.confidence for pose in found]),
        z=_joined_arrays([pose.z for pose in found]),
        hand_metres=_joined_arrays([pose.hand_metres for pose in found]),
    )


def _joined_arrays(values: list[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    there = [value for value in values if value is not None]
    return np.concatenate(there) if len(there) == len(values) else None
