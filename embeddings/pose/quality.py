"""How well a video shows its signer, measured on the pose: what an estimator could see, and what to film otherwise."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import parse_json

from ..clip import Pose
from .files import read_pose
from .formats.dot_pose import read_header

__all__ = ["Quality", "advice", "as_text", "measure_quality", "quality_of"]

RAISED = 1.25
"""Shoulder widths below the shoulders to which a wrist counts as raised."""
SIDES = ("left", "right")


@dataclass(frozen=True)
class Quality:
    """What a pose says of its video; shares are in [0, 1], NaN where there is nothing to take a share of.

    Attributes:
        frames, fps: of the pose.
        body: share of frames with both shoulders.
        shoulders: median shoulder width in pixels.
        left_raised, right_raised: share of frames in which the wrist is raised: in the picture, and at most 1.25
            shoulder widths below the shoulders.
        left_hand, right_hand: share of these frames in which the hand is there.
        left_sure, right_sure: mean confidence of these hands.
        cropped: share of frames with nose or a shoulder outside the picture, or a wrist that left it at the height of
            signing.
        jitter: median change of speed of nose and shoulders from frame to frame, in shoulder widths.
    """

    frames: int
    fps: float
    body: float
    shoulders: float
    left_raised: float
    right_raised: float
    left_hand: float
    right_hand: float
    left_sure: float
    right_sure: float
    cropped: float
    jitter: float


def measure_quality(pose: Pose) -> Quality:
    """The quality of one video's pose, on any skeleton with shoulders, wrists and hands."""
    nan = float("nan")
    shoulders = np.stack([_joint(pose, f"{side}_shoulder") for side in SIDES], axis=1)
    seen = ~np.isnan(shoulders).any(axis=(1, 2))
    if not seen.any():
        return Quality(len(pose), pose.fps, 0.0, nan, 0.0, 0.0, nan, nan, nan, nan, nan, nan)
    width = max(1e-6, float(np.median(np.linalg.norm(shoulders[seen, 0] - shoulders[seen, 1], axis=1))))
    lowest = np.median(shoulders[seen][..., 1]) + RAISED * width
    sides, left_picture = {}, np.zeros(len(pose), bool)
    for side in SIDES:
        wrist = _joint(pose, f"{side}_wrist")
        high, inside = wrist[:, 1] < lowest, _inside(pose, wrist)
        left_picture |= high & ~inside & ~np.isnan(wrist).any(axis=1)
        raised = high & inside
        rows = [j for j, name in enumerate(_names(pose)) if name.startswith(f"{side}_hand_")]
        there = np.asarray(~np.isnan(pose.xy[:, rows, 0]).all(axis=1)) if rows else np.zeros(len(pose), bool)
        both = raised & there
        sides[side] = (
            float(raised.mean()),
            float(there[raised].mean()) if raised.any() else nan,
            float(pose.confidence[both][:, rows].mean()) if both.any() else nan,
        )
    still = np.stack([_joint(pose, "nose"), *np.moveaxis(shoulders, 1, 0)], axis=1)
    outside = (~_inside(pose, still) & ~np.isnan(still).any(axis=-1)).any(axis=1)
    jerks = np.linalg.norm(np.diff(still, n=2, axis=0), axis=-1) if len(pose) > 2 else np.full((1, 1), nan)
    (left_raised, left_hand, left_sure), (right_raised, right_hand, right_sure) = sides["left"], sides["right"]
    return Quality(
        len(pose), pose.fps, float(seen.mean()), width, left_raised, right_raised, left_hand, right_hand, left_sure,
        right_sure, float((outside | left_picture).mean()),
        float(np.nanmedian(jerks)) / width if np.isfinite(jerks).any() else nan,
    )  # fmt: skip


def quality_of(path: str | Path) -> Quality:
    """The quality of a pose file: as its estimation wrote it, else measured now.

    Raises:
        PoseFileError: it is no pose file.
    """
    text = read_header(Path(path)).get("quality", "")
    try:
        values = parse_json(text)
        facts: dict[str, Any] = {key: float("nan") if value is None else value for key, value in values.items()}
        return Quality(**facts)
    except (ValueError, TypeError, AttributeError):
        return measure_quality(read_pose(path))


def as_text(quality: Quality) -> str:
    """JSON, null for what is not known."""
    values = asdict(quality)
    return json.dumps({k: None if v != v else round(v, 6) if isinstance(v, float) else v for k, v in values.items()})


def advice(quality: Quality) -> list[str]:
    """What to film otherwise, in whole sentences; nothing where all is well."""
    if quality.body < 0.05:
        return ["nobody is seen: is this a video of a signer?"]
    lines = []
    if quality.body < 0.95:
        lines.append(f"the signer is lost in {1 - quality.body:.0%} of the frames: does something hide the signer?")
    small = quality.shoulders < 60
    for side, raised, share in (
        ("left", quality.left_raised, quality.left_hand),
        ("right", quality.right_raised, quality.right_hand),
    ):
        if raised >= 0.1 and share < 0.9:
            cure = "film closer, or at a higher resolution" if small else "more light and a shorter exposure may help"
            lines.append(f"the {side} hand is lost in {1 - share:.0%} of the frames in which it is raised: {cure}")
    if small and not lines:
        lines.append(f"the shoulders are {quality.shoulders:.0f} pixels apart: film closer, or at a higher resolution")
    if quality.cropped > 0.05:
        lines.append(f"head, shoulders or hands leave the picture in {quality.cropped:.0%} of the frames: film wider")
    if quality.fps < 20:
        lines.append(f"{quality.fps:g} frames a second are few for signing: film at 25 or more")
    if quality.jitter > 0.03 * 25 / quality.fps:
        lines.append("the estimated points tremble: is the picture noisy or strongly compressed?")
    return lines


def _names(pose: Pose) -> tuple[str, ...]:
    from ..skeletons import SKELETONS

    return tuple(SKELETONS[pose.skeleton].joints)


def _joint(pose: Pose, name: str) -> NDArray[np.float32]:
    names = _names(pose)
    return pose.xy[:, names.index(name)] if name in names else np.full((len(pose), 2), np.nan, np.float32)


def _inside(pose: Pose, points: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(((points >= 0) & (points < np.array(pose.size))).all(axis=-1))
