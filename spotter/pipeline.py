"""`spot`: from query videos and a gallery to detections.

clip → windows → vectors → similarity track → (Top-K transfer → track again) → peaks → alignment → probability
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .calibrate import Calibration, Cohort, background
from .detection import Detection
from .peaks import Peak, PeakOptions, find_peaks
from .query import Plan, Query, make_plan, similarity_track
from .refine import align
from .sources import PoseSource, load_clip, source_name
from .track import SimilarityTrack
from .windows import RATIOS

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["Candidate", "SpottingOptions", "SpottingResult", "TransferOptions", "spot", "spot_videos"]


@dataclass(frozen=True)
class TransferOptions:
    """Top-K transfer, see `gallery.transfer`.

    Attributes:
        k, iterations: as published 5 and 1.
        guard: a video is not searched with what it donated itself.
        minimum: least cosine of a donation.
        keep: weight of the exemplar beside the donations' mean; 0 replaces it, as published.
    """

    k: int = 5
    iterations: int = 1
    guard: bool = True
    minimum: float = -1.0
    keep: float = 0.0


@dataclass(frozen=True)
class SpottingOptions:
    """How to spot.

    Attributes:
        threshold: least score of a detection; None takes 0.5 for calibrated encoders (a probability), else 0.6.
        stride: frames between window centres.
        ratios: window lengths as shares of the exemplar's trimmed length.
        window: one window length in frames for all signs instead (16 in the published systems).
        refine: align the exemplar around each peak, so that the span is the sign's own.
        calibrated: use the encoder's calibration where it has one.
        exclusive: of detections of different signs that overlap by more than half, the surer stays.
        overlap: of two detections of one sign with a greater IoU the surer stays.
        most: so many best detections per sign and video (0: all above the threshold).
        transfer: Top-K transfer between the query videos, or None.
    """

    threshold: float | None = None
    stride: int = 2
    ratios: tuple[float, ...] = RATIOS
    window: int | None = None
    refine: bool = True
    calibrated: bool = True
    exclusive: bool = True
    overlap: float = 0.2
    most: int = 0
    transfer: TransferOptions | None = None


@dataclass(frozen=True)
class Candidate:
    """A peak of a sign's track with the evidence for it (see `calibrate.EVIDENCE`); times in frames."""

    sign: str
    start: float
    end: float
    evidence: dict[str, float]


@dataclass(eq=False)
class SpottingResult:
    """What became of one query.

    Attributes:
        video: its name.
        detections: by time.
        track: its similarity track, None when it failed.
        error: one line saying why it failed, "" otherwise.
        duration: seconds.
    """

    video: str
    detections: list[Detection] = field(default_factory=list)
    track: SimilarityTrack | None = None
    error: str = ""
    duration: float = 0.0


