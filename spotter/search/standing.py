"""Which detections of a video stand: from the surest down, each that clashes with none before it."""

from __future__ import annotations

from collections.abc import Sequence

from ..detection import Detection
from .suppression import suppress

__all__ = ["MOSTLY", "standing"]

MOSTLY = 0.5
"""Of the shorter of two detections: where more of it is covered, they are of the same stretch of signing."""


def standing(
    detections: Sequence[Detection], least: float, most: int = 0, overlap: float = 0.2, exclusive: bool = True
) -> list[Detection]:
    """The detections of one video that stand, by time: from the surest down, each that clashes with none before it.

    Args:
        least: least score; most: so many of each sign (0: all).
        overlap: of two detections of one sign with a greater IoU the surer stays.
        exclusive: so it does of different signs that share most of the shorter one.
    """
    able = [d for d in detections if d.score >= least]
    ranked = sorted(able, key=lambda d: (-d.score, d.start, d.sign))
    across = MOSTLY if exclusive else None
    places = suppress([(d.start, d.end) for d in ranked], [d.sign for d in ranked], overlap, MOSTLY, across,
                      most_each=most)  # fmt: skip
    return sorted((ranked[i] for i in places), key=lambda d: (d.start, d.sign))
