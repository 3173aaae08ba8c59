"""What each encoder counts in a fused score: given, as published, or fitted (`calibration`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["PUBLISHED_PARTS", "checked_weights", "published_weights"]

PUBLISHED_PARTS: dict[str, int] = {"sl-gcn": 81, "sl-gcn-3d": 39}
"""Parts of the pose networks of the OSLWL entry (ECCV 2022): its distance is the mean over all 120 parts of
(1 − cosine), plus (1 − cosine) of the network over pictures."""


def published_weights(encoders: Sequence[str]) -> list[float]:
    """As the OSLWL entry weighs its networks: a pose network by its share of their parts, any other by 1.

    >>> published_weights(["sl-gcn", "sl-gcn-3d", "i3d"])
    [0.675, 0.325, 1.0]
    """
    parts = sum(PUBLISHED_PARTS.get(name, 0) for name in encoders)
    return [PUBLISHED_PARTS[name] / parts if name in PUBLISHED_PARTS else 1.0 for name in encoders]


def checked_weights(count: int, weights: Sequence[float]) -> NDArray[np.float64]:
    """Weights as an array.

    Raises:
        ValueError: not one each, not finite, negative, or all 0.
    """
    given = np.asarray(list(weights), np.float64)
    if len(given) != count or not np.isfinite(given).all() or (given < 0).any() or given.sum() == 0:
        raise ValueError(f"weights {given.tolist()} for {count} encoders; expected one each, not negative, not all 0")
    return given
