"""Detections by cosine alone, for encoders that no judge knows: peaks of the track, aligned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..detection import Detection
from .alignment import align
from .options import SpottingOptions
from .peaks import Peak, PeakOptions, find_peaks
from .query import Query
from .standing import standing
from .track import SimilarityTrack

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["THRESHOLD", "plain_detections"]

THRESHOLD = 0.6
"""Least cosine of a detection."""


def plain_detections(
    query: Query, track: SimilarityTrack, gallery: Gallery, options: SpottingOptions, forced: str | None = None
) -> list[Detection]:
    """Detections above the threshold, by time.

    Args:
        track: the query's, perhaps fused from several encoders.
        forced: the one sign that is looked for; its best place is given whatever its cosine.
    """
    least, most = (THRESHOLD if options.threshold is None else options.threshold), options.most
    if options.select.best is not None:
        least = -1.0
    found = []
    for column, sign in enumerate(track.signs):
        if forced is not None and sign != forced:
            continue
        values = track.values[:, column]
        onset = least if forced is None else min(least, float(values.max()))
        peaks = find_peaks(values, track.centres, track.lengths[:, column], PeakOptions(onset, overlap=options.overlap))
        for peak in peaks:
            start, end = _aligned(query, gallery, sign, peak) if options.refine else (peak.start, peak.end)
            start, end = max(start, 0.0) / query.fps, min(end, float(query.frames)) / query.fps
            if end > start:
                found.append(Detection(query.name, sign, start, end, peak.score))
    if forced is not None:
        least, most = -np.inf, max(most, 1)
    return standing(found, least, most, options.overlap, options.exclusive)


def _aligned(query: Query, gallery: Gallery, sign: str, peak: Peak) -> tuple[float, float]:
    """The stretch about a peak that the sign's nearest exemplar covers, in frames."""
    rows = [row for row, label in enumerate(gallery.exemplar_labels) if label == sign]
    (vector,) = query.embed(np.array([[peak.start, peak.end]]))
    features = gallery.features[rows[int((gallery.vectors[rows] @ vector).argmax())]]
    if features is None or len(features) == 0:
        return peak.start, peak.end
    start, end, _ = align(features, query.features, peak.start, peak.end)
    return start, end
