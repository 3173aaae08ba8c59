"""`Job`: one video whose pose is to be estimated, where it goes, and whether it is there already."""

from __future__ import annotations

import hashlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..clip import Pose
from ..files import media_name
from .cache import PIECES, cached_to
from .estimate import estimate
from .files import read_pose, source_stamp, write_pose
from .formats.dot_pose import read_header
from .quality import as_text, measure_quality

__all__ = ["EstimateResult", "Job", "cache_jobs", "died", "estimate_one", "folder_jobs", "mark_used"]

CLEANED = ":clean-"
"""Between what a pose was made from and how it was cleaned, in its stamp."""


@dataclass(frozen=True)
class EstimateResult:
    """What became of one video.

    Attributes:
        video: the video.
        output: its pose file, None when it failed.
        error: one line saying why it failed, "" otherwise.
        skipped: True when nothing was estimated: a finished file was there, or the cache had the pose.
        warning: one line when the video was damaged and only a part is in the file, or when several people are seen; ""
            otherwise.
    """

    video: Path
    output: Path | None
    error: str = ""
    skipped: bool = False
    warning: str = ""


@dataclass(frozen=True)
class Job:
    """One video.

    Attributes:
        output: the pose file to write.
        cached: where the cache has its pose, or would have it.
        keep: whether what is estimated goes into the cache, too.
        cleaning: arguments of `embeddings.pose.clean.clean`; None leaves the pose as it was estimated.
        any_cleaning: a file that was cleaned in whichever way counts as finished.
    """

    video: Path
    output: Path
    estimator: str
    fps: float | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    cached: Path | None = None
    keep: bool = False
    cleaning: Mapping[str, Any] | None = None
    any_cleaning: bool = False

    @property
    def raw_stamp(self) -> str:
        """What the estimate is made from: the video, the rate and the estimator's settings."""
        stamp = source_stamp(self.video, self.fps)
        return f"{stamp}:{_hash(self.settings)}" if self.settings else stamp

    @property
    def stamp(self) -> str:
        """What the output is made from: the estimate, and how it is cleaned."""
        return self.raw_stamp if self.cleaning is None else f"{self.raw_stamp}{CLEANED}{_hash(self.cleaning)}"

    @property
    def pieces(self) -> Path | None:
        """Folder of what is finished of a long video; None for one that cannot be read."""
        whole = self.output if self.cached is None else self.cached
        if not self.video.exists():
            return None
        return whole.with_name(f".{_hash({'file': whole.name, 'from': self.raw_stamp})}{PIECES}")

    def finished(self) -> Mapping[str, str] | None:
        """What the output says of itself, if it was made from this very video, at this rate, by this estimator."""
        return self._made(self.output, lambda: self.stamp)

    def in_cache(self) -> Mapping[str, str] | None:
        """The same of the cache's file."""
        return None if self.cached is None else self._made(self.cached, lambda: self.raw_stamp)

    def _made(self, file: Path, stamp: Callable[[], str]) -> Mapping[str, str] | None:
        try:
            if not file.exists() or not self.video.exists():
                return None
            header = read_header(file)
            same = header.get("stamp", "").partition(CLEANED)[0] if self.any_cleaning else header.get("stamp")
            return header if same == stamp() and header.get("estimator", "").startswith(self.estimator) else None
        except OSError:  # the video may not be read: whoever reads it says so
            return None


def _hash(values: Mapping[str, Any]) -> str:
    facts = repr(sorted((key, str(value)) for key, value in values.items()))
    return hashlib.sha256(facts.encode()).hexdigest()[:8]


def folder_jobs(
    jobs: Sequence[Job], folder: Path, ending: str, apart: bool, cache: Path | None, names: Mapping[Path, str]
) -> list[Job]:
    """Jobs that write into a folder, and look into the cache first where there is one.

    Raises:
        ValueError: two videos would write the same file.
    """
    outputs = [folder / f"{names.get(job.video, media_name(job.video))}.{ending}" for job in jobs]
    if apart:
        outputs = list(_kept_apart(jobs, outputs))
    if len(set(outputs)) != len(outputs):
        twice = sorted({output.stem for output in outputs if outputs.count(output) > 1})
        raise ValueError(f"videos of the same name would overwrite each other's poses: {', '.join(twice)}; rename them")
    folder.mkdir(parents=True, exist_ok=True)
    return [
        replace(job, output=output, any_cleaning=apart, cached=None if cache is None else _in_cache(job, cache))
        for job, output in zip(jobs, outputs, strict=True)
    ]


