"""How unlike two hands are: residuals after the best similarity transform of one onto the other.

The distances of UWB ChaLearn-SLR (2021).

In the plane a hand is a complex vector h of 21 joints; about weighted means, the similarity z → a z + b that takes h
onto g with least Σ w |a h + b − g|² has a = ⟨h, g⟩ / ⟨h, h⟩ in closed form (Umeyama 1991; Kendall 1984). So a whole
table of distances is two matrix products: no loop and no SVD.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["JOINT_WEIGHTS", "PALM", "hand_distances", "hand_sizes", "palm_distances"]

Array = NDArray[np.floating]
PALM: tuple[int, ...] = (0, 1, 5, 9, 13, 17)
"""Joints the weighted distance fits on."""


def _joint_weights() -> NDArray[np.float64]:
    weights = np.ones(21)
    weights[[4, 8, 12, 16, 20]] = 3.0
    weights[[3, 7, 11, 15, 19]] = 2.0
    weights[[6, 10, 14, 18]] = 1.5
    return weights / weights.mean()


JOINT_WEIGHTS: NDArray[np.float64] = _joint_weights()
"""(21,) residual weights of the weighted distance: tips 3, last joints 2, middle joints 1.5, mean 1."""

_BLOCK = 2048


def _complex(hands: Array) -> NDArray[np.complex128]:
    hands = np.asarray(hands, np.float64)
    if hands.ndim != 3 or hands.shape[1:] != (21, 2):
        raise ValueError(f"hands have shape {hands.shape}; expected (N, 21, 2)")
    if not np.isfinite(hands).all():
        raise ValueError("a hand has missing joints; leave such hands out before comparing")
    return hands[..., 0] + 1j * hands[..., 1]


def hand_distances(sources: Array, targets: Array, unit: float | Array = 1.0) -> NDArray[np.float64]:
    """(N, M) L2 norm of the residuals of each source fitted onto each target, over `unit`.

    Args:
        sources: (N, 21, 2); targets: (M, 21, 2) pixels.
        unit: pixels, one for all or (M,) one per target: the distance neck–shoulder of the target's video.
    """
    h, g = _complex(sources), _complex(targets)
    h, g = h - h.mean(1, keepdims=True), g - g.mean(1, keepdims=True)
    size_h, size_g = (np.abs(h) ** 2).sum(1), (np.abs(g) ** 2).sum(1)
    result = np.empty((len(h), len(g)))
    for start in range(0, len(h), _BLOCK):
        rows = slice(start, start + _BLOCK)
        product = np.abs(h[rows].conj() @ g.T) ** 2
        result[rows] = size_g[None] - product / np.maximum(size_h[rows, None], 1e-12)
    return np.sqrt(np.maximum(result, 0.0)) / np.asarray(unit)


def palm_distances(
    sources: Array, targets: Array, unit: float | Array, weights: Array = JOINT_WEIGHTS
) -> NDArray[np.float64]:
    """(N, M) weighted distance √(Σ (w |r|)²) / unit: fitted on the palm alone, each joint's residual r weighted by w.

    Args:
        unit: pixels, (M,) or one for all. The published thresholds are for the distance neck–shoulder of the target's
            video (clusters) or for the hand's size (`hand_sizes`, mining).

    The residual of joint j is a h_j + b − g_j with a, b from the palm; Σ w² |·|² expands into products of sums, so the
    table needs three matrix products.
    """
    h, g = _complex(sources), _complex(targets)
    palm = list(PALM)
    h, g = h - h[:, palm].mean(1, keepdims=True), g - g[:, palm].mean(1, keepdims=True)
    fit_h = np.maximum((np.abs(h[:, palm]) ** 2).sum(1), 1e-12)
    w = np.asarray(weights, np.float64) ** 2
    all_h, all_g = (np.abs(h) ** 2 * w).sum(1), (np.abs(g) ** 2 * w).sum(1)
    result = np.empty((len(h), len(g)))
    for start in range(0, len(h), _BLOCK):
        rows = slice(start, start + _BLOCK)
        a = (h[rows][:, palm].conj() @ g[:, palm].T) / fit_h[rows, None]
        cross = (h[rows] * w).conj() @ g.T
        result[rows] = np.abs(a) ** 2 * all_h[rows, None] - 2 * (a.conj() * cross).real + all_g[None]
    return np.sqrt(np.maximum(result, 0.0)) / np.maximum(np.asarray(unit, np.float64), 1e-12)


def hand_sizes(hands: Array) -> NDArray[np.float64]:
    """(N,) pixels from the wrist to the joint farthest from it, of hands (N, 21, 2)."""
    hands = np.asarray(hands, np.float64)
    return np.linalg.norm(hands[:, 1:] - hands[:, :1], axis=-1).max(axis=1)
