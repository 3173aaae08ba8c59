"""Corpora on a cluster: the same functions as on one machine, run by Ray Data.

Every video is an item of its own: estimating its pose, then encoding it into its file of the corpus. A worker that dies
takes one item with it, which Ray gives to another; what is finished is a file and is never done again. All machines
must see the videos, the poses' folder and the corpus's folder under the same names. The index is built as shards, one
item each, and merged on disk by the machine that asked. A cluster is found by RAY_ADDRESS; without it, Ray starts on
this machine.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from .indexing import IndexJob, done, encode_into, in_one_line

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from embeddings.encoders.compute import Precision

__all__ = ["RayEngine", "mapper", "start_ray"]

RETRIES = 5
"""How often an item whose worker died is given to another."""

Job = TypeVar("Job")


def start_ray(workers: int = 0) -> Any:
    """The module `ray`, connected to the cluster of RAY_ADDRESS, or else started here with so many workers.

    Raises:
        ImportError: not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(f'Ray is not installed ({error}); pip install "oneshot-sign-spotter[ray]"') from None
    if not ray.is_initialized():
        settings: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
        if not os.environ.get("RAY_ADDRESS"):
            cores = workers if workers else os.cpu_count()
            settings.update(num_cpus=cores, object_store_memory=256 << 20)
        ray.init(**settings)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


def mapper(workers: int = 0) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """A `map` whose jobs run on the cluster, each an item of its own; results come as they finish."""

    def mapped(work: Callable[[Job], Any], jobs: Sequence[Job]) -> Iterator[Any]:
        if jobs:
            ray = start_ray(workers)
            data = ray.data.from_items([{"job": job} for job in jobs], override_num_blocks=len(jobs))
            for row in data.map(partial(_apply, work), max_retries=RETRIES).iter_rows():
                yield row["result"]

    return mapped


def _apply(work: Callable[[Any], Any], row: dict[str, Any]) -> dict[str, Any]:
    return {"result": work(row["job"])}


class RayEngine:
    """Indexes videos on a cluster; hand it to `indexing.index_videos`.

    Args:
        encoder: name of the encoder or checkpoint file, which every worker loads for itself.
        workers: of a Ray that has to be started here; 0 is one per core.
        device, batch, precision: see `embeddings.encoders.load_encoder`.
    """

    def __init__(
        self, encoder: str, workers: int = 0, device: str = "cpu", batch: int | None = None,
        precision: Precision = "float32",
    ) -> None:  # fmt: skip
        self.encoder, self.workers = (encoder, device, batch, precision), workers

    def __call__(self, jobs: Sequence[IndexJob]) -> Iterator[tuple[IndexJob, str]]:
        """Each job with "" or why it failed, as they finish."""
        if not jobs:
            return
        ray = start_ray(self.workers)
        rows = [{"number": number, "job": job} for number, job in enumerate(jobs)]
        data = ray.data.from_items(rows, override_num_blocks=len(rows))
        data = data.map(estimated, max_retries=RETRIES).map(partial(encoded, self.encoder), max_retries=RETRIES)
        for row in data.iter_rows():
            yield jobs[row["number"]], row["error"]


@lru_cache(maxsize=1)
def _encoder(*settings: Any) -> Encoder:
    """Loaded once a worker."""
    from embeddings.encoders import load_encoder

    return load_encoder(*settings)


def estimated(row: dict[str, Any]) -> dict[str, Any]:
    """The item with its video's pose in the poses' folder."""
    job: IndexJob = row["job"]
    error = ""
    if job.source.filmed and job.poses.folder is not None and not done(job):
        for result in job.poses.estimated([job.source.path], workers=1):
            error = result.error
    return {**row, "error": error}


def encoded(encoder: tuple[Any, ...], row: dict[str, Any]) -> dict[str, Any]:
    """The item with its file in the corpus."""
    job: IndexJob = row["job"]
    error = row["error"]
    if not error and not done(job):
        try:
            encode_into(job.target, job.source, job.settings, _encoder(*encoder), job.poses)
        except (ValueError, KeyError, OSError) as failure:
            error = in_one_line(job.source, failure)
    return {"number": row["number"], "error": error}
