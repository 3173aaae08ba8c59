"""Enrol exemplars: clips of single signs → trimmed → encoded → `Gallery`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.prepared import Prepared, prepared
from embeddings.recordings import PoseSource, Recording, RecordingError, one_recording, read_recording
from eval.segments import Segment

from .exemplars import QUERY_NAME, Exemplar, find_exemplars

if TYPE_CHECKING:
    from embeddings.clip import Clip, Pose
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["Exemplar", "enroll", "exemplar_span", "find_exemplars", "hands_up_span", "loaded_encoder", "span_of"]


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
    thumbnails: bool | None = None,
) -> Gallery:
    """A gallery from exemplar clips, one or more per sign. What the gallery holds already is not added twice.

    Args:
        source: see `find_exemplars`.
        out: folder to save the gallery to; a saved gallery keeps a small picture of each exemplar.
        encoder: name, checkpoint file, or an encoder already loaded.
        spans: clip name → span in seconds, overrides the automatic trim (`eval.segments.read_spans` reads a table).
        trim: False takes clips whole.
        poses: pose estimator and where its poses are kept.
        into: a gallery to add to (made by the same encoder). Where it was read from `out` and another process has added
            to that meanwhile, the exemplars are added to what is there now.
        on_error: called with (source, reason) for a clip that cannot be used; None raises at the first.
        progress: called with (done, all).
        thumbnails: take a picture of each exemplar; None takes them where the gallery is saved.

    Raises:
        ValueError: no exemplar could be used; or `out` was not there at first, and another process has made it.
    """
    from gallery import Gallery

    absent = out is not None and into is None and not Path(out).exists()
    network = loaded_encoder(encoder)
    gallery = into if into is not None else Gallery(network.dim, network.id or network.name)
    gallery.check_encoder(network.id or network.name)
    waiting = find_exemplars(source, network.required_inputs)
    enrolling = _Enrolment(gallery, network, spans or {}, trim, poses)
    for done, exemplar in enumerate(waiting, start=1):
        try:
            enrolling.add(exemplar)
        except (ValueError, KeyError, OSError) as error:
            if on_error is None:
                raise
            on_error(exemplar.source, str(error))
        if progress is not None:
            progress(done, len(waiting))
    if not enrolling.used:
        raise ValueError(f"none of {len(waiting)} exemplars could be used")
    if thumbnails if thumbnails is not None else out is not None:
        enrolling.add_thumbnails()
    return gallery if out is None else _saved(gallery, Path(out), enrolling.used, absent)


def _saved(gallery: Gallery, out: Path, used: Sequence[str], absent: bool) -> Gallery:
    """Saves a gallery with the exemplars `used`, beside what other processes have added to it."""
    from gallery import Gallery, GalleryChangedError, GalleryError, merge
    from safe_files import locked

    with locked(out):
        if absent and (out / "gallery.json").exists():
            raise GalleryError(f"{out}: another process has made this gallery meanwhile; add to it (--add)")
        try:
            gallery.save(out)
        except GalleryChangedError:
            gallery.remove(set(gallery.ids) - set(used))
            with Gallery.changing(out) as there:
                merge(there, gallery)
            return there
    return gallery


def loaded_encoder(encoder: str | Path | Encoder) -> Encoder:
    """The encoder of a name or checkpoint file; one that is loaded stays as it is."""
    if isinstance(encoder, str | Path):
        from embeddings.encoders import load_encoder

        return load_encoder(encoder)
    return encoder


@dataclass(eq=False)
class _Enrolment:
    """Exemplars on their way into a gallery; the last recording stays prepared for the next exemplar from it."""

    gallery: Gallery
    encoder: Encoder
    spans: Mapping[str, Segment | tuple[float, float]]
    trim: bool
    poses: PoseSource | None
    used: list[str] = field(default_factory=list)
    _latest: tuple[Any, Prepared] | None = None
    _seen: dict[str, tuple[Path | None, tuple[float, float], Pose | None]] = field(default_factory=dict)

    def add(self, exemplar: Exemplar) -> None:
        from gallery import same_exemplar

        example = self._prepared(exemplar.source)
        clip = example.clip
        given = exemplar.span if exemplar.span is not None else span_of(clip.name, self.spans)
        seconds, posed = _span(exemplar.source, example, given, self.trim, self.poses)
        first, last = example.encoder_frames(seconds[0] * clip.fps, seconds[1] * clip.fps)
        vector = example.embed(np.array([[first, max(last, first + 1)]]))
        source = clip.path.name if clip.path is not None else clip.name
        name = same_exemplar(self.gallery, exemplar.label, vector[0], source, *seconds)
        if name is None:
            features = example.features_of(example.rows(seconds[0] * clip.fps, seconds[1] * clip.fps))
            facts: dict[str, Any] = {"source": source, "start": seconds[0], "end": seconds[1], "frames": len(features)}
            seen_in = _film(exemplar.source)
            if seen_in is not None or clip.path is not None:
                facts["path"] = str(Path(seen_in if seen_in is not None else str(clip.path)).resolve())
            (name,) = self.gallery.add(vector, [exemplar.label], facts=[facts], features=[features])
            pose = None
            if seen_in is None and posed is not None:
                pose = posed[round(seconds[0] * posed.fps) : round(seconds[1] * posed.fps)]
            self._seen[name] = (seen_in, seconds, pose)
        self.used.append(name)

    def _prepared(self, source: Any) -> Prepared:
        if self._latest is None or not _same_source(self._latest[0], source):
            self._latest = None  # the earlier recording's frames are freed before the next is read
            self._latest = source, prepared(source, self.encoder, self.poses)
        return self._latest[1]

    def add_thumbnails(self) -> None:
        """Pictures from the videos, each read once; of poses without a video, drawn."""
        from .report.pictures import jpeg_strips
        from .report.skeletons import skeleton_strip

        films: dict[Path, list[str]] = {}
        for name, (film, _, pose) in self._seen.items():
            if film is not None:
                films.setdefault(film, []).append(name)
            elif pose is not None and (drawn := skeleton_strip(pose, 0, len(pose))):
                self.gallery.set_thumbnail(name, drawn)
        for film, names in films.items():
            for name, picture in zip(names, jpeg_strips(film, [self._seen[n][1] for n in names]), strict=True):
                if picture:
                    self.gallery.set_thumbnail(name, picture)


def _span(
    source: Any, example: Prepared, given: tuple[float, float] | None, trim: bool, poses: PoseSource | None
) -> tuple[tuple[float, float], Pose | None]:
    """Seconds [start, end) of the sign, and the clip's pose where one was looked at.

    As given, else from hands-up to hands-down, whatever the encoder looks at. A clip that has no pose, and none that
    could be estimated, is taken whole, with a warning.
    """
    clip = example.clip
    if len(clip) == 0:  # pictures alone, streamed: as long as they last
        clip = replace(clip, extra={"frames": np.zeros((len(example), 0))}, fps=example.encoder.fps)
    if given is None and trim and clip.pose is None:
        try:
            posed = read_recording(source, ("pose",), poses, asker="trimming to the sign").pose
        except RecordingError:
            warnings.warn(f"{clip.name}: has no pose to trim it by; it is taken whole", stacklevel=2)
        else:
            assert posed is not None
            length = len(clip) / clip.fps
            start, end = (frame / posed.fps for frame in hands_up_span(posed))
            return (start, min(end, length)) if start < length else (0.0, length), posed
    start, end = exemplar_span(clip, given, trim)
    return (start / clip.fps, end / clip.fps), clip.pose


def _same_source(one: Any, other: Any) -> bool:
    named = (str, Path, Recording)
    return one is other or (isinstance(one, named) and isinstance(other, named) and one == other)


def _film(source: Any) -> Path | None:
    """The video that shows an exemplar; None where there is none."""
    if isinstance(source, str | Path):
        try:
            source = one_recording(source)
        except ValueError:
            return None
    from .report.facts import is_video

    film = source.media if isinstance(source, Recording) else getattr(source, "path", None)
    return film if film is not None and is_video(Path(film)) else None
