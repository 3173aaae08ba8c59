"""Scale- and place-free features of a signing body, the input of the pose-only default encoder.

Per frame: the upper body relative to the neck in shoulder widths, and each hand relative to its wrist. Only
joints that every whole-body layout has are used, so poses of any estimator give the same features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..skeletons import SKELETONS

__all__ = ["BODY", "BodyHands", "body_hands", "fill_nearest"]

BODY: tuple[str, ...] = (
    "nose", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
SIDES = ("left", "right")

SERIES_AT_ONCE = 1_000_000
"""Values that are filled together."""


@dataclass(frozen=True, eq=False)
class BodyHands:
    """Features of T frames; float32, no NaN.

    Attributes:
        body: (T, 7, 2), joints of `BODY` relative to the neck's median place, in shoulder widths, y downwards.
        hands: (T, 2, 21, 2), left then right, relative to that hand's wrist, in shoulder widths.
        present: (T, 2), 1 where the estimator saw the hand, 0 where its shape is borrowed from the nearest frame.
    """

    body: NDArray[np.float32]
    hands: NDArray[np.float32]
    present: NDArray[np.float32]

    def flat(self) -> NDArray[np.float32]:
        """(T, 100): body, hands and presence in one row."""
        frames = len(self.body)
        parts = [self.body.reshape(frames, -1), self.hands.reshape(frames, -1), self.present]
        return np.concatenate(parts, axis=1)


def fill_nearest(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, …) with NaN rows replaced by the nearest frame that has them (the earlier wins a tie).

    Works per series of the trailing axes; a series that is missing throughout stays NaN.
    """
    if values.size == 0:
        return values.copy()
    flat = values.reshape(len(values), -1)
    if not np.isnan(flat).any():
        return values.copy()
    # a few series at a time: the rows to take need ten times the memory of the values
    step = max(1, SERIES_AT_ONCE // len(values))
    parts = [_filled(flat[:, i : i + step]) for i in range(0, flat.shape[1], step)]
    return np.concatenate(parts, axis=1).reshape(values.shape)


def _filled(flat: NDArray[np.float32]) -> NDArray[np.float32]:
    frames = len(flat)
    there = ~np.isnan(flat)
    rows = np.arange(frames)[:, None]
    before = np.maximum.accumulate(np.where(there, rows, -1), axis=0)
    after = np.minimum.accumulate(np.where(there, rows, 2 * frames)[::-1], axis=0)[::-1]
    # a missing side is further away than any real one
    to_before = np.where(before < 0, 4 * frames, rows - before)
    to_after = np.where(after >= frames, 4 * frames, after - rows)
    nearest = np.where(to_before <= to_after, before, after).clip(0, frames - 1)
    return np.take_along_axis(flat, nearest, axis=0)


def body_hands(pose: Pose) -> BodyHands:
    """Features of a pose on any skeleton that has shoulders, wrists and hands.

    The unit is the clip's median shoulder width, the origin its median neck: a signer does not change size, an
    estimator's shoulders do. A wrist the body lacks is taken from the hand, a hand never seen is zeros.

    Raises:
        ValueError: the skeleton lacks a needed joint, or the shoulders were never seen.
    """
    skeleton = SKELETONS[pose.skeleton]
    lacking = [name for name in BODY if name not in skeleton and name not in ("nose",)]
    if lacking:
        raise ValueError(f"{pose.skeleton} lacks {', '.join(lacking)}; the pose encoder needs the upper body and hands")
    body = fill_nearest(pose.xy[:, [skeleton.index(n if n in skeleton else "head") for n in BODY]])
    shoulders = body[:, 1] - body[:, 2]
    if len(pose) and np.isnan(shoulders).any():
        raise ValueError(
            f"{pose.source or 'the pose'}: the shoulders were never seen, so there is no body to measure by"
        )
    unit = float(np.median(np.linalg.norm(shoulders, axis=1))) if len(pose) else 1.0
    unit = max(unit, 1e-3)
    neck = np.median((body[:, 1] + body[:, 2]) / 2, axis=0) if len(pose) else np.zeros(2)
    hands, present = [], []
    for side in SIDES:
        index = skeleton.hand(side)
        joints = pose.xy[:, index]
        # the wrist alone may come from the body's estimate: a hand is seen when its fingers are
        seen = np.asarray(~np.isnan(joints[:, 1:, 0]).all(axis=1))
        joints = np.where(seen[:, None, None], joints - joints[:, :1], np.nan)
        hands.append(fill_nearest(joints) / unit)
        present.append(seen)
    return BodyHands(
        np.nan_to_num((body - neck) / unit).astype(np.float32),
        np.nan_to_num(np.stack(hands, axis=1)).astype(np.float32),
        np.stack(present, axis=1).astype(np.float32),
    )
