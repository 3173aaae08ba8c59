"""What a hand's form is compared by when its pose was estimated: where its joints are, and where its bones point.

Joints in the palm's frame (`hand_clusters.palm_shapes`) lie far apart when one knuckle is taken for too deep: the error
goes on to the tip. Directions of bones carry it no farther; so half of a form's weight is theirs. A form is the median
over many frames, since the fingers stand still while a sign's hand is held and estimated depth does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...skeletons import HAND_EDGES
from .clusters import palm_shapes
from .distance import JOINT_WEIGHTS

__all__ = ["form_distances", "hand_forms", "steady_hand_forms"]

Array = NDArray[np.floating]


def hand_forms(hands: Array, left: NDArray[np.bool_] | bool = False) -> NDArray[np.float64]:
    """(N, 123) forms of hands (N, 21, 3); left hands are mirrored to right ones.

    The squared distance of two forms is the weighted mean squared distance of their 21 joints, in palm lengths, plus
    the mean squared difference of their 20 bones' directions (unit vectors).

    Args:
        left: (N,) which are left hands, or one answer for all.
    """
    shapes = palm_shapes(hands, left)
    bones = np.stack([shapes[:, b] - shapes[:, a] for a, b in HAND_EDGES], axis=1)
    bones = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    root = np.sqrt(JOINT_WEIGHTS / JOINT_WEIGHTS.sum())[:, None]
    parts = (shapes * root, bones / np.sqrt(len(HAND_EDGES)))
    return np.concatenate([part.reshape(len(shapes), -1) for part in parts], axis=1)


def steady_hand_forms(hands: Array, left: bool, fps: float, seconds: float = 0.8) -> NDArray[np.float64]:
    """(T, 123) forms of one hand over time (T, 21, 3), each the median of `seconds` around it.

    A frame without the hand stays NaN.
    """
    known = np.flatnonzero(np.isfinite(hands).all(axis=(1, 2)))
    result = np.full((len(hands), 3 * (21 + len(HAND_EDGES))), np.nan)
    if len(known) == 0:
        return result
    forms = result.copy()
    forms[known] = hand_forms(hands[known], left)
    reach = round(seconds * fps / 2)
    for t in known:
        result[t] = np.nanmedian(forms[max(0, t - reach) : t + reach + 1], axis=0)
    return result


def form_distances(forms: Array, others: Array | None = None) -> NDArray[np.float64]:
    """(N, M) distances of forms (N, 123)."""
    a = np.asarray(forms, np.float64)
    b = a if others is None else np.asarray(others, np.float64)
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))
