"""What the networks of the phonology are trained on: frames of the procedural signer, with where hands and arms are.

Exact pictures, or disturbed as an estimator would, and poses that MediaPipe estimates on rendered video. What is drawn
for a clip follows from the seed and the clip's number.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import Clip, Pose
from ..phonology.depth import HAND_DEPTH, OUTPUTS, depth_features
from ..phonology.locations import LOCATIONS, features
from ..phonology.signer_space import signer_space
from ..skeletons import SKELETONS
from ..synthetic.draws import Draws
from .items import Item
from .performances import Shot, estimated_pose, shots

__all__ = ["depth_frames", "location_frames"]

VIDEO_WEIGHT = 2.0
"""How much a frame of video counts beside one of an exact picture."""
NEUTRAL_SHARE, HOLD_SHARE = 0.6, 0.6
"""Shares of the frames in neutral space, the commonest place by far, and of all frames of procedural poses, that are
trained on."""

Floats = NDArray[np.floating]


def depth_frames(seed: int, clips: int, videos: int, video_seed: int, poses: Path | None) -> list[Item]:
    """`features` and `target` of `embeddings.phonology.depth`: how far forward of the neck an arm's parts are.

    Args:
        videos: how many clips come from rendered video with estimated poses.
        poses: folder of these poses.
    """
    items = [_item(shot, partial(_exact_depth, shot)) for shot in shots(clips, seed)]
    return items + [_item(shot, partial(_video_depth, shot, poses)) for shot in shots(videos, video_seed)]


def location_frames(seed: int, clips: int, videos: int, video_seed: int, poses: Path | None) -> list[Item]:
    """`features` and `class` of `embeddings.phonology.locations`: which of fifteen places a hand is at.

    Args: as of `depth_frames`. Each video is there twice, and whole.
    """
    items = [_item(shot, partial(_disturbed_locations, shot)) for shot in shots(clips, seed)]
    filmed = [_item(shot, partial(_video_locations, shot, poses)) for shot in shots(videos, video_seed)]
    return items + filmed + [replace(item, id=f"{item.id}-again") for item in filmed]


def _item(shot: Shot, load: partial[Clip]) -> Item:
    return Item(f"shot-{shot.seed}-{shot.number}", "", load, shot.signer.name)


def _exact_depth(shot: Shot) -> Clip:
    rng = np.random.default_rng([shot.seed, shot.number])
    exact = shot.camera.project(shot.perform().figure)
    # a quarter as of skeletons without ears and hips, an eighth without depth of the hands
    bare = rng.random() < 0.25
    shown = exact.to("openpose-50") if bare else _estimated_hands(exact, rng)
    values = depth_features(shown, hand_depth=not bare and bool(rng.random() > 0.125))
    return _clip(shot, features=values, target=true_depth(exact))


def _video_depth(shot: Shot, poses: Path | None) -> Clip:
    performance = shot.perform()
    pose = estimated_pose(shot, performance, poses)
    weight = np.full(len(pose), VIDEO_WEIGHT)
    target = true_depth(shot.camera.project(performance.figure))
    return _clip(shot, features=depth_features(pose), target=target, weight=weight)


def true_depth(pose: Pose) -> Floats:
    """(T, 2, 5) depth of `OUTPUTS` per hand in an exact pose, units of h, forward of the neck.

    Raises:
        ValueError: the pose has no depth.
    """
    if pose.z is None:
        raise ValueError("exact poses have depth; this one has none")
    skeleton = SKELETONS[pose.skeleton]
    forward = -pose.z.astype(np.float64)
    left, right = (skeleton.index(f"{side}_shoulder") for side in ("left", "right"))
    unit = np.median(np.linalg.norm(pose.xy[:, left] - pose.xy[:, right], axis=-1)) / 2
    forward = (forward - (forward[:, left] + forward[:, right])[:, None] / 2) / unit
    hips = (forward[:, skeleton.index("left_hip")] + forward[:, skeleton.index("right_hip")]) / 2
    result = np.zeros((len(pose), 2, len(OUTPUTS)))
    for hand, side in enumerate(("left", "right")):
        joints = (f"{side}_shoulder", f"{side}_elbow", f"{side}_hand_wrist", "nose")
        result[:, hand, :4] = np.stack([forward[:, skeleton.index(name)] for name in joints], axis=1)
        result[:, hand, 4] = hips
    return result


def _estimated_hands(pose: Pose, rng: np.random.Generator) -> Pose:
    """The hands' depth about their wrists as badly as MediaPipe sees it (r .7): flatter, of drifting size and shape."""
    assert pose.z is not None
    z, knots = pose.z.copy(), np.arange(len(pose) // 5 + 3)
    at = np.linspace(0, len(knots) - 1.01, len(pose))
    for side in ("left", "right"):
        joints = SKELETONS[pose.skeleton].hand(side)
        exact = z[:, joints] - z[:, joints[:1]]
        drift = np.stack([np.interp(at, knots, rng.normal(size=len(knots))) for _ in range(22)], axis=1)
        noise = 0.35 * float(np.std(exact)) * drift[:, 1:]
        z[:, joints] = z[:, joints[:1]] + (exact * (1 + 0.3 * drift[:, :1]) + noise) / HAND_DEPTH
    return replace(pose, z=z)


def _disturbed_locations(shot: Shot) -> Clip:
    """Exact or disturbed, with depth or without."""
    from ..synthetic import random_noise

    rng = Draws("frames of places", shot.seed, shot.number)
    performance = shot.perform()
    pose = shot.camera.project(performance.figure)
    if rng.random() < 0.7:
        pose = random_noise(rng, 1.0).apply(pose, rng)
    if rng.random() >= 0.5:
        pose = _without_depth(pose, rng)
    return _located(shot, pose, performance.truth.hold, performance.truth.location, rng, HOLD_SHARE)


def _video_locations(shot: Shot, poses: Path | None) -> Clip:
    performance = shot.perform()
    pose, rng = estimated_pose(shot, performance, poses), Draws("filmed frames of places", shot.seed, shot.number)
    return _located(shot, pose, performance.truth.hold, performance.truth.location, rng, 1.0)


def _without_depth(pose: Pose, rng: Draws) -> Pose:
    """No depth at all, or (MediaPipe's kind) exaggerated so that only the hands' own is left."""
    if pose.z is None or rng.random() < 0.5:
        return replace(pose, z=None)
    shoulders = [pose.joint(f"{side}_shoulder") for side in ("left", "right")]
    middle = np.nanmean(pose.z[:, shoulders], axis=1, keepdims=True)
    return replace(pose, z=(middle + rng.uniform(3, 5) * (pose.z - middle)).astype(np.float32))


def _located(
    shot: Shot, pose: Pose, hold: NDArray[np.bool_], places: NDArray[np.str_], rng: Draws, share: float
) -> Clip:
    """Hold frames whose place is known, a `share` of them."""
    space = signer_space(pose)
    used = hold & (places != "") & space.seen & (rng.random(hold.shape) < share)
    used &= (places != LOCATIONS[0]) | (rng.random(hold.shape) < NEUTRAL_SHARE)
    classes = np.full(hold.shape, -1, np.int64)
    classes[used] = [LOCATIONS.index(name) for name in places[used]]
    return _clip(shot, features=features(space), **{"class": classes})


def _clip(shot: Shot, **extra: NDArray[np.generic]) -> Clip:
    return Clip(f"shot-{shot.seed}-{shot.number}", 25.0, signer=shot.signer.name, extra=extra)
