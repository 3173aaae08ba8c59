"""Short gaps of a hand: shape and place at the wrist on straight lines between the frames beside the gap."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import SKELETONS

__all__ = ["interpolate_hands"]

Array = NDArray[np.float32]


def interpolate_hands(pose: Pose, max_gap: float = 0.5) -> Pose:
    """Hands that are missing for a short time, on straight lines from the frame before to the frame after.

    The shape (landmarks relative to the hand's wrist) and the place (the hand's wrist relative to the body's) are
    interpolated apart, so that a filled hand moves with the arm; where the body's wrist is missing, the place in the
    picture is. A filled joint keeps confidence 0: it has a place, but nobody saw it there. Gaps at the start or the end
    stay, and so do hands of which only a part is missing.

    Args:
        max_gap: seconds; longer gaps stay.
    """
    skeleton = SKELETONS[pose.skeleton]
    xy, z = pose.xy.copy(), None if pose.z is None else pose.z.copy()
    for side in ("left", "right"):
        rows = [j for j, name in enumerate(skeleton.joints) if name.startswith(f"{side}_hand_")]
        if f"{side}_hand_wrist" not in skeleton or f"{side}_wrist" not in skeleton:
            continue
        hand_wrist, body_wrist = skeleton.index(f"{side}_hand_wrist"), skeleton.index(f"{side}_wrist")
        there = ~np.isnan(pose.xy[:, rows]).any(axis=(1, 2))
        absent = np.asarray(np.isnan(pose.xy[:, rows]).all(axis=(1, 2)))
        seen = np.flatnonzero(there)
        for before, after in pairwise(seen.tolist()):
            if not 1 < after - before <= max_gap * pose.fps + 1 + 1e-9 or not absent[before + 1 : after].all():
                continue
            share = ((np.arange(before + 1, after) - before) / (after - before)).astype(np.float32)
            gap = slice(before + 1, after)
            arm = pose.xy[:, body_wrist]
            if np.isnan(arm[before : after + 1]).any():
                arm = np.zeros_like(arm)
            place = pose.xy[:, hand_wrist] - arm
            shape = pose.xy[:, rows] - pose.xy[:, hand_wrist][:, None]
            filled = _between(shape, before, after, share) + (_between(place, before, after, share) + arm[gap])[:, None]
            xy[gap, rows] = filled
            if z is not None:
                z[gap, rows] = _between(z[:, rows], before, after, share)
    return replace(pose, xy=xy, z=z)


def _between(values: Array, before: int, after: int, share: Array) -> Array:
    """(N, …): rows of values (T, …) at shares of the way from one to another."""
    weight = share.reshape(-1, *[1] * (values.ndim - 1))
    mixed: Array = values[before] + (values[after] - values[before]) * weight
    return mixed
