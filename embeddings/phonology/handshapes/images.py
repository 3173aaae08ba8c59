"""Hand images: square cut-outs of both hands for handshape networks, in HDF5 (UWB ChaLearn-SLR, 2021).

Layout: `[video]["left_hand" | "right_hand"]` with `images` (n, 70, 70, 3) uint8 RGB, `frames` (n,) frame numbers and
`bboxes` (n, 4) x0, y0, x1, y1 as shares of the frame; beside these published keys `confidences` (n,), the mean
confidence of the hand's joints, and `[video]["confidence"]` (T, 2), that of left and right in every frame. The hands
are independent of each other. Frames are streamed: memory holds one frame and one block of images, whatever the video's
length.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from safe_files import open_hdf5, reader

from ...clip import Pose
from ...skeletons import SKELETONS

if TYPE_CHECKING:
    import h5py

__all__ = [
    "SIZE", "HandStore", "hand_box", "hand_images", "hand_tracks", "read_hand_image", "read_hand_track",
    "store_size", "write_hand_images",
]  # fmt: skip

SIZE = 70
"""Pixels of a hand image's side."""
MIN_CONFIDENCE = 0.4
ENLARGE = 1.2
SIDES = ("left", "right")
BLOCK = 64
"""Images in memory and in one chunk of the file."""

Image = NDArray[np.uint8]


