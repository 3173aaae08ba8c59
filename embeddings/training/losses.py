"""The loss terms that a recipe can name, each with its settings. pytorch-metric-learning does the pairs and triplets.

`LOSSES` is a plain table: a new term is a class here (or in a file of its own) and a line there. A term sees what the
network gave and the batch; one that needs weights of its own (class vectors, an auxiliary classifier) makes them in
`head`. Such weights are trained with the network and not shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn

from ..extras import extra
from .batches import numbers
from .checked import StrictTable

__all__ = [
    "LOSSES", "Change", "CosineSoftmax", "CrossEntropy", "Loss", "Objective", "PartTriplet", "SmoothL1",
    "SupervisedContrast", "Triplet",
]  # fmt: skip

NonNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Batch = Mapping[str, Tensor]
"""A batch of B windows: the network's inputs by name, and "label" (B,) with "sign" (B,), False for windows that show no
sign (each such window has a label of its own); or "target" (B, …) and "weight" (B,)."""


@dataclass(frozen=True)
class Loss(StrictTable):
    """One term. weight: how much it counts; 0 leaves it out."""

    weight: NonNegative = 1.0

    def head(self, dim: int, classes: int) -> nn.Module | None:
        """Weights of its own: for embeddings of length `dim` and so many signs. None for none."""
        return None

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        """The term, a scalar.

        Args:
            output: `EncoderOutput` or `FrameOutput`, in 32 bits.
            head: what `head` made.
            rng: follows from the seed and the step.
        """
        raise NotImplementedError


def _batch_all(vectors: Tensor, labels: Tensor, margin: float) -> Tensor:
    with extra("train", "this loss"):
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.reducers import AvgNonZeroReducer

    distance = LpDistance(normalize_embeddings=False, p=2)
    term: Tensor = TripletMarginLoss(margin, distance=distance, reducer=AvgNonZeroReducer())(vectors, labels)
    return term


@dataclass(frozen=True)
class Triplet(Loss):
    """Batch-all triplet loss of the embeddings (Hermans et al. 2017, arXiv:1703.07737): every triplet of the batch,
    Euclidean distance, max(0, d(a, p) − d(a, n) + margin), mean over the triplets that are not zero."""

    margin: NonNegative = 0.2

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        sign = batch["sign"]
        return _batch_all(output.embedding[sign], batch["label"][sign], self.margin)


@dataclass(frozen=True)
class PartTriplet(Triplet):
    """`Triplet` of each of the network's parts (B, P, C), then the mean over parts.

    Attributes:
        parts: how many parts each step compares, drawn anew; 0 for all.
        normalise: parts are compared as unit vectors.
    """

    parts: Annotated[int, Ge(0)] = 0
    normalise: bool = False

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        parts, sign = output.parts, batch["sign"]
        count = parts.shape[1]
        if 0 < self.parts < count:
            indices = np.sort(rng.choice(count, self.parts, replace=False))
            parts = parts[:, torch.from_numpy(indices).to(parts.device)]
        parts, labels = parts[sign], batch["label"][sign]
        if self.normalise:
            parts = F.normalize(parts, dim=-1)
        each = [_batch_all(parts[:, p], labels, self.margin) for p in range(parts.shape[1])]
        return sum(each) / len(each)  # type: ignore[return-value]


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy of the network's own class scores; of a network that classifies part by part the mean over parts of
    each part's. smoothing: of the labels (Szegedy et al. 2016)."""

    smoothing: Annotated[float, Interval(ge=0, lt=1)] = 0.0

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        if output.logits is None:
            raise ValueError("the network has no classifier; set its config's classes, or loss.cross_entropy to 0")
        sign = batch["sign"]
        scores, labels = output.logits[sign], batch["label"][sign]
        if getattr(output, "part_logits", None) is not None:
            scores = output.part_logits[sign].transpose(1, 2)  # (B, K, P)
            labels = labels[:, None].expand(-1, scores.shape[2])
        return F.cross_entropy(scores, labels, label_smoothing=self.smoothing)


