"""From a similarity track to segments: local maxima, hysteresis, non-maximum suppression.

After pyannote.audio's `Binarize`: a detection begins where the score passes the onset and lasts while it stays above
the offset; here each local maximum above the onset is one candidate of its window's length, and of candidates of one
sign that overlap too much the better one stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .suppression import suppress

__all__ = ["Peak", "PeakOptions", "find_peaks"]


@dataclass(frozen=True)
class PeakOptions:
    """Which maxima count.

    Attributes:
        onset: least score of a peak.
        offset: between two peaks the score must fall below this share of the way from the track's floor to the lower
            of them, else they are one.
        overlap: of two candidates of a sign whose IoU is above this the better stays.
        most: keep only so many best of each sign (0: all).
    """

    onset: float = 0.5
    offset: float = 0.85
    overlap: float = 0.2
    most: int = 0


class Peak(NamedTuple):
    """A candidate: position in the track (fractional index), score, and the window's [start, end) in frames."""

    position: float
    score: float
    start: float
    end: float


def find_peaks(
    scores: NDArray[np.floating], centres: NDArray[np.floating], lengths: NDArray[np.floating], options: PeakOptions
) -> list[Peak]:
    """Candidates of one sign, best first; of equal scores the earlier one.

    Args:
        scores: (W,) one sign's track.
        centres: (W,) frames; lengths: (W,) frames of the best window.
    """
    values = np.asarray(scores, np.float64)
    if len(values) == 0:
        return []
    padded = np.concatenate([[-np.inf], values, [-np.inf]])
    # the first of equal neighbours counts as the maximum
    tops = np.flatnonzero((values > padded[:-2]) & (values >= padded[2:]) & (values >= options.onset))
    tops = _separate(values, tops, options.offset)
    peaks = [_peak(values, centres, lengths, int(i)) for i in tops]
    ranked = sorted(peaks, key=lambda p: (-p.score, p.start))
    return [ranked[i] for i in suppress([(p.start, p.end) for p in ranked], overlap=options.overlap, most=options.most)]


def _separate(scores: NDArray[np.float64], tops: NDArray[np.intp], share: float) -> NDArray[np.intp]:
    """Joins neighbouring maxima between which the score does not fall far enough; the higher one stays."""
    floor = float(np.median(scores))
    kept: list[int] = []
    for top in tops:
        if kept:
            lower = min(scores[kept[-1]], scores[top])
            valley = scores[kept[-1] : top + 1].min()
            if valley > floor + share * (lower - floor):
                if scores[top] > scores[kept[-1]]:
                    kept[-1] = int(top)
                continue
        kept.append(int(top))
    return np.array(kept, np.intp)


def _peak(scores: NDArray[np.float64], centres: NDArray[np.floating], lengths: NDArray[np.floating], i: int) -> Peak:
    """The maximum at index i with its sub-step position from a parabola through its neighbours."""
    shift = 0.0
    if 0 < i < len(scores) - 1:
        before, top, after = scores[i - 1 : i + 2]
        bend = before - 2 * top + after
        shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    position = i + float(np.clip(shift, -0.5, 0.5))
    middle = float(np.interp(position, np.arange(len(centres)), centres))
    return Peak(position, float(scores[i]), middle - float(lengths[i]) / 2, middle + float(lengths[i]) / 2)
