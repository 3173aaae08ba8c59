"""SPOTER: a transformer over poses read out by one class query, and its interpretable variants.

Boháček and Hrúz, "Sign Pose-based Transformer for Word-level Sign Language Recognition" (WACV Workshops 2022): the
network's width is the input's, two values a landmark: 108 (54 joints, 9 heads), 150 (75 MediaPipe landmarks, 10) or
42 (one hand, 7). Six encoder and six decoder layers, feed-forward 2048; the decoder has one learned query and no
self-attention. 5.92 M parameters for 108 values and 100 classes.

The published "positional encoding" is a single learned vector added to every frame, which cannot tell frames apart:
`position="vector"` is that, "sinusoidal" a true one, "none" neither. The interpretable variants multiply the input by
learned weights w, one a value, started at 1, or that of the decoder, too, by weights of its own;
`embeddings.isolated.explain.input_weights` reports both.

The embedding is what the decoder (or the mean over time) hands to the classifier, L2-normalised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..clip import Clip
from ..skeletons import SKELETONS, hand_joints
from .base import Encoder, EncoderOutput
from .spoter_values import normalise_hand, spoter_values, to_spoter
from .transformer_blocks import EncoderLayer, QueryLayer, sinusoidal

__all__ = [
    "ClassQuery",
    "ClassQueryConfig",
    "EncoderOnly",
    "EncoderOnlyConfig",
    "LANDMARKS",
    "NoPositionConfig",
    "SPOTER_VARIANTS",
    "Spoter",
    "SpoterConfig",
    "SpoterNoPosition",
    "WeightsBothSides",
    "WeightsBothSidesConfig",
    "landmark_names",
]

LANDMARKS: dict[str, tuple[int, int]] = {"spoter-54": (54, 9), "mediapipe-75": (75, 10), "hand-21": (21, 7)}
"""Landmark set → (number of landmarks, heads)."""


@dataclass(frozen=True)
class SpoterConfig:
    """Attributes:
    landmarks: a key of `LANDMARKS`.
    position: what is added to every frame's values.
    readout: "query" (one learned class query, decoded) or "mean" over time.
    decoder: False leaves the encoder alone (readout "mean" only).
    weights: learned input weights on the encoder's input ("input"), also on the decoder's ("both"), or "none".
    hand: whose hand "hand-21" takes: "left", "right", or "seen" (the one with more confidence over the clip).
    normalise: False leaves landmarks as fractions of the frame, without boxes around body and hands (a published run).
    heads: 0 takes that of `LANDMARKS`.
    """

    classes: int = 0
    landmarks: Literal["spoter-54", "mediapipe-75", "hand-21"] = "spoter-54"
    position: Literal["vector", "sinusoidal", "none"] = "vector"
    readout: Literal["query", "mean"] = "query"
    decoder: bool = True
    weights: Literal["none", "input", "both"] = "none"
    hand: Literal["left", "right", "seen"] = "seen"
    normalise: bool = True
    layers: int = 6
    heads: int = 0
    inner: int = 2048
    dropout: float = 0.1
    window: int = 32
    fps: float = 25.0


SPOTER_VARIANTS: dict[str, SpoterConfig] = {
    "spoter": SpoterConfig(),
    "spoter-no-position": SpoterConfig(position="none"),
    "encoder-only": SpoterConfig(position="sinusoidal", readout="mean", decoder=False),
    "class-query": SpoterConfig(position="none", weights="input"),
    "weights-both-sides": SpoterConfig(position="none", readout="mean", weights="both"),
}
"""The published variants; `replace(SPOTER_VARIANTS[name], landmarks="hand-21", classes=13)` is the IPN setting."""


def landmark_names(landmarks: str) -> tuple[str, ...]:
    """Canonical joint names of a landmark set, in the order of the network's values."""
    if landmarks not in LANDMARKS:
        raise ValueError(f"landmarks is {landmarks!r}; expected one of {', '.join(LANDMARKS)}")
    if landmarks == "hand-21":
        return tuple(name.removeprefix("left_hand_") for name in hand_joints("left"))
    return SKELETONS["spoter-54" if landmarks == "spoter-54" else "mediapipe-holistic"].joints


