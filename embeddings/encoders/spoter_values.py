"""SPOTER's coordinates and normalisation.

Boháček and Hrúz, "Sign Pose-based Transformer for Word-level Sign Language Recognition" (WACV Workshops 2022).
Coordinates are fractions of the frame with y UPWARDS, (T, J, 2) with NaN where missing; joints go by name, so every
named skeleton works. Where the published code differs from the text we follow the text: the hands take part in every
augmentation (the code bends the body and leaves the hands), both hands are boxed with y upwards, and boxes may reach
beyond the frame (the code clips their corners at zero). Frames before the first complete one use its box.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import SKELETONS

__all__ = [
    "body_boxes", "normalise_body", "normalise_hand", "spoter_values", "to_spoter",
]  # fmt: skip

Array = NDArray[np.float64]
ARM = ("neck", "shoulder", "elbow", "wrist")


def to_spoter(pose: Pose) -> Array:
    """Joints (T, J, 2) as fractions of the frame, y upwards; NaN where missing."""
    width, height = pose.size
    xy = pose.xy.astype(np.float64) / (width, height)
    xy[..., 1] = 1 - xy[..., 1]
    return xy


# ---- normalisation


def named_joint(xy: Array, skeleton: str, name: str) -> Array:
    """(T, 2) of a joint; the neck is the middle of the shoulders where the skeleton has none."""
    joints = SKELETONS[skeleton]
    if name == "neck" and name not in joints:
        return (xy[:, joints.index("left_shoulder")] + xy[:, joints.index("right_shoulder")]) / 2
    return xy[:, joints.index(name)]


def body_boxes(xy: Array, skeleton: str) -> Array:
    """Per frame (left, bottom, right, top) of the signing space, (T, 4); all NaN when no frame has one.

    m is the shoulder distance, or neck to nose where a shoulder is missing. The box spans neck ± 3 m and, from m above
    the left eye, 6 m downwards. A frame without the joints it needs keeps the last box.
    """
    neck, nose, eye = (named_joint(xy, skeleton, name) for name in ("neck", "nose", "left_eye"))
    shoulders = named_joint(xy, skeleton, "left_shoulder") - named_joint(xy, skeleton, "right_shoulder")
    m = np.linalg.norm(shoulders, axis=-1)
    m = np.where(np.isnan(m), np.linalg.norm(neck - nose, axis=-1), m)
    m = np.where(m > 0, m, np.nan)
    top = eye[:, 1] + m
    boxes = np.stack([neck[:, 0] - 3 * m, top - 6 * m, neck[:, 0] + 3 * m, top], axis=-1)
    complete = np.flatnonzero(~np.isnan(boxes).any(axis=1))
    if not len(complete):
        return np.full_like(boxes, np.nan)
    last = complete[np.maximum(np.searchsorted(complete, np.arange(len(boxes)), side="right") - 1, 0)]
    return boxes[last]


def normalise_body(xy: Array, boxes: Array) -> Array:
    """Joints (T, J, 2) in their frame's box (T, 4): 0 at left and bottom, 1 at right and top.

    Without any box (all NaN) the joints stay as they are.
    """
    if np.isnan(boxes).all():
        return xy.copy()
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    return (xy - low) / (high - low)


def normalise_hand(xy: Array) -> Array:
    """One hand (T, 21, 2) in its own square a frame: its tight box, squared, and 10 % of the longer side all around.

    A hand of a single point lies at the centre, (.5, .5); missing joints stay NaN.
    """
    seen = ~np.isnan(xy).any(axis=-1, keepdims=True)
    low = np.where(seen, xy, np.inf).min(axis=1, keepdims=True)
    high = np.where(seen, xy, -np.inf).max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        side = 1.2 * (high - low).max(axis=-1, keepdims=True)  # 10 % before and after
        values = 0.5 + (xy - (low + high) / 2) / np.where(side > 0, side, 1.0)
    return np.where(seen, values, np.nan)


def spoter_values(xy: Array, skeleton: str, normalise: bool = True) -> NDArray[np.float32]:
    """The network's input (T, 2 J): body and hands normalised, missing 0, minus .5; x, y of joint 0, of joint 1, …

    Args:
        normalise: False leaves fractions of the frame as they are.
    """
    joints = SKELETONS[skeleton]
    values = normalise_body(xy, body_boxes(xy, skeleton)) if normalise else xy.copy()
    for side in ("left", "right") if normalise else ():
        hand = joints.hand(side)
        if joints.joints[hand[0]] == f"{side}_wrist":  # shared with the body: the arm keeps it
            values[:, hand[1:]] = normalise_hand(xy[:, hand])[:, 1:]
        else:
            values[:, hand] = normalise_hand(xy[:, hand])
    return (np.nan_to_num(values, nan=0.0) - 0.5).reshape(len(xy), -1).astype(np.float32)
