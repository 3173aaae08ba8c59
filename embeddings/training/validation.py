"""Validation figures of a network: loss and accuracy of its classifier, one-shot accuracy of its embedding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from eval.isolated import IsolatedScore, isolated_score, rank_labels
from eval.isolated.retrieval import cosine_similarity, one_shot_retrieval

from ..encoders.base import Encoder
from .windows import WindowSet, stack

__all__ = ["Figures", "Outputs", "better", "outputs_of", "score", "validate"]


@dataclass(frozen=True)
class Figures:
    """NaN where a figure does not apply: loss and top1 without a classifier, one_shot without two clips of a sign.

    Attributes:
        loss: mean cross-entropy.
        top1: share of clips whose likeliest class is right.
        one_shot: recall@1 with one clip per sign as its exemplar, the mean over ten draws; queries by other signers.
    """

    loss: float = float("nan")
    top1: float = float("nan")
    one_shot: float = float("nan")
    clips: int = 0

    def value(self, watch: str) -> float:
        """The watched figure as higher-is-better."""
        return {"loss": -self.loss, "top1": self.top1, "one-shot": self.one_shot}[watch]

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Outputs:
    """embeddings (N, D) unit rows; logits (N, K) or None."""

    embeddings: NDArray[np.float32]
    logits: NDArray[np.float32] | None


def better(value: float, best: float) -> bool:
    """Whether a watched value improves on the best so far (NaN never does; anything does on NaN)."""
    return not np.isnan(value) and (np.isnan(best) or value > best)


@torch.inference_mode()
def outputs_of(encoder: Encoder, data: WindowSet, batch: int = 64) -> Outputs:
    """What a network makes of every clip, in evaluation mode, nothing augmented."""
    was_training = encoder.training
    encoder.eval()
    device = next(encoder.parameters()).device
    batch = 1 if data.sampling.sampling == "all" else batch
    embeddings, logits = [], []
    for i in range(0, len(data), batch):
        rows = stack([data.plain(k) for k in range(i, min(i + batch, len(data)))])
        inputs: Mapping[str, Tensor] = {name: v.to(device) for name, v in rows.items() if name != "label"}
        out = encoder(inputs)
        embeddings.append(out.embedding.float().cpu().numpy())
        if out.logits is not None:
            logits.append(out.logits.float().cpu().numpy())
    encoder.train(was_training)
    return Outputs(np.concatenate(embeddings), np.concatenate(logits) if logits else None)


def validate(encoder: Encoder, data: WindowSet, batch: int = 64) -> Figures:
    """The figures of a network on a labelled set.

    Raises:
        ValueError: the network classifies, and a clip's sign is not among its classes.
    """
    out = outputs_of(encoder, data, batch)
    loss = top1 = float("nan")
    if out.logits is not None:
        labels = np.array(data.labels)
        if (labels < 0).any():
            strange = data.items[int(np.flatnonzero(labels < 0)[0])]
            raise ValueError(f"{strange.id}: its sign {strange.label!r} is not among the classes trained on")
        loss = float(F.cross_entropy(torch.from_numpy(out.logits), torch.from_numpy(labels)))
        top1 = float((out.logits.argmax(axis=1) == labels).mean())
    return Figures(loss, top1, one_shot(out.embeddings, data), len(data))


def one_shot(vectors: NDArray[np.float32], data: WindowSet, draws: int = 10) -> float:
    """Recall@1 of one-shot retrieval; NaN when no clip has another of its sign by somebody else."""
    signers = [item.signer for item in data.items]
    try:
        found = one_shot_retrieval(
            cosine_similarity(vectors), [item.label for item in data.items],
            signers if all(signers) else None, draws=draws, ks=(1,),
        )  # fmt: skip
    except ValueError:
        return float("nan")
    return float(found.recall[1].mean())


def score(encoder: Encoder, data: WindowSet, facts: Mapping[str, Any] | None = None) -> IsolatedScore:
    """Isolated recognition with counts, intervals, per class and per signer (`eval.isolated`).

    Raises:
        ValueError: the network has no classifier.
    """
    out = outputs_of(encoder, data)
    if out.logits is None:
        raise ValueError(f"encoder {encoder.name!r} has no classifier; train it with loss.cross_entropy")
    ids = [item.id for item in data.items]
    signers = {item.id: item.signer for item in data.items}
    ranked: Mapping[str, Sequence[str]] = rank_labels(ids, out.logits, encoder.label_set, k=5)
    truth = {item.id: item.label for item in data.items}
    if not all(signers.values()):
        warnings.warn("signers are not known: the interval takes clips as independent", stacklevel=2)
        return isolated_score(truth, ranked, facts=facts)
    return isolated_score(truth, ranked, signers, facts=facts)
