"""A pose in the signer's own coordinates: what the phonological measures are taken in.

Origin: the neck (middle of the shoulders) in each frame. Unit: half the shoulders' width, h, one number per video
(its median), so that a turn of the body changes no size. Axes: x to the signer's LEFT, y up along the trunk, z forward
out of the chest. Where depth is known the axes follow the body (a camera from the side is undone); without depth they
are the picture's, levelled by the shoulders. Depth is that of the pose where it can be trusted, else judged from the
picture: see `embeddings.phonology.depth`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from ..clip import Pose
from ..interpolation import fill_gaps
from ..skeletons import DERIVED, SKELETONS, Skeleton
from .depth import depth_kind, with_judged_depth

__all__ = ["SIDES", "SignerSpace", "signer_space"]

Array = NDArray[np.float64]
SIDES: tuple[str, str] = ("left", "right")
"""Order of the hands in every array of this package: the signer's left, the signer's right."""

MIN_CONFIDENCE = 0.2
"""Joints below it are treated as missing."""
LEAST_SHOULDER_PIXELS = 8.0
SLOW_SECONDS = 0.6
"""Axes and unit are smoothed over this long: trunks turn slowly, estimated depth trembles."""


@dataclass(frozen=True, eq=False)
class SignerSpace:
    """Joints over time in the signer's coordinates.

    Attributes:
        xyz: (T, J, 3) in units of h; NaN where missing; z is 0 throughout when `deep` is False.
        hands: (T, 2, 21, 3) the joints of both hands, (left, right).
        confidence: (T, 2) mean confidence of a hand's joints, 0 where it was not seen.
        skeleton: what the J joints are.
        fps: frames per second.
        deep: whether depth was known or judged.
        judged: depth was judged from the picture; the pose had none, or none to trust.
        flat_hands: the joints of a hand all lie in the depth of their wrist.
    """

    xyz: Array
    hands: Array
    confidence: Array
    skeleton: str
    fps: float
    deep: bool
    judged: bool = False
    flat_hands: bool = False

    def __len__(self) -> int:
        return len(self.xyz)

    def has(self, name: str) -> bool:
        """Whether the skeleton has a joint or can derive it."""
        skeleton = SKELETONS[self.skeleton]
        return name in skeleton or any(all(n in skeleton for n in way) for way in DERIVED.get(name, ()))

    def joint(self, name: str) -> Array:
        """(T, 3) of a joint by its canonical name; NaN throughout where the skeleton has none and can derive none."""
        skeleton = SKELETONS[self.skeleton]
        for way in ((name,), *DERIVED.get(name, ())):
            if all(n in skeleton for n in way):
                return np.mean([self.xyz[:, skeleton.index(n)] for n in way], axis=0)
        return np.full((len(self), 3), np.nan)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """(T, 2) whether the hand's middle is known."""
        return np.asarray(np.isfinite(self.palm).all(axis=-1))

    @cached_property
    def palm(self) -> Array:
        """(T, 2, 3) middle of the palm: wrist and the four knuckles."""
        return self.hands[:, :, [0, 5, 9, 13, 17]].mean(axis=2)


def signer_space(pose: Pose, use_depth: bool = True) -> SignerSpace:
    """The pose in the signer's coordinates.

    Args:
        use_depth: False ignores `pose.z` and judges none.

    Raises:
        ValueError: the skeleton has no shoulders, or they are never seen.
    """
    skeleton = SKELETONS[pose.skeleton]
    if not all(f"{side}_shoulder" in skeleton for side in SIDES):
        raise ValueError(f"skeleton {pose.skeleton!r} has no shoulders; phonological measures need them")
    judged, flat_hands = False, not use_depth or pose.z is None
    if use_depth:
        kind = depth_kind(pose)
        given = None if kind == "exact" else with_judged_depth(pose)
        if given is not None:
            judged, flat_hands, pose = True, kind != "exaggerated", given
    deep = use_depth and pose.z is not None
    depth = -pose.z if deep and pose.z is not None else np.zeros(pose.xy.shape[:2])
    # picture → right-handed camera space: x right, y up, z towards the camera
    points = np.stack([pose.xy[..., 0], -pose.xy[..., 1], depth], axis=-1).astype(np.float64)
    points[pose.confidence < MIN_CONFIDENCE] = np.nan
    left, right = (fill_gaps(points[:, skeleton.index(f"{side}_shoulder")]) for side in SIDES)
    if not np.isfinite(left).all() or not np.isfinite(right).all():
        raise ValueError(f"{pose.source or 'the pose'}: the shoulders are never seen; phonological measures need them")
    slow = max(1, round(SLOW_SECONDS * pose.fps))
    axes, unit = _axes(points, skeleton, left, right, slow, deep)
    neck = (left + right) / 2
    xyz = np.einsum("tjc,tac->tja", points - neck[:, None], axes) / unit
    hands = np.stack([xyz[:, skeleton.hand(side)] for side in SIDES], axis=1)
    confidence = np.stack([pose.confidence[:, skeleton.hand(side)[1:]].mean(axis=1) for side in SIDES], axis=1)
    return SignerSpace(xyz, hands, confidence.astype(np.float64), pose.skeleton, pose.fps, deep, judged, flat_hands)


def _axes(points: Array, skeleton: Skeleton, left: Array, right: Array, slow: int, deep: bool) -> tuple[Array, float]:
    """Axes (T, 3, 3) as rows, and the unit in pixels."""
    across = _smooth(left - right, slow)
    unit = float(np.median(np.linalg.norm(across, axis=1))) / 2
    if unit < LEAST_SHOULDER_PIXELS / 2:
        raise ValueError(f"the shoulders are {2 * unit:.1f} px apart; too small, or seen from the side without depth")
    x = across / np.linalg.norm(across, axis=1, keepdims=True)
    up = np.tile([0.0, 1.0, 0.0], (len(points), 1))
    hips = [fill_gaps(points[:, skeleton.index(name)]) for name in ("left_hip", "right_hip") if name in skeleton]
    if deep and len(hips) == 2:
        trunk = _smooth((left + right - hips[0] - hips[1]) / 2, slow)
        known = np.isfinite(trunk).all(axis=1) & (np.linalg.norm(np.nan_to_num(trunk), axis=1) > unit)
        up[known] = trunk[known] / np.linalg.norm(trunk[known], axis=1, keepdims=True)
    y = up - (up * x).sum(axis=1, keepdims=True) * x
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=1), unit


def _smooth(values: Array, width: int) -> Array:
    """Running mean over `width` rows, shorter at the ends."""
    if width <= 1 or len(values) < 2:
        return values
    kernel = np.ones(min(width, len(values)))
    count = correlate1d(np.ones(len(values)), kernel, mode="constant")
    return np.asarray(correlate1d(values, kernel, axis=0, mode="constant") / count[:, None])
