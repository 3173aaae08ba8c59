"""`Camera`: a pinhole camera; projects a figure onto any named skeleton."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...clip import Pose
from ...skeletons import DERIVED, SKELETONS
from ..draws import Draws, on_grid
from ..signing.body import HEAD_POINTS
from ..signing.figure import FIGURE_JOINTS, Figure, figure_index
from .head import FACE_POINTS

__all__ = ["Camera", "joint_weights", "random_camera"]


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from. Camera() sees a frontal upper body in the middle of 512 × 512 px.

    Attributes:
        yaw: radians the camera stands to the signer's left (positive) of straight ahead.
        pitch: radians it stands above the horizon.
        roll: radians it is turned about its axis; the picture turns the other way.
        distance: metres from the target.
        focal: focal length in pixels.
        size: (width, height) of the frame in pixels.
        target: point (x, y, z), metres in world space, that is seen in the picture's middle.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = 2.2
    focal: float = 930.0
    size: tuple[int, int] = (512, 512)
    target: tuple[float, float, float] = (0.0, -0.13, 0.05)

    def __post_init__(self) -> None:
        if not self.distance > 0.6:
            raise ValueError(
                f"the camera is {self.distance} m from its target; expected more than 0.6 (arms reach out)"
            )
        if not self.focal > 0 or min(self.size) < 1:
            raise ValueError(f"focal {self.focal} px and size {self.size} must be positive")

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3) rows: right in the picture, down in the picture, away from the camera; world space."""
        sy, cy, sp, cp = np.sin(self.yaw), np.cos(self.yaw), np.sin(self.pitch), np.cos(self.pitch)
        ahead = -np.array([sy * cp, sp, cy * cp])
        right = np.array([cy, 0.0, -sy])
        down = np.cross(ahead, right)
        sr, cr = np.sin(self.roll), np.cos(self.roll)
        return np.stack([cr * right + sr * down, cr * down - sr * right, ahead])

    @property
    def position(self) -> NDArray[np.float64]:
        """(3,) where the camera stands, world space."""
        return np.array(self.target) - self.distance * self.axes[2]

    def points(self, xyz: NDArray[np.floating]) -> NDArray[np.floating]:
        """World points (…, 3) as (x px, y px, depth m from the camera's plane); px may lie outside the frame."""
        seen = (xyz - self.position) @ self.axes.T
        scale = self.focal / np.maximum(seen[..., 2:], 0.05)
        middle = (np.array(self.size) - 1) / 2
        return np.concatenate([seen[..., :2] * scale + middle, seen[..., 2:]], axis=-1)

    def project(self, figure: Figure, skeleton: str = "mediapipe-holistic") -> Pose:
        """The figure as this camera sees it, on a named skeleton, with exact keypoints of confidence 1.

        ``z`` is depth in pixels (at the scale of the hips), 0 at the middle of the hips, smaller is nearer.
        Joints outside the frame keep their coordinates; `noise` decides what an estimator makes of them.
        All coordinates are multiples of 2^-10 px.
        """
        weights = joint_weights(skeleton)
        xyz = figure.xyz.astype(np.float64)
        seen = self.points(weights @ xyz)
        hips = xyz[:, [figure_index("left_hip"), figure_index("right_hip")]].mean(axis=1)
        depth = (hips - self.position) @ self.axes[2]
        z = (seen[..., 2] - depth[:, None]) * (self.focal / depth[:, None])
        return Pose(
            on_grid(seen[..., :2], 10).astype(np.float32), np.ones(seen.shape[:2], np.float32), skeleton, figure.fps,
            self.size, on_grid(z, 10).astype(np.float32), estimator="synthetic",
        )  # fmt: skip


