"""From a query to detections: candidates → evidence → the video's pace → odds → distinct places → probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..detection import Detection
from .calibrate import Calibration, ShippedJudge
from .candidates import Candidates
from .cohort import Cohort
from .evidence import Examples, gathered, with_pace
from .options import SpottingOptions
from .places import as_frequent, by_sign, competing, distinct, places_of
from .query import Query, moved_vectors
from .standing import standing

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["LEAST", "THRESHOLD", "Judge", "examples_of", "judged_places", "pace_of"]

THRESHOLD = 0.4
"""Least probability of a detection."""

LEAST = 0.02
"""Least probability of what is a candidate for a list by expected false alarms, precision or number."""

USUAL_PACE, PACE_COUNTS = -0.5, 1.0
"""What a video's pace is taken for before anything is seen in it, and how many sure signs that counts for."""


Further = Callable[[Candidates, NDArray[np.float64]], NDArray[np.float64]]
"""Changes candidates' log odds (N,)."""


class Judge:
    """Finds a gallery's signs in videos, with the probability of each.

    Args:
        shipped: how evidence is weighed.
        cohort: signs that nobody looks for.
    """

    def __init__(self, gallery: Gallery, options: SpottingOptions, shipped: ShippedJudge, cohort: Cohort) -> None:
        self.gallery, self.options, self.shipped, self.cohort = gallery, options, shipped, cohort
        self.threshold = THRESHOLD if options.threshold is None else options.threshold

    def detections(
        self, query: Query, moved: Mapping[int, NDArray[np.float32]] | None = None, forced: str | None = None,
        further: Further | None = None,
    ) -> list[Detection]:  # fmt: skip
        """Detections above the threshold, by time.

        Args:
            moved: exemplar row → vector (D,) that takes its place (Top-K transfer).
            forced: the one sign that is looked for; its best place is given whatever its probability.
            further: (candidates, log odds) → log odds with what other encoders say (`spotter.fusion`).
        """
        examples = examples_of(self.gallery, self.options.refine, moved)
        labels = self.gallery.labels
        wanted = None if forced is None else examples.signs == labels.index(forced)
        candidates = gathered(query, examples, self.cohort, wanted, self.shipped.pace)
        if len(candidates) == 0:
            return []
        sign, spans, probability = judged_places(
            candidates, examples.signs, self.shipped, query.frames / query.fps / 3600, self.options.exclusive,
            forced is not None, further,
        )  # fmt: skip
        least, most = (self.threshold if self.options.threshold_stands else LEAST), self.options.most
        if forced is not None:
            least, most = -np.inf, max(most, 1)
        likely = np.flatnonzero(probability >= least)
        seconds = (np.clip(spans[likely], 0, query.frames) / query.fps).tolist()
        found = [
            Detection(query.name, labels[s], start, end, p)
            for s, (start, end), p in zip(sign[likely].tolist(), seconds, probability[likely].tolist(), strict=True)
        ]
        # signs that overlap have competed already: their probabilities are together at most 1
        return standing(found, least, most, self.options.overlap, exclusive=False)


def examples_of(gallery: Gallery, aligned: bool, moved: Mapping[int, NDArray[np.float32]] | None = None) -> Examples:
    """A gallery's exemplars as arrays.

    Args:
        aligned: with their frame features; else they are searched by windows alone.
    """
    number = {label: n for n, label in enumerate(gallery.labels)}
    lengths = [
        float(len(features)) if features is not None and len(features) else float(facts.get("frames", 25))
        for features, facts in zip(gallery.features, gallery.facts, strict=True)
    ]
    return Examples(
        moved_vectors(gallery, moved),
        list(gallery.features) if aligned else [None] * len(gallery),
        np.array([number[label] for label in gallery.exemplar_labels], np.intp),
        np.maximum(np.array(lengths), 1.0),
    )


def judged_places(
    candidates: Candidates, signs: NDArray[np.intp], shipped: ShippedJudge, hours: float, exclusive: bool = True,
    keep_best: bool = False, further: Further | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """(sign number, span in frames, probability) of every distinct place: arrays (P,), (P, 2), (P,).

    Args:
        signs: (E,) number of each exemplar's sign.
        hours: length of the video.
        exclusive: signs that share most of a stretch exclude each other.
        keep_best: at least one place of each sign.
        further: see `Judge.detections`.
    """
    own = signs[candidates.exemplar]
    paced = with_pace(candidates, pace_of(candidates, own, shipped.pace))
    odds = shipped.sign.log_odds(paced.evidence)
    places = places_of(own, candidates.spans, odds if further is None else further(paced, odds), keep_best)
    searched = np.unique(own)
    log_odds = as_frequent(places.log_odds, places.spans, hours * len(searched))
    if exclusive:
        return places.sign, places.spans, competing(log_odds, places.spans)
    return places.sign, places.spans, 1 / (1 + np.exp(-np.clip(log_odds, -40, 40)))


def pace_of(candidates: Candidates, signs: NDArray[np.intp], first: Calibration) -> float:
    """Usual logarithm of a sign's length over its exemplar's in this video, from its surest places.

    Args:
        signs: (N,) of the candidates.
        first: what the first look weighs.
    """
    odds, ratio = first.log_odds(candidates.evidence), candidates.evidence["length_ratio"]
    spans = candidates.spans
    weight, total = PACE_COUNTS, PACE_COUNTS * USUAL_PACE
    for _, rows in by_sign(signs, odds > -4):
        for at in rows[distinct(spans[rows], odds[rows])].tolist():
            sure = 1 / (1 + np.exp(-odds[at]))
            weight += sure**2
            total += sure**2 * float(ratio[at])
    return float(total / weight)
