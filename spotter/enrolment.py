"""Enrol exemplars: clips of single signs → trimmed → encoded → `Gallery`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.pose.formats.spoter_csv import is_spoter_csv
from embeddings.prepared import prepared
from embeddings.recordings import PoseSource, Recording, find_recordings, one_recording
from eval.annotations.tables import records_of
from eval.segments import Segment, segment_of

if TYPE_CHECKING:
    from embeddings.clip import Clip, Pose
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["Exemplar", "enroll", "exemplar_span", "find_exemplars", "hands_up_span", "loaded_encoder", "span_of"]

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


def find_exemplars(source: Any, needs: Sequence[str] = ("pose",), media: str | Path | None = None) -> list[Exemplar]:
    """What a user names, as exemplars.

    A folder: each recording in it is a sign, its name up to `~` the gloss (`HOUSE.mp4`, `HOUSE~2.mp4`); in a folder of
    folders the folder's name is the gloss; the sign of the 2022 challenge's query `p00_s20.mp4` is its class, `20`. A
    file of many clips: the labels it gives them, or their names up to `~`. A CSV: the columns file (or path, as in the
    manifests of `spotter data`), label and optionally start, end in seconds (or start_ms …, see
    `eval.annotations.tables`). Or a list of files, of `Clip`s with labels, or of `Exemplar`s.

    Args:
        needs: the encoder's `required_inputs`; of a video and its pose file, the one that has them is taken.
        media: the folder that a CSV's paths start from; None is the CSV's own.

    Raises:
        ValueError: nothing is found, or an item has no label.
    """
    if isinstance(source, Exemplar):
        return [source]
    if isinstance(source, str | Path | Recording):
        return _from_path(source, needs, media)
    if hasattr(source, "label") and hasattr(source, "pose"):
        return [_from_clip(source)]
    exemplars = [exemplar for item in source for exemplar in find_exemplars(item, needs, media)]
    if not exemplars:
        raise ValueError("no exemplars given; expected clips of single signs")
    return exemplars


def _from_clip(clip: Clip) -> Exemplar:
    if not clip.label:
        raise ValueError(f"clip {clip.name!r} has no label; an exemplar needs its gloss")
    return Exemplar(clip.label, clip)


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


def span_of(clip: str, spans: Mapping[str, Segment | tuple[float, float]]) -> tuple[float, float] | None:
    """(start s, end s) of the sign in a clip by a table of spans; None where the table does not name the clip.

    Args:
        spans: clip's name → span; the class `s20` is found for the challenge's query video `p00_s20` too.
    """
    query = QUERY_NAME.fullmatch(clip)
    span = spans.get(clip, spans.get(query[1]) if query is not None else None)
    return (span.start, span.end) if isinstance(span, Segment) else span


def exemplar_span(clip: Clip, given: tuple[float, float] | None = None, trim: bool = True) -> tuple[int, int]:
    """Frames [start, end) of the sign in an exemplar clip: as given in seconds, else as `signing_span` finds it.

    Raises:
        ValueError: the given span lies outside the clip.
    """
    if given is not None:
        start, end = round(given[0] * clip.fps), round(given[1] * clip.fps)
        if not 0 <= start < end <= len(clip):
            raise ValueError(
                f"{clip.name}: the span {given[0]}–{given[1]} s lies outside the clip of {len(clip) / clip.fps:.2f} s"
            )
        return start, end
    return (0, len(clip)) if not trim or clip.pose is None else hands_up_span(clip.pose)


def hands_up_span(pose: Pose) -> tuple[int, int]:
    """Frames [start, end) of the one sign in a recording, from hands-up to hands-down (`gallery.signing_span`)."""
    from gallery import signing_span

    wrists, shoulders = (
        np.stack([pose.xy[:, pose.joint(f"{side}_{name}")] for side in ("left", "right")], axis=1)
        for name in ("wrist", "shoulder")
    )
    return signing_span(wrists, shoulders, pose.fps)


def enroll(
    source: Any,
    out: str | Path | None = None,
    encoder: str | Path | Encoder = "default",
    spans: Mapping[str, Segment | tuple[float, float]] | None = None,
    trim: bool = True,
    poses: PoseSource | None = None,
    into: Gallery | None = None,
    on_error: Callable[[Any, str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Gallery:
    """A gallery from exemplar clips, one or more per sign.

    Args:
        source: see `find_exemplars`.
        out: folder to save the gallery to.
        encoder: name, checkpoint file, or an encoder already loaded.
        spans: clip name → span in seconds, overrides the automatic trim (`eval.segments.read_spans` reads a table).
        trim: False takes clips whole.
        poses: pose estimator and where its poses are kept.
        into: a gallery to add to (made by the same encoder).
        on_error: called with (source, reason) for a clip that cannot be used; None raises at the first.
        progress: called with (done, all).

    Raises:
        ValueError: no exemplar could be used.
    """
    from gallery import Gallery

    network = loaded_encoder(encoder)
    gallery = into if into is not None else Gallery(network.dim, network.id or network.name)
    gallery.check_encoder(network.id or network.name)
    waiting = find_exemplars(source, network.required_inputs)
    before = len(gallery)
    for done, exemplar in enumerate(waiting, start=1):
        try:
            _enroll_one(gallery, network, exemplar, spans or {}, trim, poses)
        except (ValueError, KeyError, OSError) as error:
            if on_error is None:
                raise
            on_error(exemplar.source, str(error))
        if progress is not None:
            progress(done, len(waiting))
    if len(gallery) == before:
        raise ValueError(f"none of {len(waiting)} exemplars could be used")
    if out is not None:
        gallery.save(out)
    return gallery


def loaded_encoder(encoder: str | Path | Encoder) -> Encoder:
    """The encoder of a name or checkpoint file; one that is loaded stays as it is."""
    if isinstance(encoder, str | Path):
        from embeddings.encoders import load_encoder

        return load_encoder(encoder)
    return encoder


def _enroll_one(
    gallery: Gallery,
    encoder: Encoder,
    exemplar: Exemplar,
    spans: Mapping[str, Segment | tuple[float, float]],
    trim: bool,
    poses: PoseSource | None,
) -> None:
    example = prepared(exemplar.source, encoder, poses)
    clip = example.clip
    given = exemplar.span if exemplar.span is not None else span_of(clip.name, spans)
    start, end = exemplar_span(clip, given, trim)
    first, last = example.encoder_frames(start, end)
    vector = example.embed(np.array([[first, max(last, first + 1)]]))
    features = example.features[example.rows(start, end)]
    source = clip.path.name if clip.path is not None else clip.name
    facts = {"source": source, "start": start / clip.fps, "end": end / clip.fps, "frames": len(features)}
    gallery.add(vector, [exemplar.label], facts=[facts], features=[features])