@lru_cache(maxsize=32)
def joint_weights(skeleton: str) -> NDArray[np.float64]:
    """(J, 64): each joint of a named skeleton as an affine combination (rows sum to 1) of the figure's joints.

    Points on the head (a generic face) are combinations of four of its joints, so they move rigidly with it;
    feet follow from the legs.
    """
    if skeleton not in SKELETONS:
        raise ValueError(f"skeleton {skeleton!r} is not known; expected one of {', '.join(SKELETONS)}")
    rows = []
    for name in SKELETONS[skeleton].joints:
        mix = _mix(name)
        if mix is None:
            raise ValueError(f"the figure does not say where joint {name!r} of {skeleton} is")
        row = np.zeros(len(FIGURE_JOINTS))
        for joint, weight in mix.items():
            row[figure_index(joint)] += weight
        rows.append(row)
    matrix = np.stack(rows)
    matrix.setflags(write=False)
    return matrix


def _mix(name: str) -> dict[str, float] | None:
    if name in FIGURE_JOINTS:
        return {name: 1.0}
    if name in FACE_POINTS:
        return _on_head(FACE_POINTS[name])
    made = _body_mix(name)
    if made is not None:
        return made
    for way in DERIVED.get(name, ()):
        parts = [_mix(n) for n in way if n in FIGURE_JOINTS]
        if len(parts) == len(way):
            return {n: w / len(way) for part in parts if part for n, w in part.items()}
    return None


def _body_mix(name: str) -> dict[str, float] | None:
    side = "left" if name.startswith("left_") else "right"
    part = name.removeprefix(f"{side}_")
    hip, knee, ankle = f"{side}_hip", f"{side}_knee", f"{side}_ankle"
    # The knee stands 3 cm before the line from hip to ankle: that is "forward" for the foot.
    forward = {"heel": -1.0, "foot_index": 5.0, "big_toe": 5.0, "small_toe": 4.4}.get(part)
    if forward is not None:
        sole = 0.07  # how far below the ankle, as a share of the leg
        return {knee: forward, hip: -0.506 * forward - sole, ankle: 1 - 0.494 * forward + sole}
    if name == "spine3":
        return {"neck": 0.7, "left_hip": 0.15, "right_hip": 0.15}
    if part == "collar":
        return {"neck": 0.7, f"{side}_shoulder": 0.3}
    if part == "thumb_knuckle":
        return {f"{side}_hand_thumb_ip": 1.0}
    fingers = {"index": "mcp pip dip", "middle": "mcp pip dip", "ring": "mcp pip dip", "pinky": "mcp pip dip",
               "thumb": "cmc mcp ip"}  # fmt: skip
    if part.startswith("hand_") and part[5:-1] in fingers and part[-1] in "123":
        return {f"{side}_hand_{part[5:-1]}_{fingers[part[5:-1]].split()[int(part[-1]) - 1]}": 1.0}
    return None


def _on_head(point: tuple[float, float, float]) -> dict[str, float]:
    """Affine weights of four head joints for a point of the standard head."""
    corners = ("nose", "left_ear", "right_ear", "head_top")
    system = np.vstack([np.array([HEAD_POINTS[c] for c in corners]).T, np.ones(4)])
    weights = np.linalg.solve(system, [*point, 1.0])
    return dict(zip(corners, weights.tolist(), strict=True))


def random_camera(rng: Draws, yaw: float = 0.5, pitch: float = 0.2) -> Camera:
    """A plausible camera: within ± `yaw` and ± `pitch` radians of frontal, head to waist or to thighs in view."""
    sizes = ((512, 512), (640, 480), (1280, 720), (720, 576), (480, 640))
    size = sizes[rng.integers(len(sizes))]
    distance = on_grid(math.exp(rng.uniform(math.log(0.95), math.log(4.0))), 20)
    visible = on_grid(math.exp(rng.uniform(math.log(0.9), math.log(1.4))), 20)  # metres of the scene's height
    focal = min(size[1], size[0] * 1.1) * distance / visible
    return Camera(
        yaw=float(np.clip(rng.normal(0, 0.45), -1, 1) * yaw),
        pitch=float(np.clip(rng.normal(0.1, 0.45), -1, 1) * pitch),
        roll=rng.normal(0, 0.03),
        distance=distance,
        focal=focal,
        size=size,
        target=(rng.normal(0, 0.05), 0.37 - 0.5 * visible + rng.normal(0, 0.03), 0.05),
    )
