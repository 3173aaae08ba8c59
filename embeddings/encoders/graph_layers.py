"""Layers of graph networks over joints: decoupled graph convolution, attention, units, and classifiers for each part.

See `sl_gcn` for where they are published.
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from .graph import drop_graph

__all__ = ["Attention", "DecoupledGraphConv", "PartClassifier", "Unit"]


class DecoupledGraphConv(nn.Module):
    """Mixes joints by learned adjacencies, one per subset and channel group: (B, C, T, V) → (B, C', T, V)."""

    def __init__(
        self, given: int, made: int, graph: NDArray[np.float32], groups: int, divide_by: Literal["sum", "length"]
    ) -> None:
        super().__init__()
        self.subsets, self.made, self.groups, self.divide_by = len(graph), made, groups, divide_by
        start = torch.from_numpy(graph)[:, None].repeat(1, groups, 1, 1)
        self.adjacency = nn.Parameter(start.clone())  # (subsets, groups, V, V)
        self.linear = nn.Conv2d(given, made * self.subsets, 1)
        self.norm_each = nn.BatchNorm2d(made * self.subsets)
        self.norm = nn.BatchNorm2d(made)
        self.skip = nn.Identity() if given == made else nn.Sequential(nn.Conv2d(given, made, 1), nn.BatchNorm2d(made))
        nn.init.constant_(self.norm.weight, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        frames, joints = x.shape[2:]
        mixed = self.norm_each(self.linear(x))
        graph = self.normalised_adjacency()
        # one matrix product per group: (B·C/g·T, subsets·V) × (subsets·V, V)
        per_group = self.made // self.groups
        mixed = mixed.view(-1, self.subsets, self.groups, per_group, frames, joints)
        rows = mixed.permute(2, 0, 3, 4, 1, 5).reshape(self.groups, -1, self.subsets * joints)
        columns = graph.transpose(0, 1).reshape(self.groups, self.subsets * joints, joints)
        out = torch.bmm(rows, columns).view(self.groups, -1, per_group, frames, joints)
        out = out.transpose(0, 1).reshape(-1, self.made, frames, joints)
        return F.relu(self.norm(out) + self.skip(x))

    def normalised_adjacency(self) -> Tensor:
        """(subsets, groups, V, V), from row to column, with columns divided by their sum or length.

        The published code adds .001 to the sum.
        """
        if self.divide_by == "sum":
            return self.adjacency / (self.adjacency.sum(dim=2, keepdim=True) + 1e-3)
        return self.adjacency / (self.adjacency.norm(dim=2, keepdim=True) + 1e-4)


class Attention(nn.Module):
    """Spatial, then temporal, then channel attention, each y·σ + y."""

    def __init__(self, channels: int, joints: int) -> None:
        super().__init__()
        kernel = joints if joints % 2 else joints - 1
        self.spatial = nn.Conv1d(channels, 1, kernel, padding=kernel // 2)
        self.temporal = nn.Conv1d(channels, 1, 9, padding=4)
        self.squeeze, self.excite = nn.Linear(channels, channels // 2), nn.Linear(channels // 2, channels)
        for layer in (self.spatial, self.temporal, self.excite):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, y: Tensor) -> Tensor:
        y = y + y * torch.sigmoid(self.spatial(y.mean(dim=2)))[:, :, None]
        y = y + y * torch.sigmoid(self.temporal(y.mean(dim=3)))[..., None]
        channel = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean(dim=(2, 3))))))
        return y + y * channel[..., None, None]


class UnitConfig(Protocol):
    """What a unit takes of the network's config; see `sl_gcn.SLGCNConfig`."""

    @property
    def groups(self) -> int: ...
    @property
    def kernel(self) -> int: ...
    @property
    def adjacency(self) -> Literal["sum", "length"]: ...
    @property
    def dropgraph(self) -> float: ...
    @property
    def drop_block(self) -> int: ...


class Unit(nn.Module):
    """Graph convolution, attention, temporal convolution, DropGraph, residual."""

    def __init__(
        self,
        given: int,
        made: int,
        graph: NDArray[np.float32],
        config: UnitConfig,
        stride: int,
        drop: bool,
        first: bool,
    ) -> None:
        super().__init__()
        self.graph_conv = DecoupledGraphConv(given, made, graph, config.groups, config.adjacency)
        self.attention = Attention(made, graph.shape[-1])
        half = config.kernel // 2
        self.temporal = nn.Conv2d(made, made, (config.kernel, 1), padding=(half, 0), stride=(stride, 1))
        self.norm = nn.BatchNorm2d(made)
        self.keep = config.dropgraph if drop else 1.0
        self.block = config.drop_block
        self.register_buffer(
            "neighbours", torch.from_numpy((graph.sum(axis=0) > 0).astype(np.float32)), persistent=False
        )
        self.skip: nn.Module | None = None
        if not first:
            same = given == made and stride == 1
            fitted = nn.Sequential(nn.Conv2d(given, made, 1, stride=(stride, 1)), nn.BatchNorm2d(made))
            self.skip = nn.Identity() if same else fitted

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.temporal(self.attention(self.graph_conv(x))))
        if self.training and self.keep < 1:
            y = drop_graph(y, self.neighbours, self.keep, self.block)  # type: ignore[arg-type]
        if self.skip is not None:
            rest = self.skip(x)
            if self.training and self.keep < 1:
                rest = drop_graph(rest, self.neighbours, self.keep, self.block)  # type: ignore[arg-type]
            y = y + rest
        return F.relu(y)


class PartClassifier(nn.Module):
    """Class vectors (parts, C, classes) for each part, compared by cosine: (B, P, C) → (B, P, classes) scores."""

    def __init__(self, parts: int, dim: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(parts, dim, classes))
        for part in self.weight:
            nn.init.xavier_uniform_(part.data)

    def forward(self, parts: Tensor) -> Tensor:
        cosines = torch.einsum("bpc,pck->bpk", F.normalize(parts, dim=2), F.normalize(self.weight, dim=1))
        return self.scale * cosines

    def class_vectors(self) -> Tensor:
        """(classes, P·C), each part of unit length."""
        return F.normalize(self.weight, dim=1).flatten(0, 1).T
