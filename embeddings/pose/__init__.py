"""Poses: estimate them from video, read and write them, clean them.

Estimators and file formats load when used; importing this package is light.
"""

from .estimate import ESTIMATORS, EstimateResult, estimate, estimate_videos
from .files import PoseFileError, read_pose, write_pose

__all__ = ["ESTIMATORS", "EstimateResult", "PoseFileError", "estimate", "estimate_videos", "read_pose", "write_pose"]
