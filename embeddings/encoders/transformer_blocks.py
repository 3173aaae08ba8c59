"""Attention layers shared by the transformers here: explicit, so that their attention can be looked at.

Vaswani et al., "Attention Is All You Need" (2017), post-norm. Every layer keeps nothing between calls; the attention
weights are returned, (B, heads, queries, keys), each row summing to 1.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["Attention", "EncoderLayer", "LearnedPositions", "QueryLayer", "Scale", "sinusoidal"]

Scale = Literal["head", "model"]


def sinusoidal(length: int, width: int) -> Tensor:
    """Fixed positional encoding (length, width): even columns sine, odd columns cosine, Vaswani et al. section 3.5."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))  # (ceil(width / 2),)
    angles = torch.arange(length)[:, None] * rates
    table = torch.zeros(length, width)
    table[:, 0::2] = torch.sin(angles)
    table[:, 1::2] = torch.cos(angles[:, : width // 2])
    return table


class LearnedPositions(nn.Module):
    """One trainable vector a position, up to `length` positions, started from `table` or small noise."""

    def __init__(self, length: int, width: int, table: Tensor | None = None) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(length, width) * 0.02 if table is None else table.clone())

    def forward(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, T, d)
        if x.shape[1] > len(self.table):
            raise ValueError(f"{x.shape[1]} positions, but only {len(self.table)} were made; set a larger length")
        return x + self.table[: x.shape[1]]


class Attention(nn.Module):
    """Multi-head attention of queries (B, Q, d) over a memory (B, M, d).

    Args:
        width: d, divisible by heads.
        project: apply the output projection W^O. The Video Transformer Network has none.
        scale: "head" divides scores by sqrt(d / heads) (Vaswani et al.), "model" by sqrt(d) (the VTN code).
        dropout: on the attention weights.
    """

    def __init__(
        self, width: int, heads: int, project: bool = True, scale: Scale = "head", dropout: float = 0.0
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}; choose a divisor")
        if scale not in ("head", "model"):
            raise ValueError(f"attention scale {scale!r} is not known; expected 'head' or 'model'")
        self.heads = heads
        self.factor = 1.0 / math.sqrt(width // heads if scale == "head" else width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width) if project else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        for layer in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def _split(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, heads, T, d / heads)
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, queries: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = self._split(self.query(queries)), self._split(self.key(memory)), self._split(self.value(memory))
        weights = torch.softmax((q @ k.transpose(-2, -1)) * self.factor, dim=-1)  # (B, heads, Q, M)
        mixed = (self.dropout(weights) @ v).transpose(1, 2).flatten(-2)  # (B, Q, d)
        return self.output(mixed), weights


class FeedForward(nn.Sequential):
    """Position-wise d -> inner -> d with a ReLU."""

    def __init__(self, width: int, inner: int, dropout: float = 0.0) -> None:
        super().__init__(nn.Linear(width, inner), nn.ReLU(), nn.Dropout(dropout), nn.Linear(inner, width))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with dropout before its residual is added and a norm after it."""

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        dropout: float = 0.1,
        project: bool = True,
        scale: Scale = "head",
        inner_dropout: bool = True,
    ) -> None:
        super().__init__()
        within = dropout if inner_dropout else 0.0  # inside attention and feed-forward, as torch's own layer
        self.attention = Attention(width, heads, project, scale, within)
        self.feed_forward = FeedForward(width, inner, within)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, T, d) -> (B, T, d), (B, heads, T, T)
        mixed, weights = self.attention(x, x)
        x = self.norm1(x + self.dropout(mixed))
        return self.norm2(x + self.dropout(self.feed_forward(x))), weights


class QueryLayer(nn.Module):
    """A decoder layer without self-attention: queries (B, Q, d) attend to a memory (B, T, d), then feed-forward."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = Attention(width, heads, dropout=dropout)
        self.feed_forward = FeedForward(width, inner, dropout)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        mixed, weights = self.attention(queries, memory)
        queries = self.norm1(queries + self.dropout(mixed))
        return self.norm2(queries + self.dropout(self.feed_forward(queries))), weights
