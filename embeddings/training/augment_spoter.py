"""SPOTER's augmentations: fractions of the frame in, the same out, one draw for all frames; and noise on the values.

Boháček and Hrúz (WACV Workshops 2022): with a probability one of four changes of the pose, then normalisation, then
Gaussian noise on what the network is given. Deviations are those of `embeddings.encoders.spoter_values`.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..encoders.spoter_values import ARM, Array, named_joint, to_spoter
from ..skeletons import SKELETONS

__all__ = ["add_noise", "augment_spoter", "from_spoter", "perspective", "rotate", "rotate_arms", "squeeze"]


def from_spoter(xy: Array, pose: Pose) -> Pose:
    """The inverse of `to_spoter`: a pose like `pose` with these joints."""
    width, height = pose.size
    pixels = np.stack([xy[..., 0] * width, (1 - xy[..., 1]) * height], axis=-1)
    return replace(pose, xy=pixels.astype(np.float32))


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
        chain = [name if name == "neck" else f"{side}_{name}" for name in ARM]
        hand = [i for i in joints.hand(side) if joints.joints[i] != f"{side}_wrist"]
        for place, name in enumerate(chain):
            angle = degrees.get(f"{side}_neck" if name == "neck" else name, 0.0)
            if angle:
                below = [joints.index(other) for other in chain[place + 1 :]] + hand
                values[:, below] = rotate(values[:, below], angle, named_joint(values, skeleton, name))
    return values


def augment_spoter(pose: Pose, rng: np.random.Generator, probability: float = 0.5) -> Pose:
    """With a probability one of the four augmentations, equally likely; one draw for all frames.

    Rotation by ±13°; perspective 0–.1 from a random side; squeeze 0–.15 on each side; each arm joint with p = .3 by
    ±4°.
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
            names = [f"{side}_{joint}" for side in ("left", "right") for joint in ARM]
            chosen = {name: float(rng.uniform(-4, 4)) for name in names if rng.random() < 0.3}
            xy = rotate_arms(xy, pose.skeleton, chosen)
    return from_spoter(xy, pose)


def add_noise(values: NDArray[np.float32], rng: np.random.Generator, deviation: float = 0.001) -> NDArray[np.float32]:
    """Normalised values with Gaussian noise of a standard deviation, drawn for each; missing ones included."""
    return values + rng.normal(0, deviation, values.shape).astype(np.float32)
