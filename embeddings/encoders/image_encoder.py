"""`ImageEncoder`: what the encoders that look at pictures have in common.

Pictures travel as uint8 (T, H, W, 3) RGB, a quarter of float32, and become floats on the network's device. Frames
are never blended: a window takes the nearest frame at each of its positions (of two equally near, the earlier), since
a mean of two frames shows four hands, and since whole frames can be computed once and shared by all windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..clip import Clip, Pose
from .backbones import Init, check_init
from .base import Encoder, window_positions
from .frames import MARGIN, central_inputs, square_frames

__all__ = ["CROPS", "IMAGENET_MEAN", "IMAGENET_STD", "ImageEncoder", "clip_frames", "nearest_frames"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


CROPS = ("centre", "nose", "body")
"""What whole frames may be cut to, see `embeddings.crops.views`."""


def _nose(frames: Iterator[NDArray[np.uint8]], pose: Pose) -> Iterator[NDArray[np.uint8]]:
    from ..pose.nose_crop import nose_crops

    return nose_crops(frames, pose)


def _body(frames: Iterator[NDArray[np.uint8]], pose: Pose) -> Iterator[NDArray[np.uint8]]:
    from ..phonology.body_crops import body_box, cut_box

    box = body_box(pose)
    return (cut_box(frame, box) for _, frame in zip(range(len(pose)), frames, strict=False))


_CROPPED = {"nose_frames": _nose, "body_frames": _body}


def nearest_frames(windows: NDArray[np.floating], samples: int, frames: int) -> NDArray[np.intp]:
    """Indexes (W, samples) of the frames nearest to `window_positions`, clamped to the clip; ties go to the earlier."""
    positions = np.ceil(window_positions(windows, samples) - 0.5)
    return np.clip(positions, 0, frames - 1).astype(np.intp)


def clip_frames(clip: Clip, fps: float) -> Iterator[NDArray[np.uint8]]:
    """The frames of a clip at another frame rate, from memory or else decoded from its film or file, one at a time.

    Raises:
        ValueError: the clip has neither frames nor a path.
    """
    if clip.frames is not None:
        rows = len(clip.frames) if fps == clip.fps else max(1, round(len(clip.frames) * fps / clip.fps))
        for row in range(rows):
            nearest = int(np.ceil(row * clip.fps / fps - 0.5))
            yield clip.frames[min(nearest, len(clip.frames) - 1)]
    elif clip.film is not None:
        from ..crops.film import pictures

        yield from pictures(clip.film, fps)
    elif clip.path is not None:
        from ..video import read_frames

        for _, frame in read_frames(clip.path, fps=fps):
            yield frame
    else:
        raise ValueError(f"{clip.name}: the clip has neither frames nor a path; this encoder needs pictures")


class ImageEncoder(Encoder):
    """An encoder whose inputs are pictures; subclasses give `mean` and `std` of the values in [0, 1]."""

    mean: ClassVar[tuple[float, float, float]] = IMAGENET_MEAN
    std: ClassVar[tuple[float, float, float]] = IMAGENET_STD
    at_once = 8

    def _take_crop(self, crop: str) -> None:
        """Makes whole frames those of `config.crop`; "nose_frames" and "body_frames" are cut by a pose.

        Raises:
            ValueError: no such crop.
        """
        if crop not in CROPS:
            raise ValueError(f"crop is {crop!r}; expected one of {', '.join(CROPS)}")
        if crop != "centre":
            self.required_inputs = (f"{crop}_frames",)  # type: ignore[misc]

    def initialise(self, init: Init) -> None:
        """Start training from published weights ("pretrained") or from random ones ("random").

        Raises:
            PretrainedError: the weights are neither in torch's cache nor to be fetched.
        """
        check_init(init)
        raise NotImplementedError

    def prepare_training(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """As `prepare`, with pictures 256/224 as large: what `frames_augment.augment_inputs` cuts its crops from."""
        name, frames = self.required_inputs[0], clip_frames(clip, self.fps)
        if name != "frames":
            if clip.pose is None or not len(clip.pose):
                raise ValueError(f"{clip.name}: {name} are cut by the pose; estimate it first (spotter pose)")
            frames = _CROPPED[name](frames, clip.pose.resample(self.fps))
        return {name: square_frames(frames, round(self.config.size * MARGIN))}

    def views(self) -> dict[str, str]:
        """Input → the kind of view that it is (`embeddings.crops.VIEWS`): what is cut out of a film."""
        name = self.required_inputs[0]
        return {name: "centre" if name == "frames" else name.removesuffix("_frames")}

    def prepare(self, clip: Clip) -> dict[str, Any]:
        """Pictures (T, size, size, 3) uint8: short side to 256/224 of `size`, then the centre.

        Those of a clip with a film are decoded where they are looked at (`embeddings.crops.StoredPictures`).

        Raises:
            ValueError: the clip has neither frames nor a path.
        """
        if clip.frames is None and clip.film is not None:
            return self.streamed(clip)
        return central_inputs(self.prepare_training(clip), self.config.size)

    def streamed(self, clip: Clip) -> dict[str, Any]:
        """The inputs of a clip with a film: its views, cut while it is decoded."""
        from ..crops import View, stored_views

        views = {name: View(kind, self.config.size) for name, kind in self.views().items()}
        return dict(stored_views(clip, views, self.fps))

    def normalised(self, images: Tensor) -> Tensor:
        """Pictures (..., H, W, 3) with values 0–255, of any dtype, as floats (..., 3, H, W) for the network."""
        scale = torch.tensor(self.std, device=images.device) * 255
        shift = torch.tensor(self.mean, device=images.device) * 255
        return ((images.float() - shift) / scale).movedim(-1, -3)

    def batches(self, inputs: Mapping[str, Any], windows: NDArray[np.floating], batch: int) -> Iterator[dict[str, Any]]:
        """Windows (W, 2) of prepared inputs as (B, window, …), each position its nearest frame."""
        device = next(self.parameters()).device
        index = nearest_frames(windows, self.window, len(inputs[self.required_inputs[0]]))
        for i in range(0, len(index), batch):
            rows = index[i : i + batch]
            yield {name: torch.from_numpy(inputs[name][rows]).to(device) for name in self.required_inputs}
