"""Pose flow: how 53 keypoints move from frame to frame, as angle and length.

De Coster, Van Herreweghe, Dambre 2021 (VTN-PF). Where paper and published code differ (the code is off by one frame)
this is the paper; but for the unit of length, see `pose_flow`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import SKELETONS
from .features import fill_nearest

__all__ = ["FLOW_JOINTS", "flow_mirror_order", "pose_flow"]

_LAYOUT = SKELETONS["openpose-body135"].joints
FLOW_JOINTS: tuple[str, ...] = tuple(_LAYOUT[i] for i in (*range(11), 17, 18, *range(25, 65)))
"""The 53 joints: head, shoulders, elbows, wrists, neck, top of the head, both hands without their wrists."""
NOSE, NECK, HEAD_TOP = (FLOW_JOINTS.index(name) for name in ("nose", "neck", "head_top"))
Unit = Literal["clip", "frame"]
HEAD_TOP_OVER_NOSE = 1.9
"""From mid-shoulders to the top of the head, in distances from mid-shoulders to the nose, of a grown-up."""


def flow_mirror_order() -> NDArray[np.intp]:
    """(53,) permutation of `FLOW_JOINTS` that swaps left and right."""
    other = {"left": "right", "right": "left"}
    names = ["_".join((other.get(side, side), *rest)) for side, *rest in (name.split("_") for name in FLOW_JOINTS)]
    return np.array([FLOW_JOINTS.index(name) for name in names])


def pose_flow(pose: Pose, unit: Unit = "clip") -> NDArray[np.float32]:
    """(T, 106): of P(i) − P(i − 1) of `FLOW_JOINTS` first 53 angles / π in (−1, 1], then 53 lengths; zeros at i = 0.

    Missing joints come from the nearest frame (the earlier wins a tie), a joint never seen does not move. The unit of
    length is the neck's, from the neck to the top of the head; layouts without the latter (all but OpenPose's 135) take
    it on the line from the neck through the nose. y points downwards, so +0.5 is down.

    Args:
        unit: "clip": the median of the clip's neck lengths. "frame", as published: the keypoints of each frame are
            divided by that frame's neck length before they are subtracted; then a nod, or an error of the estimator
            at the head, moves every joint of the body, and the more the farther it is from the picture's corner.

    Raises:
        ValueError: neck or head was never seen, or they are in one place; or no such unit.
    """
    if unit not in ("clip", "frame"):
        raise ValueError(f"unit is {unit!r}; expected 'clip' or 'frame'")
    if len(pose) == 0:
        return np.zeros((0, 2 * len(FLOW_JOINTS)), np.float32)
    xy = fill_nearest(pose.to("openpose-body135").xy[:, [_LAYOUT.index(name) for name in FLOW_JOINTS]])
    guessed = xy[:, NECK] + HEAD_TOP_OVER_NOSE * (xy[:, NOSE] - xy[:, NECK])
    xy[:, HEAD_TOP] = np.where(np.isnan(xy[:, HEAD_TOP]), guessed, xy[:, HEAD_TOP])
    necks = np.linalg.norm(xy[:, HEAD_TOP] - xy[:, NECK], axis=1)
    if not (np.median(necks) > 0 if unit == "clip" else (necks > 0).all()):
        raise ValueError(f"{pose.source or 'the pose'}: neck and head were never seen; there is no unit of length")
    xy = xy / (np.median(necks) if unit == "clip" else necks[:, None, None])
    step = np.nan_to_num(np.diff(xy, axis=0, prepend=xy[:1]))
    angle = np.arctan2(step[..., 1], step[..., 0]) / np.pi
    # −π and π are one direction; a negative zero must not make two of it
    angle = np.where(angle <= -1, 1, angle)
    return np.concatenate([angle, np.linalg.norm(step, axis=-1)], axis=1).astype(np.float32)
