"""Video Transformer Networks: a CNN a frame, then self-attention over time.

De Coster, Van Herreweghe, Dambre, "Isolated Sign Recognition from RGB Video using Pose Flow and Self-Attention"
(CVPR Workshops 2021): VTN (whole frames), VTN-HC (both hand crops, one CNN shared by them), VTN-PF (hand crops and
pose flow). With ResNet-34, 4 layers, 8 heads and 226 classes: 28.8 M, 50.9 M and 52.1 M parameters.

Where the paper and its code disagree we follow the paper, and the code stays selectable: attention is scaled by
sqrt(d_k) (`scale="model"`: sqrt(d_model)), positions are fixed sinusoids (`positions="learned"`: trainable, started
from sinusoids), dropout stands before each residual addition only. As in both, attention has no output projection and
the feed-forward layer is 2 d wide (2048 for d = 1024). The depth variant of the code builds a second CNN and never
uses it; ours uses it.

Where pose flow joins the pictures, all features are brought to zero mean and unit variance: here over the features of
each frame, so that a clip's vector does not depend on what else is in its batch. The description can also be read as
over the mini-batch; `normalise="batch"` does that (in use, with the running mean and variance of training).

VTN-PF's features of a frame are brought to zero mean and unit variance over themselves before the bottleneck. The paper
says "normalise to zero mean and unit variance" and not over what; one published program does it over the mini-batch,
which would make a clip's result depend on its neighbours.

The pose flow's unit is the clip's median neck length; `flow_unit="frame"` is the published one (`pose.flow.pose_flow`).

The embedding is the mean over time of the last layer's features, L2-normalised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..clip import Clip
from .backbones import Init, cnn, load_cnn
from .base import EncoderOutput, Inputs, unit_rows
from .compute import computing
from .frames import MARGIN, central_inputs
from .image_encoder import ImageEncoder, nearest_frames
from .transformer_blocks import EncoderLayer, LearnedPositions, Scale, sinusoidal

__all__ = ["VTN", "VTNHC", "VTNPF", "VTNPFDepth", "VTNConfig"]

PICTURES_AT_ONCE = 32
"""Frames that pass through the CNN together."""

FRAMES_AT_ONCE = 4096
"""Features of frames that are narrowed together."""


@dataclass(frozen=True)
class VTNConfig:
    """Attributes:
    backbone: a torchvision CNN.
    crop: what whole frames are cut to first, see `embeddings.crops.views`; VTN-HC and VTN-PF look at hands.
    normalise: what features with pose flow or depth are brought to zero mean and unit variance over; see the module.
    stride: frames of video per sample (16 samples at stride 2 see 32 frames).
    """

    classes: int = 0
    backbone: str = "resnet34"
    layers: int = 4
    heads: int = 8
    dropout: float = 0.1
    scale: Scale = "head"
    positions: Literal["sinusoidal", "learned", "none"] = "sinusoidal"
    normalise: Literal["frame", "batch"] = "frame"
    crop: Literal["centre", "nose", "body"] = "centre"
    flow: int = 106
    flow_unit: Literal["clip", "frame"] = "clip"
    window: int = 16
    stride: int = 2
    size: int = 224
    fps: float = 25.0


class VTN(ImageEncoder):
    """VTN: whole frames (B, T, H, W, 3), values 0–255."""

    name = "vtn"
    required_inputs: ClassVar[tuple[str, ...]] = ("frames",)
    images: ClassVar[tuple[str, ...]] = ("frames",)
    at_once = 128

    def __init__(self, config: VTNConfig | None = None) -> None:
        super().__init__()
        self.config = config = VTNConfig() if config is None else config
        self.fps, self.window = config.fps, config.window
        if self.images == ("frames",):
            self._take_crop(config.crop)
            self.images = self.required_inputs  # type: ignore[misc]
        self.cnn, width = cnn(config.backbone)
        self.dim = d = width * len(self.images)
        self.depth_cnn = cnn(config.backbone)[0] if "depth" in self.required_inputs else None
        given = d + (2 * width if self.depth_cnn is not None else 0)
        given += config.flow if "flow" in self.required_inputs else 0
        self.bottleneck = nn.Linear(given, d) if given != d else None
        over_batch = self.bottleneck is not None and config.normalise == "batch"
        self.feature_norm = nn.BatchNorm1d(given, affine=False) if over_batch else None
        if config.positions not in ("sinusoidal", "learned", "none"):
            raise ValueError(f"positions is {config.positions!r}; expected 'sinusoidal', 'learned' or 'none'")
        learned = config.positions == "learned"
        self.positions = LearnedPositions(config.window, d, sinusoidal(config.window, d)) if learned else None
        self.layers = nn.ModuleList(
            EncoderLayer(d, config.heads, 2 * d, config.dropout, False, config.scale, inner_dropout=False)
            for _ in range(config.layers)
        )
        self.classifier = nn.Linear(d, config.classes) if config.classes else None

    def initialise(self, init: Init) -> None:
        """ImageNet weights of the backbone, or random ones; see `ImageEncoder.initialise`."""
        for network in filter(None, (self.cnn, self.depth_cnn)):
            load_cnn(network, self.config.backbone, init)

    @staticmethod
    def _pooled(network: nn.Module, images: Tensor) -> Tensor:  # (N, 3, H, W) -> (N, C)
        return network(images).mean(dim=(-2, -1))

    def frame_features(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Everything that depends on one frame alone: name → (N, …) of N frames gives (N, F).

        F is 512 for VTN, 1024 for VTN-HC, 1130 for VTN-PF, 2154 with depth (ResNet-18 or -34).
        """
        parts = [self._pooled(self.cnn, self.normalised(inputs[name])) for name in self.images]
        if self.depth_cnn is not None:
            depth = inputs["depth"]  # (N, 2, h, w), values 0-255: both hands' depth as grey pictures
            grey = self.normalised(depth.unsqueeze(-1).expand(*depth.shape, 3))
            parts.append(self._pooled(self.depth_cnn, grey.flatten(0, 1)).unflatten(0, (-1, 2)).flatten(1))
        if "flow" in self.required_inputs:
            parts.append(inputs["flow"].float())
        return torch.cat(parts, dim=-1)

    def _narrowed(self, features: Tensor) -> Tensor:  # (…, F) -> (…, d)
        if self.bottleneck is None:
            return features
        if self.feature_norm is None:
            return F.relu(self.bottleneck(F.layer_norm(features, features.shape[-1:])))
        rows = features.reshape(-1, features.shape[-1])
        return F.relu(self.bottleneck(self.feature_norm(rows).view_as(features)))

    def frame_sequence(self, features: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Frame features (B, T, F) after the attention layers: (B, T, d), and each layer's (B, heads, T, T)."""
        x = self._narrowed(features)
        if self.positions is not None:
            x = self.positions(x)
        elif self.config.positions == "sinusoidal":
            x = x + sinusoidal(x.shape[1], x.shape[2]).to(x)
        attention = []
        for layer in self.layers:
            x, weights = layer(x)
            attention.append(weights)
        return x, attention

    def forward_features(self, features: Tensor) -> EncoderOutput:
        """Windows of frame features (B, T, F), as `frame_features` gives them a frame."""
        x, _ = self.frame_sequence(features)
        embedding = F.normalize(x.mean(dim=1), dim=-1)
        logits = None if self.classifier is None else self.classifier(x).mean(dim=1)  # a frame, then averaged
        return EncoderOutput(embedding, embedding.unsqueeze(1), logits)

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        """inputs: pictures (B, T, H, W, 3) with values 0–255, flow (B, T, 106), depth (B, T, 2, h, w)."""
        self.check_inputs(inputs)
        batch, frames = inputs[self.required_inputs[0]].shape[:2]
        flat = {name: inputs[name].flatten(0, 1) for name in self.required_inputs}
        return self.forward_features(self.frame_features(flat).unflatten(0, (batch, frames)))

    @computing
    def shared_features(self, inputs: Inputs, frames: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """`frame_features` (T, F) of every frame of one prepared clip: the work that windows share.

        Args:
            frames: (n,) rows of the inputs; None takes all.
        """
        self.check_inputs(inputs)
        self.eval()
        device = next(self.parameters()).device
        used = np.arange(len(inputs[self.required_inputs[0]])) if frames is None else frames
        rows = []
        for i in range(0, len(used), PICTURES_AT_ONCE):
            some = used[i : i + PICTURES_AT_ONCE]
            part = {name: torch.from_numpy(inputs[name][some]).to(device) for name in self.required_inputs}
            rows.append(self.frame_features(part).float().cpu().numpy())
        return np.concatenate(rows)

    def staged(self, inputs: Inputs) -> Inputs:
        """`shared_features` of a clip in half precision: {"shared": (T, F)}, in place of its pictures."""
        return inputs if "shared" in inputs else {"shared": self.shared_features(inputs).astype(np.float16)}

    @computing
    def clip_features(self, inputs: Inputs) -> NDArray[np.float32]:
        """Vectors of every frame (T, d), unit rows, for alignment: what the attention layers are given of a frame."""
        if "shared" not in inputs:
            self.check_inputs(inputs)
        self.eval()
        shared = inputs["shared"] if "shared" in inputs else self.shared_features(inputs)
        device = next(self.parameters()).device
        rows = []
        for i in range(0, len(shared), FRAMES_AT_ONCE):
            part = torch.from_numpy(shared[i : i + FRAMES_AT_ONCE]).float().to(device)
            rows.append(F.normalize(self._narrowed(part).float(), dim=-1).cpu().numpy())
        return np.concatenate(rows)

    @computing
    def embed(self, inputs: Inputs, windows: NDArray[np.floating], batch: int | None = None) -> NDArray[np.float32]:
        """As `Encoder.embed`; the CNN sees each frame once, whatever the number of windows that contain it."""
        if "shared" not in inputs:
            self.check_inputs(inputs)
        self.eval()
        batch = self.at_once if batch is None else batch
        index = nearest_frames(windows, self.window, len(next(iter(inputs.values()))))
        if not len(index):
            return np.zeros((0, self.dim), np.float32)
        used, where = np.unique(index, return_inverse=True)
        shared = inputs["shared"][used] if "shared" in inputs else self.shared_features(inputs, used)
        rows_of, device = where.reshape(index.shape), next(self.parameters()).device
        rows = []
        for i in range(0, len(rows_of), batch):
            part = torch.from_numpy(shared[rows_of[i : i + batch]]).float().to(device)
            rows.append(unit_rows(self.forward_features(part).embedding.float()).cpu().numpy())
        return np.concatenate(rows)


class VTNHC(VTN):
    """VTN-HC: both hand crops (B, T, H, W, 3), one CNN for the two, features of left and right side by side."""

    name = "vtn-hc"
    required_inputs: ClassVar[tuple[str, ...]] = ("left_hand", "right_hand")
    images = ("left_hand", "right_hand")

    def views(self) -> dict[str, str]:
        return {name: name for name in self.images}

    def prepare_training(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """{"left_hand", "right_hand": (T, side, side, 3) uint8}, cut around the forearms' ends."""
        from .vtn_inputs import hand_inputs

        return hand_inputs(clip, self.fps, round(self.config.size * MARGIN))


class VTNPF(VTNHC):
    """VTN-PF: hand crops and pose flow (B, T, 106): 53 angles / π, then 53 lengths."""

    name = "vtn-pf"
    required_inputs: ClassVar[tuple[str, ...]] = ("left_hand", "right_hand", "flow")

    def prepare_training(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """Hand crops and {"flow": (T, 106) float32}."""
        from .vtn_inputs import flow_input

        return {**super().prepare_training(clip), "flow": flow_input(clip, self.fps, self.config.flow_unit)}

    def streamed(self, clip: Clip) -> dict[str, Any]:
        """Hand crops, and flow of as many frames."""
        from .vtn_inputs import flow_input

        hands = super().streamed(clip)
        flow = flow_input(clip, self.fps, self.config.flow_unit)
        return {**hands, "flow": flow[: len(hands["left_hand"])]}


class VTNPFDepth(VTNPF):
    """VTN-PF with a depth branch: `clip.extra["depth"]` (T, H, W), cut like the hands, through a CNN of its own."""

    name = "vtn-pf-depth"
    required_inputs: ClassVar[tuple[str, ...]] = ("left_hand", "right_hand", "flow", "depth")

    def prepare_training(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """Hand crops, flow and {"depth": (T, 2, side, side) uint8}."""
        from .vtn_inputs import depth_input

        side = round(self.config.size * MARGIN)
        return {**super().prepare_training(clip), "depth": depth_input(clip, self.fps, side)}

    def streamed(self, clip: Clip) -> dict[str, Any]:
        """Hand crops, flow and depth."""
        from .vtn_inputs import depth_input

        side = round(self.config.size * MARGIN)
        inputs = super().streamed(clip)
        depth = central_inputs({"depth": depth_input(clip, self.fps, side)}, self.config.size)["depth"]
        return {**inputs, "depth": depth[: len(inputs["flow"])]}
