"""Augmentation of prepared batches of keypoints: what another camera, body or estimator would change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .batches import Draw, numbers

__all__ = ["BATCHWISE", "augment_batch", "augment_body_hands", "augment_joints", "turned"]


def turned(points: Tensor, rng: np.random.Generator, angle: float = 0.08, scale: float = 0.08) -> Tensor:
    """Points (B, T, J, 2) rotated about the origin and scaled per axis, one draw per clip.

    Args:
        angle: standard deviation of the rotation in radians; scale: of the log scale of each axis.
    """
    count = len(points)
    turns = torch.from_numpy(rng.normal(0, angle, count).astype(np.float32))
    sizes = torch.from_numpy(np.exp(rng.normal(0, scale, (count, 2))).astype(np.float32))
    cos, sin = torch.cos(turns), torch.sin(turns)
    matrix = torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), -2) * sizes[..., None]
    return torch.einsum("btjk,blk->btjl", points, matrix)


def augment_body_hands(values: Tensor, rng: np.random.Generator) -> Tensor:
    """`sign-tcn`'s inputs (B, T, 100): turned, hands larger or smaller, joints off their place, hands lost in runs."""
    count, frames = values.shape[:2]
    points = turned(values[..., :98].reshape(count, frames, 49, 2), rng)
    body, hands = points[:, :, :7], points[:, :, 7:].reshape(count, frames, 2, 21, 2)
    sizes = np.exp(rng.normal(0, 0.1, (count, 1, 2, 1, 1))).astype(np.float32)
    shaky = rng.choice([0.0, 0.01, 0.03], (count, 1, 1, 1, 1)).astype(np.float32)
    hands = hands * torch.from_numpy(sizes) + torch.from_numpy(shaky) * _normal(hands.shape, rng)
    body = body + 0.03 * _normal((count, 1, 7, 2), rng)
    present = values[..., 98:].clone()
    for i in np.flatnonzero(rng.random(count) < 0.15):
        hand, start = int(rng.integers(2)), int(rng.integers(frames))
        end = min(frames, start + int(rng.integers(3, 20)))
        # an unseen hand keeps the shape of the nearest frame, as `embeddings.pose.features` has it
        hands[i, start:end, hand] = hands[i, max(start - 1, 0), hand].clone()
        present[i, start:end, hand] = 0
    return torch.cat((body.flatten(2), hands.flatten(2), present), dim=-1)


def augment_joints(values: Tensor, rng: np.random.Generator) -> Tensor:
    """SL-GCN's inputs (B, T, V, 3): turned, and joints off their place."""
    shaky = torch.from_numpy(rng.choice([0.0, 0.01, 0.03], (len(values), 1, 1, 1)).astype(np.float32))
    points = turned(values[..., :2], rng)
    return torch.cat((points + shaky * _normal(points.shape, rng), values[..., 2:]), dim=-1)


def _normal(shape: tuple[int, ...] | torch.Size, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(tuple(shape), dtype=np.float32))


BATCHWISE: dict[str, tuple[str, str, Callable[[Tensor, np.random.Generator], Tensor]]] = {
    "body-hands": ("sign-tcn", "pose", augment_body_hands),
    "joints": ("sl-gcn", "joints", augment_joints),
}
"""`augmentation.kind` → the network it is for, the input that it changes, and the function."""


def augment_batch(batch: dict[str, Tensor], kind: str, draw: Draw) -> dict[str, Tensor]:
    """A batch as `kind` changes it; as it is where `kind` is none of `BATCHWISE`."""
    if kind not in BATCHWISE:
        return batch
    _, name, augment = BATCHWISE[kind]
    return {**batch, name: augment(batch[name], numbers(draw.seed, 4, draw.number, draw.slot))}
