"""Key-frames of a sign: the frames in which the signer moves least, two published variants.

Missing joints count as no motion of their own: the speed of a frame is the mean over the joints seen in it and in the
frame before, times the number of joints. Blanking around a chosen frame stops at the clip's ends.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import open_hdf5, reader

from ..clip import Pose
from .signer_space import MIN_CONFIDENCE, Array

__all__ = ["frame_speed", "keyframes", "read_keyframes", "resting_keyframes"]


def frame_speed(pose: Pose, skeleton: str = "openpose-50") -> Array:
    """(T,) summed |Δx| + |Δy| in pixels over the joints of `skeleton`; frame 0 has the speed of frame 1.

    A frame in which nothing is seen has infinite speed: it is never a key-frame while another is left.
    """
    mapped = pose.to(skeleton)
    if len(mapped) == 0:
        raise ValueError(f"{pose.source or 'the pose'}: no frames to choose key-frames from")
    xy = np.where(mapped.confidence[..., None] >= MIN_CONFIDENCE, mapped.xy, np.nan).astype(np.float64)
    step = np.abs(np.diff(xy, axis=0)).sum(axis=-1)
    known = np.isfinite(step)
    total = np.where(known, step, 0.0).sum(axis=1)
    count = known.sum(axis=1)
    speed = np.where(count > 0, total / np.maximum(count, 1) * step.shape[1], np.inf)
    seen = np.isfinite(xy[..., 0]).any(axis=1)
    whole = np.concatenate([speed[:1] if len(speed) else np.zeros(1), speed])
    return np.where(seen, whole, np.inf)


def keyframes(pose: Pose, count: int = 16, blank: int = 3) -> NDArray[np.int64]:
    """(count,) rising frame numbers: `count` times the slowest frame, then ±`blank` frames around it are ruled out.

    When every frame is ruled out the choice begins anew, so that short clips repeat frames. Ties go to the earlier.

    Raises:
        ValueError: the pose is empty, or count < 1 or blank < 0.
    """
    if count < 1 or blank < 0:
        raise ValueError(f"count {count} and blank {blank}; expected at least 1 and 0")
    speed = frame_speed(pose)
    left = np.ones(len(speed), bool)
    chosen: list[int] = []
    while len(chosen) < count:
        if not left.any():
            left[:] = True
        at = int(np.argmin(np.where(left, speed, np.inf)))
        at = at if left[at] else int(np.argmax(left))
        chosen.append(at)
        left[max(0, at - blank) : at + blank + 1] = False
    return np.array(sorted(chosen), np.int64)


def resting_keyframes(
    pose: Pose, still: float = 2.0, away: float = 20.0, change: float = 20.0, gap: int = 4
) -> NDArray[np.int64]:
    """Frames in which both wrists rest away from where they began (second variant); rising, at least one.

    Args:
        still: both wrists move less than this many pixels per frame.
        away: at least one wrist is this many pixels from its first position, in x or y.
        change: the joints have changed by more than this many pixels in all since the last key-frame.
        gap: frames between key-frames.

    Falls back to 1/5, 2/5, 3/5 and 4/5 of the clip when no frame qualifies. A wrist that is not seen rests.
    """
    mapped = pose.to("openpose-50")
    if len(mapped) == 0:
        raise ValueError(f"{pose.source or 'the pose'}: no frames to choose key-frames from")
    xy = np.where(mapped.confidence[..., None] >= MIN_CONFIDENCE, mapped.xy, np.nan).astype(np.float64)
    wrists = xy[:, [mapped.joint("left_wrist"), mapped.joint("right_wrist")]]
    step = np.zeros(wrists.shape[:2])
    step[1:] = np.nan_to_num(np.linalg.norm(np.diff(wrists, axis=0), axis=-1))
    first = np.stack([_first_seen(wrists[:, k]) for k in (0, 1)])
    gone = np.nan_to_num(np.abs(wrists - first).max(axis=-1)) >= away
    chosen: list[int] = []
    for t in np.flatnonzero((step < still).all(axis=1) & gone.any(axis=1)):
        if chosen:
            moved = float(np.nansum(np.abs(xy[t] - xy[chosen[-1]])))
            if t - chosen[-1] < gap or moved <= change:
                continue
        chosen.append(int(t))
    if not chosen:
        chosen = [k * (len(mapped) - 1) // 5 for k in range(1, 5)]
    return np.array(sorted(set(chosen)), np.int64)


def _first_seen(track: Array) -> Array:
    known = np.isfinite(track).all(axis=1)
    return track[np.argmax(known)] if known.any() else np.full(2, np.nan)


@reader(ValueError)
def read_keyframes(path: Path) -> dict[str, NDArray[np.int64]]:
    """The rising frame numbers (N,) of each video of a file of `spotter phonology keyframes`."""

    with open_hdf5(path) as file:
        return {video: np.asarray(file[video]) for video in file}
