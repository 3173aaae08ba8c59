"""Benchmarks by name: their readers and the counts they publish. One reader a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import asl_citizen, autsl, boston104, folder, gsl, include, ipn, lsa64, manifest, msasl, mssl, oslwl, wlasl
from .report import DatasetReport, Published, check
from .sample import DatasetError, Sample, of_split, refuse_leaks, seconds_of, to_segments

__all__ = [
    "DATASETS",
    "Benchmark",
    "DatasetError",
    "DatasetReport",
    "Published",
    "Sample",
    "check",
    "of_split",
    "read_dataset",
    "refuse_leaks",
    "seconds_of",
    "to_segments",
]


@dataclass(frozen=True)
class Benchmark:
    """How to read a data set, and what it publishes.

    Attributes:
        title: name and language, for lists.
        read: path, further options → samples.
        published: counts; None where it is the user's own.
        options: further options of `read`, fixed for this name.
    """

    title: str
    read: Callable[..., list[Sample]]
    published: Published | None = None
    options: dict[str, Any] = field(default_factory=dict)


DATASETS: dict[str, Benchmark] = {
    "autsl": Benchmark("AUTSL, Turkish, 226 signs", autsl.read, autsl.PUBLISHED),
    **{
        f"wlasl{n}": Benchmark(f"WLASL, American, {n} glosses", wlasl.read, wlasl.PUBLISHED[n], {"glosses": n})
        for n in wlasl.PUBLISHED
    },
    "ipn": Benchmark("IPN Hand, 13 gestures", ipn.read, ipn.PUBLISHED),
    "mssl": Benchmark("MSSL, Spanish, continuous, 60 signs", mssl.read, mssl.PUBLISHED),
    "oslwl-queries": Benchmark("OSLWL, Spanish, one example a sign", oslwl.read_queries),
    "oslwl": Benchmark("OSLWL, Spanish, 4 s search clips (test set)", oslwl.read_search, oslwl.PUBLISHED_SEARCH),
    "lsa64": Benchmark("LSA64, Argentinian, 64 signs", lsa64.read, lsa64.PUBLISHED),
    **{
        f"msasl{n}": Benchmark(f"MS-ASL, American, {n} signs", msasl.read, msasl.PUBLISHED[n], {"classes": n})
        for n in msasl.PUBLISHED
    },
    "asl-citizen": Benchmark("ASL Citizen, American, 2,731 signs", asl_citizen.read, asl_citizen.PUBLISHED),
    "include": Benchmark("INCLUDE, Indian, 263 signs", include.read, include.PUBLISHED["include"]),
    "include50": Benchmark(
        "INCLUDE-50, Indian, 50 signs", include.read, include.PUBLISHED["include50"], {"subset": "include50"}
    ),
    "gsl": Benchmark("GSL, Greek, continuous; one list of sentences", gsl.read),
    "boston104": Benchmark("RWTH-BOSTON-104, American, continuous", boston104.read, boston104.PUBLISHED),
    "folder": Benchmark("a folder label/clip.mp4 of your own", folder.read),
    "manifest": Benchmark("a CSV or JSON manifest of your own", manifest.read),
}


def read_dataset(name: str, path: str | Path, **options: Any) -> list[Sample]:
    """Samples of a data set by its name in `DATASETS`.

    Raises:
        DatasetError: no such name, or a broken annotation.
    """
    if name not in DATASETS:
        raise DatasetError(name, None, f"is no data set; expected one of {', '.join(DATASETS)}")
    benchmark = DATASETS[name]
    return benchmark.read(path, **{**benchmark.options, **options})
