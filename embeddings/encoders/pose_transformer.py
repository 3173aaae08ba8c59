"""Transformers with a class token over time: over poses, and over semantic vectors of key-frames.

After the pose and visual-language-embedding transformers of Hrúz, Gruber, Kanis, Boháček, Hlaváč and Krňoul, "One
Model is Not Enough: Ensembles for Isolated Sign Language Recognition" (Sensors 2022): a learned class token and learned
positions, encoder layers (post-norm), class scores from the token. The embedding is the token's last state,
L2-normalised.

The 84 values a frame: for each hand (left, then right) the wrist relative to the neck and the other 20 joints relative
to that wrist, all divided by the shoulder width (its median over the clip, so that turning the body does not scale the
hands); a missing value is 0. Every second frame of 25 fps is one step; at most 120 steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..clip import Clip, Pose
from ..skeletons import SKELETONS
from .base import Encoder, EncoderOutput
from .transformer_blocks import EncoderLayer, LearnedPositions

__all__ = [
    "VLE_SETTINGS", "PoseTransformer", "PoseTransformerConfig", "SemanticTransformer", "SemanticTransformerConfig",
    "hand_values",
]  # fmt: skip


@dataclass(frozen=True)
class PoseTransformerConfig:
    """steps: most frames in a window; dropout within layers; input_dropout after the first projection."""

    classes: int = 0
    values: int = 84
    width: int = 1024
    layers: int = 2
    heads: int = 2
    inner: int = 2048
    dropout: float = 0.1
    input_dropout: float = 0.3
    positions: bool = True
    window: int = 60
    steps: int = 120
    fps: float = 12.5


@dataclass(frozen=True)
class SemanticTransformerConfig(PoseTransformerConfig):
    """As above over 16 key-frames × 2590: [15 locations left | 15 right | 1280 hand embedding left | 1280 right]."""

    values: int = 2590
    layers: int = 6
    window: int = 16
    steps: int = 16
    fps: float = 25.0


VLE_SETTINGS: dict[str, SemanticTransformerConfig] = {
    "large": SemanticTransformerConfig(),
    "small": SemanticTransformerConfig(width=512, layers=2),
    "small-no-position": SemanticTransformerConfig(width=512, layers=2, positions=False),
}
"""The three published settings."""


def hand_values(pose: Pose) -> NDArray[np.float32]:
    """(T, 84) of a pose: see the module's text.

    Raises:
        ValueError: the shoulders are never seen together, so there is no scale.
    """
    joints = SKELETONS[pose.skeleton]
    shoulders = pose.xy[:, [joints.index("left_shoulder"), joints.index("right_shoulder")]]
    widths = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=-1)
    widths = widths[~np.isnan(widths) & (widths > 0)]
    if not len(widths):
        raise ValueError("both shoulders are never seen in one frame; the pose transformer needs them for scale")
    neck = shoulders.mean(axis=1)
    rows = []
    for side in ("left", "right"):
        hand = pose.xy[:, joints.hand(side)]
        wrist = hand[:, :1]
        rows.append(np.concatenate([wrist - neck[:, None], hand[:, 1:] - wrist], axis=1))
    values = np.concatenate(rows, axis=1) / np.median(widths)  # (T, 42, 2)
    return np.nan_to_num(values, nan=0.0).reshape(len(pose), -1).astype(np.float32)


class PoseTransformer(Encoder):
    """Class-token transformer over "pose" (B, T, 84), T ≤ steps."""

    name = "pose-transformer"
    required_inputs: ClassVar[tuple[str, ...]] = ("pose",)

    def __init__(self, config: PoseTransformerConfig | None = None) -> None:
        super().__init__()
        self.config = config = PoseTransformerConfig() if config is None else config
        if config.window > config.steps:
            raise ValueError(f"a window of {config.window} frames exceeds steps={config.steps}; raise steps")
        self.fps, self.window = config.fps, config.window
        self.dim = d = config.width
        self.project = nn.Linear(config.values, d)
        self.token = nn.Parameter(torch.randn(d) * 0.02)
        self.positions = LearnedPositions(config.steps + 1, d) if config.positions else None
        self.dropout = nn.Dropout(config.input_dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(d, config.heads, config.inner, config.dropout) for _ in range(config.layers)
        )
        self.classifier = nn.Linear(d, config.classes) if config.classes else None

    def prepare(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """{"pose": (T, 84)} at 12.5 fps.

        Raises:
            ValueError: no pose, or no shoulders in it.
        """
        if clip.pose is None:
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs a pose; estimate it first (spotter pose)")
        return {"pose": hand_values(clip.pose.resample(self.fps))}

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        """inputs: one array (B, T, values) under the name of `required_inputs`."""
        self.check_inputs(inputs)
        x = self.project(inputs[self.required_inputs[0]])  # (B, T, d)
        x = torch.cat([self.token.expand(len(x), 1, -1), x], dim=1)  # (B, 1 + T, d)
        x = self.dropout(x if self.positions is None else self.positions(x))
        for layer in self.layers:
            x, _ = layer(x)
        features = x[:, 0]
        embedding = F.normalize(features, dim=-1)
        logits = None if self.classifier is None else self.classifier(features)
        return EncoderOutput(embedding, embedding.unsqueeze(1), logits)


class SemanticTransformer(PoseTransformer):
    """The same over "semantic" (B, 16, 2590): `clip.extra["semantic"]`, one row a frame, or one a key-frame.

    With key-frames already chosen (16 rows) the whole clip is the window (0, 16).
    """

    name = "vle-transformer"
    required_inputs: ClassVar[tuple[str, ...]] = ("semantic",)

    def __init__(self, config: SemanticTransformerConfig | None = None) -> None:
        super().__init__(SemanticTransformerConfig() if config is None else config)

    def prepare(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """{"semantic": (T, 2590)}.

        Raises:
            ValueError: the clip carries no semantic vectors, or of another length.
        """
        rows = clip.extra.get("semantic")
        if rows is None:
            raise ValueError(
                f"{clip.name}: encoder {self.name!r} needs clip.extra['semantic'], (T, {self.config.values}) "
                "semantic vectors (spotter phonology)"
            )
        values = np.nan_to_num(np.asarray(rows, np.float32))
        if values.ndim != 2 or values.shape[1] != self.config.values:
            raise ValueError(
                f"{clip.name}: semantic vectors have shape {values.shape}; expected (T, {self.config.values})"
            )
        return {"semantic": values}
