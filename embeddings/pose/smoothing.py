"""Smoothing of tracks with gaps: Savitzky–Golay and One Euro, on arrays (T, …) with NaN where missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from scipy.signal import savgol_coeffs

__all__ = ["one_euro", "savitzky_golay"]

Array = NDArray[np.float32]


def savitzky_golay(values: Array, window: int, order: int = 2) -> Array:
    """Every sample replaced by the least-squares polynomial of its window, evaluated in the middle.

    Only samples that are there take part, so a gap or an end narrows the window instead of pulling the curve. Where
    the window holds no more samples than the polynomial has coefficients, the sample stays as it is. A polynomial of
    that order passes unchanged. (Savitzky and Golay 1964; the normal equations per sample where the window has gaps.)

    Args:
        values: (T, …) float.
        window: odd number of frames.

    Raises:
        ValueError: the window is even, or not longer than the order.
    """
    if window % 2 == 0 or window <= order:
        raise ValueError(f"window is {window} frames; expected an odd number above the order ({order})")
    if values.size == 0:
        return values.copy()
    frames = len(values)
    flat = values.reshape(frames, -1).astype(np.float64)
    half = window // 2
    there = ~np.isnan(flat)
    powers = (np.arange(-half, half + 1) / half)[:, None] ** np.arange(order + 1)
    padded = np.pad(np.nan_to_num(flat), ((half, half), (0, 0)))
    out = correlate1d(np.nan_to_num(flat), savgol_coeffs(window, order, use="dot"), axis=0, mode="constant")
    near = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)
    weights = np.lib.stride_tricks.sliding_window_view(np.pad(there, ((half, half), (0, 0))), window, axis=0)
    gappy = there & ~weights.all(axis=-1)
    w = weights[gappy].astype(np.float64)
    normal = np.einsum("nk,ka,kb->nab", w, powers, powers)
    right = np.einsum("nk,nk,ka->na", w, near[gappy], powers)
    fitted = np.einsum("na,na->n", np.linalg.pinv(normal, hermitian=True)[:, 0], right)
    out[gappy] = np.where(w.sum(axis=1) > order + 1, fitted, flat[gappy])
    out[~there] = np.nan
    return out.reshape(values.shape).astype(np.float32)


def one_euro(
    values: Array, fps: float, min_cutoff: float = 1.7, speed_weight: float = 0.01, speed_cutoff: float = 1.0
) -> Array:
    """The One Euro filter: low-pass with a cut-off of ``min_cutoff + speed_weight · |speed|`` Hz; looks back only.

    After a gap it starts anew. (Casiez, Roussel, Vogel 2012, equations 1 to 6.)

    Args:
        values: (T, …), pixels.
        min_cutoff: Hz at rest; lower is calmer.
        speed_weight: Hz per pixel per second; higher follows quick movement sooner.
        speed_cutoff: Hz of the filter on the speed itself.
    """
    if not fps > 0:
        raise ValueError(f"fps is {fps}; expected a positive number")
    out = values.astype(np.float64)
    speed = np.zeros(values.shape[1:])
    for t in range(1, len(values)):
        new, before = out[t].copy(), out[t - 1]
        fresh = np.isnan(before)
        change = np.where(fresh | np.isnan(new), 0.0, (new - before) * fps)
        share = _share(speed_cutoff, fps)
        speed = np.where(fresh, 0.0, share * change + (1 - share) * speed)
        share = _share(min_cutoff + speed_weight * np.abs(speed), fps)
        out[t] = np.where(fresh, new, share * new + (1 - share) * before)
    return out.astype(np.float32)


def _share(cutoff: float | NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """Weight of the newest sample in a first-order low-pass at `cutoff` Hz."""
    return np.asarray(1 / (1 + fps / (2 * np.pi * np.asarray(cutoff, np.float64))))
