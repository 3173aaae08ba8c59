"""Performances of the procedural signer as training material, filmed anew for every batch (see `filming`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..encoders.base import Encoder
from ..pose.features import BODY
from .batches import Draw, numbers
from .filming import POINTS, film, frame_rates
from .items import Item
from .settings import Filming, Recipe
from .stretches import Stretches, StretchSet

__all__ = ["FilmedSet", "performances"]

MARGIN = 4
"""Frames of the context that a window leaves free at least; a longer one is played faster."""
REACH = 0.8
"""How far towards the clip's ends a loose window goes at most, as a share of the way."""


def performances(
    items: Sequence[Item], signs: Sequence[str], progress: Callable[[int, int, str], None] | None = None
) -> Stretches:
    """The points that the encoder's inputs are made of, in 3D, and the signs of all performances.

    Args:
        signs: whose places are their numbers.

    Returns:
        Stretches with features (N, 49, 3): metres, the body in the axes of `Figure`, each hand from the body's wrist.

    Raises:
        ValueError: an item is no performance of the procedural signer.
    """
    numbered = {sign: number for number, sign in enumerate(signs)}
    rows: list[NDArray[np.float16]] = []
    ranges: list[tuple[int, int]] = []
    spans: list[tuple[int, int, int, int]] = []
    at = 0
    for number, item in enumerate(items):
        if item.perform is None:
            raise ValueError(f"{item.id}: a recording cannot be filmed anew; data.material 'filmed' takes signing:SEED")
        performance = item.perform()
        rows.append(_points(performance.figure.xyz))
        length = len(performance)
        spans += [(numbered[s.label], at + s.start, min(at + s.end, at + length), number) for s in performance.spans]
        ranges.append((at, at + length))
        at += length
        if progress is not None and (number % 100 == 99 or number + 1 == len(items)):
            progress(number + 1, len(items), "performances prepared")
    return Stretches(np.concatenate(rows), np.array(ranges, np.int64), np.array(spans, np.int64))


def _points(xyz: NDArray[np.float32]) -> NDArray[np.float16]:
    from ..synthetic import figure_index

    body = xyz[:, [figure_index(name) for name in BODY]]
    hands = [figure_index(f"{side}_hand_wrist") for side in ("left", "right")]
    own = [xyz[:, at : at + 21] - xyz[:, at : at + 1] for at in hands]
    return np.concatenate([body, *own], axis=1).astype(np.float16)


class FilmedSet(StretchSet):
    """Windows of performances; the network's inputs are made when a batch is.

    Args:
        style: how they are filmed.
    """

    def __init__(
        self, stretches: Stretches, items: Sequence[Item], encoder: Encoder, signs: Sequence[str],
        classes: Mapping[str, int], context: int = 40, jitter: float | Sequence[float] = 0.12, tempo: float = 0.0,
        style: Filming | None = None,
    ) -> None:  # fmt: skip
        super().__init__(stretches, items, encoder, signs, classes, context, jitter, tempo)
        self.style = Filming() if style is None else style
        self.alone = np.bincount(stretches.spans[:, 3], minlength=len(stretches.clips)) == 1

    @classmethod
    def of(
        cls, items: Sequence[Item], network: Encoder, recipe: Recipe, classes: Mapping[str, int],
        cache: Path | None = None, fingerprint: str = "",
        progress: Callable[[int, int, str], None] | None = None,
    ) -> StretchSet:  # fmt: skip
        """As a recipe says. Recordings (of a mixture) are cut and augmented as "stretches" are.

        Raises:
            ValueError: the network is no `sign-tcn`.
        """
        if any(item.perform is None for item in items):
            return StretchSet.of(items, network, recipe, classes, cache, fingerprint, progress)
        if network.name != "sign-tcn":
            raise ValueError(f"data.material 'filmed' makes the inputs of sign-tcn, not those of {network.name}")
        signs = sorted({sign for item in items for sign in item.labels()})
        stretches = Stretches.kept(cache, fingerprint, lambda: performances(items, signs, progress))
        data = recipe.data
        return cls(stretches, items, network, signs, classes, data.context, data.jitter, data.tempo, recipe.filming)

    def batch(self, draw: Draw) -> dict[str, Tensor]:
        """As `StretchSet.batch`; "pose" (B, context, 100)."""
        rng = numbers(draw.seed, 3, draw.number, draw.slot)
        spans = self.stretches.spans[draw.items]
        windows, labels, clips = self._jittered(spans, rng), self.labels[draw.items], spans[:, 3]
        windows = self._loosened(windows, clips, rng)
        if draw.background:
            between, homes = self._between(rng, draw.background)
            windows, clips = np.concatenate([windows, between]), np.concatenate([clips, homes])
            labels = np.concatenate([labels, np.full(len(between), -1)])
        tempo = np.exp(rng.normal(0, self.tempo, len(windows)))
        return self._filmed(windows, clips, tempo, rng) | {"label": torch.from_numpy(labels)}

    def _loosened(
        self, windows: NDArray[np.float64], clips: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        loose = self.alone[clips] & (rng.random(len(windows)) < self.style.loose)
        ends = self.stretches.clips[clips].astype(float)
        further = windows + rng.uniform(0, REACH, windows.shape) * (ends - windows)
        return np.where(loose[:, None], further, windows)

    def _filmed(
        self, windows: NDArray[np.float64], clips: NDArray[np.int64], tempo: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> dict[str, Tensor]:  # fmt: skip
        tempo = np.maximum(tempo, (windows[:, 1] - windows[:, 0]) / (self.context - MARGIN))
        rates = frame_rates(len(windows), self.style, rng)
        figures, _ = self.cut(windows, clips, tempo / rates)
        values = film(torch.from_numpy(figures.reshape(*figures.shape[:2], POINTS, 3)), rng, self.style, rates)
        begin = windows.mean(axis=1) - tempo * self.context / 2
        inside = (windows - begin[:, None]) / tempo[:, None]
        return self._tensors(values.numpy(), inside)

    def exact(self, rows: NDArray[np.int64]) -> dict[str, Tensor]:
        """Windows around signs (rows of the stretches' spans) as they are, each filmed always in the same way."""
        spans, rng = self.stretches.spans[rows], numbers(0, 9, int(rows[0]))
        return self._filmed(spans[:, 1:3].astype(np.float64), spans[:, 3], np.ones(len(rows)), rng)
