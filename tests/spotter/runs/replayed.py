"""Videos whose pictures are numbered, and an estimator that knows the pose of each number and counts its work."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from embeddings.clip import Pose
from embeddings.pose import read_pose
from embeddings.pose.estimators.keypoints import Keypoints
from embeddings.video import write_video

from ...embeddings.small_videos import number_of, numbered

FOLDER = "SPOTTER_TEST_REPLAYED"
"""Names the folder with `pose.h5` and the log of what was estimated."""
STOP, NOBODY = 251, 252
"""First pictures of videos that interrupt the program, and that show nobody."""


@lru_cache(maxsize=1)
def known(path: Path) -> Pose:
    return read_pose(path)


class Replayed:
    """Stands in for the default estimator."""

    skeleton = "mediapipe-holistic"
    name = "holistic 1 replayed"

    def __init__(self, person: str = "largest") -> None:
        self.folder = Path(os.environ[FOLDER])
        self.first = -1

    def detect(self, frame: np.ndarray) -> Keypoints:
        number = number_of(frame)
        if self.first < 0:
            self.first = number
            with (self.folder / "log").open("a") as log:
                log.write(f"{number}\n")
        pose = known(self.folder / "pose.h5")
        row = number % len(pose)
        xy, confidence, z = pose.xy[row].copy(), pose.confidence[row].copy(), pose.z
        if self.first == NOBODY:
            xy[:], confidence[:] = np.nan, 0
        if self.first == STOP:
            raise KeyboardInterrupt
        return Keypoints(xy, confidence, None if z is None else z[row], None)

    def forget(self, frame: np.ndarray) -> None:
        self.first = -1

    def close(self) -> None:
        self.first = -1


def film(path: Path, first: int = 0, count: int = 0) -> Path:
    """A video that shows the known pose from its start; `first` is the number of its first picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    length = count or len(known(Path(os.environ[FOLDER]) / "pose.h5"))
    return write_video(path, (numbered(first if i == 0 else i) for i in range(length)), 25.0)


def estimated() -> int:
    """How many estimates were begun."""
    log = Path(os.environ[FOLDER]) / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0
