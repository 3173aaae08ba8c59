"""One interface for all pose estimators, for one video or many.

An estimator is an object with ``name``, ``skeleton``, ``detect(frame) -> (xy, confidence, z)`` and ``close()``; it may
keep a state from frame to frame (tracking). `ESTIMATORS` says where each one is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..video import VideoError, probe, read_frames
from .files import read_header, source_stamp, write_pose

__all__ = [
    "ESTIMATORS",
    "EstimateResult",
    "PoseEstimator",
    "estimate",
    "estimate_frames",
    "estimate_videos",
    "make_estimator",
]

ESTIMATORS: dict[str, str] = {
    "mediapipe": "embeddings.pose.mediapipe:MediaPipeHolistic",
    "mmpose": "embeddings.pose.mmpose:MMPoseWholeBody",
    "rtmlib": "embeddings.pose.rtmlib:RTMPoseWholeBody",
}

Keypoints = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None]
"""xy (J, 2) pixels with NaN where missing, confidence (J,), z (J,) or None."""


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
    if name not in ESTIMATORS:
        raise ValueError(f"estimator {name!r} is not known; expected one of {', '.join(ESTIMATORS)}")
    module, _, attribute = ESTIMATORS[name].partition(":")
    estimator: PoseEstimator = getattr(import_module(module), attribute)(**settings)
    return estimator


def estimate_frames(
    frames: Iterable[NDArray[np.uint8]], fps: float, estimator: PoseEstimator, source: str = ""
) -> Pose:
    """A pose from a stream of frames; holds one frame at a time and T rows of keypoints.

    Raises:
        ValueError: there is no frame.
    """
    rows: list[Keypoints] = []
    size = (0, 0)
    for frame in frames:
        size = (frame.shape[1], frame.shape[0])
        rows.append(estimator.detect(frame))
    if not rows:
        raise ValueError(f"{source or 'the stream'}: no frames to estimate a pose from")
    depths = [z for _, _, z in rows if z is not None]
    return Pose(
        np.stack([xy for xy, _, _ in rows]),
        np.stack([confidence for _, confidence, _ in rows]),
        estimator.skeleton,
        fps,
        size,
        z=np.stack(depths) if len(depths) == len(rows) else None,
        estimator=estimator.name,
        source=source,
    )


def estimate(
    path: str | Path,
    estimator: str | PoseEstimator = "mediapipe",
    fps: float | None = None,
    start: float = 0.0,
    end: float | None = None,
    **settings: Any,
) -> Pose:
    """The pose of the signer of a video.

    Args:
        path: the video.
        estimator: a name of `ESTIMATORS`, or an estimator that is already made (used as it is, not closed).
        fps: rows per second; None keeps the video's average rate. Always by presentation time.
        start, end: seconds.
        settings: passed to the estimator.

    Raises:
        VideoError: the video cannot be read.
    """
    path = Path(path)
    rate = probe(path).fps if fps is None else fps
    made = make_estimator(estimator, **settings) if isinstance(estimator, str) else estimator
    try:
        frames = (frame for _, frame in read_frames(path, rate, start, end))
        return estimate_frames(frames, rate, made, source=path.name)
    finally:
        if isinstance(estimator, str):
            made.close()


@dataclass(frozen=True)
class EstimateResult:
    """What became of one video.

    Attributes:
        video: the video.
        output: its pose file, None when it failed.
        error: one line saying why it failed, "" otherwise.
        skipped: True when a finished file was already there.
    """

    video: Path
    output: Path | None
    error: str = ""
    skipped: bool = False


def estimate_videos(
    videos: Sequence[str | Path],
    folder: str | Path,
    estimator: str = "mediapipe",
    format: str = "pose",
    fps: float | None = None,
    workers: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[EstimateResult]:
    """Estimates many videos in parallel processes, one file each in `folder`; yields results as they finish.

    A finished file made from the same video by the same estimator is kept, so a stopped run goes on where it was.
    A video that cannot be read, or kills its process, is reported and the others go on.

    Args:
        format: "pose" or "h5".
        workers: processes; 0 is one per core.

    Raises:
        ValueError: two videos would write the same file; format or estimator is not known.
    """
    folder = Path(folder)
    paths = [Path(v) for v in videos]
    if format not in ("pose", "h5"):
        raise ValueError(f"format {format!r} is not known; expected 'pose' or 'h5'")
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator {estimator!r} is not known; expected one of {', '.join(ESTIMATORS)}")
    outputs = {path: folder / f"{path.stem}.{format}" for path in paths}
    if len(set(outputs.values())) != len(set(paths)):
        names = sorted(p.stem for p in paths)
        twice = sorted({n for n in names if names.count(n) > 1})
        raise ValueError(f"videos of the same name would overwrite each other's poses: {', '.join(twice)}; rename them")
    folder.mkdir(parents=True, exist_ok=True)
    waiting: list[tuple[Path, Path]] = []
    for path, output in outputs.items():
        if _finished(path, output, estimator, fps):
            yield EstimateResult(path, output, skipped=True)
        else:
            waiting.append((path, output))
    yield from _estimate_all(waiting, estimator, fps, workers, dict(settings or {}))


def _estimate_all(
    waiting: list[tuple[Path, Path]], estimator: str, fps: float | None, workers: int, settings: dict[str, Any]
) -> Iterator[EstimateResult]:
    cores = workers if workers > 0 else (os.cpu_count() or 1)
    if len(waiting) <= 1 or cores == 1:
        for path, output in waiting:
            yield _estimate_one(path, output, estimator, fps, settings)
        return
    # spawn: the native libraries of the estimators do not survive a fork
    with ProcessPoolExecutor(min(cores, len(waiting)), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(_estimate_one, p, o, estimator, fps, settings): (p, o) for p, o in waiting}
        for future in as_completed(futures):
            path, output = futures[future]
            try:
                yield future.result()
            except BrokenProcessPool:
                # a crash takes the whole pool down and does not say whose it was: each again, alone
                yield _estimate_alone(path, output, estimator, fps, settings)


def _estimate_alone(
    path: Path, output: Path, estimator: str, fps: float | None, settings: dict[str, Any]
) -> EstimateResult:
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_estimate_one, path, output, estimator, fps, settings).result()
    except BrokenProcessPool:
        return EstimateResult(path, None, f"{path}: the pose estimator's process died on this video")


def _estimate_one(
    path: Path, output: Path, estimator: str, fps: float | None, settings: dict[str, Any]
) -> EstimateResult:
    try:
        pose = estimate(path, estimator, fps, **settings)
        write_pose(output, pose, stamp=source_stamp(path, fps))
    except (VideoError, OSError, ValueError) as error:
        return EstimateResult(path, None, str(error))
    return EstimateResult(path, output)


def _finished(path: Path, output: Path, estimator: str, fps: float | None) -> bool:
    """Whether `output` was made from this very video, at this rate, by this estimator."""
    if not output.exists() or not path.exists():
        return False
    header = read_header(output)
    return header.get("stamp") == source_stamp(path, fps) and header.get("estimator", "").startswith(estimator)
