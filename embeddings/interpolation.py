"""Rows of an array between rows: sampling at fractional places, and filling of gaps. Linear, on axis 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fill_gaps", "rows_at"]


def rows_at(values: NDArray[Any], positions: NDArray[np.floating], skip_missing: bool = False) -> NDArray[Any]:
    """Values (T, …) at fractional row numbers of any shape P, linearly interpolated, clamped to the ends: (*P, …).

    Args:
        skip_missing: a value that is NaN in one of the two rows is taken from the other; otherwise NaN spreads.

    Raises:
        ValueError: there are no rows.
    """
    if len(values) == 0:
        raise ValueError("no rows to interpolate between")
    positions = np.clip(np.asarray(positions, np.float64), 0, len(values) - 1)
    low = np.floor(positions).astype(np.intp)
    weight = (positions - low).astype(np.float64 if values.dtype == np.float64 else np.float32)
    first = values[low]
    if not weight.any() and not skip_missing:
        return first
    weight = weight.reshape(*weight.shape, *[1] * (values.ndim - 1))
    second = values[np.minimum(low + 1, len(values) - 1)]
    between = first + (second - first) * weight
    if skip_missing:
        between = np.where(np.isnan(first), second, np.where(np.isnan(second), first, between))
    return between


def fill_gaps(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """(T, C) with the rows that hold a NaN interpolated between the rows around them; at the ends the nearest row.

    Where every row holds a NaN, all of the result is NaN.
    """
    wide = np.asarray(values, np.float64)
    complete = np.flatnonzero(np.isfinite(wide).all(axis=1))
    if len(complete) == len(wide):
        return wide
    if len(complete) == 0:
        return np.full_like(wide, np.nan)
    positions = np.interp(np.arange(len(wide)), complete, np.arange(len(complete)))
    return rows_at(wide[complete], positions)
