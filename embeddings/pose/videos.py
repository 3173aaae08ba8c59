"""Many videos into a folder of poses: parallel over videos, resumable, a broken file stops nobody else."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ..files import media_name
from .estimate import ESTIMATORS, estimate
from .files import source_stamp, write_pose
from .formats.dot_pose import read_header
from .quality import as_text, measure_quality

__all__ = ["EstimateResult", "estimate_videos"]

FORMATS = ("pose", "h5")


@dataclass(frozen=True)
class EstimateResult:
    """What became of one video.

    Attributes:
        video: the video.
        output: its pose file, None when it failed.
        error: one line saying why it failed, "" otherwise.
        skipped: True when a finished file was already there.
        warning: one line when the video was damaged and only a part is in the file, "" otherwise.
    """

    video: Path
    output: Path | None
    error: str = ""
    skipped: bool = False
    warning: str = ""


@dataclass(frozen=True)
class _Job:
    video: Path
    output: Path
    estimator: str
    fps: float | None
    settings: Mapping[str, Any]

    @property
    def stamp(self) -> str:
        """What the output is made from: the video, the rate and the estimator's settings."""
        stamp = source_stamp(self.video, self.fps)
        if not self.settings:
            return stamp
        facts = repr(sorted((key, str(value)) for key, value in self.settings.items()))
        return f"{stamp}:{hashlib.sha256(facts.encode()).hexdigest()[:8]}"

    def finished(self) -> bool:
        """Whether the output was made from this very video, at this rate, by this estimator."""
        if not self.output.exists() or not self.video.exists():
            return False
        header = read_header(self.output)
        return header.get("stamp") == self.stamp and header.get("estimator", "").startswith(self.estimator)


def estimate_videos(
    videos: Sequence[str | Path],
    folder: str | Path,
    estimator: str = "holistic",
    format: str = "pose",
    fps: float | None = None,
    workers: int = 0,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[Path, float], None] | None = None,
    apart: bool = False,
) -> Iterator[EstimateResult]:
    """Estimates many videos in parallel processes, one file each in `folder`; yields results as they finish.

    A finished file made from the same video by the same estimator is kept, so a stopped run goes on where it was.
    A video that cannot be read, or kills its process, is reported and the others go on. A single video spreads its
    pieces over the processes. (A script that calls this with more than one worker needs the usual
    ``if __name__ == "__main__":``.)

    Args:
        format: "pose" or "h5".
        workers: processes; 0 is one per core.
        progress: told (video, share in [0, 1]); while it runs where this process does the work, and at its end.
        apart: where another video's pose has a video's name, a hash of the video is added to it, so that neither is
            written over the other (HOUSE/anna.mp4 and TREE/anna.mp4 of a dictionary).

    Raises:
        ValueError: two videos would write the same file; format or estimator is not known.
        ImportError: the estimator's package is not installed.
    """
    folder = Path(folder)
    paths = list(dict.fromkeys(Path(v) for v in videos))
    ending = format.removeprefix(".")
    if ending not in FORMATS:
        raise ValueError(f"format {format!r} is not known; expected one of {', '.join(FORMATS)}")
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator {estimator!r} is not known; expected one of {', '.join(ESTIMATORS)}")
    outputs = [folder / f"{media_name(path)}.{ending}" for path in paths]
    if apart:
        outputs = list(_kept_apart(paths, outputs, fps))
    if len(set(outputs)) != len(paths):
        twice = sorted({output.stem for output in outputs if outputs.count(output) > 1})
        raise ValueError(f"videos of the same name would overwrite each other's poses: {', '.join(twice)}; rename them")
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [_Job(p, o, estimator, fps, dict(settings or {})) for p, o in zip(paths, outputs, strict=True)]
    tell = progress if progress is not None else lambda video, share: None
    waiting = []
    for job in jobs:
        if job.finished():
            tell(job.video, 1.0)
            yield EstimateResult(job.video, job.output, skipped=True)
        else:
            waiting.append(job)
    cores = workers if workers > 0 else (os.cpu_count() or 1)
    for result in _in_turn(waiting, cores, tell) if len(waiting) <= 1 or cores == 1 else _in_parallel(waiting, cores):
        tell(result.video, 1.0)
        yield result


def _kept_apart(videos: Sequence[Path], outputs: Sequence[Path], fps: float | None) -> Iterator[Path]:
    taken: set[Path] = set()
    for video, output in zip(videos, outputs, strict=True):
        stamp = source_stamp(video, fps) if video.exists() else ""
        if output in taken or (output.exists() and not read_header(output).get("stamp", "").startswith(stamp)):
            mark = hashlib.sha256(f"{video.resolve()}:{stamp}".encode()).hexdigest()[:8]
            output = output.with_name(f"{output.stem}.{mark}{output.suffix}")
        taken.add(output)
        yield output


def _in_turn(jobs: list[_Job], cores: int, tell: Callable[[Path, float], None]) -> Iterator[EstimateResult]:
    for job in jobs:
        yield _estimate_one(job, cores, lambda share, job=job: tell(job.video, share))  # type: ignore[misc]


def _in_parallel(jobs: list[_Job], cores: int) -> Iterator[EstimateResult]:
    # spawn: the native libraries of the estimators do not survive a fork
    with ProcessPoolExecutor(min(cores, len(jobs)), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(_estimate_one, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                # a crash takes the whole pool down and does not say whose it was: each again, alone
                yield _alone(futures[future])


def _alone(job: _Job) -> EstimateResult:
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_estimate_one, job).result()
    except BrokenProcessPool:
        return _died(job)


def _died(job: _Job) -> EstimateResult:
    reason = "the pose estimator's process died on it (a crash, too little memory, or a script without its main guard)"
    return EstimateResult(job.video, None, f"{job.video}: {reason}")


def _estimate_one(job: _Job, workers: int = 1, tell: Callable[[float], None] | None = None) -> EstimateResult:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            pose = estimate(job.video, job.estimator, job.fps, workers=workers, progress=tell, **job.settings)
            write_pose(job.output, pose, stamp=job.stamp, quality=as_text(measure_quality(pose)))
        except ImportError:
            raise  # nothing is wrong with the video, and the next one would fail alike
        except BrokenProcessPool:
            return _died(job)
        except Exception as error:  # one video must not stop the others, whatever a native library throws
            reason = " ".join(str(error).split())
            named = reason if str(job.video) in reason else f"{job.video}: {type(error).__name__}: {reason}"
            return EstimateResult(job.video, None, named)
    damaged = "; ".join(str(w.message) for w in seen if str(job.video) in str(w.message))
    return EstimateResult(job.video, job.output, warning=damaged)
