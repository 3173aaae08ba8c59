"""WLASL: 2,000 American glosses from the web (Li et al., 2020), with its subsets of the first 100, 300 and 1,000.

Three forms: the published JSON (list of glosses with instances), the later `nslt_N.json` (video → class and frames)
with `wlasl_class_list.txt`, and the CSV with one row per instance, columns separated by `;`. Frames count from 1 and
the last is included; −1 means until the end. Videos: `{video_id}.mp4`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safe_files import parse_json, reader, write_bytes

from .report import Published
from .sample import DatasetError, Sample
from .text import Ids, number, read_json, read_lines, read_table, span, whole

__all__ = ["CSV_COLUMNS", "PUBLISHED", "read", "read_csv", "read_nslt", "write_csv", "write_json", "write_nslt"]

PAPER = "Li et al. 2020, table 1"
PUBLISHED = {
    100: Published(2_038, 100, 97, {"train": 1_442, "validation": 338, "test": 258}, PAPER),
    300: Published(5_117, 300, 109, {"train": 3_549, "validation": 900, "test": 668}, PAPER),
    1000: Published(13_168, 1_000, 116, source=PAPER),
    2000: Published(21_083, 2_000, 119, source=PAPER),
}
"""Subset → counts; the splits of 100 and 300 are those of the published files."""

SPLITS = {"train": "train", "val": "validation", "test": "test"}
NAMES = {ours: theirs for theirs, ours in SPLITS.items()}
CSV_COLUMNS = (
    *("gloss_number", "gloss_name", "instance_id", "video_id", "split", "bbox", "signer_id", "variation_id"),
    *("fps", "frame_start", "frame_end", "source", "url"),
)


@reader(DatasetError)
def read(path: str | Path, glosses: int | None = None) -> list[Sample]:
    """Instances of the published JSON (`WLASL_v0.3.json`, `WLASL100.json`, …), or of one found in a folder.

    Args:
        glosses: only the first so many glosses (100, 300, 1000 are the benchmark's subsets).

    Raises:
        DatasetError: unreadable or broken, or fewer glosses than asked for.
    """
    path = Path(path)
    if path.is_dir():
        path = _json_in(path, glosses)
    entries = read_json(path, list)
    if glosses is not None and len(entries) < glosses:
        raise DatasetError(path, None, f"holds {len(entries)} glosses; expected at least {glosses}")
    samples, ids = [], Ids(path)
    for place, entry in enumerate(entries[:glosses]):
        if not isinstance(entry, dict) or not isinstance(entry.get("instances"), list) or "gloss" not in entry:
            raise DatasetError(path, f"gloss {place}", "is no object with gloss and instances")
        for instance in entry["instances"]:
            row = f"gloss {entry['gloss']!r}, video {instance.get('video_id')}"
            samples.append(_sample(instance, place, str(entry["gloss"]), path, row, ids))
    return samples


def _json_in(folder: Path, glosses: int | None) -> Path:
    lists = sorted(folder.glob("WLASL*.json"))
    wanted = [file for file in lists if glosses is not None and file.stem == f"WLASL{glosses}"]
    whole_set = [file for file in lists if file.stem.startswith("WLASL_")]
    name = "WLASL*.json" if glosses is None else f"WLASL{glosses}.json"
    choice = wanted + whole_set + (lists if glosses is None else [])
    if not choice:
        raise DatasetError(folder, None, f"holds no {name} and no WLASL_v*.json")
    return choice[0]


def _sample(cells: dict[str, Any], place: int, gloss: str, path: Path, row: int | str, ids: Ids) -> Sample:
    absent = [name for name in CSV_COLUMNS[2:] if name not in cells]
    if absent:
        raise DatasetError(path, row, f"lacks {', '.join(absent)}")
    video = ids.add(str(cells["video_id"]), row)
    if cells["split"] not in SPLITS:
        raise DatasetError(path, row, f"the split is {cells['split']!r}; expected train, val or test")
    start = whole(cells["frame_start"], path, row, "frame_start", low=1) - 1
    last = whole(cells["frame_end"], path, row, "frame_end", low=-1)
    if last != -1:
        span(start, last, path, row)
    box = cells["bbox"]
    if len(box) != 4:
        raise DatasetError(path, row, f"bbox has {len(box)} numbers; expected x0, y0, x1, y1")
    columns = ("instance_id", "variation_id", "source", "url")
    return Sample(
        id=video,
        label=gloss,
        path=f"{video}.mp4",
        signer=str(cells["signer_id"]),
        split=SPLITS[cells["split"]],
        source=video,
        start=start,
        end=None if last == -1 else last,
        fps=number(cells["fps"], path, row, "fps", low=1),
        number=place,
        extra={"bbox": [whole(v, path, row, "bbox") for v in box], **{name: cells[name] for name in columns}},
    )


def _first(sample: Sample) -> int:
    """First frame, counted from 1."""
    return 1 if sample.start is None else int(sample.start) + 1


def _instance(sample: Sample) -> dict[str, Any]:
    rate = sample.fps if sample.fps is not None else 25.0
    return {
        "bbox": list(sample.extra["bbox"]),
        "fps": int(rate) if float(rate).is_integer() else rate,
        "frame_end": -1 if sample.end is None else int(sample.end),
        "frame_start": _first(sample),
        "instance_id": sample.extra["instance_id"],
        "signer_id": int(sample.signer),
        "source": sample.extra["source"],
        "split": NAMES[sample.split],
        "url": sample.extra["url"],
        "variation_id": sample.extra["variation_id"],
        "video_id": sample.id,
    }


def write_json(path: str | Path, samples: Iterable[Sample]) -> None:
    """The published JSON again, to the byte."""
    glosses: dict[str, list[dict[str, Any]]] = {}
    for sample in samples:
        glosses.setdefault(sample.label, []).append(_instance(sample))
    entries = [{"gloss": gloss, "instances": instances} for gloss, instances in glosses.items()]
    write_bytes(path, json.dumps(entries, indent=4).encode())


def write_csv(path: str | Path, samples: Iterable[Sample]) -> None:
    """One row per instance, the published columns separated by `;`."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for sample in samples:
        cells = {**_instance(sample), "gloss_number": sample.number, "gloss_name": sample.label}
        writer.writerow([cells[name] for name in CSV_COLUMNS])
    write_bytes(path, text.getvalue().encode())


@reader(DatasetError)
def read_csv(path: str | Path) -> list[Sample]:
    """Instances of the CSV that `write_csv` writes."""
    samples, ids = [], Ids(path)
    for row, cells in read_table(path, CSV_COLUMNS, delimiter=";"):
        values: dict[str, Any] = dict(cells)
        try:
            values["bbox"] = parse_json(cells["bbox"])
        except json.JSONDecodeError:
            raise DatasetError(path, row, f"bbox is {cells['bbox']!r}; expected [x0, y0, x1, y1]") from None
        for name in ("instance_id", "variation_id"):
            values[name] = whole(cells[name], path, row, name)
        place = whole(cells["gloss_number"], path, row, "gloss_number", low=0)
        samples.append(_sample(values, place, cells["gloss_name"], Path(path), row, ids))
    return samples


@reader(DatasetError)
def read_nslt(path: str | Path, class_list: str | Path) -> list[Sample]:
    """Videos of `nslt_100.json` … `nslt_2000.json`: ``{video: {"subset": …, "action": [class, first, last]}}``.

    Args:
        class_list: `wlasl_class_list.txt`, rows of number, tab, gloss.
    """
    path, glosses = Path(path), _classes(class_list)
    samples = []
    for video, entry in read_json(path, dict).items():
        row = f"video {video}"
        action = entry.get("action") if isinstance(entry, dict) else None
        if not isinstance(action, list) or len(action) != 3 or entry.get("subset") not in SPLITS:
            raise DatasetError(path, row, "is no object with subset (train, val, test) and action [class, first, last]")
        place, first, last = (whole(value, path, row, "action") for value in action)
        if not 0 <= place < len(glosses):
            raise DatasetError(path, row, f"the class is {place}; expected 0 to {len(glosses) - 1}")
        if first < 1:
            raise DatasetError(path, row, f"the first frame is {first}; expected at least 1")
        span(first - 1, last, path, row)
        split = SPLITS[entry["subset"]]
        samples.append(Sample(video, glosses[place], f"{video}.mp4", "", split, video, first - 1, last, number=place))
    return samples


def _classes(path: str | Path) -> list[str]:
    glosses: list[str] = []
    for row, line in read_lines(path):
        place, tab, gloss = line.partition("\t")
        if not tab or whole(place, path, row, "the class") != len(glosses):
            raise DatasetError(path, row, f"is {line!r}; expected {len(glosses)}, a tab and the gloss")
        glosses.append(gloss.strip())
    return glosses


def write_nslt(path: str | Path, samples: Iterable[Sample]) -> None:
    """The `nslt_N.json` form again."""
    entries = {
        sample.id: {
            "subset": NAMES[sample.split],
            "action": [sample.number, _first(sample), -1 if sample.end is None else int(sample.end)],
        }
        for sample in samples
    }
    write_bytes(path, json.dumps(entries).encode())
