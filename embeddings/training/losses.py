"""Losses: batch-all triplet per part, plus cross-entropy. The library does the losses, this file puts them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ..encoders.base import EncoderOutput

__all__ = ["LossWeights", "PartTriplet", "TripletCrossEntropy"]


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts; 0 leaves it out. margin: of the triplets, in Euclidean distance."""

    triplet: float = 1.0
    cross_entropy: float = 1.0
    margin: float = 0.2
    smoothing: float = 0.0


class PartTriplet(nn.Module):
    """Batch-all triplet loss (Hermans et al. 2017, arXiv:1703.07737): every triplet of the batch, Euclidean distance,
    max(0, d(a, p) − d(a, n) + margin), mean over the triplets that are not zero; then the mean over parts."""

    def __init__(self, margin: float = 0.2) -> None:
        super().__init__()
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.reducers import AvgNonZeroReducer

        self.loss: Any = TripletMarginLoss(
            margin=margin, distance=LpDistance(normalize_embeddings=False, p=2), reducer=AvgNonZeroReducer()
        )

    def forward(self, parts: Tensor, labels: Tensor) -> Tensor:
        """parts: (B, P, C); labels: (B,)."""
        each = [self.loss(parts[:, p], labels) for p in range(parts.shape[1])]
        return sum(each) / len(each)  # type: ignore[return-value]


class TripletCrossEntropy(nn.Module):
    """weights.triplet · triplet + weights.cross_entropy · CE (OSLWL entry: 1 and 1).

    Raises:
        ValueError: both weights are 0.
    """

    def __init__(self, weights: LossWeights | None = None) -> None:
        super().__init__()
        self.weights = LossWeights() if weights is None else weights
        if self.weights.triplet == 0 and self.weights.cross_entropy == 0:
            raise ValueError("both loss weights are 0; at least one term must count")
        self.triplet = PartTriplet(self.weights.margin)

    def forward(self, output: EncoderOutput, labels: Tensor) -> dict[str, Tensor]:
        """The terms and their weighted sum, "loss".

        Raises:
            ValueError: cross-entropy is asked of a network without a classifier.
        """
        terms: dict[str, Tensor] = {}
        total = output.embedding.new_zeros(())
        if self.weights.triplet:
            terms["triplet"] = self.triplet(output.parts, labels)
            total = total + self.weights.triplet * terms["triplet"]
        if self.weights.cross_entropy:
            if output.logits is None:
                raise ValueError("the network has no classifier; set its config's classes, or cross_entropy to 0")
            terms["cross_entropy"] = F.cross_entropy(output.logits, labels, label_smoothing=self.weights.smoothing)
            total = total + self.weights.cross_entropy * terms["cross_entropy"]
        return {"loss": total, **terms}
