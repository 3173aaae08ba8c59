"""Eight clips of a procedural signer, one class each, and a small loop that a network must learn them with."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from embeddings.clip import Clip
from embeddings.encoders.base import Encoder


@lru_cache(maxsize=1)
def eight_clips() -> tuple[Clip, ...]:
    """Isolated signs 0–7 by signers 0–7, on 75 MediaPipe joints."""
    from embeddings.synthetic import SignWorld

    world = SignWorld(7, signs=8)
    return tuple(world.clip(i, signer=i, camera=i) for i in range(8))


def signing_windows(encoder: Encoder, clips: tuple[Clip, ...]) -> dict[str, torch.Tensor]:
    """Each clip's signing (its span) as one window: name → (8, window, …)."""
    rows: dict[str, list[Any]] = {name: [] for name in encoder.required_inputs}
    for clip in clips:
        span = clip.spans[0]
        scale = encoder.fps / clip.fps
        window = np.array([[span.start, span.end]], float) * scale
        for name, value in next(encoder.batches(encoder.prepare(clip), window, 1)).items():
            rows[name].append(value)
    return {name: torch.cat(values) for name, values in rows.items()}


def accuracy_after(encoder: Encoder, inputs: dict[str, torch.Tensor], steps: int, rate: float) -> float:
    """Share of the eight classes right, in evaluation mode, after full-batch Adam on cross-entropy."""
    torch.manual_seed(0)
    labels = torch.arange(8)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=rate)
    encoder.train()
    for _ in range(steps):
        logits = encoder(inputs).logits
        assert logits is not None
        optimiser.zero_grad()
        F.cross_entropy(logits, labels).backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():  # batch norm's running statistics lag behind so short a training
        for _ in range(30 if any(isinstance(m, _BatchNorm) for m in encoder.modules()) else 0):
            encoder(inputs)
    encoder.eval()
    with torch.inference_mode():
        out = encoder(inputs)
    np.testing.assert_allclose(out.embedding.norm(dim=1).numpy(), 1, atol=1e-5)
    assert out.logits is not None
    return float((out.logits.argmax(1) == labels).float().mean())
