"""MS-ASL: 1,000 American signs from YouTube (Vaezi Joze & Koller, 2019), subsets by the first 100, 200, 500 classes.

`MSASL_train.json`, `MSASL_val.json`, `MSASL_test.json`: a list of objects; `start` and `end` are frames, half-open
(`end_time` = `end` / `fps`), `label` counts from 0, `box` is y0, x0, y1, x1 as a share of the frame.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safe_files import reader, write_bytes

from .report import Published
from .sample import DatasetError, Sample
from .text import number, read_json, span, whole

__all__ = ["PUBLISHED", "read", "read_split", "write_split"]

PAGE = "the data set's page"
PUBLISHED = {
    100: Published(5_736, 100, 189, {"train": 3_789, "validation": 1_190, "test": 757}, f"{PAGE}; splits counted"),
    200: Published(9_719, 200, 196, source=PAGE),
    500: Published(17_823, 500, 222, source=PAGE),
    1000: Published(25_513, 1_000, 222, source=PAGE),
}
REQUIRED = ("url", "start", "end", "label", "text", "signer_id", "box")


@reader(DatasetError)
def read(folder: str | Path, classes: int | None = None) -> list[Sample]:
    """The three splits of a folder (`*_train.json`, `*_val.json`, `*_test.json`).

    Args:
        classes: only labels below this number (the benchmark's subsets are its most frequent signs).
    """
    folder = Path(folder)
    samples: list[Sample] = []
    for name, split in (("train", "train"), ("val", "validation"), ("test", "test")):
        lists = sorted(folder.glob(f"MS*ASL*_{name}.json"))
        if lists:
            samples += read_split(lists[0], split)
    if not samples:
        raise DatasetError(folder, None, "holds no MSASL_train.json, MSASL_val.json or MSASL_test.json")
    return samples if classes is None else [s for s in samples if s.number is not None and s.number < classes]


@reader(DatasetError)
def read_split(path: str | Path, split: str) -> list[Sample]:
    """One file. The id is the split and the place in the file; `source` is the YouTube video."""
    samples = []
    for place, entry in enumerate(read_json(path, list)):
        row = f"entry {place}"
        if not isinstance(entry, dict):
            raise DatasetError(path, row, f"is a {type(entry).__name__}; expected an object")
        absent = [name for name in REQUIRED if name not in entry]
        if absent:
            raise DatasetError(path, row, f"lacks {', '.join(absent)}")
        start = whole(entry["start"], path, row, "start", low=0)
        end = whole(entry["end"], path, row, "end")
        if end != start:  # the published files hold a few entries without a frame; the report counts them
            span(start, end, path, row)
        box = entry["box"]
        if not isinstance(box, list) or len(box) != 4:
            raise DatasetError(path, row, f"box is {box!r}; expected y0, x0, y1, x1")
        for value in box:
            number(value, path, row, "box")
        name = f"{split}_{place:05d}"
        samples.append(
            Sample(
                id=name,
                label=str(entry["text"]),
                path=f"{name}.mp4",
                signer=str(whole(entry["signer_id"], path, row, "signer_id")),
                split=split,
                source=_video(str(entry["url"])),
                start=start,
                end=end,
                fps=number(entry["fps"], path, row, "fps", low=1) if "fps" in entry else None,
                number=whole(entry["label"], path, row, "label", low=0),
                extra=entry,
            )
        )
    return samples


def _video(url: str) -> str:
    """The YouTube id: the same video is linked in several spellings."""
    match = re.search(r"(?:v=|youtu\.be/|embed/)([\w-]{11})", url)
    return match[1] if match else url


def write_split(path: str | Path, samples: Iterable[Sample]) -> None:
    """The benchmark's form again: equal objects, half-open frames as read."""
    entries: list[dict[str, Any]] = []
    for sample in samples:
        times = {"start": sample.start, "end": sample.end, "label": sample.number}
        signer = sample.extra.get("signer_id", sample.signer)
        entries.append({**sample.extra, **times, "text": sample.label, "signer_id": signer})
    write_bytes(path, json.dumps(entries).encode())
