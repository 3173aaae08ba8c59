"""Clips with known phonology to measure on: exact poses, or poses estimated from rendered video and kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from embeddings.clip import Pose
from embeddings.synthetic import Performance
from embeddings.training.performances import estimated_pose, shots


class Case(NamedTuple):
    """One performance and the pose to be judged."""

    arrangement: str
    performed: Performance
    pose: Pose


def exact_cases(clips: int, seed: int, fps: float) -> Iterator[Case]:
    """With the poses that the cameras see."""
    for shot in shots(clips, seed):
        performed = shot.perform(fps)
        yield Case(shot.sign.arrangement, performed, shot.camera.project(performed.figure))


def video_cases(clips: int, seed: int, fps: float, folder: Path | None = None) -> Iterator[Case]:
    """With the poses that the default estimator finds on the rendered frames.

    Args:
        folder: where the estimated poses are kept and found again, one file a clip; None estimates anew.
    """
    for shot in shots(clips, seed):
        performed = shot.perform(fps)
        yield Case(shot.sign.arrangement, performed, estimated_pose(shot, performed, folder))
