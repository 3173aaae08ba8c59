"""Many videos into a folder of poses: parallel over videos, resumable, a broken file stops nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from .estimate import ESTIMATORS
from .jobs import EstimateResult, Job, cache_jobs, died, estimate_one, folder_jobs, mark_used
from .processes import estimator_processes

__all__ = ["EstimateResult", "estimate_videos"]

FORMATS = ("pose", "h5")


def estimate_videos(
    videos: Sequence[str | Path],
    folder: str | Path | None,
    estimator: str = "holistic",
    format: str = "pose",
    fps: float | None = None,
    workers: int = 0,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[Path, float], None] | None = None,
    apart: bool = False,
    cache: str | Path | None = None,
    keep: bool = False,
    cleaning: Mapping[str, Any] | None = None,
    names: Mapping[Path, str] | None = None,
) -> Iterator[EstimateResult]:
    """Estimates many videos in parallel processes, one file each; yields results as they finish.

    A finished file made from the same video by the same estimator is kept, so a stopped run goes on where it was.
    A video that cannot be read, or kills its process, is reported and the others go on. A single video spreads its
    pieces over the processes. (A script that calls this with more than one worker needs the usual
    ``if __name__ == "__main__":``.)

    Args:
        folder: of the files; None writes them into the cache alone, under names of its own.
        format: "pose" or "h5", of files in a folder.
        workers: processes; 0 is one per core.
        progress: told (video, share in [0, 1]); while it runs where this process does the work, and at its end.
        apart: where another video's pose has a video's name, a hash of the video is added to it, so that neither is
            written over the other (HOUSE/anna.mp4 and TREE/anna.mp4 of a dictionary).
        cache: folder of poses by content (`embeddings.pose.cache`); what is there is not estimated again.
        keep: what is estimated into a folder goes into the cache, too.
        cleaning: arguments of `embeddings.pose.clean.clean`, for files in the folder; None leaves poses as they are.
        names: video → name of its file in the folder, without ending; default the video's own.

    Raises:
        ValueError: two videos would write the same file; format or estimator is not known; no folder and no cache.
        ImportError: the estimator's package is not installed.
    """
    paths = list(dict.fromkeys(Path(v) for v in videos))
    ending = format.removeprefix(".")
    if ending not in FORMATS:
        raise ValueError(f"format {format!r} is not known; expected one of {', '.join(FORMATS)}")
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator {estimator!r} is not known; expected one of {', '.join(ESTIMATORS)}")
    cached = None if cache is None else Path(cache)
    jobs = [Job(p, Path(), estimator, fps, dict(settings or {}), keep=keep, cleaning=cleaning) for p in paths]
    if folder is None:
        jobs = cache_jobs([replace(job, cleaning=None) for job in jobs], cached)
    else:
        jobs = folder_jobs(jobs, Path(folder), ending, apart, cached, names or {})
    tell = progress if progress is not None else lambda video, share: None
    waiting: dict[Path, list[Job]] = {}
    for job in jobs:
        header = job.finished()
        if header is None:
            waiting.setdefault(job.output, []).append(job)
            continue
        if folder is None:
            mark_used(job.output)
        tell(job.video, 1.0)
        yield EstimateResult(job.video, job.output, skipped=True, warning=header.get("warning", ""))
    first = {same[0].video: same for same in waiting.values()}
    for result in _in_some_order([same[0] for same in waiting.values()], workers or os.cpu_count() or 1, tell):
        for job in first[result.video]:  # copies of one video have one file in the cache
            tell(job.video, 1.0)
            yield replace(result, video=job.video)


def _in_some_order(jobs: list[Job], cores: int, tell: Callable[[Path, float], None]) -> Iterator[EstimateResult]:
    return _in_turn(jobs, cores, tell) if len(jobs) <= 1 or cores == 1 else _in_parallel(jobs, cores)


def _in_turn(jobs: list[Job], cores: int, tell: Callable[[Path, float], None]) -> Iterator[EstimateResult]:
    for job in jobs:
        yield estimate_one(job, cores, lambda share, job=job: tell(job.video, share))  # type: ignore[misc]


def _in_parallel(jobs: list[Job], cores: int) -> Iterator[EstimateResult]:
    with estimator_processes(min(cores, len(jobs))) as pool:
        futures = {pool.submit(estimate_one, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                # a crash takes the whole pool down and does not say whose it was: each again, alone
                yield _alone(futures[future])


def _alone(job: Job) -> EstimateResult:
    try:
        with estimator_processes(1) as pool:
            return pool.submit(estimate_one, job).result()
    except BrokenProcessPool:
        return died(job)
