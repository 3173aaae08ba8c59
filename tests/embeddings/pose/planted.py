"""An estimator with planted answers: what it says of a frame is known beforehand."""

from __future__ import annotations

import numpy as np

from ..small_videos import number_of


class Planted:
    """Joint 0 lies at (number of the picture, how many frames this estimator has seen); the others are missing.

    Picture number 200 makes it fail.
    """

    name, skeleton = "planted 1", "mediapipe-holistic"

    def __init__(self, offset: float = 0.0) -> None:
        self.offset, self.seen = offset, 0

    def detect(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.seen += 1
        number = number_of(frame)
        if number == 200:
            raise RuntimeError("the graph\nfell over")
        xy, confidence = np.full((75, 2), np.nan, np.float32), np.zeros(75, np.float32)
        xy[0], confidence[0] = (number + self.offset, self.seen), 0.5
        return xy, confidence, np.where(confidence > 0, 1, np.nan).astype(np.float32)

    def forget(self, frame: np.ndarray) -> None:
        self.seen = 0

    def close(self) -> None:
        self.seen = -1


class Absent:
    def __init__(self) -> None:
        raise ImportError("the estimator 'absent' lacks a package; pip install it")
