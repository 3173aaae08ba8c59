"""`spot`: from query videos and a gallery to detections.

clip → frame features and window vectors → (Top-K transfer) → candidates of windows and of alignment → evidence →
probabilities; for encoders without a judge: similarity track → peaks → alignment, and cosines
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import load_clip
from embeddings.recordings import PoseSource, source_name
from embeddings.skeletons import SKELETONS

from .detection import Detection
from .fusion.ensemble import Ensemble
from .fusion.search import EnsembleSearch
from .results import Detections, SpottingResult
from .search.calibrate import shipped_judge
from .search.judge import Judge
from .search.options import SpottingOptions, TransferOptions
from .search.plain import plain_detections
from .search.query import Query, make_plan, similarity_track
from .search.selection import as_expected, selected

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

    from .fusion.published import PublishedSearch


__all__ = ["Search", "VideoSearch", "spot", "spot_videos"]


def spot(
    video: Any,
    gallery: Gallery | Ensemble,
    encoder: str | Encoder = "default",
    options: SpottingOptions | None = None,
    poses: PoseSource | None = None,
    known: Mapping[str, str] | None = None,
    fps: float | None = None,
) -> Detections:
    """Where the gallery's signs occur in one video, or in several (a list).

    Args:
        video: a recording's path (docs/inputs.md), a `Clip`, a `Pose`, the pictures of a video as an array
            (T, H, W, 3) uint8 RGB, or a list of these. Poses of pictures are estimated; arrays are called "array",
            several of them "array-1", "array-2" ….
        fps: frames per second of arrays.
        gallery: exemplars made with the same encoder; or several encoders with theirs (`Ensemble`), which are fused.
        known: video name → the one sign to look for in it (the challenge's protocol); its best place is reported
            whatever its score.

    Raises:
        ValueError: a video cannot be read (`spot_videos` goes on with the others), or an array comes without `fps`.
    """
    several = isinstance(video, Sequence) and not isinstance(video, str)
    videos = [_clip_of(v, fps, n) for n, v in enumerate(video, start=1)] if several else [_clip_of(video, fps)]
    results = spot_videos(videos, gallery, encoder, options, poses, known, tracks=False)
    for result in results:
        if result.error:
            raise ValueError(result.error)
    return Detections(detection for result in results for detection in result.detections)


def _clip_of(video: Any, fps: float | None, number: int | None = None) -> Any:
    """An array of pictures as a clip; anything else as it is."""
    if not isinstance(video, np.ndarray):
        return video
    if fps is None:
        raise ValueError("an array of pictures does not say its frames per second; give fps=25, or whatever it has")
    if video.ndim != 4 or video.shape[-1] != 3 or video.dtype != np.uint8:
        raise ValueError(f"array of shape {video.shape}, {video.dtype}; expected pictures (T, H, W, 3) uint8 RGB")
    from embeddings.clip import Clip

    return Clip("array" if number is None else f"array-{number}", fps, frames=video)


def spot_videos(
    videos: Iterable[Any],
    gallery: Gallery | Ensemble,
    encoder: str | Encoder = "default",
    options: SpottingOptions | None = None,
    poses: PoseSource | None = None,
    known: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
    tracks: bool = True,
    on_result: Callable[[SpottingResult], None] | None = None,
) -> list[SpottingResult]:
    """Spots several videos; one that fails is reported in its result and the others go on.

    Args:
        gallery: exemplars made with the encoder; or an `Ensemble` of encoders with theirs, then `encoder` is not used.
        progress: called with the name of each video when it is done.
        tracks: keep the similarity tracks: a number for every sign and window of every video.
        on_result: called with each video's result when it stands, before the next video. Where what is wanted depends
            on all videos (`VideoSearch.chooses_at_end`), its detections may be fewer in the end.

    Raises:
        ValueError: a gallery is empty, was made by another encoder, or lacks a known sign; or options that need
            probabilities with an encoder that has no judge.
    """
    search: Search
    if isinstance(gallery, Ensemble):
        search = EnsembleSearch(gallery, options, poses, known, tracks)
    else:
        search = VideoSearch(gallery, encoder, options, poses, known, tracks)
    results: list[SpottingResult] = []
    for result in search.each(videos):
        results.append(result)
        if progress is not None:
            progress(result.video)
        if on_result is not None:
            on_result(result)
    search.choose(results)
    return results


class VideoSearch:
    """A search that is ready for videos, one after the other; arguments and errors are those of `spot_videos`.

    `each` gives a result per video as soon as it stands; `choose` then leaves what is asked for where that depends on
    all of them.
    """

    def __init__(
        self,
        gallery: Gallery,
        encoder: str | Encoder = "default",
        options: SpottingOptions | None = None,
        poses: PoseSource | None = None,
        known: Mapping[str, str] | None = None,
        tracks: bool = True,
    ) -> None:
        options = SpottingOptions() if options is None else options
        encoder = _matching(gallery, encoder)
        for name, sign in (known or {}).items():
            if sign not in gallery:
                raise ValueError(f"video {name!r} is said to hold {sign!r}, of which the gallery has no exemplar")
        shipped = shipped_judge(encoder.id) if options.calibrated else None
        if shipped is None and ((options.select.given and options.select.best is None) or options.expect is not None):
            raise ValueError(
                f"encoder {encoder.name!r} gives cosines, not probabilities; choose a threshold or the best so many"
            )
        self._run = _Run(gallery, encoder, options, poses, known, tracks)
        self._run.judge = None if shipped is None else Judge(gallery, options, *shipped)

    @property
    def together(self) -> bool:
        """Whether a video's result depends on the other videos."""
        return self._run.options.transfer is not None

    @property
    def chooses_at_end(self) -> bool:
        """Whether which detections of a video are wanted is known only when all videos are searched."""
        return self.together or not self._run.options.threshold_stands

    def each(self, videos: Iterable[Any]) -> Iterator[SpottingResult]:
        """The result of each video, in their order; with Top-K transfer, all of them at the end."""
        run, transfer = self._run, self._run.options.transfer
        waiting: list[tuple[SpottingResult, Query | None]] = []
        for video in videos:
            result, query = run.encoded(video)
            if transfer is not None:
                waiting.append((result, query))
                continue
            if query is not None:
                run.finish(result, query, {})
            yield result
        if transfer is not None:
            queries = {at: query for at, (_, query) in enumerate(waiting) if query is not None}
            moved = _transferred(queries, run.gallery, transfer, run.known)
            for at, (result, query) in enumerate(waiting):
                if query is not None:
                    run.finish(result, query, moved[at])
                yield result

    def choose(self, results: Sequence[SpottingResult]) -> None:
        """Leaves the detections that are asked for, of all videos together; those of a threshold stand already."""
        if not self._run.options.threshold_stands:
            _select(results, self._run.options, len(self._run.gallery.labels), self._run)


Search = Union["VideoSearch", EnsembleSearch, "PublishedSearch"]
"""What searches videos: `each`, `choose`, and whether results depend on all videos (`together`, `chooses_at_end`)."""


def _select(results: Sequence[SpottingResult], options: SpottingOptions, signs: int, run: _Run) -> None:
    """Leaves the detections that are asked for; those of videos with a known sign stay."""
    open_to = [r for r in results if run.known is None or r.video not in run.known]
    hours = sum(r.duration for r in open_to) / 3600
    detections = [d for r in open_to for d in r.detections]
    if options.expect is not None:
        detections = as_expected(detections, options.expect * hours * signs)
    if options.select.given:
        detections = selected(detections, options.select, hours)
    elif run.judge is not None:
        detections = [d for d in detections if d.score >= run.judge.threshold]
    by_name: dict[str, list[Detection]] = {}
    for one in detections:
        by_name.setdefault(one.video, []).append(one)
    for result in open_to:
        result.detections = Detections(sorted(by_name.get(result.video, []), key=lambda d: (d.start, d.sign)))


def _matching(gallery: Gallery, encoder: str | Encoder) -> Encoder:
    """The encoder, loaded, if the gallery was made with it.

    Raises:
        ValueError: the gallery is empty or was made with another.
    """
    if isinstance(encoder, str):
        from embeddings.encoders import load_encoder

        encoder = load_encoder(encoder)
    if len(gallery) == 0:
        raise ValueError("the gallery is empty; enrol an exemplar first")
    gallery.check_encoder(encoder.id or encoder.name)
    return encoder


@dataclass(eq=False)
class _Run:
    """What is the same for all videos of a call."""

    gallery: Gallery
    encoder: Encoder
    options: SpottingOptions
    poses: PoseSource | None
    known: Mapping[str, str] | None
    tracks: bool
    judge: Judge | None = None

    def encoded(self, video: Any) -> tuple[SpottingResult, Query | None]:
        """(result, prepared query or None)."""
        name = source_name(video)
        try:
            clip = load_clip(video, self.encoder, self.poses, streamed=True)
            if clip.pose is not None and nobody_seen(clip.pose):
                nobody = SpottingResult(name, duration=len(clip) / clip.fps, calibrated=self.judge is not None)
                nobody.warning = f"{name}: no signer is seen in it; head and shoulders have to be in the picture"
                return nobody, None
            plan = make_plan(self.gallery, self.options, self.judge is not None, self.encoder.window)
            query = Query(clip, self.encoder, plan)
        except (ValueError, KeyError, OSError) as error:
            return SpottingResult(name, error=str(error) if name in str(error) else f"{name}: {error}"), None
        return SpottingResult(query.name, duration=query.duration, calibrated=self.judge is not None), query

    def finish(self, result: SpottingResult, query: Query, moved: dict[int, NDArray[np.float32]]) -> None:
        """Fills in the detections and frees the query's vectors."""
        sign = None if self.known is None else self.known.get(result.video)
        track = None
        if self.tracks or self.judge is None:
            track = similarity_track(query, self.gallery, moved)
        if self.judge is not None:
            result.detections = Detections(self.judge.detections(query, moved, sign))
        elif track is not None:
            result.detections = Detections(plain_detections(query, track, self.gallery, self.options, sign))
        result.track = track if self.tracks else None
        query.forget()


def nobody_seen(pose: Pose) -> bool:
    """Whether a shoulder is never seen, without which there is no signer to measure by."""
    shoulders = [f"{side}_shoulder" for side in ("left", "right")]
    joints = SKELETONS[pose.skeleton]
    if not all(name in joints for name in shoulders):
        return False
    seen = ~np.isnan(pose.xy[:, [joints.index(name) for name in shoulders], 0])
    return len(pose) > 0 and not seen.any(axis=0).all()


def _transferred(
    queries: Mapping[int, Query], gallery: Gallery, options: TransferOptions, known: Mapping[str, str] | None
) -> dict[int, dict[int, NDArray[np.float32]]]:
    """Query → exemplar row → the vector that takes its place in that query's second search."""
    from gallery import top_k_transfer

    moved: dict[int, dict[int, NDArray[np.float32]]] = {at: {} for at in queries}
    for row, (vector, label) in enumerate(zip(gallery.vectors, gallery.exemplar_labels, strict=True)):
        # with a known sign per video, only its own videos can give an example
        open_to = {
            str(at): np.concatenate([q.windows(int(n)) for n in q.plan.lengths[q.plan.use[row]]]).astype(np.float32)
            for at, q in queries.items()
            if known is None or known.get(q.name, label) == label
        }
        found = top_k_transfer(
            vector, open_to, options.k, options.iterations, options.guard, options.minimum, options.keep
        )
        for at, replaced in found.items():
            moved[int(at)][row] = replaced
    return moved
