"""Eight clips of a procedural signer, one class each, and a small loop that a network must learn them with."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from embeddings.clip import Clip
from embeddings.encoders.base import Encoder
from embeddings.skeletons import SKELETONS


@lru_cache(maxsize=1)
def eight_clips() -> tuple[Clip, ...]:
    """Isolated signs 0–7 by signers 0–7, on 75 MediaPipe joints."""
    from embeddings.synthetic import SignWorld

    world = SignWorld(7, signs=8, minimal_pairs=0.0)  # two signs of one hand differ to the encoders of hands too
    return tuple(world.clip(i, signer=i, camera=i) for i in range(8))


@lru_cache(maxsize=1)
def eight_films(side: int = 160) -> tuple[Clip, ...]:
    """The eight clips with pictures: arms, fingers and shoulders drawn from the joints, a circle for the face."""
    return tuple(filmed(clip, side) for clip in eight_clips())


def filmed(clip: Clip, side: int) -> Clip:
    """A clip with pictures drawn from its joints, the longer side `side` pixels."""
    assert clip.pose is not None
    scale = side / max(clip.pose.size)
    size = (round(clip.pose.size[0] * scale), round(clip.pose.size[1] * scale))
    pose = replace(clip.pose, xy=clip.pose.xy * np.float32(scale), size=size)
    joints = SKELETONS[pose.skeleton]
    frames = np.full((len(pose), size[1], size[0], 3), 70, np.uint8)
    for frame, xy in zip(frames, pose.xy, strict=True):
        nose = xy[joints.index("nose")]
        cv2.circle(frame, (int(nose[0]), int(nose[1])), side // 12, (190, 150, 120), -1)
        for a, b in joints.edges:
            if np.isfinite(xy[[a, b]]).all() and not any(
                w in joints.joints[b] for w in ("eye", "ear", "mouth", "nose")
            ):
                hand = "hand_" in joints.joints[b]
                ends = [(int(x), int(y)) for x, y in xy[[a, b]]]
                cv2.line(frame, ends[0], ends[1], (220, 180, 150) if hand else (60, 90, 160), 2 if hand else 5)
    return replace(clip, pose=pose, frames=frames)


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
    norms = [module for module in encoder.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:  # running statistics lag behind so short a training: those of the one batch instead
        norm.reset_running_stats()
        norm.momentum = None
    if norms:
        with torch.no_grad():
            encoder(inputs)
    encoder.eval()
    with torch.inference_mode():
        out = encoder(inputs)
    np.testing.assert_allclose(out.embedding.norm(dim=1).numpy(), 1, atol=1e-5)
    assert out.logits is not None
    return float((out.logits.argmax(1) == labels).float().mean())
