"""What batches are cut out of: the kinds of material by name, and several materials in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from .batches import Draw, PKSampler, Sampler, ShuffleSampler
from .filmed import FilmedSet
from .frames import FrameSet
from .settings import Recipe
from .stretches import StretchSet
from .validation import Figures
from .windows import WindowSet

__all__ = ["MATERIALS", "Material", "Mixture", "samplers"]


class Material(Protocol):
    """Labelled things that batches are made of.

    Attributes:
        labels: class of each, −1 for one that is not trained on (of validation).
    """

    labels: Sequence[int] | NDArray[np.int64]

    def __len__(self) -> int: ...

    def batch(self, draw: Draw) -> dict[str, Tensor]:
        """The inputs by name, and "label" (B,) or "target" (B, …); a label of −1 is of a window without a sign."""
        ...

    def figures(self, network: Any) -> Figures:
        """Validation figures of a network on all of it."""
        ...


MATERIALS: dict[str, Any] = {
    "windows": WindowSet.of, "stretches": StretchSet.of, "filmed": FilmedSet.of, "frames": FrameSet.of,
}  # fmt: skip
"""`data.material` → what makes it of (items, network, recipe, classes, cache, fingerprint, progress)."""


class Mixture(Dataset[dict[str, Tensor]]):
    """Batches of which each part comes from another material.

    Args:
        classes: number of signs; a window without a sign gets a label of its own from there on.
    """

    def __init__(self, parts: Sequence[Material], classes: int) -> None:
        self.parts, self.classes = tuple(parts), classes

    def __getitem__(self, draws: Sequence[Draw]) -> dict[str, Tensor]:
        rows = [part.batch(draw) for part, draw in zip(self.parts, draws, strict=True)]
        batch = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
        if "label" in batch:
            label = batch["label"]
            batch["sign"] = label >= 0
            without = int((~batch["sign"]).sum())
            label[~batch["sign"]] = self.classes + torch.arange(without)
        return batch


def samplers(recipe: Recipe, parts: Sequence[Material]) -> list[Sampler]:
    """One for each part: the recipe's own, then those of its mixture.

    Raises:
        ValueError: fewer signs than a batch needs, or no clip.
    """
    batch, seed = recipe.batch, recipe.run.seed
    result: list[Sampler] = []
    for number, (part, share) in enumerate(zip(parts, recipe.shares(), strict=True)):
        if batch.sampler == "shuffle":
            result.append(ShuffleSampler(len(part), share.size, seed, number))
        else:
            neighbours = batch.neighbours if number == 0 else 0
            result.append(PKSampler(part.labels, share.classes, share.each, seed, neighbours, number))  # type: ignore[arg-type]
    return result
