"""Poses: estimate them from video, read and write them, clean them.

Estimators and file formats load when used; importing this package is light.
"""

from .estimate import ESTIMATORS, estimate, estimate_frames, make_estimator
from .files import read_pose, write_pose
from .formats.errors import PoseFileError
from .quality import Quality, advice, measure_quality, quality_of
from .videos import EstimateResult, estimate_videos

__all__ = [
    "ESTIMATORS",
    "EstimateResult",
    "PoseFileError",
    "Quality",
    "advice",
    "estimate",
    "estimate_frames",
    "estimate_videos",
    "make_estimator",
    "measure_quality",
    "quality_of",
    "read_pose",
    "write_pose",
]
