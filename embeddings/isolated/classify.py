"""Isolated recognition: which sign does a clip show? From any checkpoint that was trained with cross-entropy.

Windows are cut as in training; a checkpoint says how.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from safe_files import open_whole, parse_json

from ..clip import Clip
from ..encoders import checkpoint_file, load_encoder
from ..encoders.base import Encoder
from ..encoders.checkpoint import read_header
from ..encoders.compute import Precision, as_configured
from ..training.items import Item, Sampling
from ..training.settings import Augmentation
from ..training.windows import WindowSet, stack

__all__ = ["Classifier", "top_labels", "write_labels"]


class Classifier:
    """A checkpoint as a classifier.

    Raises:
        ValueError: not a checkpoint, or one without a classifier.
    """

    def __init__(self, checkpoint: str | Path, device: str = "cpu", precision: Precision = "float32") -> None:
        self.encoder: Encoder = load_encoder(checkpoint, device, precision=precision)
        if not self.encoder.label_set:
            raise ValueError(f"{checkpoint}: was trained without classes; train it with loss.cross_entropy > 0")
        with checkpoint_file(checkpoint) as path:
            facts = parse_json(read_header(path).get("training", "{}"))
        self.sampling = Sampling.of(facts.get("sampling", {}))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.encoder.label_set

    def parameters(self) -> int:
        """How many numbers the network has learned."""
        return sum(p.numel() for p in self.encoder.parameters())

    def window(self, clip: Clip) -> dict[str, torch.Tensor]:
        """What the network sees of a clip: name → (1, T, …), cut as the checkpoint says.

        Raises:
            ValueError: the clip lacks what the network needs.
        """
        item = Item(clip.name, clip.label if clip.label is not None else "", lambda: clip)
        window = WindowSet([item], self.encoder, self.sampling, Augmentation(), {}).plain(0)
        window.pop("label")
        device = next(self.encoder.parameters()).device
        return {k: v.to(device) for k, v in stack([window]).items()}

    def probabilities(self, clip: Clip) -> NDArray[np.float64]:
        """(K,) probabilities of the classes in the order of `labels`; they sum to 1.

        Raises:
            ValueError: the clip lacks what the network needs.
        """
        return self.probabilities_of([self.window(clip)])[0]

    def probabilities_of(self, windows: Sequence[Mapping[str, torch.Tensor]]) -> NDArray[np.float64]:
        """(N, K) probabilities of N clips' windows (see `window`), computed together."""
        together = {name: torch.cat([window[name] for window in windows]) for name in windows[0]}
        with as_configured(self.encoder):
            logits = self.encoder(together).logits
            assert logits is not None
            return torch.softmax(logits.double(), dim=1).cpu().numpy()


def top_labels(probabilities: NDArray[np.float64], labels: Sequence[str], k: int) -> list[tuple[str, float]]:
    """The k likeliest labels with their probabilities; equally likely ones in the order of `labels`."""
    order = np.argsort(-probabilities, kind="stable")[:k]
    return [(labels[i], float(probabilities[i])) for i in order]


def write_labels(path: str | Path, found: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    """CSV `sample,rank,label,probability`, a row per sample and rank, whole or not at all."""
    with open_whole(path) as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "rank", "label", "probability"])
        for sample, ranked in found.items():
            writer.writerows([sample, rank, label, f"{p:.6f}"] for rank, (label, p) in enumerate(ranked, start=1))