class Spoter(Encoder):
    """SPOTER over "pose" (B, T, d), values of `prepare`; any T."""

    name = "spoter"
    required_inputs: ClassVar[tuple[str, ...]] = ("pose",)

    def __init__(self, config: SpoterConfig | None = None) -> None:
        super().__init__()
        self.config = config = SpoterConfig() if config is None else config
        if config.readout == "query" and not config.decoder:
            raise ValueError("readout='query' needs a decoder; set decoder=True or readout='mean'")
        if config.weights == "both" and not config.decoder:
            raise ValueError("weights='both' weighs the decoder's input; set decoder=True or weights='input'")
        self.fps, self.window = config.fps, config.window
        self.dim = d = 2 * len(landmark_names(config.landmarks))
        heads = config.heads if config.heads else LANDMARKS[config.landmarks][1]
        self.position = nn.Parameter(torch.rand(d)) if config.position == "vector" else None
        self.input_weights = nn.Parameter(torch.ones(d)) if config.weights != "none" else None
        self.decoder_weights = nn.Parameter(torch.ones(d)) if config.weights == "both" else None
        self.class_query = nn.Parameter(torch.rand(1, d)) if config.readout == "query" else None
        layers = range(config.layers)
        self.encoder = nn.ModuleList(EncoderLayer(d, heads, config.inner, config.dropout) for _ in layers)
        self.encoder_norm = nn.LayerNorm(d)
        decoders = layers if config.decoder else ()
        self.decoder = nn.ModuleList(QueryLayer(d, heads, config.inner, config.dropout) for _ in decoders)
        self.decoder_norm = nn.LayerNorm(d) if config.decoder else None
        self.classifier = nn.Linear(d, config.classes) if config.classes else None

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        """{"pose": (T, d)}: body and hands in their boxes, minus .5; a missing joint is −.5.

        Raises:
            ValueError: the clip has no pose.
        """
        if clip.pose is None:
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs a pose; estimate it first (spotter pose)")
        pose = clip.pose.resample(self.fps)
        if self.config.landmarks != "hand-21":
            pose = pose.to("spoter-54" if self.config.landmarks == "spoter-54" else "mediapipe-holistic")
            return {"pose": spoter_values(to_spoter(pose), pose.skeleton, self.config.normalise)}
        side = self.config.hand
        hands = {s: SKELETONS[pose.skeleton].hand(s) for s in ("left", "right")}
        if side == "seen":  # a tie goes to the right hand
            side = max(("right", "left"), key=lambda s: float(pose.confidence[:, hands[s]].sum()))  # type: ignore[assignment]
        values = to_spoter(pose)[:, hands[side]]
        if self.config.normalise:
            values = normalise_hand(values)
        if side == "left":
            values[..., 0] = 1 - values[..., 0]  # seen in a mirror, as a right hand
        return {"pose": (np.nan_to_num(values, nan=0.0) - 0.5).reshape(len(pose), -1).astype(np.float32)}

    def _decoded(self, values: Tensor, memory: Tensor) -> Tensor:
        """(B, T, d) values and their encoding → (B, Q, d); Q is 1, or T when the sequence itself asks."""
        if self.class_query is not None:
            queries = self.class_query.expand(len(values), 1, -1)
        else:
            queries = values if self.decoder_weights is None else values * self.decoder_weights
        for layer in self.decoder:
            queries, _ = layer(queries, memory)
        return queries if self.decoder_norm is None else self.decoder_norm(queries)

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        """inputs: "pose" (B, T, d)."""
        self.check_inputs(inputs)
        values = inputs["pose"]
        x = values if self.input_weights is None else values * self.input_weights
        if self.position is not None:
            x = x + self.position
        elif self.config.position == "sinusoidal":
            x = x + sinusoidal(x.shape[1], x.shape[2]).to(x)
        for layer in self.encoder:
            x, _ = layer(x)
        memory = self.encoder_norm(x)
        read = self._decoded(values, memory) if self.config.decoder else memory
        features = read.mean(dim=1)  # over one query, or over time
        embedding = F.normalize(features, dim=-1)
        logits = None if self.classifier is None else self.classifier(features)
        return EncoderOutput(embedding, embedding.unsqueeze(1), logits)


@dataclass(frozen=True)
class NoPositionConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "none"


@dataclass(frozen=True)
class EncoderOnlyConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "sinusoidal"
    readout: Literal["query", "mean"] = "mean"
    decoder: bool = False


@dataclass(frozen=True)
class ClassQueryConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "none"
    weights: Literal["none", "input", "both"] = "input"


@dataclass(frozen=True)
class WeightsBothSidesConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "none"
    readout: Literal["query", "mean"] = "mean"
    weights: Literal["none", "input", "both"] = "both"


class SpoterNoPosition(Spoter):
    name = "spoter-no-position"

    def __init__(self, config: NoPositionConfig | None = None) -> None:
        super().__init__(NoPositionConfig() if config is None else config)


class EncoderOnly(Spoter):
    name = "encoder-only"

    def __init__(self, config: EncoderOnlyConfig | None = None) -> None:
        super().__init__(EncoderOnlyConfig() if config is None else config)


class ClassQuery(Spoter):
    name = "class-query"

    def __init__(self, config: ClassQueryConfig | None = None) -> None:
        super().__init__(ClassQueryConfig() if config is None else config)


class WeightsBothSides(Spoter):
    name = "weights-both-sides"

    def __init__(self, config: WeightsBothSidesConfig | None = None) -> None:
        super().__init__(WeightsBothSidesConfig() if config is None else config)
