"""Graphs of skeletons for graph convolutions: adjacency subsets, bones, and DropGraph."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..skeletons import SKELETONS

__all__ = ["adjacency", "bone_parents", "drop_graph"]


def adjacency(skeleton: str) -> NDArray[np.float32]:
    """(3, V, V): each joint itself, towards the root, away from it; columns sum to 1 where they are not empty."""
    known = SKELETONS[skeleton]
    joints = len(known.joints)
    inward = np.zeros((joints, joints), np.float32)
    for parent, child in known.edges:
        inward[child, parent] = 1
    subsets = [np.eye(joints, dtype=np.float32), inward, inward.T.copy()]
    return np.stack([part / np.maximum(part.sum(axis=0, keepdims=True), 1) for part in subsets])


def bone_parents(skeleton: str) -> NDArray[np.int64]:
    """(V,) the joint that each joint's bone comes from; itself for roots."""
    known = SKELETONS[skeleton]
    parents = np.arange(len(known.joints))
    for parent, child in known.edges:
        parents[child] = parent
    return parents


def drop_graph(x: Tensor, neighbours: Tensor, keep: float, block: int) -> Tensor:
    """DropGraph (Cheng et al. 2020): drops joints with their neighbours, and stretches of time, by attention.

    Args:
        x: (B, C, T, V) features.
        neighbours: (V, V) 1 where two joints are one or linked.
        keep: probability to keep.
        block: length of a dropped stretch in frames (made odd and at most T).
    """
    _, _, frames, joints = x.shape
    with torch.no_grad():
        size = x.float().abs().mean(dim=1)  # (B, T, V)
        by_joint = size.mean(dim=1)
        by_joint = by_joint / by_joint.sum(dim=1, keepdim=True).clamp(min=1e-6) * joints
        reach = float(neighbours.sum()) / joints
        seeds = torch.bernoulli((by_joint * (1 - keep) / reach).clamp(max=1.0))
        joint_mask = 1 - (seeds @ neighbours).clamp(max=1.0)  # (B, V)
        length = min(block, frames) // 2 * 2 - 1 if min(block, frames) > 1 else 1
        by_frame = size.mean(dim=2)
        by_frame = by_frame / by_frame.sum(dim=1, keepdim=True).clamp(min=1e-6) * frames
        seeds = torch.bernoulli((by_frame * (1 - keep) / length).clamp(max=1.0))
        frame_mask = 1 - F.max_pool1d(seeds[:, None], length, stride=1, padding=length // 2)[:, 0]  # (B, T)
        mask = frame_mask[:, None, :, None] * joint_mask[:, None, None, :]
        mask = mask * mask.numel() / mask.sum().clamp(min=1.0)
    return x * mask