def _kept_apart(jobs: Sequence[Job], outputs: Sequence[Path]) -> Iterator[Path]:
    taken: set[Path] = set()
    for job, output in zip(jobs, outputs, strict=True):
        stamp = _stamp(job)
        if output in taken or (output.exists() and not read_header(output).get("stamp", "").startswith(stamp)):
            mark = hashlib.sha256(f"{job.video.resolve()}:{stamp}".encode()).hexdigest()[:8]
            output = output.with_name(f"{output.stem}.{mark}{output.suffix}")
        taken.add(output)
        yield output


def _stamp(job: Job) -> str:
    try:
        return source_stamp(job.video, job.fps)
    except OSError:
        return ""


def cache_jobs(jobs: Sequence[Job], cache: Path | None) -> list[Job]:
    """Jobs that write into the cache.

    Raises:
        ValueError: there is none.
    """
    if cache is None:
        raise ValueError("poses of many videos are estimated into a folder or the cache; name one")
    cache.mkdir(parents=True, exist_ok=True)
    return [replace(job, output=_in_cache(job, cache)) for job in jobs]


def _in_cache(job: Job, cache: Path) -> Path:
    """The cache's file of a video; one that is not there has a place of its own, at which nothing will be written."""
    try:
        return cached_to(cache, job.raw_stamp, job.estimator)
    except OSError:
        return cached_to(cache, f"absent {job.video.absolute()}", job.estimator)


def estimate_one(job: Job, workers: int = 1, tell: Callable[[float], None] | None = None) -> EstimateResult:
    """Does a job; whatever is wrong with the video is in the result.

    Raises:
        ImportError: the estimator's package is not installed.
    """
    try:
        header = job.in_cache()
        if header is not None and job.cached is not None:
            pose, damaged = read_pose(job.cached), header.get("warning", "")
            mark_used(job.cached)
        else:
            pose, damaged = _estimated(job, workers, tell)
        quality = as_text(measure_quality(pose))
        if header is None and job.keep and job.cached is not None:
            with suppress(OSError):  # where the cache is full or closed, the pose is in its folder all the same
                write_pose(job.cached, pose, job.raw_stamp, quality, damaged)
        if job.cleaning is not None:
            from .clean import clean

            pose = clean(pose, **dict(job.cleaning))
        write_pose(job.output, pose, job.stamp, quality, damaged)
        if job.pieces is not None:
            shutil.rmtree(job.pieces, ignore_errors=True)
    except ImportError:
        raise  # nothing is wrong with the video, and the next one would fail alike
    except BrokenProcessPool:
        return died(job)
    except Exception as error:  # one video must not stop the others, whatever a native library throws
        reason = " ".join(str(error).split())
        known = isinstance(error, OSError) or str(job.video) in reason
        named = reason if known else f"{job.video}: {type(error).__name__}: {reason}"
        return EstimateResult(job.video, None, named)
    return EstimateResult(job.video, job.output, skipped=header is not None, warning=damaged)


def _estimated(job: Job, workers: int, tell: Callable[[float], None] | None) -> tuple[Pose, str]:
    """(pose, what was warned of about the video)."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        pose = estimate(
            job.video, job.estimator, job.fps, workers=workers, progress=tell, pieces_in=job.pieces, **job.settings
        )
    return pose, "; ".join(str(w.message) for w in seen if str(job.video) in str(w.message))


def mark_used(file: Path) -> None:
    """Notes that an entry of the cache was used now."""
    with suppress(OSError):
        os.utime(file)


def died(job: Job) -> EstimateResult:
    """The result of a video that killed the process that worked on it."""
    reason = "the pose estimator's process died on it (a crash, too little memory, or a script without its main guard)"
    return EstimateResult(job.video, None, f"{job.video}: {reason}")
