"""A signer's body at rest: joint positions and where the fifteen places are on it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..parameters import LOCATIONS
from .figure import FIGURE_JOINTS, figure_index
from .signer import Signer

__all__ = ["HEAD_JOINTS", "HEAD_POINTS", "Body", "body_of"]

_HEAD_PIVOT = np.array([0.0, 0.055, -0.005])
HEAD_POINTS = {
    "nose": (0.0, 0.172, 0.118), "left_eye": (0.033, 0.207, 0.088), "right_eye": (-0.033, 0.207, 0.088),
    "left_ear": (0.076, 0.188, 0.006), "right_ear": (-0.076, 0.188, 0.006), "mouth_left": (0.026, 0.134, 0.096),
    "mouth_right": (-0.026, 0.134, 0.096), "chin": (0.0, 0.090, 0.084), "head_top": (0.0, 0.310, 0.012),
}  # fmt: skip
"""Joints of the standard head: x to the signer's left, y up, z forward, metres from the neck."""
HEAD_JOINTS: tuple[str, ...] = tuple(HEAD_POINTS)


class Body:
    """The still parts of a signer, in world space for the left and midline, metres.

    Attributes:
        rest: (64, 3) joint positions with arms and hands at the origin (they are placed by the motion).
        shoulder: (3,) the left shoulder, which is the shoulder in the hand's own space.
        head_pivot: (3,) about which the head turns.
        hip: (3,) mid-hips, about which the body sways.
        surface: names and points (S, 3) of the places on head and trunk, in the dominant hand's own space.
    """

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.head_pivot = _HEAD_PIVOT * signer.head
        self.shoulder = np.array([signer.shoulder_width / 2, 0.0, 0.0])
        self.hip = np.array([0.0, -signer.torso, 0.0])
        self.rest = np.zeros((len(FIGURE_JOINTS), 3))
        for name, point in HEAD_POINTS.items():
            self.rest[figure_index(name)] = np.array(point) * signer.head
        legs = signer.torso / 0.5
        for side, sign in (("left", 1.0), ("right", -1.0)):
            self.rest[figure_index(f"{side}_shoulder")] = self.shoulder * (sign, 1, 1)
            hip = self.hip + np.array([sign * 0.32 * signer.shoulder_width, 0.0, 0.0])
            self.rest[figure_index(f"{side}_hip")] = hip
            self.rest[figure_index(f"{side}_knee")] = hip + np.array([0.0, -0.42, 0.03]) * legs
            self.rest[figure_index(f"{side}_ankle")] = hip + np.array([0.0, -0.83, 0.0]) * legs
        self.rest.setflags(write=False)
        spots = [(p.name, s) for p in LOCATIONS.values() if p.anchor in ("head", "torso") for s in set(p.sides) or {1}]
        points = np.stack([self.place(name, side, (0.0, 0.0, 0.0)) for name, side in spots])
        self.surface = tuple(name for name, _ in spots), points

    def place(self, location: str, side: int, offset: tuple[float, float, float]) -> NDArray[np.float64]:
        """A place's point (3,) on this body in the dominant hand's own space; not for "arm" and "other hand"."""
        spot = LOCATIONS[location]
        point = np.array(spot.point)
        if spot.sides:
            point[0] *= side
        signer = self.signer
        if spot.anchor == "head":
            return (point + offset) * signer.head
        stretch = np.array([signer.shoulder_width / 0.37, signer.torso / 0.5, 1.0])
        if spot.anchor == "torso":
            return (point + offset) * stretch
        reach = (signer.upper_arm + signer.forearm) / 0.56
        moved = point * stretch + np.array(offset) * signer.amplitude
        return moved * (1, 1, reach) + (0, signer.height, signer.forward)

    def normal(self, location: str, side: int) -> NDArray[np.float64]:
        """Unit vector (3,) out of the body at a place, in the dominant hand's own space."""
        normal = np.array(LOCATIONS[location].normal, np.float64)
        if LOCATIONS[location].sides and side < 0:
            normal[0] *= -1
        return normal / np.linalg.norm(normal)


@lru_cache(maxsize=1024)
def body_of(signer: Signer) -> Body:
    """The body of a signer, computed once."""
    return Body(signer)
