"""Views: what an encoder sees of a picture. Squares cut by the pose, or the middle of the picture.

*centre*: the short side to 256/224 of the encoder's size, then the middle (as networks over frames are evaluated).
*nose*: the spotting entry's alignment of 2022 first: the nose at (256, 150) of a 512 px square in every frame.
*body*: the crop of UWB ChaLearn-SLR first, four shoulder widths about the chest, fixed by the first frame.
*left_hand*, *right_hand*: VTN-HC's squares along the forearm. Where a hand is not known the crop of the nearest frame
in which it is takes its place; a hand never known is the whole picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from ..encoders.frames import MARGIN, middle_of, square_frame
from ..encoders.vtn_inputs import cut_square, forearm_squares, whole_square

__all__ = ["VIEWS", "View", "cut"]

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """A kind of view at one size.

    Attributes:
        kind: a name of `VIEWS`.
        size: pixels of the square that an encoder is given.
    """

    kind: str
    size: int

    def __post_init__(self) -> None:
        if self.kind not in VIEWS:
            raise ValueError(f"view {self.kind!r} is not known; expected one of {', '.join(VIEWS)}")

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.size}"

    @property
    def needs_pose(self) -> bool:
        return self.kind != "centre"


class Cutter(Protocol):
    """Cuts the picture of a frame, or None where there is nothing to see; `places` tell what it cuts by."""

    places: NDArray[np.floating]

    def __call__(self, picture: Picture, frame: int) -> Picture | None: ...


class _Centre:
    places: NDArray[np.floating] = np.zeros(0, np.float32)

    def __init__(self, pose: Pose | None, size: int) -> None:
        self.size = size

    def __call__(self, picture: Picture, frame: int) -> Picture:
        return middle_of(square_frame(picture, round(self.size * MARGIN)), self.size)


class _Nose:
    def __init__(self, pose: Pose | None, size: int) -> None:
        from ..pose.nose_crop import NosePlaces

        self.size, self.crop = size, NosePlaces(_given(pose, "nose"))
        self.places: NDArray[np.floating] = self.crop.moves

    def __call__(self, picture: Picture, frame: int) -> Picture:
        return middle_of(square_frame(self.crop(picture, frame), round(self.size * MARGIN)), self.size)


class _Body:
    def __init__(self, pose: Pose | None, size: int) -> None:
        from ..phonology.body_crops import body_box

        self.size, self.box = size, body_box(_given(pose, "body"))
        self.places: NDArray[np.floating] = np.array(self.box, np.float32)

    def __call__(self, picture: Picture, frame: int) -> Picture:
        from ..phonology.body_crops import cut_box

        return middle_of(square_frame(cut_box(picture, self.box), round(self.size * MARGIN)), self.size)


class _Hand:
    def __init__(self, pose: Pose | None, size: int, hand: int) -> None:
        self.size = size
        self.places: NDArray[np.floating] = forearm_squares(_given(pose, "hand"))[:, hand]
        self.known = ~np.isnan(self.places[:, 0])
        self.never = not self.known.any()

    def __call__(self, picture: Picture, frame: int) -> Picture | None:
        side = round(self.size * MARGIN)
        if self.never:
            return middle_of(whole_square(picture, side), self.size)
        return middle_of(cut_square(picture, self.places[frame], side), self.size) if self.known[frame] else None


def _given(pose: Pose | None, kind: str) -> Pose:
    if pose is None or not len(pose):
        raise ValueError(f"the view {kind!r} is cut by the pose; estimate it first (spotter pose)")
    return pose


VIEWS: Mapping[str, Callable[[Pose | None, int], Cutter]] = {
    "centre": _Centre,
    "nose": _Nose,
    "body": _Body,
    "left_hand": lambda pose, size: _Hand(pose, size, 0),
    "right_hand": lambda pose, size: _Hand(pose, size, 1),
}
"""Kind of view → what makes its cutter from the film's pose, at the encoder's frame rate, and the size."""


def cut(
    pictures: Iterable[Picture], pose: Pose | None, views: Sequence[View]
) -> tuple[list[str], Iterator[tuple[Picture | None, ...]]]:
    """(what each view is cut by, as a hash; the crops of each picture, one for each view).

    Args:
        pictures: of the film, streamed.
        pose: at their frame rate; pictures beyond its end are left out.

    Raises:
        ValueError: a view needs a pose and there is none, or the pose never shows what it is cut by.
    """
    cutters = [VIEWS[view.kind](pose, view.size) for view in views]
    digests = [sha256(np.ascontiguousarray(np.round(c.places, 3)).tobytes()).hexdigest()[:12] for c in cutters]
    most = None if pose is None or not any(view.needs_pose for view in views) else len(pose)

    def crops() -> Iterator[tuple[Picture | None, ...]]:
        for frame, picture in enumerate(pictures):
            if most is not None and frame >= most:
                return
            yield tuple(cutter(picture, frame) for cutter in cutters)

    return digests, crops()
