"""A manifest of one's own: CSV or JSON, one row per sample.

Columns: `path` and `label`; optional `id` (else the path without its ending), `signer`, `split` (train, validation,
test), `source`, `fps`, and times either as `start`, `end` in seconds or as `start_frame`, `end_frame` (half-open,
from 0). Empty cells are unknown; further columns are kept.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from safe_files import reader, write_bytes

from .sample import DatasetError, Sample
from .text import Ids, number, read_json, read_table, span, whole

__all__ = ["read", "write"]

OWN = ("id", "path", "label", "signer", "split", "source", "start", "end", "start_frame", "end_frame", "fps")
SPLITS = ("", "train", "validation", "test")


@reader(DatasetError)
def read(path: str | Path) -> list[Sample]:
    """Samples of a manifest `.csv` or `.json` (a list of objects).

    Raises:
        DatasetError: unreadable, a column missing, an id twice, a bad time or split.
    """
    path = Path(path)
    ids = Ids(path)
    return [_sample(cells, path, row, ids) for row, cells in _rows(path)]


def _rows(path: Path) -> Iterator[tuple[int | str, dict[str, Any]]]:
    if path.suffix == ".csv":
        yield from read_table(path, ["path", "label"])
    elif path.suffix == ".json":
        for place, entry in enumerate(read_json(path, list)):
            if not isinstance(entry, dict) or "path" not in entry or "label" not in entry:
                raise DatasetError(path, f"entry {place}", "is no object with path and label")
            yield f"entry {place}", entry
    else:
        raise DatasetError(path, None, f"its ending is {path.suffix!r}; expected .csv or .json")


def _sample(cells: dict[str, Any], path: Path, row: int | str, ids: Ids) -> Sample:
    text = {name: str(cells[name]).strip() if cells.get(name) is not None else "" for name in OWN}
    if not text["label"]:
        raise DatasetError(path, row, "the label is empty")
    if not text["path"] and not text["id"]:
        raise DatasetError(path, row, "the path is empty; only a row with an id can do without")
    if text["split"] not in SPLITS:
        raise DatasetError(path, row, f"the split is {text['split']!r}; expected train, validation, test or nothing")
    frames = bool(text["start_frame"] or text["end_frame"])
    if frames and (text["start"] or text["end"]):
        raise DatasetError(path, row, "gives times both in seconds and in frames; keep one")
    times: list[float | None] = []
    for name in ("start_frame", "end_frame") if frames else ("start", "end"):
        read_one = whole if frames else number
        times.append(read_one(text[name], path, row, name, low=0) if text[name] else None)
    if times[1] is not None:
        span(times[0] if times[0] is not None else 0, times[1], path, row)
    stem = text["path"].rsplit(".", 1)[0] if "." in text["path"].rsplit("/", 1)[-1] else text["path"]
    return Sample(
        id=ids.add(text["id"] if text["id"] else stem, row),
        label=text["label"],
        path=text["path"],
        signer=text["signer"],
        split=text["split"],
        source=text["source"] if text["source"] else stem,
        start=times[0],
        end=times[1],
        unit="frames" if frames else "seconds",
        fps=number(text["fps"], path, row, "fps", low=0.001) if text["fps"] else None,
        extra={name: value for name, value in cells.items() if name not in OWN},
    )


def write(path: str | Path, samples: Iterable[Sample]) -> None:
    """Writes any samples as a manifest, `.csv` or `.json`, that `read` gives back equal.

    Two things are not kept: `number`, and further columns that bear the name of one of the manifest's own. What a
    further column holds besides text comes back from `.csv` as text.
    """
    path = Path(path)
    rows = [_cells(sample) for sample in samples]
    if path.suffix == ".json":
        rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
        write_bytes(path, (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode())
    elif path.suffix == ".csv":
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
        write_bytes(path, text.getvalue().encode())
    else:
        raise DatasetError(path, None, f"its ending is {path.suffix!r}; expected .csv or .json")


def _cells(sample: Sample) -> dict[str, Any]:
    frames = sample.unit == "frames"
    return {
        "id": sample.id,
        "path": sample.path,
        "label": sample.label,
        "signer": sample.signer,
        "split": sample.split,
        "source": sample.source,
        "start": None if frames else sample.start,
        "end": None if frames else sample.end,
        "start_frame": sample.start if frames else None,
        "end_frame": sample.end if frames else None,
        "fps": sample.fps,
        # A benchmark's own column may bear one of these names and mean something else.
        **{name: value for name, value in sample.extra.items() if name not in OWN},
    }
