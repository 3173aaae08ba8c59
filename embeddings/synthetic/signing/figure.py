"""`Figure`: a signer's body in 3D over time, the interface between kinematics, camera and renderer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...skeletons import hand_joints

__all__ = ["FIGURE_JOINTS", "Figure", "figure_index"]

FIGURE_JOINTS: tuple[str, ...] = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "mouth_left", "mouth_right", "chin", "head_top",
    "neck", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    *hand_joints("left"), *hand_joints("right"),
)  # fmt: skip
"""Canonical joint names (those of `embeddings.skeletons`), 22 of the body and 21 a hand: 64."""


def figure_index(name: str) -> int:
    """Row of a joint in `Figure.xyz`."""
    return FIGURE_JOINTS.index(name)


@dataclass(frozen=True, eq=False)
class Figure:
    """A body in world space.

    Axes: x to the signer's LEFT (so to the right of a frontal camera's picture), y UP, z FORWARD out of the
    chest, towards a frontal camera; metres; the origin is the neck's rest position.

    Attributes:
        xyz: (T, 64, 3) float32 in the order of `FIGURE_JOINTS`.
        fps: frames per second.
    """

    xyz: NDArray[np.float32]
    fps: float

    def __len__(self) -> int:
        return len(self.xyz)
