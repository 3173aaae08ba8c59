"""Single signs by the procedural signer with the truth of every frame, and poses estimated on their rendered frames."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..clip import Pose

if TYPE_CHECKING:
    from ..pose.estimate import PoseEstimator
    from ..synthetic import Camera, Performance, Sign, Signer

__all__ = ["Shot", "estimated_pose", "shots"]

LEFT_HANDED = 0.12
"""Share of left-handed signers."""


class Shot(NamedTuple):
    """A random sign by a random signer before a random camera; `number` is its place among the shots of a seed."""

    seed: int
    number: int
    sign: Sign
    signer: Signer
    camera: Camera

    def perform(self, fps: float = 25.0) -> Performance:
        from ..synthetic import SignWorld

        return SignWorld(self.seed, signs=1).perform(self.sign, self.signer, fps, take=self.number)


def shots(count: int, seed: int) -> list[Shot]:
    """Random shots; the first ones of a seed are the same however many are asked for."""
    from ..synthetic import Draws, random_camera, random_sign, random_signer

    rng = Draws("phonology cases", seed)
    result = []
    for number in range(count):
        sign = random_sign(rng, f"bench-{number}")
        signer = random_signer(rng, f"unseen-{seed}-{number}", LEFT_HANDED)
        result.append(Shot(seed, number, sign, signer, random_camera(rng)))
    return result


@lru_cache(maxsize=1)
def _estimator(name: str) -> PoseEstimator:
    from ..pose.estimate import make_estimator

    return make_estimator(name)


def estimated_pose(shot: Shot, performance: Performance, folder: Path | None, estimator: str = "holistic") -> Pose:
    """The pose that an estimator sees on the rendered frames of a performance; about five seconds.

    Args:
        folder: where estimated poses are kept and found again, one file a shot and estimator; None estimates anew.
    """
    from ..pose.files import read_pose, write_pose

    path = None if folder is None else folder / f"{estimator}-seed-{shot.seed}-clip-{shot.number:03d}.h5"
    if path is not None and path.exists():
        return read_pose(path)
    pose = _estimated(shot, performance, _estimator(estimator))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_pose(path, pose)
    return pose


def _estimated(shot: Shot, performance: Performance, estimator: PoseEstimator) -> Pose:
    from ..pose.estimate import estimate_frames
    from ..synthetic.draws import Draws
    from ..synthetic.filming.look import random_look
    from ..synthetic.filming.render import render_frames

    forget = getattr(estimator, "forget", None)  # whom it saw before
    if forget is not None:
        forget(np.zeros((shot.camera.size[1], shot.camera.size[0], 3), np.uint8))
    look = random_look(Draws(shot.number))
    return estimate_frames(render_frames(performance.figure, look, shot.camera), performance.figure.fps, estimator)
