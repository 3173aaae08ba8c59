"""Single frames as training material: what a small network says of one hand in one frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .batches import Draw
from .frame_network import FrameNetwork
from .items import Item
from .settings import Recipe
from .validation import Figures, outputs_of

__all__ = ["FrameSet"]


class FrameSet:
    """Frames of clips that carry `extra["features"]` (T, H, F), H hands, and what is true of them: either
    `extra["class"]` (T, H), −1 where a frame is not used, or `extra["target"]` (T, H, K); and, if frames count
    differently, `extra["weight"]` (T,). What samplers draw are the hands' frames.

    Args:
        later: frames after which a row is looked at once more, for losses of how values change; 0 for none.

    Raises:
        ValueError: a clip without these arrays, or no frame to train on.
    """

    def __init__(
        self, items: Sequence[Item], later: int = 0, progress: Callable[[int, int, str], None] | None = None
    ) -> None:
        tracks: list[dict[str, NDArray[Any]]] = []
        for number, item in enumerate(items):
            tracks += _tracks(item)
            if progress is not None:
                progress(number + 1, len(items), "clips prepared")
        lengths = np.array([len(track["features"]) for track in tracks])
        starts = np.repeat(np.cumsum([0, *lengths])[:-1], lengths)
        place = np.concatenate([np.arange(length) for length in lengths])
        # the row some frames later of the same track, its last one near the end
        self._later = starts + np.minimum(place + later, np.repeat(lengths, lengths) - 1) if later else None
        self.arrays = {name: np.concatenate([track[name] for track in tracks]) for name in tracks[0]}
        used = self.arrays["class"] >= 0 if "class" in self.arrays else np.isfinite(self.arrays["target"]).all(axis=1)
        self._rows = np.flatnonzero(used)
        if not len(self._rows):
            raise ValueError(f"no frame of {len(items)} clips can be trained on")
        weight = self.arrays["weight"]
        self.arrays["weight"] = (weight / weight[self._rows].mean()).astype(np.float32)
        self.labels = self.arrays.get("class", np.zeros(len(used), np.int64))[self._rows]

    @classmethod
    def of(
        cls, items: Sequence[Item], network: FrameNetwork, recipe: Recipe, classes: Mapping[str, int],
        progress: Callable[[int, int, str], None] | None = None, **_: Any,
    ) -> FrameSet:  # fmt: skip
        """As a recipe says."""
        if not isinstance(network, FrameNetwork):
            raise ValueError(f"{network.name} does not look at single frames; set data.material to windows")
        return cls(items, network.config.later, progress)

    def __len__(self) -> int:
        return len(self._rows)

    def features(self) -> Tensor:
        """(N, F) of all frames that are trained on."""
        return torch.from_numpy(self.arrays["features"][self._rows])

    def batch(self, draw: Draw) -> dict[str, Tensor]:
        """ "features" (B, V, F), V = 2 with the later frame beside each; "label" (B,) or "target" (B, V, K);
        "weight" (B,), 1 on average."""
        rows = self._rows[draw.items]
        views = rows[:, None] if self._later is None else np.stack([rows, self._later[rows]], axis=1)
        names = {"features": views, "target": views, "class": rows, "weight": rows}
        batch = {n: torch.from_numpy(self.arrays[n][index]) for n, index in names.items() if n in self.arrays}
        if "class" in batch:
            batch["label"] = batch.pop("class")
        return batch

    def figures(self, network: FrameNetwork) -> Figures:
        """Cross-entropy and accuracy of a network that classifies, mean absolute error of one that regresses."""
        values = torch.from_numpy(outputs_of(network, [{"features": self.features()[:, None]}]).logits)
        if "class" in self.arrays:
            labels = torch.from_numpy(self.labels)
            top1 = float((values.argmax(dim=1) == labels).double().mean())
            return Figures(float(F.cross_entropy(values, labels)), top1, clips=len(labels))
        target = torch.from_numpy(self.arrays["target"][self._rows])
        return Figures(float((values - target).abs().mean()), clips=len(target))


def _tracks(item: Item) -> list[dict[str, NDArray[Any]]]:
    """A hand's frames each."""
    extra = item.load().extra
    truth = next((name for name in ("class", "target") if name in extra), None)
    if truth is None or "features" not in extra:
        names = ", ".join(extra) if extra else "none"
        raise ValueError(f"{item.id}: needs the arrays 'features' and 'class' or 'target'; it has {names}")
    features = np.asarray(extra["features"], np.float32)
    values = np.asarray(extra[truth], np.int64 if truth == "class" else np.float32)
    weight = np.asarray(extra.get("weight", np.ones(len(features))), np.float64)
    if features.ndim != 3 or values.shape[:2] != features.shape[:2]:
        raise ValueError(f"{item.id}: features {features.shape} and {truth} {values.shape} do not fit together")
    return [
        {"features": features[:, hand], truth: values[:, hand], "weight": weight} for hand in range(features.shape[1])
    ]
