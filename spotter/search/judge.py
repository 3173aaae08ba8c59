"""From similarity tracks to detections: peaks → evidence → probability → the ones that stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..detection import Detection
from .alignment import align
from .calibrate import Calibration, Cohort, background
from .options import SpottingOptions
from .peaks import Peak, PeakOptions, find_peaks
from .query import Plan, Query, moved_vectors
from .suppression import suppress
from .track import SimilarityTrack

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["Candidate", "Judge", "standing"]

CALIBRATED_THRESHOLD = 0.4
"""Least probability of a detection: where one-to-one F1 is best on procedural worlds and real streams for choosing."""

UNCALIBRATED_THRESHOLD = 0.6
"""Least cosine of a detection where no calibration is at hand."""

HIGH = 0.5
"""A peak with this cosine is always judged, however much of the video is like it."""

TYPICAL_LENGTH = 0.45
"""How long a sign in a sentence lasts as a share of its dictionary form."""


MOSTLY = 0.5
"""Of the shorter of two detections: where more of it is covered, they are of the same stretch of signing."""


@dataclass(frozen=True)
class Candidate:
    """A peak of a sign's track with the evidence for it (see `calibrate.EVIDENCE`); times in frames."""

    sign: str
    start: float
    end: float
    evidence: dict[str, float]


class _Found(NamedTuple):
    """A peak with what its track says about it: the best other sign there, the track's middle and spread."""

    sign: str
    peak: Peak
    rival: float
    middle: float
    spread: float


class _Aligned(NamedTuple):
    """Where an exemplar fits: [start, end) in frames, mean cost, log of its length over the usual one."""

    start: float
    end: float
    cost: float
    length: float


class _Norm(NamedTuple):
    """Mean and standard deviation of a vector's similarity to its nearest cohort members."""

    mean: float
    deviation: float

    def of(self, score: float) -> float:
        """The score in standard deviations above the mean; 0 without a cohort."""
        return (score - self.mean) / self.deviation if np.isfinite(self.deviation) else 0.0


NO_COHORT = _Norm(-1.0, float("inf"))


