"""Stretches of signing as training material: windows around labelled signs, and windows between them.

The clips (whole utterances, or isolated signs) are turned once into what the network's `prepare` gives and kept as one
array in 16 bits. Batches then cut windows out of it, with the frames around them: jittered at both ends, played faster
or slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from safe_files import whole_file

from ..encoders.base import Encoder, window_positions
from ..encoders.image_encoder import ImageEncoder
from .augment_windows import augment_batch
from .batches import Draw, numbers
from .items import Item
from .settings import Recipe
from .validation import Figures, Outputs, figures_of, outputs_of

__all__ = ["StretchSet", "Stretches", "collect"]

SHORTEST_SIGN, SHORTEST_BETWEEN = 4, 6
"""Frames that a window of a sign, and one between signs, has at least."""
EDGE = 0.7, 1.3
"""Lengths of windows between signs, as shares of the sign beside them."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Prepared frames of many clips in one array.

    Attributes:
        features: (N, …) float16 rows of all clips, one after another.
        clips: (C, 2) int64 row ranges [start, end) of the clips.
        spans: (S, 4) int64: number of the sign, first row, end row, clip.
    """

    features: NDArray[np.float16]
    clips: NDArray[np.int64]
    spans: NDArray[np.int64]

    def save(self, path: Path, fingerprint: str) -> None:
        """Writes them, so that a training that goes on need not make them anew."""
        from safetensors.numpy import save_file

        with whole_file(path) as partial:
            save_file(vars(self), str(partial), metadata={"fingerprint": fingerprint})

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Stretches | None:
        """What `save` wrote with the same fingerprint; None where there is no such file."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="np") as file:
                if (file.metadata() or {}).get("fingerprint") != fingerprint:
                    return None
                return cls(**{name: file.get_tensor(name) for name in ("features", "clips", "spans")})
        except (SafetensorError, OSError):
            return None

    @classmethod
    def kept(cls, cache: Path | None, fingerprint: str, make: Callable[[], Stretches]) -> Stretches:
        """What the file keeps under the fingerprint, else what is made, and kept there from now on.

        Args:
            cache: None keeps nothing.
        """
        stretches = None if cache is None else cls.load(cache, fingerprint)
        if stretches is None:
            stretches = make()
            if cache is not None:
                stretches.save(cache, fingerprint)
        return stretches


def collect(
    items: Sequence[Item],
    signs: Sequence[str],
    encoder: Encoder,
    progress: Callable[[int, int, str], None] | None = None,
) -> Stretches:
    """Prepared frames and signs of clips.

    Args:
        signs: whose places are their numbers; signs that are not among them are background.
        progress: called with clips done, clips in all and a line.

    Raises:
        ValueError: the network takes several inputs, or pictures; or no clip shows a sign.
    """
    if isinstance(encoder, ImageEncoder) or len(encoder.required_inputs) > 1:
        raise ValueError(f"{encoder.name} looks at {', '.join(encoder.required_inputs)}; stretches hold poses alone")
    name, numbered = encoder.required_inputs[0], {sign: number for number, sign in enumerate(signs)}
    rows: list[NDArray[np.float16]] = []
    ranges: list[tuple[int, int]] = []
    spans: list[tuple[int, int, int, int]] = []
    at = 0
    for number, item in enumerate(items):
        clip = item.load()
        values = encoder.prepare(clip)[name].astype(np.float16)
        ratio = encoder.fps / clip.fps
        for span in clip.spans:
            if span.label in numbered:
                start = at + round(span.start * ratio)
                end = max(start + 2, at + round(span.end * ratio))
                spans.append((numbered[span.label], start, min(end, at + len(values)), number))
        ranges.append((at, at + len(values)))
        rows.append(values)
        at += len(values)
        if progress is not None and (number % 100 == 99 or number + 1 == len(items)):
            progress(number + 1, len(items), "clips prepared")
    if not spans:
        raise ValueError(f"none of {len(items)} clips shows a labelled sign; stretches need clips with spans")
    return Stretches(np.concatenate(rows), np.array(ranges, np.int64), np.array(spans, np.int64))


