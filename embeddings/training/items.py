"""`Item`: one labelled clip that loads when asked; `Sampling`: which of its frames make a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..clip import Clip
from ..encoders.base import window_positions
from ..encoders.frames import clip_rows
from .augment_pose import time_warp
from .settings import DataPart

if TYPE_CHECKING:
    from ..synthetic import Performance

__all__ = ["Item", "Prepared", "Sampling"]

Prepared = Mapping[str, NDArray[Any]]
"""Per-frame inputs of a clip: name → (T, …)."""


@dataclass(frozen=True)
class Item:
    """One labelled clip.

    Attributes:
        id: unique in its data set.
        label: "" for a clip of several signs.
        load: gives the clip; raises ValueError or OSError when it cannot.
        signer, split, source: "" where unknown.
        recording: what files about recordings call it (key-frames, depth maps); "" for a part of one.
        signs: the signs in it, where they are not `label` alone; the clip's spans say where.
        perform: gives the performance in 3D at 25 frames a second, with its spans; of the procedural signer alone.
        inputs: gives what the network's `prepare_training` (pictures with the margin that crops need) or `prepare`
            would give, where that is at hand; then `load` is not called.
    """

    id: str
    label: str
    load: Callable[[], Clip]
    signer: str = ""
    split: str = ""
    source: str = ""
    recording: str = ""
    signs: tuple[str, ...] = ()
    perform: Callable[[], Performance] | None = None
    inputs: Callable[[], Prepared] | None = None

    def labels(self) -> tuple[str, ...]:
        """The signs in it."""
        return self.signs if self.signs else (self.label,)


@dataclass(frozen=True)
class Sampling:
    """Which frames of a clip make a window; the fields are those of `settings.DataPart`."""

    cut: str = "clip"
    sampling: str = "even"
    stride: int = 1
    jitter: float | Sequence[float] = 0.0
    warp: float = 0.0

    @classmethod
    def of(cls, data: DataPart | Mapping[str, Any]) -> Sampling:
        """From a recipe's data part, or from what a checkpoint's training facts say."""
        settings = data if isinstance(data, Mapping) else vars(data)
        return cls(**{name: settings[name] for name in cls.__dataclass_fields__ if name in settings})

    def positions(
        self, start: float, end: float, samples: int, rng: np.random.Generator | None = None
    ) -> NDArray[np.float64]:
        """Frame positions (samples,) in [start, end), fractional for "even"; without a generator always the same.

        "all" gives every frame, however many.
        """
        length = max(1, round(end - start))
        if self.sampling == "all":
            return start + np.arange(length, dtype=np.float64)
        if self.sampling == "centre":
            return start + clip_rows(length, samples, self.stride).astype(np.float64)
        if self.sampling == "contiguous":
            free = max(0, length - (samples - 1) * self.stride - 1)
            first = free // 2 if rng is None else int(rng.integers(free + 1))
            return start + (first + self.stride * np.arange(samples, dtype=np.float64)) % length
        if rng is None:
            return window_positions(np.array([[start, end]]), samples)[0]
        jitter = self.jitter if isinstance(self.jitter, int | float) else float(rng.choice(self.jitter))
        moved = rng.normal(0, jitter, 2) * (end - start)
        low, high = start + moved[0], max(end + moved[1], start + moved[0] + 2)
        shares = time_warp((np.arange(samples) + 0.5) / samples, rng, self.warp)
        return low + shares * (high - low) - 0.5
