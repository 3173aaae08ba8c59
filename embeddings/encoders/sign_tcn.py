"""`sign-tcn`: the default encoder, small and fast, from poses alone.

Two stages. The *frame stage* sees every frame of a clip once: the two hands through one shared network (the left
hand mirrored), the upper body, and a temporal convolution over about half a second around the frame. The *window
stage* samples those frame features evenly over a window of any length, adds where in the window each sample lies,
and pools them by learned attention into one unit vector. So a second window length costs only the small second
stage, and the frame features serve the alignment that refines boundaries.

Design after the temporal convolutions of Bai et al. 2018 (arXiv:1803.01271) and the attentive pooling of speaker
verification (Okabe et al. 2018, arXiv:1803.10963).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..clip import Clip
from ..interpolation import rows_at
from ..pose.features import body_hands
from .base import Encoder, EncoderOutput, Inputs, interpolated, unit_rows, window_positions
from .compute import computing

__all__ = ["SignTCN", "SignTCNConfig"]

BODY_VALUES, HAND_VALUES = 14, 42
FRAMES_AT_ONCE = 4096
"""Frames of a clip that are encoded together, so that an hour needs no more memory than three minutes."""

INPUT = BODY_VALUES + 2 * HAND_VALUES + 2


@dataclass(frozen=True)
class SignTCNConfig:
    """Sizes of the network.

    Attributes:
        hand_width: features of one hand.
        width: features of a frame.
        dim: length of a window's vector.
        context: dilations of the frame stage's residual blocks (kernel 5 each).
        samples: how many frame features a window is sampled at.
        heads: attention heads of the pooling.
        classes: size of the classifier, 0 for none.
        dropout: on frame features, in training.
    """

    hand_width: int = 96
    width: int = 192
    dim: int = 256
    context: tuple[int, ...] = (1, 2)
    samples: int = 16
    heads: int = 4
    classes: int = 0
    dropout: float = 0.1


class TemporalBlock(nn.Module):
    """Residual temporal convolution: x + conv(relu(conv(norm(x))))."""

    def __init__(self, width: int, dilation: int, kernel: int = 5) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        # depthwise over time, then mixing over features: a tenth of a full convolution's cost
        self.over_time = nn.Conv1d(
            width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=width
        )
        self.mix = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:  # (B, T, width)
        moved = self.over_time(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mix(moved)


class SignTCN(Encoder):
    """See the module's text. Inputs: "pose" (B, T, 100) from `embeddings.pose.features`."""

    name = "sign-tcn"
    required_inputs = ("pose",)
    at_once = 512

    def __init__(self, config: SignTCNConfig | None = None) -> None:
        super().__init__()
        config = SignTCNConfig() if config is None else config
        self.config = config
        self.window, self.dim = config.samples, config.dim
        width = config.width
        self.hand = nn.Sequential(
            nn.Linear(HAND_VALUES + 3, config.hand_width),
            nn.GELU(),
            nn.Linear(config.hand_width, config.hand_width),
            nn.GELU(),
        )
        self.frame = nn.Sequential(
            nn.Linear(2 * config.hand_width + BODY_VALUES + 2, width), nn.GELU(), nn.Linear(width, width)
        )
        self.context = nn.ModuleList(TemporalBlock(width, d) for d in config.context)
        self.frame_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.position = nn.Parameter(torch.zeros(config.samples, width))
        self.blocks = nn.ModuleList(TemporalBlock(width, d) for d in (1, 2))
        self.attention = nn.Linear(width, config.heads)
        self.project = nn.Linear(config.heads * width, config.dim)
        self.classifier = nn.Linear(config.dim, config.classes) if config.classes else None

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        if clip.pose is None:
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs a pose; estimate it first (spotter pose)")
        return {"pose": body_hands(clip.pose.resample(self.fps)).flat()}

    def frame_features(self, pose: Tensor) -> Tensor:
        """(B, T, 100) → (B, T, width): the frame stage."""
        body, hands, present = pose.split((BODY_VALUES, 2 * HAND_VALUES, 2), dim=-1)
        hands = hands.unflatten(-1, (2, 21, 2))
        # one network for both hands: the left one is seen in a mirror
        hands = torch.stack((hands[..., 0, :, :] * hands.new_tensor((-1.0, 1.0)), hands[..., 1, :, :]), dim=-3)
        size = hands.norm(dim=-1).amax(dim=-1, keepdim=True).clamp_min(1e-2)  # (B, T, 2, 1)
        shape = (hands / size.unsqueeze(-1)).flatten(-2)
        wrist_drop = body[..., 10:14].unflatten(-1, (2, 2))[..., 1:]
        each = self.hand(torch.cat((shape, size, present.unsqueeze(-1), wrist_drop), dim=-1)).flatten(-2)
        x = self.frame(torch.cat((each, body, present), dim=-1))
        for block in self.context:
            x = block(x)
        return self.frame_norm(x)

    def pool(self, features: Tensor) -> Tensor:
        """(B, samples, width) → (B, dim) unit rows: the window stage."""
        x = self.dropout(features) + self.position
        for block in self.blocks:
            x = block(x)
        weights = self.attention(x).softmax(dim=1)  # (B, samples, heads)
        pooled = torch.einsum("bsh,bsd->bhd", weights, x).flatten(1)
        return F.normalize(self.project(pooled), dim=-1)

    def classify(self, embedding: Tensor) -> Tensor | None:
        return None if self.classifier is None else self.classifier(embedding * 16)

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        """Whole windows: "pose" (B, T, 100); T need not be `samples`."""
        features = self.frame_features(inputs["pose"])
        frames = features.shape[1]
        if frames != self.config.samples:
            features = F.interpolate(features.transpose(1, 2), self.config.samples, mode="linear").transpose(1, 2)
        return self._output(features)

    def within(self, inputs: Mapping[str, Tensor], positions: Tensor) -> EncoderOutput:
        """As `Encoder.within`, with the frame stage on the surroundings too, as in a long video."""
        return self._output(interpolated(self.frame_features(inputs["pose"]), positions))

    def _output(self, features: Tensor) -> EncoderOutput:
        embedding = self.pool(features)
        return EncoderOutput(embedding, embedding.unsqueeze(1), self.classify(embedding))

    @computing
    def clip_features(self, inputs: Inputs) -> NDArray[np.float32]:
        """Frame features (T, width) of one prepared clip; for alignment and for `embed`."""
        self.check_inputs(inputs)
        self.eval()
        device = next(self.parameters()).device
        pose, reach = inputs["pose"], sum(2 * dilation for dilation in self.config.context)
        features = np.zeros((len(pose), self.config.width), np.float32)
        for at in range(0, len(pose), FRAMES_AT_ONCE):
            low, end = max(0, at - reach), min(len(pose), at + FRAMES_AT_ONCE)
            part = torch.from_numpy(np.ascontiguousarray(pose[low : end + reach])).to(device)
            features[at:end] = self.frame_features(part[None])[0, at - low : end - low].float().cpu().numpy()
        return features

    def embed(self, inputs: Inputs, windows: NDArray[np.floating], batch: int | None = None) -> NDArray[np.float32]:
        """As `Encoder.embed`, with the frame stage done once for all windows."""
        return self.embed_features(self.clip_features(inputs), windows, batch)

    @computing
    def embed_features(
        self, features: NDArray[np.float32], windows: NDArray[np.floating], batch: int | None = None
    ) -> NDArray[np.float32]:
        """Vectors (W, D) of half-open windows (W, 2) from frame features (T, width), as `clip_features` gives them."""
        device = next(self.parameters()).device
        positions = window_positions(windows, self.config.samples)
        batch = self.at_once if batch is None else batch
        parts = (torch.from_numpy(rows_at(features, positions[i : i + batch])) for i in range(0, len(positions), batch))
        rows = [unit_rows(self.pool(part.to(device)).float()).cpu().numpy() for part in parts]
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32)
