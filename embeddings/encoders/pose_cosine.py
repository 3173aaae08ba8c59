"""`pose-cosine`: no network at all, the baseline that a user would try first.

Normalised keypoints (neck origin, shoulder width as unit, hands relative to their wrists) at evenly spaced moments of
the window, as one unit vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..clip import Clip
from ..pose.features import body_hands
from .base import Encoder, EncoderOutput, Inputs

__all__ = ["PoseCosine", "PoseCosineConfig"]


@dataclass(frozen=True)
class PoseCosineConfig:
    """samples: moments of a window; hand_weight: weight of the hands' joints beside the body's."""

    samples: int = 16
    hand_weight: float = 2.0


class PoseCosine(Encoder):
    """See the module's text. Input: "pose" (B, samples, 98)."""

    name = "pose-cosine"
    required_inputs = ("pose",)

    def __init__(self, config: PoseCosineConfig | None = None) -> None:
        super().__init__()
        self.config = PoseCosineConfig() if config is None else config
        self.window = self.config.samples
        self.dim = 98 * self.config.samples
        self.id = self.name
        self.scale: torch.nn.Parameter
        # so that `.to(device)` and device look-ups work as for any network
        self.register_parameter("scale", torch.nn.Parameter(torch.ones(()), requires_grad=False))

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        if clip.pose is None:
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs a pose; estimate it first (spotter pose)")
        features = body_hands(clip.pose.resample(self.fps))
        frames = len(features.body)
        hands = self.config.hand_weight * features.hands
        return {"pose": np.concatenate([features.body.reshape(frames, -1), hands.reshape(frames, -1)], axis=1)}

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        embedding = F.normalize(inputs["pose"].flatten(1) * self.scale, dim=-1)
        return EncoderOutput(embedding, embedding.unsqueeze(1), None)

    def clip_features(self, inputs: Inputs) -> NDArray[np.float32]:
        """The normalised keypoints of each frame (T, 98), unit rows."""
        self.check_inputs(inputs)
        values = inputs["pose"]
        return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
