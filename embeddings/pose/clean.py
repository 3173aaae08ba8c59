"""Cleaning of poses: unsure joints, gaps, jitter, wrists, place and size of the signer.

Every step takes a `Pose` and returns a new one; `clean` runs them in the order in which they make sense.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import SKELETONS
from .features import fill_nearest
from .hand_gaps import interpolate_hands
from .smoothing import one_euro, savitzky_golay
from .unsure_hands import steady_unsure_hands

__all__ = [
    "BodyFrame", "align_nose", "body_frame", "clean", "drop_unsure", "fill_gaps", "nose_shifts", "shift_frames",
    "smooth", "snap_wrists", "standardise",
]  # fmt: skip

NOSE_HEIGHT = 150
"""Pixels from the upper edge at which the 2022 challenge's entry (SL-GCN) puts the nose, in a frame of 512 × 512."""
Smoothing = Literal["savgol", "one-euro"]


def clean(
    pose: Pose,
    min_confidence: float = 0.2,
    fill: bool = True,
    max_gap: float | None = 0.4,
    smoothing: Smoothing | None = "savgol",
    snap: bool = True,
    hand_gap: float | None = None,
    unsure_hand: float | None = None,
) -> Pose:
    """Unsure joints out, jitter smoothed, wrists joined, short gaps filled.

    Args:
        min_confidence: joints below it are missing.
        fill: fill gaps from the nearest frame.
        max_gap: seconds; a joint that is missing for longer stays so. None fills any gap.
        smoothing: "savgol", "one-euro" or None.
        snap: the body's wrists take the place of the hands' own.
        hand_gap: seconds; hands that are missing no longer than that are interpolated first (`hand_gaps`); None: not.
        unsure_hand: hands of a lower confidence take their shape in part from the frames beside them before anything
            else (`unsure_hands`); .8 suits `holistic`. None: not.
    """
    if unsure_hand is not None:
        pose = steady_unsure_hands(pose, unsure_hand)
    pose = drop_unsure(pose, min_confidence)
    if hand_gap is not None:
        pose = interpolate_hands(pose, hand_gap)
    if smoothing is not None:
        pose = smooth(pose, smoothing)
    if snap:
        pose = snap_wrists(pose)
    return fill_gaps(pose, max_gap) if fill else pose


def drop_unsure(pose: Pose, min_confidence: float) -> Pose:
    """Joints with a confidence below the threshold become missing (NaN, confidence 0)."""
    unsure = pose.confidence < min_confidence
    if not unsure.any():
        return pose
    z = None if pose.z is None else np.where(unsure, np.nan, pose.z).astype(np.float32)
    xy = np.where(unsure[..., None], np.nan, pose.xy).astype(np.float32)
    return replace(pose, xy=xy, confidence=np.where(unsure, 0, pose.confidence).astype(np.float32), z=z)


def fill_gaps(pose: Pose, max_gap: float | None = None) -> Pose:
    """Missing joints take the place they have in the nearest frame that shows them; the earlier one wins a tie.

    A filled joint keeps confidence 0: it has a place, but nobody saw it there. A joint never seen stays missing.

    Args:
        max_gap: seconds; longer gaps stay (a hand that is down is not held in the air for minutes).
    """
    missing = np.isnan(pose.xy[..., 0])
    xy, z = fill_nearest(pose.xy), None if pose.z is None else fill_nearest(pose.z)
    if max_gap is not None:
        long = missing & (_run_lengths(missing) > max_gap * pose.fps + 1e-9)
        xy[long] = np.nan
        if z is not None:
            z[long] = np.nan
    return replace(pose, xy=xy, z=z)


