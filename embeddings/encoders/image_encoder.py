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

from ..clip import Clip
from .backbones import Init, check_init
from .base import Encoder, window_positions
from .frames import MARGIN, central_inputs, square_frames

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "ImageEncoder", "clip_frames", "nearest_frames"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def nearest_frames(windows: NDArray[np.floating], samples: int, frames: int) -> NDArray[np.intp]:
    """Indexes (W, samples) of the frames nearest to `window_positions`, clamped to the clip; ties go to the earlier."""
    positions = np.ceil(window_positions(windows, samples) - 0.5)
    return np.clip(positions, 0, frames - 1).astype(np.intp)


def clip_frames(clip: Clip, fps: float) -> Iterator[NDArray[np.uint8]]:
    """The frames of a clip at another frame rate, from memory or else decoded from its file, one at a time.

    Raises:
        ValueError: the clip has neither frames nor a path.
    """
    if clip.frames is not None:
        rows = len(clip.frames) if fps == clip.fps else max(1, round(len(clip.frames) * fps / clip.fps))
        for row in range(rows):
            nearest = int(np.ceil(row * clip.fps / fps - 0.5))
            yield clip.frames[min(nearest, len(clip.frames) - 1)]
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

    def initialise(self, init: Init) -> None:
        """Start training from published weights ("pretrained") or from random ones ("random").

        Raises:
            PretrainedError: the weights are neither in torch's cache nor to be fetched.
        """
        check_init(init)
        raise NotImplementedError

    def prepare_training(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """As `prepare`, with pictures 256/224 as large: what `frames_augment.augment_inputs` cuts its crops from."""
        return {"frames": square_frames(clip_frames(clip, self.fps), round(self.config.size * MARGIN))}

    def prepare(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """Pictures (T, size, size, 3) uint8: short side to 256/224 of `size`, then the centre.

        Raises:
            ValueError: the clip has neither frames nor a path.
        """
        return central_inputs(self.prepare_training(clip), self.config.size)

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
