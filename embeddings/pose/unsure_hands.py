"""Hands that were read with doubt take a part of their shape from the frames beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import SKELETONS

__all__ = ["steady_unsure_hands"]

TRUST = 4.0
"""Power of a hand's confidence in its weight: a reading of .5 counts a sixteenth of a sure one."""

Array = NDArray[np.float64]


def steady_unsure_hands(pose: Pose, below: float = 0.8, seconds: float = 0.05) -> Pose:
    """Shapes of hands of a low confidence become the mean of what is read about that time, sure readings first.

    The shape is the landmarks relative to the hand's wrist, which stays where it is; hands at or above the confidence
    stay as they are, and so does what is missing. Frames before and after count alike: nothing lags behind. The depth
    is averaged like the place.

    Args:
        below: confidence of a hand's wrist under which it changes.
        seconds: standard deviation of the weights over time.
    """
    skeleton = SKELETONS[pose.skeleton]
    xy, z = pose.xy.copy(), None if pose.z is None else pose.z.copy()
    for side in ("left", "right"):
        rows = [j for j, joint in enumerate(skeleton.joints) if joint.startswith(f"{side}_hand_")]
        if f"{side}_hand_wrist" not in skeleton:
            continue
        wrist = skeleton.index(f"{side}_hand_wrist")
        seen = np.flatnonzero(~np.isnan(pose.xy[:, rows]).any(axis=(1, 2)))
        confidence = pose.confidence[seen, wrist].astype(np.float64)
        shape = (pose.xy[seen][:, rows] - pose.xy[seen, wrist][:, None]).astype(np.float64)
        depth = None if pose.z is None else pose.z[seen][:, rows].astype(np.float64)
        for at in np.flatnonzero(confidence < below).tolist():
            near, weight = _near(seen / pose.fps, confidence**TRUST, at, seconds)
            if weight.sum() > 0:
                xy[seen[at], rows] = pose.xy[seen[at], wrist] + _mean(shape[near], weight)
                if z is not None and depth is not None:
                    z[seen[at], rows] = _mean(depth[near], weight)
    return replace(pose, xy=xy, z=z)


def _near(times: Array, trust: Array, at: int, seconds: float) -> tuple[slice, Array]:
    """(frames within three standard deviations of one, their weights)."""
    low, high = np.searchsorted(times, [times[at] - 3 * seconds - 1e-9, times[at] + 3 * seconds + 1e-9])
    near = slice(int(low), int(high))
    return near, trust[near] * np.exp(-0.5 * ((times[near] - times[at]) / seconds) ** 2)


def _mean(values: Array, weight: Array) -> Array:
    mean: Array = np.tensordot(weight, values, axes=1) / weight.sum()
    return mean