class StretchSet:
    """Windows of stretches; what samplers draw are signs performed (rows of `Stretches.spans`).

    Args:
        items: the clips in the order of the stretches; signers are looked up there.
        signs: in the order of the stretches.
        classes: sign → class; signs that are not in it (of validation) are −1.
        context: frames around a window's middle that a batch holds.
        jitter: standard deviations of a window's ends in shares of its length, one of them per window.
        tempo: standard deviation of the log of how much faster or slower the material is played.
    """

    def __init__(
        self, stretches: Stretches, items: Sequence[Item], encoder: Encoder, signs: Sequence[str],
        classes: Mapping[str, int], context: int = 56, jitter: float | Sequence[float] = 0.12, tempo: float = 0.0,
        augmentation: str = "none",
    ) -> None:  # fmt: skip
        self.stretches, self.items, self.encoder, self.signs = stretches, list(items), encoder, tuple(signs)
        self.context, self.tempo, self.augmentation = context, tempo, augmentation
        self.jitter = (jitter,) if isinstance(jitter, int | float) else tuple(jitter)
        self.labels = np.array([classes.get(sign, -1) for sign in signs], np.int64)[stretches.spans[:, 0]]

    @classmethod
    def of(
        cls, items: Sequence[Item], network: Encoder, recipe: Recipe, classes: Mapping[str, int],
        cache: Path | None = None, fingerprint: str = "",
        progress: Callable[[int, int, str], None] | None = None,
    ) -> StretchSet:  # fmt: skip
        """As a recipe says.

        Args:
            cache: file in which the stretches are kept until the training ends.
        """
        signs = sorted({sign for item in items for sign in item.labels()})
        stretches = Stretches.kept(cache, fingerprint, lambda: collect(items, signs, network, progress))
        data, kind = recipe.data, recipe.augmentation.kind
        return cls(stretches, items, network, signs, classes, data.context, data.jitter, data.tempo, kind)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, draw: Draw) -> dict[str, Tensor]:
        """Windows around the signs drawn, then windows between signs.

        Returns:
            The network's input (B, context, …), "positions" (B, window) of the windows' samples in these frames, and
            "label" (B,), −1 for windows between signs.
        """
        rng = numbers(draw.seed, 3, draw.number, draw.slot)
        spans = self.stretches.spans[draw.items]
        windows, labels, clips = self._jittered(spans, rng), self.labels[draw.items], spans[:, 3]
        if draw.background:
            between, homes = self._between(rng, draw.background)
            windows, clips = np.concatenate([windows, between]), np.concatenate([clips, homes])
            labels = np.concatenate([labels, np.full(len(between), -1)])
        tempo = np.exp(rng.normal(0, self.tempo, len(windows))) if self.tempo else None
        batch = self._tensors(*self.cut(windows, clips, tempo)) | {"label": torch.from_numpy(labels)}
        return augment_batch(batch, self.augmentation, draw)

    def outputs(self, network: Encoder, batch: int = 256) -> Outputs:
        """What a network makes of every sign, cut exactly, in evaluation mode."""
        rows = np.arange(len(self.stretches.spans))
        return outputs_of(network, (self.exact(rows[i : i + batch]) for i in range(0, len(rows), batch)))

    def exact(self, rows: NDArray[np.int64]) -> dict[str, Tensor]:
        """Windows around signs (rows of the stretches' spans), cut exactly."""
        spans = self.stretches.spans[rows]
        return self._tensors(*self.cut(spans[:, 1:3].astype(np.float64), spans[:, 3]))

    def figures(self, network: Encoder) -> Figures:
        """Validation figures; one-shot accuracy is among the signs of these stretches."""
        labels = [self.signs[number] for number in self.stretches.spans[:, 0]]
        signers = [self.items[clip].signer for clip in self.stretches.spans[:, 3]]
        return figures_of(self.outputs(network), self.labels.tolist(), labels, signers)

    def _tensors(self, frames: NDArray[np.float32], windows: NDArray[np.float64]) -> dict[str, Tensor]:
        positions = torch.from_numpy(window_positions(windows, self.encoder.window)).float()
        return {self.encoder.required_inputs[0]: torch.from_numpy(frames), "positions": positions}

    def _jittered(self, spans: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        start, end = spans[:, 1].astype(float), spans[:, 2].astype(float)
        length = np.maximum(end - start, SHORTEST_SIGN)
        shift = rng.normal(0, rng.choice(self.jitter, len(spans)), (2, len(spans))) * length
        return np.stack([start + shift[0], np.maximum(end + shift[1], start + shift[0] + SHORTEST_SIGN)], axis=1)

    def _between(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Windows centred on a sign's edge (half of it, half of what follows) and of rest."""
        spans = self.stretches.spans[rng.integers(len(self.stretches.spans), size=count)]
        length = np.maximum(spans[:, 2] - spans[:, 1], SHORTEST_BETWEEN)
        edge = np.where(rng.random(len(spans)) < 0.5, spans[:, 1], spans[:, 2])
        half = 0.5 * length * rng.uniform(*EDGE, len(spans))
        return np.stack([edge - half, edge + half], axis=1), spans[:, 3]

    def cut(
        self, windows: NDArray[np.float64], clips: NDArray[np.int64], tempo: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Frames (B, context, …) around windows (B, 2) of the material's rows, and the windows inside them.

        Args:
            tempo: (B,) rows of the material per frame of the result (2: twice as fast), None for 1.
        """
        first, last = self.stretches.clips[clips].T
        if tempo is None:
            start = np.round(windows.mean(axis=1)).astype(np.int64) - self.context // 2
            rows = np.clip(start[:, None] + np.arange(self.context), first[:, None], last[:, None] - 1)
            return self.stretches.features[rows].astype(np.float32), windows - start[:, None]
        begin = windows.mean(axis=1) - tempo * self.context / 2
        places = begin[:, None] + tempo[:, None] * np.arange(self.context)
        places = np.clip(places, first[:, None], last[:, None] - 1)
        low = places.astype(np.int64)
        share = (places - low).astype(np.float32).reshape(*places.shape, *[1] * (self.stretches.features.ndim - 1))
        before = self.stretches.features[low].astype(np.float32)
        after = self.stretches.features[np.minimum(low + 1, last[:, None] - 1)].astype(np.float32)
        return before + share * (after - before), (windows - begin[:, None]) / tempo[:, None]
