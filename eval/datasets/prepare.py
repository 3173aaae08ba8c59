"""One step from a benchmark's own folder to a manifest, a report and lists of files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safe_files import write_bytes

from . import DATASETS, manifest, read_dataset, wlasl
from .report import DatasetReport, check
from .sample import Sample

__all__ = ["prepare"]


def prepare(
    name: str,
    source: str | Path,
    out: str | Path,
    media: str | Path | None = None,
    probe: Callable[[Path], str] | None = None,
    **options: Any,
) -> tuple[list[Sample], DatasetReport]:
    """Reads a data set, checks it, and writes into `out`:

    `manifest.csv` (all samples that hold a frame, the project's conventions), `report.json` and `report.md`; the lists
    `missing.txt`, `damaged.txt`, `duplicated.txt` and `empty.txt` (samples without a frame), those with something to
    list; and for WLASL `wlasl.csv` with the published columns separated by `;`.

    Args:
        name: of `DATASETS`.
        source: the annotation's folder or file.
        media: folder of the videos; without it no file is looked at.
        probe: path → what is wrong, or ""; by default headers only.
        options: further ones of the data set's reader.

    Raises:
        DatasetError: no such data set, or a broken annotation.
    """
    out = Path(out)
    samples = read_dataset(name, source, **options)
    report = check(samples, DATASETS[name].published, media, probe)
    empty = {sample.id for sample in samples if sample.end is not None and sample.end == sample.start}
    manifest.write(out / "manifest.csv", [sample for sample in samples if sample.id not in empty])
    if empty:
        write_bytes(out / "empty.txt", "".join(f"{clip}\n" for clip in sorted(empty)).encode())
    if name.startswith("wlasl"):
        wlasl.write_csv(out / "wlasl.csv", samples)
    facts = {
        "dataset": name,
        "counts": [{"what": what, "found": found, "published": published} for what, found, published in report.counts],
        "agrees": report.agrees,
        "media_searched": report.searched,
        "found": len(report.found),
        "missing": report.missing,
        "damaged": report.damaged,
        "duplicated": report.duplicated,
    }
    write_bytes(out / "report.json", (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode())
    write_bytes(out / "report.md", f"# {DATASETS[name].title}\n\n{report.table().markdown()}".encode())
    report.write_lists(out)
    return samples, report
