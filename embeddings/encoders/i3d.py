"""Inception-I3D with the residual embedding head (I3D-MLP).

Carreira and Zisserman, "Quo Vadis, Action Recognition?" (CVPR 2017): Inception-v1 with every kernel inflated to 3D,
16 × 224 × 224 RGB in, 1024 features after a total stride of 8 in time and 32 in space. Momeni et al., "Watch, read and
lookup" (ACCV 2020): a residual layer 1024 → 1024, then 1024 → 512 → 256 with LeakyReLU 0.2 and L2 normalisation. The
names of the modules are those of the published checkpoints (`convert_i3d`).

The spotting entry's text trains all its networks with triplet and cross-entropy, while its code trained I3D with
cross-entropy alone and used the plain 1024 features: ours follows the text; `head="plain"` gives the code's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .backbones import Init, PretrainedError, check_init, log
from .base import EncoderOutput
from .image_encoder import ImageEncoder

__all__ = ["I3D", "I3DConfig", "InceptionI3D"]

Triple = tuple[int, int, int]

# name, channels of the four branches (1×1×1 · 1×1×1 → 3×3×3 · 1×1×1 → 3×3×3 · pool → 1×1×1); None is a pool
_STAGES: tuple[tuple[str, tuple[int, int, int, int, int, int] | None], ...] = (
    ("Mixed_3b", (64, 96, 128, 16, 32, 32)),
    ("Mixed_3c", (128, 128, 192, 32, 96, 64)),
    ("MaxPool3d_4a_3x3", None),
    ("Mixed_4b", (192, 96, 208, 16, 48, 64)),
    ("Mixed_4c", (160, 112, 224, 24, 64, 64)),
    ("Mixed_4d", (128, 128, 256, 24, 64, 64)),
    ("Mixed_4e", (112, 144, 288, 32, 64, 64)),
    ("Mixed_4f", (256, 160, 320, 32, 128, 128)),
    ("MaxPool3d_5a_2x2", None),
    ("Mixed_5b", (256, 160, 320, 32, 128, 128)),
    ("Mixed_5c", (384, 192, 384, 48, 128, 128)),
)


@dataclass(frozen=True)
class I3DConfig:
    """width: multiplier of every channel count (1 as published). classifier_on: what the class scores are linear in:
    the 256 values before normalisation (a unit row could not express confidence), or the 1024 features, as in
    published checkpoints. crop: what frames are cut to first, see `embeddings.crops.views`; that of the
    spotting entry of 2022 saw "nose"."""

    classes: int = 0
    head: Literal["mlp", "plain"] = "mlp"
    classifier_on: Literal["embedding", "features"] = "embedding"
    hidden: int = 512
    embedding: int = 256
    width: float = 1.0
    dropout: float = 0.5
    window: int = 16
    size: int = 224
    crop: Literal["centre", "nose", "body"] = "centre"
    fps: float = 25.0


def _pad_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Zeros around (B, C, T, H, W) so that each axis comes out ceil(n / stride) long; an odd one goes to the end."""
    padding: list[int] = []
    for n, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        total = max(k - (s if n % s == 0 else n % s), 0)
        padding += [total // 2, total - total // 2]
    return F.pad(x, padding) if any(padding) else x


class SamePool(nn.MaxPool3d):
    """Max pooling with zero "same" padding (inputs are after a ReLU, so zero never wins wrongly)."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__(kernel, stride)
        self.kernel, self.step = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(_pad_same(x, self.kernel, self.step))


class Unit3D(nn.Module):
    """Convolution with "same" padding, batch norm, ReLU."""

    def __init__(self, given: int, made: int, kernel: Triple = (1, 1, 1), stride: Triple = (1, 1, 1)) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv3d = nn.Conv3d(given, made, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(made, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv3d(_pad_same(x, self.kernel, self.stride))))


class Mixed(nn.Module):
    """Inception block: four branches side by side."""

    def __init__(self, given: int, c: tuple[int, ...]) -> None:
        super().__init__()
        self.b0 = Unit3D(given, c[0])
        self.b1a, self.b1b = Unit3D(given, c[1]), Unit3D(c[1], c[2], (3, 3, 3))
        self.b2a, self.b2b = Unit3D(given, c[3]), Unit3D(c[3], c[4], (3, 3, 3))
        self.b3a, self.b3b = SamePool((3, 3, 3), (1, 1, 1)), Unit3D(given, c[5])

    def forward(self, x: Tensor) -> Tensor:
        branches = (self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x)))
        return torch.cat(branches, dim=1)


class InceptionI3D(nn.Sequential):
    """(B, 3, T, H, W) → (B, 1024, ceil(T / 8), ceil(H / 32), ceil(W / 32)) at width 1."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()

        def scaled(channels: int) -> int:
            return max(1, round(channels * width))

        c = scaled(64)
        self.add_module("Conv3d_1a_7x7", Unit3D(3, c, (7, 7, 7), (2, 2, 2)))
        self.add_module("MaxPool3d_2a_3x3", SamePool((1, 3, 3), (1, 2, 2)))
        self.add_module("Conv3d_2b_1x1", Unit3D(c, c))
        self.add_module("Conv3d_2c_3x3", Unit3D(c, scaled(192), (3, 3, 3)))
        self.add_module("MaxPool3d_3a_3x3", SamePool((1, 3, 3), (1, 2, 2)))
        c = scaled(192)
        for name, channels in _STAGES:
            if channels is None:
                kernel = (3, 3, 3) if name.endswith("3x3") else (2, 2, 2)
                self.add_module(name, SamePool(kernel, (2, 2, 2)))
            else:
                branches = tuple(scaled(n) for n in channels)
                self.add_module(name, Mixed(c, branches))
                c = branches[0] + branches[2] + branches[4] + branches[5]
        self.channels = c


class EmbeddingHead(nn.Module):
    """x + LeakyReLU(linear(x)), then d → 512 → 256, a LeakyReLU after each."""

    def __init__(self, given: int, hidden: int, made: int) -> None:
        super().__init__()
        self.res = nn.Sequential(nn.Linear(given, given), nn.LeakyReLU(0.2))
        self.adaptor = nn.Sequential(
            nn.Linear(given, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, made), nn.LeakyReLU(0.2)
        )

    def forward(self, x: Tensor) -> Tensor:  # (B, 1024) -> (B, 256), not yet normalised
        return self.adaptor(x + self.res(x))


class I3D(ImageEncoder):
    """Inception-I3D over frames (B, 16, H, W, 3), values 0–255; mean .5, std 1 of the values in [0, 1]."""

    name = "i3d"
    required_inputs: ClassVar[tuple[str, ...]] = ("frames",)
    mean, std = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)

    def __init__(self, config: I3DConfig | None = None) -> None:
        super().__init__()
        self.config = config = I3DConfig() if config is None else config
        if config.head not in ("mlp", "plain") or config.classifier_on not in ("embedding", "features"):
            raise ValueError(
                f"head is {config.head!r}, classifier_on {config.classifier_on!r}; "
                "expected 'mlp' or 'plain', and 'embedding' or 'features'"
            )
        self.fps, self.window = config.fps, config.window
        self._take_crop(config.crop)
        self.i3d = InceptionI3D(config.width)
        features = self.i3d.channels
        plain = config.head == "plain"
        self.mlp = None if plain else EmbeddingHead(features, config.hidden, config.embedding)
        self.dim = features if plain else config.embedding
        self.dropout = nn.Dropout(config.dropout)
        scored = features if config.classifier_on == "features" else self.dim
        self.classifier = nn.Linear(scored, config.classes) if config.classes else None

    def initialise(self, init: Init) -> None:
        """Random weights only: published ones come as a file, through `convert_i3d.load_i3d`."""
        check_init(init)
        if init == "pretrained":
            raise PretrainedError(
                "torchvision publishes no Inception-I3D weights; convert a published .pth file "
                "(embeddings.encoders.convert_i3d.load_i3d) or start by init='random' (--init random)"
            )
        log.warning("i3d starts from random weights (init='random')")

    def features(self, frames: Tensor) -> Tensor:
        """Frames (B, T, H, W, 3), values 0–255 → (B, 1024), the mean over time and space of the last block."""
        return self.i3d(self.normalised(frames).transpose(1, 2)).mean(dim=(2, 3, 4))

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        self.check_inputs(inputs)
        return self.head(self.features(inputs[self.required_inputs[0]]))

    def head(self, features: Tensor) -> EncoderOutput:
        """Features (B, 1024) → embedding and class scores."""
        raw = features if self.mlp is None else self.mlp(features)
        embedding = F.normalize(raw, dim=-1)
        logits = None
        if self.classifier is not None:
            scored = features if self.config.classifier_on == "features" else raw
            logits = self.classifier(self.dropout(scored))
        return EncoderOutput(embedding, embedding.unsqueeze(1), logits)
