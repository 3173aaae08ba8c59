"""Depth that can be trusted: where a pose estimator's is not, it is judged from the picture.

Estimators see x and y to a few percent of the shoulders' width; their depth is another matter. MediaPipe's noses stand
three half shoulder widths before the shoulders (true: 0.6) and its raised wrists five to six (true: one and a half), on
rendered and on real people alike, and hips that are out of the picture lie anywhere. Taken as it is, such depth turns
the whole body; no depth at all cannot tell "away" from "body".

So depth is taken as it is only where the nose stands as far before the shoulders as noses do (`depth_kind`). Else
elbows, wrists, hips, nose and the turn of the shoulders get a new depth from a small network (two hidden layers), which
sees foreshortened arms, apparent hand sizes, the hands' own tilt and 0.4 s of motion; the estimator's own depth of the
body, offered to it, made nothing better. The joints of a hand keep the estimator's depth about their wrist, which is
good (r .7). The network is trained by `spotter train depth` on the procedural signer alone: exact pictures, and
MediaPipe's poses of rendered video. Made-up errors in place of exact pictures taught it to doubt what can be seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..interpolation import fill_gaps
from ..skeletons import SKELETONS, Skeleton
from .frame_weights import frame_values

__all__ = ["OUTPUTS", "depth_features", "depth_kind", "judged_depth", "with_judged_depth"]

Array = NDArray[np.float64]

SIDES = ("left", "right")
NOSE_AHEAD = (0.3, 1.3)
"""Units of h (half the shoulders' width) that noses stand before the shoulders; the median over a video is asked."""
EXAGGERATED = 1.7
"""Beyond it the depth is of MediaPipe's kind, whose hands are good; between and below nothing is known of it."""
STEPS = (-0.2, 0.2)
"""Seconds before and after a frame that are looked at, too."""
HEAD_DEPTH: dict[str, float] = {"ear": -0.61, "eye": -0.16, "mouth": -0.12, "nose": 0.0}
"""Depth of the head's joints about the nose, units of h."""
HAND_DEPTH = 1.3
"""MediaPipe's hands are flatter than hands are, by this factor."""
LENGTHS: Array = np.array([1.69, 1.50, 0.56, 0.37])
"""Mean lengths of upper arm, forearm, palm and knuckles, units of h (procedural signers; s.d. 7 to 11 per cent)."""
OUTPUTS: tuple[str, ...] = ("shoulder", "elbow", "wrist", "nose", "hips")
"""What `judged_depth` says per hand: own shoulder, elbow, wrist; the nose and the middle of the hips."""


def depth_kind(pose: Pose) -> Literal["exact", "exaggerated", "unknown"]:
    """What a pose's depth is worth, by how far its nose stands before its shoulders."""
    if pose.z is None:
        return "unknown"
    skeleton = SKELETONS[pose.skeleton]
    nose = next((name for name in ("nose", "head") if name in skeleton), None)
    if nose is None:
        return "unknown"
    left, right = (pose.joint(f"{side}_shoulder") for side in SIDES)
    across = np.linalg.norm(pose.xy[:, left] - pose.xy[:, right], axis=-1)
    ahead = (pose.z[:, left] + pose.z[:, right]) / 2 - pose.z[:, pose.joint(nose)]
    known = np.isfinite(across) & np.isfinite(ahead)
    if not known.any():
        return "unknown"
    usual = float(np.median(ahead[known]) / max(float(np.median(across[known])) / 2, 1e-6))
    if NOSE_AHEAD[0] <= usual <= NOSE_AHEAD[1]:
        return "exact"
    return "exaggerated" if usual > EXAGGERATED else "unknown"


def _joint(values: Array, skeleton: Skeleton, name: str) -> Array:
    """(T, C) of a joint; NaN where the skeleton has none."""
    return values[:, skeleton.index(name)] if name in skeleton else np.full_like(values[:, 0], np.nan)


def _filled(values: Array) -> Array:
    """(T, C) without gaps; zeros where nothing is known."""
    return np.nan_to_num(fill_gaps(values))


def _levelled(pose: Pose, least: float) -> tuple[Array, Array, float]:
    """Joints (T, J, 2) and hands (T, 2, 21, 2): x right in the picture, y up, from the neck, units of h."""
    skeleton = SKELETONS[pose.skeleton]
    points = (pose.xy * np.array([1, -1])).astype(np.float64)
    points[pose.confidence < least] = np.nan
    left, right = (_filled(points[:, skeleton.index(f"{side}_shoulder")]) for side in SIDES)
    unit = max(float(np.median(np.linalg.norm(left - right, axis=1))) / 2, 1e-6)
    points = (points - ((left + right) / 2)[:, None]) / unit
    hands = np.stack([points[:, skeleton.hand(side)] for side in SIDES], axis=1)
    return points, hands, unit


def depth_features(pose: Pose, least: float = 0.2, hand_depth: bool | None = None) -> Array:
    """(T, 2, F) what depth is judged by, each hand as if it were a left hand (its own side at +x).

    Args:
        least: joints below this confidence are missing.
        hand_depth: whether the depth of the hands' joints is looked at; None where it is of MediaPipe's kind.
    """
    points, hands, unit = _levelled(pose, least)
    hand_depth = depth_kind(pose) == "exaggerated" if hand_depth is None else hand_depth
    skeleton = SKELETONS[pose.skeleton]
    shift = [max(1, round(abs(s) * pose.fps)) * (1 if s > 0 else -1) for s in STEPS]
    rows = [np.clip(np.arange(len(pose)) + s, 0, len(pose) - 1) for s in shift]
    result = []
    for hand, side in enumerate(SIDES):
        own = np.array([1.0, 1.0]) if hand == 0 else np.array([-1.0, 1.0])
        moving, still = _of_hand(points * own, hands * own, skeleton, hand, side)
        moving, still = moving.reshape(len(pose), -1), still.reshape(len(pose), -1)
        sizes, usual = _sizes(points, hands, skeleton, hand, side)
        towards = _hand_tilt(hands[:, hand], pose, skeleton.hand(side), unit, hand_depth)
        tilt = np.concatenate([_tilts(sizes, usual[:, :4]), towards], axis=1)
        around = [values[r] - values for values in (moving, sizes, tilt) for r in rows]
        result.append(np.concatenate([moving, still, sizes, usual, tilt, *around], axis=1))
    return np.clip(np.nan_to_num(np.stack(result, axis=1)), -6, 6)


def _of_hand(points: Array, hands: Array, skeleton: Skeleton, hand: int, side: str) -> tuple[Array, Array]:
    """What moves with one hand (T, 6, 2), and what stands still (T, 9, 2)."""
    other = SIDES[1 - hand]
    wrist = np.where(np.isfinite(hands[:, hand, 0]), hands[:, hand, 0], _joint(points, skeleton, f"{side}_wrist"))
    elbow = _filled(_joint(points, skeleton, f"{side}_elbow"))
    palm = hands[:, hand]
    moving = [_filled(wrist), elbow, _filled(wrist) - elbow]
    moving += [_filled(palm[:, 9] - palm[:, 0]), _filled(palm[:, 5] - palm[:, 17]), _filled(palm[:, 12] - palm[:, 9])]
    still = [_joint(points, skeleton, name) for name in (f"{side}_shoulder", f"{other}_shoulder", "nose")]
    still += [_joint(points, skeleton, f"{s}_{part}") for part in ("ear", "hip") for s in (side, other)]
    still += [_joint(points, skeleton, f"{other}_{part}") for part in ("elbow", "wrist")]
    return np.stack(moving, axis=1), np.stack([_filled(v) for v in still], axis=1)


def _sizes(points: Array, hands: Array, skeleton: Skeleton, hand: int, side: str) -> tuple[Array, Array]:
    """Apparent lengths (T, 4) of upper arm, forearm, palm and knuckles, and what they reach in the video (T, 8)."""
    lengths = []
    for h, s in ((hand, side), (1 - hand, SIDES[1 - hand])):
        joints = [_joint(points, skeleton, f"{s}_{part}") for part in ("shoulder", "elbow", "wrist")]
        palm = hands[:, h]
        pairs = [(joints[0], joints[1]), (joints[1], joints[2]), (palm[:, 0], palm[:, 9]), (palm[:, 5], palm[:, 17])]
        lengths.append(np.stack([np.linalg.norm(a - b, axis=1) for a, b in pairs], axis=1))
    own, both = _filled(lengths[0]), np.nan_to_num(np.stack(lengths))
    reached = np.percentile(both.reshape(-1, 4), 95, axis=0)
    return own, np.tile(np.concatenate([reached, np.median(own, axis=0)]), (len(own), 1))


def _tilts(sizes: Array, reached: Array) -> Array:
    """(T, 16) how far parts of length L must reach forward or back to look as short as `sizes` (T, 4): √(L² − l²).

    For L the usual lengths, and the longest that the video shows where those are longer.
    """
    columns = []
    for length in (LENGTHS[None], np.maximum(reached, 0.9 * LENGTHS)):
        columns += [np.sqrt(np.maximum(length**2 - sizes**2, 0)), length - sizes]
    return np.concatenate(columns, axis=1)


def _hand_tilt(palm: Array, pose: Pose, joints: NDArray[np.intp], unit: float, known: bool) -> Array:
    """(T, 5) depth of four of the hand's bones, and the palm's length in space; zeros where depth is not `known`."""
    if not known or pose.z is None:
        return np.zeros((len(pose), 5))
    forward = -pose.z[:, joints].astype(np.float64) / unit
    bones = [_filled(forward[:, [a]] - forward[:, [b]]) for a, b in ((9, 0), (5, 17), (12, 9), (5, 0))]
    flat = _filled(palm[:, 9] - palm[:, 0])
    return np.concatenate([*bones, np.sqrt((flat**2).sum(axis=1, keepdims=True) + bones[0] ** 2)], axis=1)


def judged_depth(pose: Pose) -> Array:
    """(T, 2, 5) depth of `OUTPUTS` forward of the neck, towards the camera, units of h."""
    return frame_values("depth", depth_features(pose)).astype(np.float64)


def with_judged_depth(pose: Pose) -> Pose | None:
    """The pose with depth as judged, or None when the skeleton has no elbows."""
    skeleton = SKELETONS[pose.skeleton]
    if not all(f"{side}_elbow" in skeleton for side in SIDES) or len(pose) == 0:
        return None
    said = judged_depth(pose)
    unit = _levelled(pose, 0.2)[2]
    z = np.zeros(pose.xy.shape[:2])
    nose, hips = said[:, :, 3].mean(axis=1), said[:, :, 4].mean(axis=1)
    turn = (said[:, 0, 0] - said[:, 1, 0]) / 2
    for j, name in enumerate(skeleton.joints):
        part = next((HEAD_DEPTH[k] for k in HEAD_DEPTH if k in name), -0.1) if _on_head(name) else None
        if part is not None:
            z[:, j] = nose + part
        elif any(k in name for k in ("hip", "knee", "ankle", "heel", "foot", "toe")):
            z[:, j] = hips + 0.65 * turn * (1 if name.startswith("left") else -1)
    for hand, side in enumerate(SIDES):
        z[:, skeleton.index(f"{side}_shoulder")] = turn * (1 - 2 * hand)
        z[:, skeleton.index(f"{side}_elbow")] = said[:, hand, 1]
        for name in ("wrist", "pinky_knuckle", "index_knuckle", "thumb_knuckle"):
            if f"{side}_{name}" in skeleton:
                z[:, skeleton.index(f"{side}_{name}")] = said[:, hand, 2]
        joints = skeleton.hand(side)
        z[:, joints] = said[:, hand, 2, None]
        if pose.z is not None and depth_kind(pose) == "exaggerated":
            z[:, joints] -= HAND_DEPTH / unit * np.nan_to_num(pose.z[:, joints] - pose.z[:, joints[:1]])
    return replace(pose, z=np.where(np.isfinite(pose.xy[..., 0]), -z * unit, np.nan).astype(np.float32))


def _on_head(name: str) -> bool:
    return name in ("nose", "head", "head_top", "chin") or any(k in name for k in ("eye", "ear", "mouth", "face"))