def spot(
    video: Any,
    gallery: Gallery,
    encoder: str | Encoder = "default",
    options: SpottingOptions | None = None,
    poses: PoseSource | None = None,
    known: Mapping[str, str] | None = None,
) -> list[Detection]:
    """Where the gallery's signs occur in one video, or in several (a list).

    Args:
        video: a video or pose file, a `Clip`, a `Pose`, or a list of these.
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
    return [detection for result in results for detection in result.detections]


def spot_videos(
    videos: Iterable[Any],
    gallery: Gallery,
    encoder: str | Encoder = "default",
    options: SpottingOptions | None = None,
    poses: PoseSource | None = None,
    known: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[SpottingResult]:
    """Spots several videos; one that fails is reported in its result and the others go on.

    Args:
        progress: called with the name of each video when it is encoded.

    Raises:
        ValueError: the gallery is empty, was made by another encoder, or lacks a known sign.
    """
    options = SpottingOptions() if options is None else options
    if isinstance(encoder, str):
        from embeddings.encoders import load_encoder

        encoder = load_encoder(encoder)
    if len(gallery) == 0:
        raise ValueError("the gallery is empty; enrol an exemplar first")
    gallery.check_encoder(encoder.id or encoder.name)
    for name, sign in (known or {}).items():
        if sign not in gallery:
            raise ValueError(f"video {name!r} is said to hold {sign!r}, of which the gallery has no exemplar")
    plan = make_plan(gallery, options.ratios, options.stride, options.window, encoder.window)
    judge = Judge(gallery, encoder, options)
    results: list[SpottingResult] = []
    queries: dict[int, Query] = {}
    for video in videos:
        result, query = _encode(video, encoder, plan, poses)
        results.append(result)
        if query is not None:
            if options.transfer is None:
                _finish(result, query, judge, {}, known)
            else:
                queries[len(results) - 1] = query
        if progress is not None:
            progress(result.video)
    if options.transfer is not None:
        moved = _transferred(queries, gallery, options.transfer, known)
        for at, query in queries.items():
            _finish(results[at], query, judge, moved[at], known)
    return results


def _encode(video: Any, encoder: Encoder, plan: Plan, poses: PoseSource | None) -> tuple[SpottingResult, Query | None]:
    name = source_name(video)
    try:
        query = Query(load_clip(video, encoder, poses), encoder, plan)
    except (ValueError, KeyError, OSError) as error:
        return SpottingResult(name, error=str(error) if name in str(error) else f"{name}: {error}"), None
    return SpottingResult(query.name, duration=query.duration), query


def _finish(
    result: SpottingResult,
    query: Query,
    judge: Judge,
    moved: dict[int, NDArray[np.float32]],
    known: Mapping[str, str] | None,
) -> None:
    result.track = similarity_track(query, judge.gallery, moved)
    sign = None if known is None else known.get(result.video)
    candidates = judge.candidates(query, result.track, None if sign is None else [sign])
    result.detections = judge.detections(query, candidates, forced=sign)
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


class Judge:
    """Turns tracks into candidates with evidence, and candidates into detections."""

    def __init__(self, gallery: Gallery, encoder: Encoder, options: SpottingOptions) -> None:
        self.gallery, self.options = gallery, options
        self.calibration, self.cohort = _shipped_calibration(encoder) if options.calibrated else (None, None)
        self.threshold = options.threshold
        if self.threshold is None:
            self.threshold = 0.6 if self.calibration is None else 0.5
        self._rows = {s: [i for i, x in enumerate(gallery.exemplar_labels) if x == s] for s in gallery.labels}

    def candidates(self, query: Query, track: SimilarityTrack, signs: Sequence[str] | None = None) -> list[Candidate]:
        """Every peak worth judging, of the signs asked for (all by default)."""
        middle, spread = background(track.values)
        found = []
        for sign in track.signs if signs is None else signs:
            column = track.signs.index(sign)
            values = track.values[:, column]
            # peaks that do not stand out at all are not worth an alignment
            floor = float(middle[column] + spread[column]) if len(values) > 8 else -1.0
            onset = self.threshold if self.calibration is None and signs is None else floor
            peaks = find_peaks(
                values, track.centres, track.lengths[:, column],
                PeakOptions(min(onset, float(values.max())), overlap=self.options.overlap),
            )  # fmt: skip
            others = np.delete(track.values, column, axis=1)
            for peak in peaks:
                at = round(peak.position)
                rival = float(others[at].max()) if others.shape[1] else float(middle[column])
                found.append(self._candidate(query, sign, peak, rival, float(middle[column]), float(spread[column])))
        return found

    def _candidate(self, query: Query, sign: str, peak: Peak, rival: float, middle: float, spread: float) -> Candidate:
        vector = query.vector_at(peak.start, peak.end)
        rows = self._rows[sign]
        row = rows[int((self.gallery.vectors[rows] @ vector).argmax())]
        features = self.gallery.features[row]
        start, end, cost, length = peak.start, peak.end, 0.0, 0.0
        if features is not None and len(features):
            aligned_start, aligned_end, cost = align(features, query.features, peak.start, peak.end)
            length = abs(float(np.log((aligned_end - aligned_start) / len(features))))
            if self.options.refine:
                start, end = aligned_start, aligned_end
        evidence = {
            "cosine": peak.score,
            "s_norm": self._s_norm(peak.score, vector, self.gallery.vectors[row]),
            "background": (peak.score - middle) / spread,
            "margin": peak.score - rival,
            "alignment": cost,
            "length": length,
        }
        return Candidate(sign, max(start, 0.0), min(end, float(query.frames)), evidence)

    def _s_norm(self, score: float, window: NDArray[np.float32], exemplar: NDArray[np.float32]) -> float:
        if self.cohort is None:
            return 0.0
        mean, deviation = self.cohort.statistics(np.stack([window, exemplar]))
        return float(((score - mean) / deviation).mean())

    def detections(self, query: Query, candidates: Sequence[Candidate], forced: str | None = None) -> list[Detection]:
        """Detections above the threshold, by time; with a known sign its best candidate whatever its score."""
        judged = [
            Detection(query.name, c.sign, c.start / query.fps, c.end / query.fps, self.score(c))
            for c in candidates
            if c.end > c.start
        ]
        judged.sort(key=lambda d: (-d.score, d.start, d.sign))
        if forced is not None:
            return sorted(judged[: max(self.options.most, 1)], key=lambda d: d.start)
        chosen: list[Detection] = []
        per_sign: dict[str, int] = {}
        for one in judged:
            if one.score < self.threshold or any(self._clash(one, other) for other in chosen):
                continue
            if self.options.most and per_sign.get(one.sign, 0) >= self.options.most:
                continue
            per_sign[one.sign] = per_sign.get(one.sign, 0) + 1
            chosen.append(one)
        return sorted(chosen, key=lambda d: (d.start, d.sign))

    def score(self, candidate: Candidate) -> float:
        """The candidate's probability where there is a calibration, else its cosine."""
        if self.calibration is None:
            return candidate.evidence["cosine"]
        return self.calibration.probability(candidate.evidence)

    def _clash(self, one: Detection, other: Detection) -> bool:
        inner = min(one.end, other.end) - max(one.start, other.start)
        if inner <= 0:
            return False
        if one.sign == other.sign:
            return inner / (max(one.end, other.end) - min(one.start, other.start)) > self.options.overlap
        return self.options.exclusive and inner > 0.5 * min(one.end - one.start, other.end - other.start)


def _shipped_calibration(encoder: Encoder) -> tuple[Calibration | None, Cohort | None]:
    """The calibration and cohort that travel with the package for these very weights, if there are any."""
    from importlib.resources import as_file, files

    folder = files("spotter") / "calibration"
    settings, vectors = folder / f"{encoder.id}.json", folder / f"{encoder.id}.npz"
    if not encoder.id or not settings.is_file():
        return None, None
    with as_file(settings) as path:
        calibration = Calibration.load(path)
    with as_file(vectors) as path, np.load(path, allow_pickle=False) as data:
        cohort = Cohort(data["cohort"].astype(np.float32))
    return calibration, cohort
