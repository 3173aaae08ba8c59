"""`Keypoints`: what an estimator finds in one picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keypoints"]

Array = NDArray[np.float32]


class Keypoints(NamedTuple):
    """Keypoints of the person that an estimator follows.

    Attributes:
        xy: (J, 2) pixels, NaN where missing.
        confidence: (J,) in [0, 1], 0 where missing.
        z: (J,) pixels, or None where the estimator gives no depth.
        hand_metres: (2, 21, 3) metres as in `embeddings.clip.Pose`, or None.
    """

    xy: Array
    confidence: Array
    z: Array | None = None
    hand_metres: Array | None = None
