"""Left-handed signers: a sign means the same when it is signed with the other hand, seen in a mirror.

A clip whose left hand does most of the work is turned around before it is encoded, exemplars and queries alike, so
that the active hand is always the right one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from embeddings.clip import Clip, Pose

__all__ = ["left_share", "right_handed"]

CLEARLY = 0.6
"""Share of the hands' travel that the left one must have for a signer to count as left-handed."""


def left_share(pose: Pose) -> float:
    """The left hand's share of the distance that both wrists travel, in [0, 1]; 0.5 when neither moves.

    Steps of more than a quarter of a shoulder width a frame are an estimator's jumps and not counted; nor are those of
    wrists outside the picture, which estimators guess, and which wander.
    """
    wrists = np.stack([pose.xy[:, pose.joint(f"{side}_wrist")] for side in ("left", "right")], axis=1)
    inside = ((wrists >= 0) & (wrists <= np.array(pose.size))).all(axis=-1, keepdims=True)
    wrists = np.where(inside, wrists, np.nan)
    shoulders = pose.xy[:, pose.joint("left_shoulder")] - pose.xy[:, pose.joint("right_shoulder")]
    widths = np.linalg.norm(shoulders, axis=1)
    if len(pose) < 2 or np.isnan(widths).all():
        return 0.5
    steps = np.linalg.norm(np.diff(wrists, axis=0), axis=-1) / max(float(np.nanmedian(widths)), 1e-6)
    travelled = np.where(steps < 0.25 * 25 / pose.fps, np.nan_to_num(steps), 0.0).sum(axis=0)
    return float(travelled[0] / travelled.sum()) if travelled.sum() > 0 else 0.5


def right_handed(clip: Clip) -> Clip:
    """The clip as it is, or seen in a mirror when its left hand is clearly the active one."""
    if clip.pose is None or clip.extra or left_share(clip.pose) < CLEARLY:
        return clip
    frames = None if clip.frames is None else np.ascontiguousarray(clip.frames[:, :, ::-1])
    return replace(clip, pose=clip.pose.mirrored(), frames=frames)
