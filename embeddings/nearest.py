"""Which row stands in for a missing one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest_rows"]


def nearest_rows(known: NDArray[np.bool_]) -> NDArray[np.intp] | None:
    """For every row of (T,) the nearest one that is known, the earlier of two; None when none is."""
    there = np.flatnonzero(known)
    if not len(there):
        return None
    rows = np.arange(len(known))
    after = np.searchsorted(there, rows)  # the first known row at or after each
    later = there[np.minimum(after, len(there) - 1)]
    earlier = there[np.maximum(after - 1, 0)]
    return np.where(np.abs(rows - earlier) <= np.abs(later - rows), earlier, later)