def _run_lengths(missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(T, J): for each missing entry the length of the gap it belongs to, 0 elsewhere."""
    lengths = np.zeros(missing.shape, np.int64)
    edge = np.zeros((1, missing.shape[1]), bool)
    steps = np.diff(np.concatenate([edge, missing, edge]).astype(np.int8), axis=0)
    for joint in np.flatnonzero(missing.any(axis=0)):
        for start, end in zip(*(np.flatnonzero(steps[:, joint] == v) for v in (1, -1)), strict=True):
            lengths[start:end, joint] = end - start
    return lengths


def smooth(pose: Pose, method: Smoothing = "savgol", seconds: float = 0.2) -> Pose:
    """Less jitter; missing stays missing and is never smeared into its neighbours.

    Args:
        method: "savgol" fits a parabola around every frame (no delay: for files); "one-euro" looks back only, with a
            cut-off that rises with speed (for live use; Casiez et al. 2012).
        seconds: width of the parabola's window.

    Raises:
        ValueError: no such method.
    """
    if method not in ("savgol", "one-euro"):
        raise ValueError(f"smoothing {method!r} is not known; expected 'savgol' or 'one-euro'")

    def run(values: NDArray[np.float32]) -> NDArray[np.float32]:
        if method == "one-euro":
            return one_euro(values, pose.fps)
        return savitzky_golay(values, 2 * max(1, round(seconds * pose.fps / 2)) + 1)

    return replace(pose, xy=run(pose.xy), z=None if pose.z is None else run(pose.z))


def snap_wrists(pose: Pose) -> Pose:
    """The body's wrist takes the place of the hand's own wherever the hand is seen: the hand's model is the sharper.

    Hands do not move. A body wrist that was missing is then there, with the hand's confidence.
    """
    skeleton = SKELETONS[pose.skeleton]
    xy, confidence = pose.xy.copy(), pose.confidence.copy()
    for side in ("left", "right"):
        body, hand = f"{side}_wrist", f"{side}_hand_wrist"
        if body not in skeleton or hand not in skeleton:
            continue
        b, h = skeleton.index(body), skeleton.index(hand)
        seen = ~np.isnan(xy[:, h, 0])
        xy[seen, b] = xy[seen, h]
        confidence[seen, b] = np.maximum(confidence[seen, b], confidence[seen, h])
    return replace(pose, xy=xy, confidence=confidence)


@dataclass(frozen=True)
class BodyFrame:
    """The signer's own coordinates: origin at the neck, one shoulder width as the unit.

    Attributes:
        origin: (T, 2) pixels.
        unit: pixels of one shoulder width.
    """

    origin: NDArray[np.float32]
    unit: float

    def normalise(self, xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """(T, J, 2) pixels in shoulder widths from the neck, y downwards."""
        return ((xy - self.origin[:, None]) / self.unit).astype(np.float32)

    def restore(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of `normalise`."""
        return (values * self.unit + self.origin[:, None]).astype(np.float32)


def body_frame(pose: Pose, steady: bool = True) -> BodyFrame:
    """The signer's own coordinates; the unit is the clip's median shoulder width (nobody grows while signing).

    Args:
        steady: the origin is the clip's median neck; False follows the neck from frame to frame.

    Raises:
        ValueError: the shoulders were never seen.
    """
    skeleton = SKELETONS[pose.skeleton]
    left, right = (fill_nearest(pose.xy[:, skeleton.index(f"{side}_shoulder")]) for side in ("left", "right"))
    if len(pose) == 0 or np.isnan(left).any() or np.isnan(right).any():
        raise ValueError(f"{pose.source or 'the pose'}: the shoulders were never seen; there is no body to measure by")
    unit = float(np.median(np.linalg.norm(left - right, axis=1)))
    if not unit > 0:
        raise ValueError(f"{pose.source or 'the pose'}: both shoulders are in one place; there is no unit of length")
    neck = (left + right) / 2
    origin = np.repeat(np.median(neck, axis=0)[None], len(pose), axis=0) if steady else neck
    return BodyFrame(origin.astype(np.float32), unit)


def standardise(pose: Pose, size: tuple[int, int] = (512, 512), shoulders: float = 128.0, neck: float = 0.4) -> Pose:
    """Any signer, filmed from any distance, at the same place and size of a standard frame; still pixels.

    Args:
        size: (width, height) of the standard frame.
        shoulders: shoulder width in its pixels.
        neck: height of the neck as a share of the frame.
    """
    frame = body_frame(pose)
    place = np.array([size[0] / 2, size[1] * neck], np.float32)
    xy = frame.normalise(pose.xy) * np.float32(shoulders) + place
    z = None if pose.z is None else (pose.z * (shoulders / frame.unit)).astype(np.float32)
    return replace(pose, xy=xy, z=z, size=size)


def nose_shifts(pose: Pose) -> NDArray[np.float32]:
    """(T, 2) pixels by which each frame moves so that the nose comes to (width / 2, 150) (2022 challenge).

    150 is meant for a frame 512 high and scales with other heights. A frame without nose moves like the nearest one.

    Raises:
        ValueError: the nose was never seen.
    """
    where = pose.xy[:, _nose(pose)]
    nose = fill_nearest(where)
    if len(pose) == 0 or np.isnan(nose).any():
        raise ValueError(f"{pose.source or 'the pose'}: the nose was never seen; nothing to align by")
    width, height = pose.size
    target = np.array([width / 2, NOSE_HEIGHT * height / 512], np.float32)
    return (target - nose).astype(np.float32)


def _nose(pose: Pose) -> int:
    skeleton = SKELETONS[pose.skeleton]
    return skeleton.index("nose" if "nose" in skeleton else "head")


def align_nose(pose: Pose) -> Pose:
    """The nose at (width / 2, 150) of a 512 × 512 frame in every frame, all joints moved with it."""
    return replace(pose, xy=pose.xy + nose_shifts(pose)[:, None])


def shift_frames(frames: NDArray[np.uint8], shifts: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pictures (T, H, W, 3) moved by (T, 2) pixels, rounded; what comes into view is black. For `nose_shifts`."""
    if len(frames) != len(shifts):
        raise ValueError(f"{len(frames)} frames but {len(shifts)} shifts; expected one for each")
    moved = np.zeros_like(frames)
    height, width = frames.shape[1:3]
    for picture, target, (dx, dy) in zip(frames, moved, np.rint(shifts).astype(int), strict=True):
        x0, x1, y0, y1 = max(0, dx), min(width, width + dx), max(0, dy), min(height, height + dy)
        if x0 < x1 and y0 < y1:
            target[y0:y1, x0:x1] = picture[y0 - dy : y1 - dy, x0 - dx : x1 - dx]
    return moved
