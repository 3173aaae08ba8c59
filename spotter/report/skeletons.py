"""Picture strips of poses, where there is no video to take pictures from: a few skeletons side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.skeletons import SKELETONS

from .pictures import FRAMES, HEIGHT, Frame, jpeg

if TYPE_CHECKING:
    from embeddings.clip import Pose

__all__ = ["skeleton_strip"]

SCALE = 3
"""Pictures are drawn so many times larger and then reduced, for smooth lines."""
PAPER, BODY, LEFT, RIGHT = (246, 245, 241), (110, 116, 128), (214, 51, 92), (16, 138, 136)
"""The signer's left hand red, the right one green-blue, as on the review page."""
MARGIN = 0.06


def skeleton_strip(pose: Pose, start: int, end: int) -> bytes | None:
    """A JPEG of the pose in the frames [start, end); None where no joint is seen in them."""
    moments = [min(len(pose) - 1, int(start + (end - start) * (k + 0.6) / (FRAMES + 0.2))) for k in range(FRAMES)]
    upper = [i for i, name in enumerate(SKELETONS[pose.skeleton].joints) if not _below_hips(name)]
    xy = pose.xy[max(0, start) : max(start + 1, end)][:, upper]
    seen = xy[np.isfinite(xy).all(axis=-1)]
    if len(seen) == 0:
        return None
    low, high = np.quantile(seen, 0.01, axis=0), np.quantile(seen, 0.99, axis=0)
    size = max(float((high - low).max()), 1e-6)
    middle = (low + high) / 2
    return jpeg([_drawn(pose, moment, middle, size, set(upper)) for moment in moments])


def _below_hips(name: str) -> bool:
    return any(part in name for part in ("knee", "ankle", "heel", "foot", "toe"))


def _drawn(pose: Pose, frame: int, middle: NDArray[np.floating], size: float, shown: set[int]) -> Frame:
    from PIL import Image, ImageDraw

    side = HEIGHT * SCALE
    picture = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(picture)
    places = ((pose.xy[frame] - middle) / size * (1 - 2 * MARGIN) + 0.5) * side
    skeleton = SKELETONS[pose.skeleton]
    for a, b in skeleton.edges:
        if a in shown and b in shown and np.isfinite(places[[a, b]]).all():
            draw.line([tuple(places[a]), tuple(places[b])], fill=_colour(skeleton.joints[b]), width=SCALE)
    return np.asarray(picture.resize((HEIGHT, HEIGHT), Image.Resampling.LANCZOS))


def _colour(joint: str) -> tuple[int, int, int]:
    return LEFT if joint.startswith("left_hand") else RIGHT if joint.startswith("right_hand") else BODY