def hand_box(joints: NDArray[np.floating], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Pixels x0, y0, x1, y1 (half-open) of a hand: its joints' box enlarged by 20 % in all, squared, shifted inside.

    Args:
        joints: (21, 2) pixels, NaN where missing.
        size: (width, height) of the frame.

    Returns:
        None when no joint is known or the box lies outside the frame.
    """
    known = joints[np.isfinite(joints).all(axis=1)]
    if len(known) == 0:
        return None
    low, high = known.min(axis=0), known.max(axis=0)
    if (high < 0).any() or (low >= size).any():
        return None
    side = min(max(2, round(float((high - low).max()) * ENLARGE)), *size)
    corner = np.round((low + high - side) / 2).astype(int)
    x0, y0 = (int(np.clip(corner[k], 0, size[k] - side)) for k in (0, 1))
    return x0, y0, x0 + side, y0 + side


def _hand_image(
    frame: Image, joints: NDArray[np.floating], sure: float, least: float
) -> tuple[Image, NDArray[np.float64]] | None:
    """The image (70, 70, 3) and its box as shares of the frame, or None where the hand is not seen clearly enough."""
    import cv2

    size = (frame.shape[1], frame.shape[0])
    box = hand_box(joints, size) if sure >= least else None
    if box is None:
        return None
    x0, y0, x1, y1 = box
    image = cv2.resize(frame[y0:y1, x0:x1], (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return image, np.array(box) / np.array([*size, *size])


def hand_images(
    frames: Iterable[Image], pose: Pose, side: str, least: float = MIN_CONFIDENCE
) -> tuple[Image, NDArray[np.int64], NDArray[np.float32]]:
    """Images (n, 70, 70, 3), frame numbers (n,) and boxes (n, 4) of one hand where it is seen clearly enough.

    Args:
        frames: the frames of the pose's rows, streamed.
        side: "left" or "right", the signer's own.
        least: mean confidence of the 21 joints below which a frame is left out.
    """
    if side not in SIDES:
        raise ValueError(f"side is {side!r}; expected 'left' or 'right'")
    rows = SKELETONS[pose.skeleton].hand(side)
    found = []
    for number, (frame, joints, sure) in enumerate(
        zip(frames, pose.xy[:, rows], pose.confidence[:, rows], strict=False)
    ):
        cut = _hand_image(frame, joints, float(sure.mean()), least)
        if cut is not None:
            found.append((*cut, number))
    return (
        np.stack([image for image, _, _ in found]) if found else np.zeros((0, SIZE, SIZE, 3), np.uint8),
        np.array([number for _, _, number in found], np.int64),
        np.array([box for _, box, _ in found], np.float32).reshape(-1, 4),
    )


class HandStore:
    """Appends the images of one hand of one video to its HDF5 group, block by block."""

    def __init__(self, group: Any) -> None:
        shape = (SIZE, SIZE, 3)
        self._images = group.create_dataset(
            "images", (0, *shape), np.uint8, maxshape=(None, *shape), chunks=(BLOCK, *shape), compression="gzip",
            shuffle=True,
        )  # fmt: skip
        self._group = group
        self._block: list[Image] = []
        self._frames: list[int] = []
        self._sure: list[float] = []
        self._boxes: list[NDArray[np.float64]] = []

    def add(self, image: Image, box: NDArray[np.float64], frame: int, sure: float) -> None:
        self._block.append(image)
        self._sure.append(sure)
        self._frames.append(frame)
        self._boxes.append(box)
        if len(self._block) == BLOCK:
            self._flush()

    def _flush(self) -> None:
        if self._block:
            count = len(self._images)
            self._images.resize(count + len(self._block), axis=0)
            self._images[count:] = np.stack(self._block)
            self._block = []

    def finish(self) -> int:
        """Writes what is left; the number of images."""
        self._flush()
        self._group["frames"] = np.array(self._frames, np.int64)
        self._group["confidences"] = np.array(self._sure, np.float32)
        self._group["bboxes"] = np.array(self._boxes, np.float32).reshape(-1, 4)
        return len(self._frames)


def write_hand_images(
    group: h5py.Group, frames: Iterable[Image], pose: Pose, least: float = MIN_CONFIDENCE
) -> dict[str, int]:
    """Writes both hands of one video into its HDF5 group: `{left,right}_hand/{images, frames, confidences, bboxes}`.

    Args:
        frames: the frames of the pose's rows, streamed.
        least: mean confidence of a hand's joints below which a frame is left out.

    Returns:
        Images written per side.
    """
    rows = {side: SKELETONS[pose.skeleton].hand(side) for side in SIDES}
    stores = {side: HandStore(group.create_group(f"{side}_hand")) for side in SIDES}
    for number, frame in enumerate(frames):
        if number >= len(pose):
            break
        for side, store in stores.items():
            joints, sure = pose.xy[number, rows[side]], float(pose.confidence[number, rows[side]].mean())
            cut = _hand_image(frame, joints, sure, least)
            if cut is not None:
                store.add(*cut, number, sure)
    group.attrs.update({"fps": pose.fps, "length": len(pose)})
    group["confidence"] = np.stack([pose.confidence[:, rows[side]].mean(axis=1) for side in SIDES], axis=1)
    return {side: store.finish() for side, store in stores.items()}


@reader(ValueError)
def hand_tracks(path: Path) -> list[tuple[str, str]]:
    """(video, "left_hand" or "right_hand") of every hand that a file of hand images shows at least once."""

    with open_hdf5(path) as file:
        hands = [(video, f"{side}_hand") for video in file if not video.startswith(".") for side in SIDES]
        return [(video, hand) for video, hand in hands if len(file[f"{video}/{hand}/images"])]


@reader(ValueError)
def read_hand_track(path: Path, video: str, hand: str) -> tuple[Image, float]:
    """(images (T, 70, 70, 3) with a row for each of the T frames of a video, frames per second; 0 if not stored).

    A frame in which the hand is not seen takes the image of the nearest one in which it is, of two the earlier. Left
    hands are seen in a mirror, as handshape networks know them.
    """

    with open_hdf5(path) as file:
        group, facts = file[f"{video}/{hand}"], file[video].attrs
        images, seen = group["images"][:], group["frames"][:].astype(np.int64)
        length, fps = int(facts.get("length", seen[-1] + 1)), float(facts.get("fps", 0.0))
    middles = (seen[1:] + seen[:-1]) // 2  # the last frame that is still nearer to the image before
    images = images[np.searchsorted(middles, np.arange(length))]
    return np.ascontiguousarray(images[:, :, ::-1]) if hand == "left_hand" else images, fps


def read_hand_image(file: Any, video: str, frame: int, hand: str) -> Image | None:
    """The image (70, 70, 3) of one hand in one frame, left hands in a mirror; None where the file has none.

    Args:
        file: an open HDF5 file of hand images.
        hand: "left" or "right".
    """
    group = file.get(f"{video}/{hand}_hand")
    if group is None:
        return None
    where = np.flatnonzero(group["frames"][:] == frame)
    if not len(where):
        return None
    image = group["images"][int(where[0])]
    return np.ascontiguousarray(image[:, ::-1]) if hand == "left" else image


@dataclass(frozen=True)
class StoreSize:
    """What a file of hand images takes.

    Attributes:
        images: how many; stored: bytes on disk of their pixels; seconds: of video they come from.
    """

    images: int
    stored: int
    seconds: float

    @property
    def bytes_per_image(self) -> float:
        return self.stored / self.images if self.images else 0.0

    @property
    def hours_per_gigabyte(self) -> float:
        """Hours of video (both hands) that fit into 10⁹ bytes."""
        return self.seconds / 3600 / (self.stored / 1e9) if self.stored else 0.0


def store_size(path: Path) -> StoreSize:
    """How much an HDF5 file of `write_hand_images` holds and takes."""

    images = stored = 0
    seconds = 0.0
    with open_hdf5(path) as file:
        for video in file:
            seconds += float(file[video].attrs["length"]) / float(file[video].attrs["fps"])
            for side in SIDES:
                data = file[f"{video}/{side}_hand/images"]
                images, stored = images + len(data), stored + int(data.id.get_storage_size())
    return StoreSize(images, stored, seconds)
