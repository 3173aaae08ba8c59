"""`spot`: from query videos and a gallery to detections.

clip → windows → vectors → similarity track → (Top-K transfer → track again) → peaks → alignment → probability
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import load_clip
from embeddings.recordings import PoseSource, source_name

from .results import Detections, SpottingResult
from .search.calibrate import shipped_calibration
from .search.fusion import fuse
from .search.judge import Judge
from .search.options import SpottingOptions, TransferOptions
from .search.query import Plan, Query, make_plan, similarity_track
from .search.track import SimilarityTrack

if TYPE_CHECKING:
    from embeddings.clip import Clip
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["Companion", "spot", "spot_videos"]


@dataclass(frozen=True, eq=False)
class Companion:
    """A further encoder whose similarity is fused with the first one's.

    Attributes:
        gallery: the same signs, enrolled with this encoder.
        encoder: name, checkpoint file, or an encoder already loaded.
        weight: of its similarity; the first encoder's is 1.
    """

    gallery: Gallery
    encoder: str | Encoder
    weight: float = 1.0


def spot(
    video: Any,
    gallery: Gallery,
    encoder: str | Encoder = "default",
    options: SpottingOptions | None = None,
    poses: PoseSource | None = None,
    known: Mapping[str, str] | None = None,
) -> Detections:
    """Where the gallery's signs occur in one video, or in several (a list).

    Args:
        video: a recording's path (docs/inputs.md), a `Clip`, a `Pose`, or a list of these.
        gallery: exemplars made with the same encoder.
        known: video name → the one sign to look for in it (the challenge's protocol); its best place is reported
            whatever its score.

    Raises:
        ValueError: a video cannot be read (`spot_videos` goes on with the others).
    """
    several = isinstance(video, Sequence) and not isinstance(video, str)
    results = spot_videos(list(video) if several else [video], gallery, encoder, options, poses, known)
    for result in results:
        if result.error:
            raise ValueError(result.error)
    return Detections(detection for result in results for detection in result.detections)


def spot_videos(
    videos: Iterable[Any],
    gallery: Gallery,
    encoder: str | Encoder = "default",
    options: SpottingOptions | None = None,
    poses: PoseSource | None = None,
    known: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
    companions: Sequence[Companion] = (),
) -> list[SpottingResult]:
    """Spots several videos; one that fails is reported in its result and the others go on.

    Args:
        progress: called with the name of each video when it is encoded.
        companions: further encoders to fuse with, for the signs that all galleries hold. Fused scores are weighted
            cosines, which no calibration fits: without a threshold, 0.6 counts.

    Raises:
        ValueError: a gallery is empty, was made by another encoder, or lacks a known sign.
    """
    options = SpottingOptions() if options is None else options
    encoder = _matching(gallery, encoder)
    others = [replace(c, encoder=_matching(c.gallery, c.encoder)) for c in companions]
    for name, sign in (known or {}).items():
        if sign not in gallery:
            raise ValueError(f"video {name!r} is said to hold {sign!r}, of which the gallery has no exemplar")
    plan = make_plan(gallery, options.ratios, options.stride, options.window, encoder.window)
    calibration, cohort = shipped_calibration(encoder.id) if options.calibrated and not others else (None, None)
    judge = Judge(gallery, options, calibration, cohort)
    results: list[SpottingResult] = []
    queries: dict[int, Query] = {}
    fused: dict[int, list[SimilarityTrack]] = {}
    weights = [1.0, *(c.weight for c in others)]
    for at, video in enumerate(videos):
        result, query, fused[at] = _encode(video, encoder, plan, poses, others, options)
        results.append(result)
        if query is not None:
            if options.transfer is None:
                _finish(result, query, judge, {}, known, fused.pop(at), weights)
            else:
                queries[at] = query
        if progress is not None:
            progress(result.video)
    if options.transfer is not None:
        moved = _transferred(queries, gallery, options.transfer, known)
        for at, query in queries.items():
            _finish(results[at], query, judge, moved[at], known, fused[at], weights)
    return results


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


def _encode(
    video: Any,
    encoder: Encoder,
    plan: Plan,
    poses: PoseSource | None,
    others: Sequence[Companion],
    options: SpottingOptions,
) -> tuple[SpottingResult, Query | None, list[SimilarityTrack]]:
    """(result, prepared query or None, the companions' tracks)."""
    name = source_name(video)
    try:
        clip = load_clip(video, encoder, poses)
        query = Query(clip, encoder, plan)
        tracks = [_companion_track(clip, other, options, poses) for other in others]
    except (ValueError, KeyError, OSError) as error:
        return SpottingResult(name, error=str(error) if name in str(error) else f"{name}: {error}"), None, []
    return SpottingResult(query.name, duration=query.duration), query, tracks


def _companion_track(
    clip: Clip, other: Companion, options: SpottingOptions, poses: PoseSource | None
) -> SimilarityTrack:
    encoder = _matching(other.gallery, other.encoder)
    plan = make_plan(other.gallery, options.ratios, options.stride, options.window, encoder.window)
    return similarity_track(Query(load_clip(clip, encoder, poses), encoder, plan), other.gallery)


def _finish(
    result: SpottingResult,
    query: Query,
    judge: Judge,
    moved: dict[int, NDArray[np.float32]],
    known: Mapping[str, str] | None,
    others: Sequence[SimilarityTrack] = (),
    weights: Sequence[float] = (),
) -> None:
    result.track = similarity_track(query, judge.gallery, moved)
    if others:
        result.track = fuse([result.track, *others], weights)
    sign = None if known is None else known.get(result.video)
    candidates = judge.candidates(query, result.track, None if sign is None else [sign], moved=moved)
    result.detections = Detections(judge.detections(query, candidates, forced=sign))
    query.forget()


def _transferred(
    queries: Mapping[int, Query], gallery: Gallery, options: TransferOptions, known: Mapping[str, str] | None
) -> dict[int, dict[int, NDArray[np.float32]]]:
    """Query → exemplar row → the vector that takes its place in that query's second search."""
    from gallery import top_k_transfer

    moved: dict[int, dict[int, NDArray[np.float32]]] = {at: {} for at in queries}
    for row, (vector, label) in enumerate(zip(gallery.vectors, gallery.exemplar_labels, strict=True)):
        # with a known sign per video, only its own videos can give an example
        open_to = {
            str(at): np.concatenate([q.vectors(int(n)) for n in q.plan.grid[q.plan.use[row]]])
            for at, q in queries.items()
            if known is None or known.get(q.name, label) == label
        }
        found = top_k_transfer(
            vector, open_to, options.k, options.iterations, options.guard, options.minimum, options.keep
        )
        for at, replaced in found.items():
            moved[int(at)][row] = replaced
    return moved