class Judge:
    """Turns tracks into candidates with evidence, and candidates into detections.

    Args:
        gallery: the exemplars.
        calibration: evidence → probability; None scores by cosine.
        cohort: signs that nobody looks for; None leaves the evidence that needs it at 0.
        several_lengths: judge each peak at every window length of its sign, as is done with a calibration when
            boundaries are refined.
    """

    def __init__(
        self,
        gallery: Gallery,
        options: SpottingOptions,
        calibration: Calibration | None = None,
        cohort: Cohort | None = None,
        several_lengths: bool = False,
    ) -> None:
        self.gallery, self.options, self.calibration, self.cohort = gallery, options, calibration, cohort
        default = UNCALIBRATED_THRESHOLD if calibration is None else CALIBRATED_THRESHOLD
        self.threshold = default if options.threshold is None else options.threshold
        self.several_lengths = (calibration is not None or several_lengths) and options.refine
        self._rows = {s: [i for i, x in enumerate(gallery.exemplar_labels) if x == s] for s in gallery.labels}

    def candidates(
        self,
        query: Query,
        track: SimilarityTrack,
        signs: Sequence[str] | None = None,
        floor: float | None = None,
        moved: Mapping[int, NDArray[np.float32]] | None = None,
    ) -> list[Candidate]:
        """Every peak worth judging.

        Args:
            signs: only these; None all.
            floor: least cosine of a peak; None takes the threshold where scores are cosines, and where they are
                probabilities (or a sign is known to be there) what stands out of its track at all.
            moved: exemplar row → the vector that the track was made with instead (Top-K transfer).
        """
        found = self._peaks(track, query.plan, track.signs if signs is None else signs, floor, signs is not None)
        if not found:
            return []
        exemplars = moved_vectors(self.gallery, moved)
        windows = query.encoder.embed(query.inputs, np.array([[f.peak.start, f.peak.end] for f in found]))
        similarity = windows @ exemplars.T
        rows = [self._nearest(f.sign, s) for f, s in zip(found, similarity, strict=True)]
        aligned = [self._aligned(query, f.peak, row) for f, row in zip(found, rows, strict=True)]
        spans = query.encoder.embed(query.inputs, np.array([[a.start, a.end] for a in aligned])) @ exemplars.T
        norms, own = self._cohort_statistics(windows), self._cohort_statistics(exemplars)
        made = []
        for i, (f, row, fit) in enumerate(zip(found, rows, aligned, strict=True)):
            cosine = float(similarity[i, row]) if self.several_lengths else f.peak.score
            others = np.delete(spans[i], self._rows[f.sign])
            evidence = {
                "cosine": cosine,
                "s_norm": 0.5 * (norms[i].of(cosine) + own[row].of(cosine)),
                "background": (cosine - f.middle) / f.spread,
                "margin": cosine - max(f.rival, norms[i].mean),
                "span": float(spans[i, row]),
                "lead": float(spans[i, row]) - max(float(others.max(initial=-1.0)), norms[i].mean),
                "alignment": fit.cost,
                "length": abs(fit.length),
                "shortness": max(-fit.length, 0.0),
            }
            start, end = (fit.start, fit.end) if self.options.refine else (f.peak.start, f.peak.end)
            made.append(Candidate(f.sign, max(start, 0.0), min(end, float(query.frames)), evidence))
        return made

    def _nearest(self, sign: str, similarity: NDArray[np.float32]) -> int:
        """The exemplar row of the sign that a window with these similarities (E,) is most like."""
        rows = self._rows[sign]
        return rows[int(similarity[rows].argmax())]

    def _aligned(self, query: Query, peak: Peak, row: int) -> _Aligned:
        features = self.gallery.features[row]
        if features is None or len(features) == 0:
            return _Aligned(peak.start, peak.end, 0.0, 0.0)
        start, end, cost = align(features, query.features, peak.start, peak.end)
        return _Aligned(start, end, cost, float(np.log((end - start) / (TYPICAL_LENGTH * len(features)))))

    def _peaks(
        self, track: SimilarityTrack, plan: Plan, signs: Sequence[str], floor: float | None, known: bool
    ) -> list[_Found]:
        middle, spread = background(track.values)
        found = []
        for sign in signs:
            column = track.signs.index(sign)
            values = track.values[:, column]
            # in a short video that says the sign twice, the sign itself is the background
            standing_out = min(float(middle[column] + spread[column]), HIGH) if len(values) > 8 else -1.0
            onset = floor
            if onset is None:
                onset = self.threshold if self.calibration is None and not known else standing_out
            if known:
                onset = min(onset, float(values.max()))
            options = PeakOptions(onset, overlap=self.options.overlap)
            others = np.delete(track.values, column, axis=1)
            for peak in find_peaks(values, track.centres, track.lengths[:, column], options):
                at = round(peak.position)
                rival = float(others[at].max()) if others.shape[1] else float(middle[column])
                found += [
                    _Found(sign, each, rival, float(middle[column]), float(spread[column]))
                    for each in self._lengths(sign, peak, plan)
                ]
        return found

    def _lengths(self, sign: str, peak: Peak, plan: Plan) -> list[Peak]:
        """The peak with each window length of its sign: which one is right, the evidence tells."""
        if not self.several_lengths:
            return [peak]
        middle = (peak.start + peak.end) / 2
        lengths = plan.grid[plan.use[self._rows[sign]].any(axis=0)]
        return [peak._replace(start=middle - n / 2, end=middle + n / 2) for n in lengths.tolist()]

    def _cohort_statistics(self, vectors: NDArray[np.float32]) -> list[_Norm]:
        if self.cohort is None:
            return [NO_COHORT] * len(vectors)
        return [_Norm(float(m), float(s)) for m, s in zip(*self.cohort.statistics(vectors), strict=True)]

    def detections(self, query: Query, candidates: Sequence[Candidate], forced: str | None = None) -> list[Detection]:
        """Detections above the threshold, by time; with a known sign its best candidate whatever its score."""
        judged = [
            Detection(query.name, c.sign, c.start / query.fps, c.end / query.fps, self.score(c))
            for c in candidates
            if c.end > c.start
        ]
        least, most = self.threshold, self.options.most
        if forced is not None:
            least, most = -np.inf, max(most, 1)
        return standing(judged, least, most, self.options.overlap, self.options.exclusive)

    def score(self, candidate: Candidate) -> float:
        """The candidate's probability where there is a calibration, else its cosine."""
        if self.calibration is None:
            return candidate.evidence["cosine"]
        return self.calibration.probability(candidate.evidence)


def standing(
    detections: Sequence[Detection], least: float, most: int = 0, overlap: float = 0.2, exclusive: bool = True
) -> list[Detection]:
    """The detections of one video that stand, by time: from the surest down, each that clashes with none before it.

    Args:
        least: least score; most: so many of each sign (0: all).
        overlap, exclusive: see `SpottingOptions`.
    """
    able = [d for d in detections if d.score >= least]
    ranked = sorted(able, key=lambda d: (-d.score, d.start, d.sign))
    across = MOSTLY if exclusive else None
    places = suppress([(d.start, d.end) for d in ranked], [d.sign for d in ranked], overlap, MOSTLY, across,
                      most_each=most)  # fmt: skip
    return sorted((ranked[i] for i in places), key=lambda d: (d.start, d.sign))
