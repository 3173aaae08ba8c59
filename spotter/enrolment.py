"""Enrol exemplars: clips of single signs → trimmed → encoded → `Gallery`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.handedness import right_handed

from .sources import POSE_SUFFIXES, VIDEO_SUFFIXES, PoseSource, load_clip

if TYPE_CHECKING:
    from embeddings.clip import Clip
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["Exemplar", "enroll", "exemplar_span", "find_exemplars"]


@dataclass(frozen=True)
class Exemplar:
    """One example of a sign, still to be encoded.

    Attributes:
        label: its gloss.
        source: a video or pose file, a `Clip` or a `Pose`.
        span: (start s, end s) of the sign within it, None to find it by itself.
    """

    label: str
    source: Any
    span: tuple[float, float] | None = None


def find_exemplars(source: Any) -> list[Exemplar]:
    """What a user names, as exemplars.

    A folder: each clip in it is a sign, its name up to `~` the gloss (`HOUSE.mp4`, `HOUSE~2.mp4`); in a folder of
    folders the folder's name is the gloss. A CSV: the columns file, label and optionally start, end in seconds, paths
    from the CSV's folder. Or a list of files, of `Clip`s with labels, or of `Exemplar`s.

    Raises:
        ValueError: nothing is found, or an item has no label.
    """
    if isinstance(source, Exemplar):
        return [source]
    if isinstance(source, str | Path):
        return _from_path(Path(source))
    if hasattr(source, "label") and hasattr(source, "pose"):
        return [_from_clip(source)]
    found = [exemplar for item in source for exemplar in find_exemplars(item)]
    if not found:
        raise ValueError("no exemplars given; expected clips of single signs")
    return found


def _from_clip(clip: Clip) -> Exemplar:
    if not clip.label:
        raise ValueError(f"clip {clip.name!r} has no label; an exemplar needs its gloss")
    return Exemplar(clip.label, clip)


def _from_path(path: Path) -> list[Exemplar]:
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    if path.suffix.lower() == ".csv":
        return list(_from_csv(path))
    if path.is_file():
        return [Exemplar(_gloss(path.stem), path)]
    files = [f for f in sorted(path.rglob("*")) if f.suffix.lower() in (*VIDEO_SUFFIXES, *POSE_SUFFIXES)]
    files = [f for f in files if not any(part.startswith(".") for part in f.relative_to(path).parts)]
    if not files:
        raise ValueError(f"{path}: no video or pose files in this folder")
    # a video and its pose file are one exemplar; the pose is the cheaper to read
    by_stem = {f.with_suffix(""): f for f in sorted(files, key=lambda f: f.suffix.lower() in POSE_SUFFIXES)}
    return [
        Exemplar(_gloss(f.stem) if f.parent == path else f.parent.name, f)
        for f in sorted(by_stem.values(), key=lambda f: str(f))
    ]


def _gloss(stem: str) -> str:
    return stem.partition("~")[0] or stem


def _from_csv(path: Path) -> Iterator[Exemplar]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        columns = set(table.fieldnames or ())
        if not {"file", "label"} <= columns:
            raise ValueError(
                f"{path}: columns are {', '.join(sorted(columns)) or 'none'}; expected file, label[, start, end]"
            )
        for number, row in enumerate(table, start=2):
            if not row["file"] or not row["label"]:
                raise ValueError(f"{path}, line {number}: file or label is empty")
            yield Exemplar(row["label"], (path.parent / row["file"]), _span_of(path, number, row))


def _span_of(path: Path, number: int, row: Mapping[str, str]) -> tuple[float, float] | None:
    start, end = row.get("start") or "", row.get("end") or ""
    if not start and not end:
        return None
    try:
        span = (float(start), float(end))
    except ValueError:
        raise ValueError(f"{path}, line {number}: start {start!r}, end {end!r}; expected seconds") from None
    if not 0 <= span[0] < span[1]:
        raise ValueError(f"{path}, line {number}: span {span[0]} to {span[1]} s; expected 0 <= start < end")
    return span


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
    if not trim or clip.pose is None:
        return 0, len(clip)
    from gallery import signing_span

    pose = clip.pose
    wrists, shoulders = (
        np.stack([pose.xy[:, pose.joint(f"{side}_{name}")] for side in ("left", "right")], axis=1)
        for name in ("wrist", "shoulder")
    )
    return signing_span(wrists, shoulders, pose.fps)


def enroll(
    source: Any,
    out: str | Path | None = None,
    encoder: str | Path | Encoder = "default",
    spans: Mapping[str, tuple[float, float]] | None = None,
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
        spans: clip name → (start s, end s), overrides the automatic trim (`gallery.read_spans` reads a table).
        trim: False takes clips whole.
        poses: pose estimator and where its poses are kept.
        into: a gallery to add to (made by the same encoder).
        on_error: called with (source, reason) for a clip that cannot be used; None raises at the first.
        progress: called with (done, all).

    Raises:
        ValueError: no exemplar could be used.
    """
    from gallery import Gallery

    made = _loaded(encoder)
    gallery = into if into is not None else Gallery(made.dim, made.id or made.name)
    gallery.check_encoder(made.id or made.name)
    waiting = find_exemplars(source)
    before = len(gallery)
    for done, exemplar in enumerate(waiting, start=1):
        try:
            _enroll_one(gallery, made, exemplar, spans or {}, trim, poses)
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


def _loaded(encoder: str | Path | Encoder) -> Encoder:
    if isinstance(encoder, str | Path):
        from embeddings.encoders import load_encoder

        return load_encoder(encoder)
    return encoder


def _enroll_one(
    gallery: Gallery,
    encoder: Encoder,
    exemplar: Exemplar,
    spans: Mapping[str, tuple[float, float]],
    trim: bool,
    poses: PoseSource | None,
) -> None:
    clip = load_clip(exemplar.source, encoder, poses)
    if len(clip) == 0:
        raise ValueError(f"{clip.name}: has no frames")
    given = exemplar.span if exemplar.span is not None else spans.get(clip.name)
    start, end = exemplar_span(clip, given, trim)
    inputs = encoder.prepare(right_handed(clip))
    ratio = encoder.fps / clip.fps
    window = np.array([[start * ratio, max(end * ratio, start * ratio + 1)]])
    vector = encoder.embed(inputs, window)
    features = encoder.clip_features(inputs)
    first = int(np.clip(round(start * ratio), 0, len(features) - 1))
    last = int(np.clip(round(end * ratio), first + 1, len(features)))
    source = clip.path.name if clip.path is not None else clip.name
    facts = {"source": source, "start": start / clip.fps, "end": end / clip.fps, "frames": last - first}
    gallery.add(vector, [exemplar.label], facts=[facts], features=[features[first:last]])
