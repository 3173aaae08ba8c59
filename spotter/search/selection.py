"""Of all that was judged, the list that a user asks for: so many false alarms an hour, so sure, or the best so many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..detection import Detection
from .options import Selection

__all__ = ["as_expected", "selected"]

FURTHEST = 5.0
"""By how much log odds may be moved: what was seen counts for something whatever is expected."""


def selected(detections: Sequence[Detection], wanted: Selection, hours: float) -> list[Detection]:
    """The longest list, from the surest detection down, of which what is asked for is expected.

    Scores are probabilities: their sum over a list is how many are expected to be right, and the sum of what they lack
    to 1 how many are wrong.

    Args:
        detections: of all videos; hours: how long all videos are together.
    """
    ranked = sorted(detections, key=lambda d: (-d.score, d.video, d.start, d.sign))
    if wanted.best is not None:
        return ranked[: wanted.best]
    scores = np.array([d.score for d in ranked])
    if wanted.false_alarms is not None:
        fits = np.cumsum(1 - scores) <= wanted.false_alarms * hours + 1e-9
    elif wanted.precision is not None:
        fits = np.cumsum(scores) / np.arange(1, len(scores) + 1) >= wanted.precision - 1e-9
    else:
        return ranked
    return ranked[: int(np.flatnonzero(fits)[-1]) + 1] if fits.any() else []


def as_expected(detections: Sequence[Detection], count: float) -> list[Detection]:
    """The detections with their log odds moved by one number, so that their probabilities sum to `count`.

    How likely a hit is depends on how often the sign is said at all, which a user may know better than the scores do
    (the correction for another prior of Saerens et al. 2002).

    Args:
        detections: of all videos; count: how many are expected to be right, above 0.
    """
    if not detections:
        return []
    scores = np.clip([d.score for d in detections], 1e-9, 1 - 1e-9)
    odds = np.log(scores / (1 - scores))
    low, high = -FURTHEST, FURTHEST
    for _ in range(60):
        middle = (low + high) / 2
        too_many = float((1 / (1 + np.exp(-(odds + middle)))).sum()) > count
        low, high = (low, middle) if too_many else (middle, high)
    moved = 1 / (1 + np.exp(-(odds + low)))
    return [replace(d, score=float(p)) for d, p in zip(detections, moved, strict=True)]
