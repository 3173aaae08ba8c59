"""Clips with known phonology to measure on: exact poses, or poses estimated from rendered video and kept on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from embeddings.clip import Pose
from embeddings.pose.estimate import PoseEstimator, estimate_frames, make_estimator
from embeddings.pose.files import read_pose, write_pose
from embeddings.synthetic import Camera, Performance, SignWorld, random_camera, random_sign, random_signer


class Case(NamedTuple):
    """One performance and the pose to be judged."""

    arrangement: str
    performed: Performance
    pose: Pose


def performances(clips: int, seed: int, fps: float) -> Iterator[tuple[str, Performance, Camera]]:
    """Random signs by random signers before random cameras: (arrangement, performance, camera)."""
    world, rng = SignWorld(seed=seed, signs=1), np.random.default_rng(seed)
    for k in range(clips):
        sign = random_sign(rng, f"bench-{k}")
        performed = world.perform(sign, random_signer(rng, f"unseen-{seed}-{k}", 0.12), fps, take=k)
        yield sign.arrangement, performed, random_camera(rng)


def exact_cases(clips: int, seed: int, fps: float) -> Iterator[Case]:
    """With the poses that the cameras see."""
    for arrangement, performed, camera in performances(clips, seed, fps):
        yield Case(arrangement, performed, camera.project(performed.figure))


def video_cases(clips: int, seed: int, fps: float, folder: Path | None = None) -> Iterator[Case]:
    """With the poses that MediaPipe finds on the rendered frames.

    Args:
        folder: where the estimated poses are kept and found again, one file a clip; None estimates anew.
    """
    estimator: PoseEstimator | None = None
    for k, (arrangement, performed, camera) in enumerate(performances(clips, seed, fps)):
        path = None if folder is None else folder / f"seed-{seed}-clip-{k:03d}.h5"
        if path is not None and path.exists():
            yield Case(arrangement, performed, read_pose(path))
            continue
        estimator = make_estimator("mediapipe") if estimator is None else estimator
        start = time.perf_counter()
        pose = estimated(performed, camera, k, estimator)
        print(f"clip {k}: {len(pose)} frames in {time.perf_counter() - start:.1f} s", flush=True)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_pose(path, pose)
        yield Case(arrangement, performed, pose)


def estimated(performed: Performance, camera: Camera, seed: int, estimator: PoseEstimator) -> Pose:
    """The pose of the rendered frames; the estimator forgets whom it saw before."""
    from embeddings.synthetic.filming.look import random_look
    from embeddings.synthetic.filming.render import render_frames

    forget = getattr(estimator, "forget", None)
    if forget is not None:
        forget(np.zeros((camera.size[1], camera.size[0], 3), np.uint8))
    frames = render_frames(performed.figure, random_look(np.random.default_rng(seed)), camera)
    return estimate_frames(frames, performed.figure.fps, estimator)
