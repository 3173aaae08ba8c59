"""What a user names as examples of signs: clips, folders of them, tables, annotations of videos."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.pose.formats.spoter_csv import is_spoter_csv
from embeddings.recordings import Recording, find_recordings, one_recording
from eval.annotations.tables import records_of
from eval.segments import segment_of

from .annotated import is_annotation_file, read_annotated

if TYPE_CHECKING:
    from embeddings.clip import Clip

__all__ = ["QUERY_NAME", "Exemplar", "find_exemplars"]

QUERY_NAME = re.compile(r"p\d{2}_(s(\d{2}))")
"""A query video of the 2022 challenge: its sign is a class number in the ground truth; the organisers' table of spans
names the class alone."""


@dataclass(frozen=True)
class Exemplar:
    """One example of a sign, still to be encoded.

    Attributes:
        label: its gloss.
        source: what `embeddings.recordings.read_recording` takes: a path, a recording, a `Clip` or a `Pose`.
        span: (start s, end s) of the sign within it, None to find it by itself.
    """

    label: str
    source: Any
    span: tuple[float, float] | None = None


def find_exemplars(
    source: Any,
    needs: Sequence[str] = ("pose",),
    media: str | Path | None = None,
    tiers: Sequence[str] | None = None,
    unit: str | None = None,
    fps: float | None = None,
) -> list[Exemplar]:
    """What a user names, as exemplars.

    A folder: each recording in it is a sign, its name up to `~` the gloss (`HOUSE.mp4`, `HOUSE~2.mp4`); in a folder of
    folders the folder's name is the gloss; the sign of the 2022 challenge's query `p00_s20.mp4` is its class, `20`. A
    file of many clips: the labels it gives them, or their names up to `~`. A CSV: the columns file (or path, as in the
    manifests of `spotter data`), label and optionally start, end in seconds (or start_ms …, see
    `eval.annotations.tables`). Annotations of videos (ELAN, detections, decisions, a project's folder; see
    `spotter.annotated`): every labelled stretch. Or a list of files, of `Clip`s with labels, or of `Exemplar`s.

    Args:
        needs: the encoder's `required_inputs`; of a video and its pose file, the one that has them is taken.
        media: the folder that a CSV's paths start from, or where the videos of annotations are; None is the file's own.
        tiers, unit, fps: of annotations, see `eval.segments.read_segments`.

    Raises:
        ValueError: nothing is found, or an item has no label.
    """
    if isinstance(source, Exemplar):
        return [source]
    if isinstance(source, str | Path | Recording):
        if not isinstance(source, Recording) and is_annotation_file(Path(source)):
            return _from_annotations(Path(source), needs, media, tiers, unit, fps)
        return _from_path(source, needs, media)
    if hasattr(source, "label") and hasattr(source, "pose"):
        return [_from_clip(source)]
    exemplars = [exemplar for item in source for exemplar in find_exemplars(item, needs, media, tiers, unit, fps)]
    if not exemplars:
        raise ValueError("no exemplars given; expected clips of single signs")
    return exemplars


def _from_clip(clip: Clip) -> Exemplar:
    if not clip.label:
        raise ValueError(f"clip {clip.name!r} has no label; an exemplar needs its gloss")
    return Exemplar(clip.label, clip)


def _from_annotations(
    path: Path, needs: Sequence[str], media: str | Path | None, tiers: Sequence[str] | None, unit: str | None,
    fps: float | None,
) -> list[Exemplar]:  # fmt: skip
    read = read_annotated(path, () if media is None else [Path(media)], needs, unit, fps, tiers)
    if read.absent:
        raise ValueError(f"{path}: no recording of {', '.join(read.absent[:3])} is found; name their folder: --media")
    ordered = sorted(read.segments, key=lambda s: s.video)  # a video is prepared once for all its exemplars
    return [Exemplar(s.sign, read.recordings[s.video], (s.start, s.end)) for s in ordered]


def _from_path(named: str | Path | Recording, needs: Sequence[str], media: str | Path | None) -> list[Exemplar]:
    root = Path(named)
    if root.suffix.lower() == ".csv" and root.is_file() and not is_spoter_csv(root):
        return list(_from_csv(root, root.parent if media is None else Path(media)))
    return [Exemplar(_label(r, root), r) for r in find_recordings([named], needs, recursive=True)]


def _label(recording: Recording, root: Path) -> str:
    """As the file says, else by the folder inside `root`, else by the name."""
    inside = recording.path.parent
    named = _gloss(recording.name) if inside in (root, root.parent) or recording.part else inside.name
    return recording.label or named


def _gloss(stem: str) -> str:
    query = QUERY_NAME.fullmatch(stem)
    return str(int(query[2])) if query is not None else stem.partition("~")[0] or stem


def _from_csv(path: Path, media: Path) -> Iterator[Exemplar]:
    gone, there = [], 0
    for where, row in records_of(path):
        file = "file" if "file" in row else "path"
        if not {file, "label"} <= row.keys():
            raise ValueError(f"{path}: columns are {', '.join(map(str, row))}; expected file, label[, start, end]")
        if not row[file] or not row["label"]:
            raise ValueError(f"{where}: {file} or label is empty")
        segment = segment_of({**row, "file": row[file]}, where)
        if segment is not None and segment.duration == 0:
            raise ValueError(f"{where}: span {segment.start} to {segment.end} s; expected 0 <= start < end")
        clip = media / row[file]
        source = one_recording(clip) if clip.is_file() else clip  # whoever reads it says what is wrong with it
        there += clip.exists()
        gone += [clip] if file == "path" and not clip.exists() else []
        yield Exemplar(row["label"], source, None if segment is None else (segment.start, segment.end))
    if gone and not there:
        raise ValueError(f"{path}: its clips, such as {gone[0].name}, are not in {media}; name their folder: --media")
