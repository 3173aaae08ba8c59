"""Augmentation of poses: what another camera, body, tempo or estimator would change. One draw for all frames.

Poses stay poses (pixels, NaN where missing), so every pose encoder can prepare what comes out. `time_warp` changes
where a window is sampled instead, which costs nothing and moves the labelled span along.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import SKELETONS

__all__ = ["augment_pose", "drop_joints", "move", "time_warp"]


def augment_pose(pose: Pose, rng: np.random.Generator, strength: float = 1.0, mirror: float = 0.0) -> Pose:
    """Turned, scaled, shifted, shaken, with joints and hands lost in runs; with probability `mirror` in a mirror.

    At strength 1: rotation σ 0.08 rad, log scale σ 0.08 per axis, shift σ 2 % of the frame, shaking of 0, 1 or 3 % of
    the shoulder width, a hand lost for 3–20 frames with p = .15 each, single joints with p = .01 for the whole clip.
    """
    if rng.random() < mirror:
        pose = pose.mirrored()
    width, height = pose.size
    angle = rng.normal(0, 0.08 * strength)
    scale = np.exp(rng.normal(0, 0.08 * strength, 2))
    shift = rng.normal(0, 0.02 * strength, 2) * (width, height)
    moved = move(pose, float(angle), scale, shift)
    shaking = float(rng.choice([0.0, 0.01, 0.03])) * strength * _shoulders(pose)
    noise = rng.standard_normal(moved.xy.shape, dtype=np.float32) * np.float32(shaking)
    return drop_joints(replace(moved, xy=moved.xy + noise), rng, hands=0.15 * strength, joints=0.01 * strength)


def _shoulders(pose: Pose) -> float:
    """Median shoulder width in pixels; a quarter of the frame where they are never seen."""
    left, right = (pose.xy[:, pose.joint(f"{side}_shoulder")] for side in ("left", "right"))
    widths = np.linalg.norm(left - right, axis=-1)
    widths = widths[~np.isnan(widths)]
    return float(np.median(widths)) if len(widths) else pose.size[0] / 4


def move(pose: Pose, angle: float, scale: NDArray[np.floating], shift: NDArray[np.floating]) -> Pose:
    """Turned by `angle` (radians, clockwise as seen, y is down) about the frame's centre, scaled per axis, shifted."""
    centre = np.array(pose.size, np.float32) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) * np.asarray(scale)[:, None]
    xy = (pose.xy - centre) @ matrix.T.astype(np.float32) + centre + np.asarray(shift, np.float32)
    return replace(pose, xy=xy.astype(np.float32))


def drop_joints(pose: Pose, rng: np.random.Generator, hands: float, joints: float) -> Pose:
    """Missing (NaN, confidence 0): each hand with probability `hands` for 3–20 frames, each joint of the hands with
    probability `joints` throughout. The body stays: without shoulders there is nothing to measure by."""
    if not len(pose):
        return pose
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    skeleton = SKELETONS[pose.skeleton]
    for side in ("left", "right"):
        fingers = skeleton_fingers(skeleton.joints, side)
        if rng.random() < hands:
            start = int(rng.integers(len(pose)))
            rows = slice(start, start + int(rng.integers(3, 21)))
            xy[rows, fingers], confidence[rows, fingers] = np.nan, 0
        lost = fingers[rng.random(len(fingers)) < joints]
        xy[:, lost], confidence[:, lost] = np.nan, 0
    return replace(pose, xy=xy, confidence=confidence)


def skeleton_fingers(joints: tuple[str, ...], side: str) -> NDArray[np.intp]:
    """Indexes of one hand's joints, its wrist aside."""
    return np.array([i for i, n in enumerate(joints) if n.startswith(f"{side}_hand_") and not n.endswith("_wrist")])


def time_warp(places: NDArray[np.float64], rng: np.random.Generator, spread: float) -> NDArray[np.float64]:
    """Places in [0, 1], as many and in the same order, as if time had passed faster here and slower there.

    The log of the speed is a cosine series of three terms with standard deviation `spread`; 0 and 1 stay.
    """
    if spread == 0:
        return places
    grid = np.linspace(0, 1, 33)
    terms = rng.normal(0, spread, 3)
    speed = np.exp(sum(term * np.cos(np.pi * (k + 1) * grid) for k, term in enumerate(terms)))
    passed = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    return np.asarray(np.interp(places, grid, passed / passed[-1]))