@dataclass(frozen=True)
class CosineSoftmax(Loss):
    """Cross-entropy over the cosines of the embedding with learned class vectors (NormFace, Wang et al. 2017,
    arXiv:1704.06369). The class vectors are not shipped. scale: of the cosines."""

    scale: Positive = 20.0

    def head(self, dim: int, classes: int) -> nn.Module:
        return nn.Linear(dim, classes, bias=False)

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        assert isinstance(head, nn.Linear)
        sign = batch["sign"]
        cosines = output.embedding[sign] @ F.normalize(head.weight, dim=1).T
        return F.cross_entropy(self.scale * cosines, batch["label"][sign])


@dataclass(frozen=True)
class SupervisedContrast(Loss):
    """Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362) of the embeddings; windows that show no sign
    are negatives to everything."""

    temperature: Positive = 0.07

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        with extra("train", "this loss"):
            from pytorch_metric_learning.losses import SupConLoss

        term: Tensor = SupConLoss(temperature=self.temperature)(output.embedding, batch["label"])
        return term


@dataclass(frozen=True)
class SmoothL1(Loss):
    """Huber's loss of regressed values, quadratic below `beta`, weighted by the batch's "weight"."""

    beta: Positive = 1.0

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        each = F.smooth_l1_loss(output.values[:, 0], batch["target"][:, 0], beta=self.beta, reduction="none")
        return (batch["weight"] * each.mean(1)).mean()


@dataclass(frozen=True)
class Change(SmoothL1):
    """`SmoothL1` of how regressed values change from a frame to the later one beside it in the batch."""

    def __call__(self, output: Any, batch: Batch, head: nn.Module | None, rng: np.random.Generator) -> Tensor:
        values, target = output.values, batch["target"]
        each = F.smooth_l1_loss(
            values[:, 1] - values[:, 0], target[:, 1] - target[:, 0], beta=self.beta, reduction="none"
        )
        return (batch["weight"] * each.mean(1)).mean()


LOSSES: dict[str, type[Loss]] = {
    "triplet": Triplet,
    "part_triplet": PartTriplet,
    "cross_entropy": CrossEntropy,
    "cosine_softmax": CosineSoftmax,
    "supervised_contrast": SupervisedContrast,
    "smooth_l1": SmoothL1,
    "change": Change,
}
"""Name in a recipe's `[loss]` → its settings and formula."""


class Objective(nn.Module):
    """A network with the losses that it is trained by, as one module.

    Args:
        terms: name → loss, as a recipe has them.
        classes: number of signs to tell apart.
        seed: of what the losses draw.
    """

    def __init__(self, network: nn.Module, terms: Mapping[str, Loss], classes: int, seed: int) -> None:
        super().__init__()
        self.network, self.seed = network, seed
        self.terms = {name: term for name, term in terms.items() if term.weight > 0}
        heads = {name: term.head(getattr(network, "dim", 0), classes) for name, term in self.terms.items()}
        self.heads = nn.ModuleDict({name: head for name, head in heads.items() if head is not None})

    def forward(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Every term, and their weighted sum "loss". The network may run in mixed precision, the losses do not."""
        network: Any = self.network
        inputs = {name: batch[name] for name in network.required_inputs}
        output = network.within(inputs, batch["positions"]) if "positions" in batch else network(inputs)
        device = next(iter(inputs.values())).device.type
        with torch.autocast(device, enabled=False):
            output = type(output)(*(value if value is None else value.float() for value in output))
            values = {}
            for name, term in self.terms.items():
                head = self.heads[name] if name in self.heads else None  # noqa: SIM401 (a ModuleDict has no get)
                values[name] = term(output, batch, head, numbers(self.seed, 6, step))
            total = sum(self.terms[name].weight * value for name, value in values.items())
        return {"loss": total, **values}  # type: ignore[dict-item]

    def class_vectors(self) -> Tensor | None:
        """(classes, D) a vector for each sign, of its classifier; None where nothing classifies."""
        for name in ("cosine_softmax", "cross_entropy"):
            if name in self.terms:
                layer: Any = self.heads[name] if name in self.heads else getattr(self.network, "classifier", None)
                if isinstance(layer, nn.Linear):
                    return layer.weight.detach()
                return layer.class_vectors().detach() if hasattr(layer, "class_vectors") else None
        return None
