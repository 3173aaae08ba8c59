"""`i3d-resnet50`: ResNet-50 with its kernels inflated in time.

Carreira and Zisserman, "Quo Vadis, Action Recognition?" (CVPR 2017), section 2.4: a 2D kernel repeated k times along
time and divided by k answers a video of one still picture as the 2D network answers the picture. Which kernels grow
follows Wang et al., "Non-local Neural Networks" (CVPR 2018), I3D 3×1×1: the stem is 5×7×7, the first 1×1 of every
block in the first stage, and of every second block after it, is 3×1×1; a temporal pool after the first stage.
Time is padded by repeating the edge frames, not with zeros, so the property above holds for the whole network and up
to the first and last frame. Stride in time: 4 (stem 2, pool 2).

The embedding is the mean over time and space of the last block (2048), L2-normalised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .backbones import Init, check_init, imagenet_state, log
from .base import EncoderOutput
from .image_encoder import ImageEncoder

__all__ = ["I3DResNet50", "I3DResNetConfig", "TimeConv", "inflate"]

# kernels in time of the first 1×1 of the blocks of a stage, repeated along the stage
_PATTERNS = ((3,), (3, 1), (3, 1), (1, 3))


@dataclass(frozen=True)
class I3DResNetConfig:
    """blocks: bottleneck blocks per stage, (3, 4, 6, 3) for ResNet-50; base: torchvision's width_per_group; crop:
    what frames are cut to first, see `embeddings.crops.views`."""

    classes: int = 0
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    base: int = 64
    dropout: float = 0.5
    window: int = 16
    size: int = 224
    crop: Literal["centre", "nose", "body"] = "centre"
    fps: float = 25.0


class TimeConv(nn.Conv3d):
    """A 2D convolution inflated to `length` frames: (B, C, T, H, W), edge frames repeated in time."""

    def __init__(self, flat: nn.Conv2d, length: int = 1, step: int = 1) -> None:
        super().__init__(
            flat.in_channels,
            flat.out_channels,
            (length, *flat.kernel_size),  # type: ignore[arg-type]
            stride=(step, *flat.stride),  # type: ignore[arg-type]
            padding=(0, *flat.padding),  # type: ignore[arg-type]
            groups=flat.groups,
            bias=flat.bias is not None,
            device=flat.weight.device,
        )
        self.load_flat(flat.weight, flat.bias)

    @torch.no_grad()
    def load_flat(self, weight: Tensor, bias: Tensor | None) -> None:
        """Take over a 2D kernel (out, in, h, w): each frame's share is 1 / length of it."""
        self.weight.copy_((weight / self.kernel_size[0]).unsqueeze(2).expand_as(self.weight))
        if bias is not None and self.bias is not None:
            self.bias.copy_(bias)

    def forward(self, x: Tensor) -> Tensor:
        length = self.kernel_size[0]
        if length > 1:
            before, after = (length - 1) // 2, length // 2
            x = F.pad(x, (0, 0, 0, 0, before, after), mode="replicate")
        return super().forward(x)


def _lengths(resnet: nn.Module) -> dict[str, tuple[int, int]]:
    """Name of a convolution → (frames, stride in time) where it is not (1, 1)."""
    grown = {"conv1": (5, 2)}
    for stage, pattern in enumerate(_PATTERNS, start=1):
        for block in range(len(getattr(resnet, f"layer{stage}"))):
            grown[f"layer{stage}.{block}.conv1"] = (pattern[block % len(pattern)], 1)
    return grown


def inflate(resnet: nn.Module) -> nn.Module:
    """A torchvision bottleneck ResNet, in place, as a network over (B, 3, T, H, W) → (B, 2048)."""
    grown = _lengths(resnet)
    for name, module in list(resnet.named_modules()):
        parent = resnet.get_submodule(name.rpartition(".")[0])
        key = name.rpartition(".")[2]
        if isinstance(module, nn.Conv2d):
            setattr(parent, key, TimeConv(module, *grown.get(name, (1, 1))))
        elif isinstance(module, nn.BatchNorm2d):
            norm = nn.BatchNorm3d(module.num_features, device=module.weight.device)
            norm.load_state_dict(module.state_dict())
            setattr(parent, key, norm)
    resnet.maxpool = nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
    resnet.layer1 = nn.Sequential(*resnet.layer1, nn.MaxPool3d((2, 1, 1), stride=(2, 1, 1)))  # type: ignore[misc]
    resnet.avgpool = nn.AdaptiveAvgPool3d(1)
    resnet.fc = nn.Identity()
    return resnet


def _flat(config: I3DResNetConfig) -> nn.Module:
    from torchvision.models.resnet import Bottleneck, ResNet

    return ResNet(Bottleneck, list(config.blocks), width_per_group=config.base)


class I3DResNet50(ImageEncoder):
    """Inflated ResNet-50 over frames (B, 16, H, W, 3), values 0–255; ImageNet mean and standard deviation."""

    name = "i3d-resnet50"
    required_inputs: ClassVar[tuple[str, ...]] = ("frames",)

    def __init__(self, config: I3DResNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = I3DResNetConfig() if config is None else config
        self.fps, self.window, self.dim = config.fps, config.window, 2048
        self._take_crop(config.crop)
        self.trunk = inflate(_flat(config))
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.dim, config.classes) if config.classes else None

    def initialise(self, init: Init) -> None:
        """ImageNet weights of torchvision's ResNet-50, inflated; see `ImageEncoder.initialise`."""
        check_init(init)
        if init == "random":
            log.warning("i3d-resnet50 starts from random weights (init='random')")
            return
        if self.config.blocks != (3, 4, 6, 3) or self.config.base != 64:
            raise ValueError(
                f"blocks={self.config.blocks}, base={self.config.base} is not ResNet-50; use init='random'"
            )
        flat = _flat(self.config)
        flat.load_state_dict(imagenet_state("resnet50"))
        self.trunk.load_state_dict(inflate(flat).state_dict())

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        self.check_inputs(inputs)
        features = self.trunk(self.normalised(inputs[self.required_inputs[0]]).transpose(1, 2))  # (B, 2048)
        embedding = F.normalize(features, dim=-1)
        logits = None if self.classifier is None else self.classifier(self.dropout(features))
        return EncoderOutput(embedding, embedding.unsqueeze(1), logits)
