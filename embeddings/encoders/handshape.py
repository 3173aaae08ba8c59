"""`handshape`: which handshape does a hand image show; its penultimate layer is the visual language embedding (VLE).

Hrúz et al., "One Model is Not Enough: Ensembles for Isolated Sign Language Recognition" (Sensors 2022): MobileNetV2
(1280 features) or ResNet-18 (512) over 70 × 70 hand images enlarged to 224, 39 handshapes, SGD 1e-3 with momentum .9,
cross-entropy, batches of 32, 10 epochs. The augmentation is theirs: hue .05, flip, noise, motion blur, brightness and
contrast ±.1, crop .85–1, rotation 10°.
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

from ..clip import Clip
from .backbones import Init, cnn, load_cnn
from .base import EncoderOutput
from .image_encoder import ImageEncoder

__all__ = ["Handshape", "HandshapeConfig", "augment_hands"]


@dataclass(frozen=True)
class HandshapeConfig:
    """backbone: a torchvision CNN; mobilenet_v2 and resnet18 are the published ones."""

    classes: int = 39
    backbone: str = "mobilenet_v2"
    size: int = 224
    dropout: float = 0.2
    fps: float = 25.0


class Handshape(ImageEncoder):
    """Handshape classifier over single hand images "hand" (B, 1, H, W, 3), values 0–255, any H and W."""

    name = "handshape"
    required_inputs: ClassVar[tuple[str, ...]] = ("hand",)

    def __init__(self, config: HandshapeConfig | None = None) -> None:
        super().__init__()
        self.config = config = HandshapeConfig() if config is None else config
        self.fps, self.window = config.fps, 1
        self.cnn, self.dim = cnn(config.backbone)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.dim, config.classes) if config.classes else None

    def initialise(self, init: Init) -> None:
        load_cnn(self.cnn, self.config.backbone, init)

    def prepare(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """{"hand": (n, h, w, 3) uint8} from `clip.extra["hand"]`, hand images as `spotter phonology hands` stores them.

        Raises:
            ValueError: the clip carries none.
        """
        images = clip.extra.get("hand")
        if images is None:
            raise ValueError(f"{clip.name}: encoder {self.name!r} needs clip.extra['hand'], (n, h, w, 3) hand images")
        return {"hand": np.asarray(images, np.uint8)}

    def vle(self, images: Tensor) -> Tensor:
        """Visual language embedding (N, 1280) of hand images (N, H, W, 3), values 0–255: the penultimate layer."""
        x = self.normalised(images)
        size = self.config.size
        if x.shape[-2:] != (size, size):
            x = F.interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=True)
        return self.cnn(x).mean(dim=(-2, -1))

    @torch.inference_mode()
    def embed_images(self, images: NDArray[np.uint8], batch: int = 64) -> NDArray[np.float32]:
        """VLE (N, D) float32, not normalised, of hand images (N, H, W, 3)."""
        self.eval()
        device = next(self.parameters()).device
        parts = [self.vle(torch.from_numpy(images[i : i + batch]).to(device)) for i in range(0, len(images), batch)]
        return torch.cat(parts).float().cpu().numpy() if parts else np.zeros((0, self.dim), np.float32)

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        """inputs: "hand" (B, T, H, W, 3); T images of one hand are averaged (T = 1 in training)."""
        self.check_inputs(inputs)
        hand = inputs["hand"]
        features = self.vle(hand.flatten(0, 1)).unflatten(0, hand.shape[:2]).mean(dim=1)
        embedding = F.normalize(features, dim=-1)
        logits = None if self.classifier is None else self.classifier(self.dropout(features))
        return EncoderOutput(embedding, embedding.unsqueeze(1), logits)


def _blurred(images: Tensor, length: int, horizontal: bool) -> Tensor:
    """Motion blur of (N, 3, H, W): a box of `length` pixels along one axis, edges repeated."""
    before, after = (length - 1) // 2, length // 2
    padding = (before, after, 0, 0) if horizontal else (0, 0, before, after)
    kernel = (1, length) if horizontal else (length, 1)
    return F.avg_pool2d(F.pad(images, padding, mode="replicate"), kernel, stride=1)


def augment_hands(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Hand images (N, H, W, 3), each with its own draw: hue ±.05, flip p = .5, rotation ±10°, crop .85–1 of the side,
    brightness and contrast ±.1, motion blur of 3 or 5 px p = .2, Gaussian noise σ ≤ 5 of 255."""
    from torchvision.transforms.v2 import functional as T

    result = []
    for image in images:
        x = torch.from_numpy(np.ascontiguousarray(image)).movedim(-1, 0).float() / 255  # (3, H, W)
        height, width = x.shape[1:]
        x = T.adjust_hue(x, float(rng.uniform(-0.05, 0.05)))
        if rng.random() < 0.5:
            x = x.flip(-1)
        padded = F.pad(x[None], (width // 4,) * 2 + (height // 4,) * 2, mode="replicate")[0]
        x = T.center_crop(T.rotate(padded, float(rng.uniform(-10, 10)), T.InterpolationMode.BILINEAR), [height, width])
        rows, columns = (max(1, round(n * float(rng.uniform(0.85, 1)))) for n in (height, width))
        top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
        x = T.resized_crop(x, top, left, rows, columns, [height, width], antialias=True)
        x = x + float(rng.uniform(-0.1, 0.1))
        x = x.mean() + (x - x.mean()) * float(rng.uniform(0.9, 1.1))
        if rng.random() < 0.2:
            x = _blurred(x[None], int(rng.choice((3, 5))), bool(rng.random() < 0.5))[0]
        noise = rng.normal(0, float(rng.uniform(0, 5)) / 255, x.shape)
        x = x + torch.from_numpy(noise.astype(np.float32))
        result.append((x.clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).numpy())
    return np.stack(result) if result else np.zeros_like(images)
