"""Candidates: spans of a query where a sign may be, from two searches that miss different things.

Peaks of the similarity track find signs that are reduced or said fast, whose frames an alignment does not recognise;
the best alignments find signs that are said slowly or by another kind of person, which a window's vector does not
recognise. Each place gives several spans, and the evidence tells which one is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from .alignment import UNREACHED, Profiles

__all__ = ["Candidates", "aligned_spans", "peaks_of", "track_spans"]

PER_HOUR, AT_LEAST = 240, 20
"""Places of an exemplar that each of the two searches may give, an hour of video and at least."""

SHARES = (0.7, 1.0, 1.4)
"""Lengths of the spans around a peak of the track, as shares of the window that was best there."""

OWN_SHARES = (0.45, 1.0, 2.0)
"""Further lengths of spans there, as shares of the exemplar's."""

SHORTEST = 3.0
"""Frames of a span."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Spans that may show a sign: N rows.

    Attributes:
        exemplar: (N,) row of the gallery.
        start, end: (N,) frames, half-open.
        evidence: name → (N,) values; filled step by step (see `evidence`).
    """

    exemplar: NDArray[np.int32]
    start: NDArray[np.float32]
    end: NDArray[np.float32]
    evidence: dict[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.exemplar)

    @property
    def spans(self) -> NDArray[np.float64]:
        """(N, 2) frames."""
        return np.stack([self.start, self.end], axis=1).astype(np.float64)

    def with_evidence(self, **values: NDArray[np.floating]) -> Candidates:
        """The same candidates with more evidence."""
        more = {name: np.asarray(value, np.float32) for name, value in values.items()}
        return replace(self, evidence={**self.evidence, **more})

    def rows(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Candidates:
        """Some of them, by index or mask."""
        evidence = {name: values[chosen] for name, values in self.evidence.items()}
        return Candidates(self.exemplar[chosen], self.start[chosen], self.end[chosen], evidence)

    @classmethod
    def joined(cls, parts: Sequence[Candidates]) -> Candidates:
        """All parts in order; they have the same evidence."""
        names = parts[0].evidence if parts else ()
        return cls(
            np.concatenate([np.zeros(0, np.int32), *(p.exemplar for p in parts)]),
            np.concatenate([np.zeros(0, np.float32), *(p.start for p in parts)]),
            np.concatenate([np.zeros(0, np.float32), *(p.end for p in parts)]),
            {name: np.concatenate([p.evidence[name] for p in parts]) for name in names},
        )

    @classmethod
    def of_spans(cls, exemplar: int, spans: NDArray[np.floating], frames: int) -> Candidates:
        """Spans (N, 2) of one exemplar, clipped to a query of so many frames."""
        start = np.clip(spans[:, 0], 0, max(frames - SHORTEST, 0))
        end = np.clip(spans[:, 1], start + min(SHORTEST, frames), frames)
        rows = np.full(len(spans), exemplar, np.int32)
        return cls(rows, start.astype(np.float32), end.astype(np.float32), {})


def peaks_of(values: NDArray[np.floating], apart: int, most: int | None = None) -> NDArray[np.intp]:
    """Indexes of the values (W,) that none within `apart` places exceeds, the highest first, at most `most`.

    Of a run of equal values the first counts.
    """
    if len(values) == 0:
        return np.zeros(0, np.intp)
    tops = np.flatnonzero(values >= maximum_filter1d(values, 2 * apart + 1, mode="nearest"))
    tops = tops[np.diff(tops, prepend=-2 * apart - 2) > apart]
    ranked = tops[np.argsort(-values[tops], kind="stable")]
    return ranked if most is None else ranked[:most]


def allowed_places(frames: int, fps: float) -> int:
    """How many places of an exemplar a video of this length may give to each search."""
    return max(AT_LEAST, round(PER_HOUR * frames / fps / 3600))


def track_spans(
    cosine: NDArray[np.float32], length: NDArray[np.float32], centres: NDArray[np.float64], own: float, apart: int,
    least: float, most: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Spans (N, 2) in frames around the peaks of one exemplar's track.

    Args:
        cosine, length: (W,) best cosine around each centre, and the length of its window in frames.
        own: frames of the exemplar.
        apart: centres by which peaks are apart; least: cosine of a peak; most: peaks.
    """
    tops = peaks_of(cosine, apart, most)
    tops = tops[cosine[tops] >= least]
    middle, window = centres[tops], length[tops]
    lengths = [share * window for share in SHARES] + [np.full(len(tops), share * own) for share in OWN_SHARES]
    return np.concatenate([np.stack([middle - length / 2, middle + length / 2], axis=1) for length in lengths])


def aligned_spans(found: Profiles, lengths: Sequence[int], least: float, most: int) -> NDArray[np.float64]:
    """Spans (N, 2) in frames of the best alignments of one exemplar.

    Args:
        found: its profiles, arrays (scales, T).
        lengths: frames of the exemplar at each scale; ends are a third of that apart.
        least: highest cost of a candidate; most: candidates at each scale.
    """
    spans = []
    for cost, covered, length in zip(found.cost, found.length, lengths, strict=True):
        ends = peaks_of(-cost, max(2, length // 3), most)
        ends = ends[(cost[ends] <= least) & (cost[ends] < UNREACHED)]
        spans.append(np.stack([ends + 1 - covered[ends], ends + 1], axis=1).astype(np.float64))
    return np.concatenate(spans)
