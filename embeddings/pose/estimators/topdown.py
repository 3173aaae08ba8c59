"""What the top-down estimators share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .keypoints import Keypoints

__all__ = ["keypoint_rows"]

KEYPOINTS = 133


def keypoint_rows(keypoints: ArrayLike, scores: ArrayLike, min_confidence: float) -> Keypoints:
    """A network's (133, 2) keypoints and (133,) scores in this toolkit's terms.

    Scores are clipped to [0, 1] (SimCC maxima may exceed 1); keypoints at or below `min_confidence` are NaN with
    confidence 0.

    Raises:
        ValueError: not 133 keypoints.
    """
    xy = np.array(keypoints, np.float32)
    confidence = np.clip(np.nan_to_num(np.array(scores, np.float32)), 0, 1)
    if xy.shape != (KEYPOINTS, 2) or confidence.shape != (KEYPOINTS,):
        raise ValueError(f"the model gives keypoints {xy.shape}; expected ({KEYPOINTS}, 2) of COCO-WholeBody")
    missing = (confidence <= min_confidence) | np.isnan(xy).any(axis=1)
    xy[missing], confidence[missing] = np.nan, 0
    return Keypoints(xy, confidence)
