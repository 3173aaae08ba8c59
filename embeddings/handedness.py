"""Left-handed signers: a sign means the same when it is signed with the other hand, seen in a mirror.

A clip whose left hand does most of the work is turned around before it is encoded, exemplars and queries alike, so
that the active hand is always the right one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from embeddings.clip import Clip, Pose

__all__ = ["left_share", "right_handed"]

CLEARLY = 0.65
"""Share of the work that the left hand must do in one sign for a signer to count as left-handed."""

OVER_TIME = 0.55
"""The same in a video that is long enough for several signs."""

SEVERAL_SIGNS = 10.0
"""Seconds from which a video counts as long enough."""

LOWEST = 1.6
"""How far below the shoulders, in shoulder widths, a hand does no work."""


def left_share(pose: Pose) -> float:
    """The left hand's share of the work, in [0, 1]; 0.5 when neither hand works.

    The mean of two shares: of the distance that the wrists travel, and of how high and how long they are raised (a
    hand may hold still where it signs, and a resting hand may fidget). Steps of more than a quarter of a shoulder width
    a frame are an estimator's jumps and not counted; nor are wrists outside the picture, which estimators guess, and
    which wander.
    """
    wrists = np.stack([pose.xy[:, pose.joint(f"{side}_wrist")] for side in ("left", "right")], axis=1)
    inside = ((wrists >= 0) & (wrists <= np.array(pose.size))).all(axis=-1, keepdims=True)
    wrists = np.where(inside, wrists, np.nan)
    shoulders = np.stack([pose.xy[:, pose.joint(f"{side}_shoulder")] for side in ("left", "right")], axis=1)
    widths = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=1)
    if len(pose) < 2 or np.isnan(widths).all():
        return 0.5
    width = max(float(np.nanmedian(widths)), 1e-6)
    steps = np.linalg.norm(np.diff(wrists, axis=0), axis=-1) / width
    travelled = np.where(steps < 0.25 * 25 / pose.fps, np.nan_to_num(steps), 0.0).sum(axis=0)
    depths = (wrists[..., 1] - np.nanmedian(shoulders[..., 1])) / width
    raised = np.clip(LOWEST - np.where(np.isnan(depths), LOWEST, depths), 0.0, None).sum(axis=0)
    return (_share_of_left(travelled) + _share_of_left(raised)) / 2


def _share_of_left(work: NDArray[np.floating]) -> float:
    total = float(work.sum())
    return float(work[0]) / total if total > 0 else 0.5


def right_handed(clip: Clip) -> Clip:
    """The clip as it is, or seen in a mirror when its left hand is clearly the active one."""
    if clip.pose is None or clip.extra:
        return clip
    several = len(clip.pose) / clip.pose.fps >= SEVERAL_SIGNS
    if left_share(clip.pose) < (OVER_TIME if several else CLEARLY):
        return clip
    frames = None if clip.frames is None else np.ascontiguousarray(clip.frames[:, :, ::-1])
    film = None if clip.film is None else replace(clip.film, mirrored=not clip.film.mirrored)
    return replace(clip, pose=clip.pose.mirrored(), frames=frames, film=film)
