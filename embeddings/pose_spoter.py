"""SPOTER's coordinates, normalisation and augmentations.

Boháček and Hrúz, "Sign Pose-based Transformer for Word-level Sign Language Recognition" (WACV Workshops 2022).
Coordinates are fractions of the frame with y UPWARDS, (T, J, 2) with NaN where missing; joints go by name, so every
named skeleton works. Where the published code differs from the text we follow the text: the hands take part in every
augmentation (the code bends the body and leaves the hands), both hands are boxed with y upwards, and boxes may reach
beyond the frame (the code clips their corners at zero). Frames before the first complete one use its box.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .clip import Pose
from .skeletons import SKELETONS

__all__ = [
    "augment_spoter", "body_boxes", "from_spoter", "normalise_body", "normalise_hand", "perspective", "rotate",
    "rotate_arms", "spoter_values", "squeeze", "to_spoter",
]  # fmt: skip

Array = NDArray[np.float64]
_ARM = ("neck", "shoulder", "elbow", "wrist")


def to_spoter(pose: Pose) -> Array:
    """Joints (T, J, 2) as fractions of the frame, y upwards; NaN where missing."""
    width, height = pose.size
    xy = pose.xy.astype(np.float64) / (width, height)
    xy[..., 1] = 1 - xy[..., 1]
    return xy


def from_spoter(xy: Array, pose: Pose) -> Pose:
    """The inverse of `to_spoter`: a pose like `pose` with these joints."""
    width, height = pose.size
    pixels = np.stack([xy[..., 0] * width, (1 - xy[..., 1]) * height], axis=-1)
    return replace(pose, xy=pixels.astype(np.float32))


# ---- normalisation


def _named(xy: Array, skeleton: str, name: str) -> Array:
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
    neck, nose, eye = (_named(xy, skeleton, name) for name in ("neck", "nose", "left_eye"))
    shoulders = _named(xy, skeleton, "left_shoulder") - _named(xy, skeleton, "right_shoulder")
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


def spoter_values(xy: Array, skeleton: str) -> NDArray[np.float32]:
    """The network's input (T, 2 J): body and hands normalised, missing 0, minus .5; x, y of joint 0, of joint 1, …"""
    joints = SKELETONS[skeleton]
    values = normalise_body(xy, body_boxes(xy, skeleton))
    for side in ("left", "right"):
        hand = joints.hand(side)
        if joints.joints[hand[0]] == f"{side}_wrist":  # shared with the body: the arm keeps it
            values[:, hand[1:]] = normalise_hand(xy[:, hand])[:, 1:]
        else:
            values[:, hand] = normalise_hand(xy[:, hand])
    return (np.nan_to_num(values, nan=0.0) - 0.5).reshape(len(xy), -1).astype(np.float32)


# ---- augmentations: fractions of the frame in, the same out, one draw for all frames


def rotate(xy: Array, degrees: float, centre: tuple[float, float] | Array = (0.5, 0.5)) -> Array:
    """Counter-clockwise about a centre (2,), or about one per frame (T, 2)."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    about = np.asarray(centre, np.float64).reshape(-1, 1, 2)
    return about + (xy - about) @ turn.T


def _project(xy: Array, corners: Array) -> Array:
    """The plane mapped so that the unit square's corners (0,1), (1,1), (0,0), (1,0) go to `corners` (4, 2)."""
    rows, right = [], []
    for (x, y), (u, v) in zip(((0, 1), (1, 1), (0, 0), (1, 0)), corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    h = np.append(np.linalg.solve(np.array(rows, np.float64), np.array(right, np.float64)), 1).reshape(3, 3)
    mapped = np.concatenate([xy, np.ones((*xy.shape[:-1], 1))], axis=-1) @ h.T
    return mapped[..., :2] / mapped[..., 2:]


def perspective(xy: Array, ratio: float, left: bool) -> Array:
    """As if the camera were turned: one side comes in by `ratio` and shrinks by it at both ends."""
    r = ratio
    moved = ((r, 1 - r), (1, 1), (r, r), (1, 0)) if left else ((0, 1), (1 - r, 1 - r), (0, 0), (1 - r, r))
    return _project(xy, np.array(moved, np.float64))


def squeeze(xy: Array, left: float, right: float) -> Array:
    """The frame's width pressed into [left, 1 − right]."""
    values = xy.copy()
    values[..., 0] = left + xy[..., 0] * (1 - left - right)
    return values


def rotate_arms(xy: Array, skeleton: str, degrees: dict[str, float]) -> Array:
    """Turn what hangs below a joint about it: {"left_elbow": 3} turns the left wrist and hand; hands follow wrists.

    Keys are neck (each side: "left_neck", "right_neck"), shoulder, elbow, wrist; neck turns the whole arm.
    """
    joints = SKELETONS[skeleton]
    values = xy.copy()
    for side in ("left", "right"):
        chain = [name if name == "neck" else f"{side}_{name}" for name in _ARM]
        hand = [i for i in joints.hand(side) if joints.joints[i] != f"{side}_wrist"]
        for place, name in enumerate(chain):
            angle = degrees.get(f"{side}_neck" if name == "neck" else name, 0.0)
            if angle:
                below = [joints.index(other) for other in chain[place + 1 :]] + hand
                values[:, below] = rotate(values[:, below], angle, _named(values, skeleton, name))
    return values


def augment_spoter(pose: Pose, rng: np.random.Generator, probability: float = 0.5, noise: float = 0.001) -> Pose:
    """With a probability one of the four augmentations, equally likely; always Gaussian noise (fractions of the frame).

    Rotation by ±13°; perspective 0–.1 from a random side; squeeze 0–.15 on each side; each arm joint with p = .3 by
    ±4°. One draw for all frames; the noise is drawn for every joint and frame.
    """
    xy = to_spoter(pose)
    if rng.random() < probability:
        kind = int(rng.integers(4))
        if kind == 0:
            xy = rotate(xy, float(rng.uniform(-13, 13)))
        elif kind == 1:
            xy = perspective(xy, float(rng.uniform(0, 0.1)), bool(rng.random() < 0.5))
        elif kind == 2:
            xy = squeeze(xy, float(rng.uniform(0, 0.15)), float(rng.uniform(0, 0.15)))
        else:
            names = [f"{side}_{joint}" for side in ("left", "right") for joint in _ARM]
            chosen = {name: float(rng.uniform(-4, 4)) for name in names if rng.random() < 0.3}
            xy = rotate_arms(xy, pose.skeleton, chosen)
    return from_spoter(xy + rng.normal(0, noise, xy.shape), pose)
