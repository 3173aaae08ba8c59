"""Validation figures of a network: loss and accuracy of its classifier, one-shot accuracy of its embedding."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from eval.isolated import IsolatedScore, isolated_score, rank_labels
from eval.isolated.retrieval import cosine_similarity, one_shot_retrieval

from ..encoders.base import Encoder

if TYPE_CHECKING:
    from .windows import WindowSet

__all__ = ["Figures", "Outputs", "better", "figures_of", "one_shot", "outputs_of", "score"]


@dataclass(frozen=True)
class Figures:
    """NaN where a figure does not apply: loss and top1 without a classifier, one_shot without two clips of a sign.

    Attributes:
        loss: mean cross-entropy; of a network that regresses, the mean absolute error.
        top1: share of clips whose likeliest class is right.
        one_shot: recall@1 with one clip per sign as its exemplar, the mean over ten draws; queries by other signers.
        clips: how many clips, signs or frames were looked at.
    """

    loss: float = float("nan")
    top1: float = float("nan")
    one_shot: float = float("nan")
    clips: int = 0

    def value(self, watch: str) -> float:
        """The watched figure as higher-is-better; NaN for "last"."""
        return {"loss": -self.loss, "top1": self.top1, "one-shot": self.one_shot}.get(watch, float("nan"))

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Outputs:
    """embeddings (N, D) unit rows; logits (N, K); None where the network has none."""

    embeddings: NDArray[np.float32] | None
    logits: NDArray[np.float32] | None


@torch.inference_mode()
def outputs_of(network: Any, batches: Iterable[Mapping[str, Tensor]]) -> Outputs:
    """What a network makes of batches (of whole windows, or with their "positions" in the frames around them), in
    evaluation mode."""
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    rows: dict[str, list[NDArray[np.float32]]] = {"embedding": [], "logits": []}
    for batch in batches:
        inputs = {name: batch[name].to(device) for name in network.required_inputs}
        within = "positions" in batch
        output = network.within(inputs, batch["positions"].to(device)) if within else network(inputs)
        for name, values in rows.items():
            tensor = getattr(output, name, None)
            if tensor is not None:
                values.append(tensor.float().cpu().numpy())
    network.train(was_training)
    embeddings, logits = (np.concatenate(values) if values else None for values in rows.values())
    return Outputs(embeddings, logits)


def better(value: float, best: float) -> bool:
    """Whether a watched value improves on the best so far (NaN never does; anything does on NaN)."""
    return not np.isnan(value) and (np.isnan(best) or value > best)


def figures_of(outputs: Outputs, classes: Sequence[int], labels: Sequence[str], signers: Sequence[str]) -> Figures:
    """Figures of N clips.

    Args:
        classes: (N,) class numbers, −1 for a sign that was not trained on.
        signers: (N,), "" where unknown.

    Raises:
        ValueError: the network classifies, and some of the clips' signs are among its classes but not all.
    """
    loss = top1 = float("nan")
    numbers = np.asarray(classes)
    if outputs.logits is not None and (numbers >= 0).any():
        if (numbers < 0).any():
            label = labels[int(np.flatnonzero(numbers < 0)[0])]
            raise ValueError(f"validation has the sign {label!r}, which is not among the classes trained on")
        loss = float(F.cross_entropy(torch.from_numpy(outputs.logits), torch.from_numpy(numbers)))
        top1 = float((outputs.logits.argmax(axis=1) == numbers).mean())
    assert outputs.embeddings is not None
    return Figures(loss, top1, one_shot(outputs.embeddings, labels, signers), len(numbers))


def one_shot(
    vectors: NDArray[np.float32], labels: Sequence[str], signers: Sequence[str], draws: int = 10
) -> float:  # fmt: skip
    """Recall@1 of one-shot retrieval; NaN when no clip has another of its sign by somebody else."""
    try:
        retrieval = one_shot_retrieval(
            cosine_similarity(vectors), labels, signers if all(signers) else None, draws=draws, ks=(1,)
        )
    except ValueError:
        return float("nan")
    return float(retrieval.recall[1].mean())


def score(encoder: Encoder, data: WindowSet, facts: Mapping[str, Any] | None = None) -> IsolatedScore:
    """Isolated recognition with counts, intervals, per class and per signer (`eval.isolated`).

    Raises:
        ValueError: the network has no classifier.
    """
    out = data.outputs(encoder)
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
