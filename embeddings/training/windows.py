"""From labelled clips to windows that a network can be trained on.

`Item` is one labelled clip that loads when asked; `WindowSet` cuts one window out of it, augmented by a generator that
follows from (seed, step, place in the batch), so the same step always sees the same values. What loading and preparing
gave is kept in memory up to a budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..clip import Clip, Pose
from ..encoders.base import Encoder, window_positions
from ..encoders.frames import central_inputs, clip_rows
from ..encoders.image_encoder import ImageEncoder
from ..interpolation import rows_at
from .augment_frames import I3D_SCALES, VTN_SCALES, augment_inputs, draw_augmentation
from .augment_pose import augment_pose, time_warp
from .augment_spoter import augment_spoter
from .batches import numbers
from .recipes import Augmentation, DataPart

__all__ = ["Item", "Place", "Sampling", "WindowSet", "stack", "take"]

BUDGET = 4 << 30
Prepared = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Item:
    """One labelled clip.

    Attributes:
        id: unique in its data set.
        load: gives the clip; raises ValueError or OSError when it cannot.
        signer, split, source: "" where unknown.
    """

    id: str
    label: str
    load: Callable[[], Clip]
    signer: str = ""
    split: str = ""
    source: str = ""


class Place(NamedTuple):
    """A clip at its place in a batch: the generator of its augmentation follows from the first three."""

    seed: int
    step: int
    slot: int
    item: int


@dataclass(frozen=True)
class Sampling:
    """Which frames of a clip make a window; the fields are those of `recipes.DataPart`."""

    cut: str = "clip"
    sampling: str = "even"
    stride: int = 1
    jitter: float = 0.0
    warp: float = 0.0

    @classmethod
    def of(cls, data: DataPart | Mapping[str, Any]) -> Sampling:
        """From a recipe's data part, or from what a checkpoint's training facts say."""
        given = data if isinstance(data, Mapping) else vars(data)
        return cls(**{name: given[name] for name in cls.__dataclass_fields__ if name in given})

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
        moved = rng.normal(0, self.jitter, 2) * (end - start)
        low, high = start + moved[0], max(end + moved[1], start + moved[0] + 2)
        shares = time_warp((np.arange(samples) + 0.5) / samples, rng, self.warp)
        return low + shares * (high - low) - 0.5


def take(values: NDArray[Any], positions: NDArray[np.float64]) -> NDArray[Any]:
    """Rows of (T, …) at positions, clamped: pictures by the nearest frame (of two the earlier), others blended."""
    if values.dtype == np.uint8:
        return values[np.clip(np.ceil(positions - 0.5), 0, len(values) - 1).astype(np.intp)]
    return rows_at(values, positions[None])[0]


class WindowSet(Dataset[dict[str, Tensor]]):
    """Windows of labelled clips; see the module's text.

    Args:
        classes: label → number; labels that are not in it are −1.
        budget: bytes of clips and prepared inputs that are kept in memory.
    """

    def __init__(
        self,
        items: Sequence[Item],
        encoder: Encoder,
        sampling: Sampling,
        augmentation: Augmentation,
        classes: Mapping[str, int],
        budget: int = BUDGET,
    ) -> None:
        self.items, self.encoder, self.sampling = list(items), encoder, sampling
        self.augmentation, self.budget = augmentation, budget
        self._skeleton = _own_skeleton(encoder)
        self.labels = [classes.get(item.label, -1) for item in self.items]
        self._clips: dict[int, Clip] = {}
        self._inputs: dict[tuple[int, bool], Prepared] = {}
        self._kept = 0

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: Place) -> dict[str, Tensor]:
        """One window for training: input name → (window, …), and "label"."""
        item = place.item
        rng = numbers(place.seed, 3, place.step, place.slot)
        values = self._augmented(item, rng)
        return self._tensors(values, item)

    def plain(self, item: int) -> dict[str, Tensor]:
        """One window as outside training: nothing drawn."""
        inputs = self.inputs(item)
        positions = self.sampling.positions(*self._ends(item, inputs), self.encoder.window)
        values = {name: take(inputs[name], positions) for name in self.encoder.required_inputs}
        if isinstance(self.encoder, ImageEncoder) and self._larger(values):
            values = central_inputs(values, self.encoder.config.size)
        return self._tensors(values, item)

    def inputs(self, item: int, mirrored: bool = False) -> Prepared:
        """What the network's preparation gives of a clip (of its pose in a mirror), for pictures with the margin that
        crops need."""
        if (item, mirrored) not in self._inputs:
            clip = self.clip(item)
            if mirrored:
                clip = replace(clip, pose=self._pose(item).mirrored())
            training = isinstance(self.encoder, ImageEncoder) and self.augmentation.kind.startswith("frames")
            prepared = self.encoder.prepare_training(clip) if training else self.encoder.prepare(clip)  # type: ignore[operator]
            if not len(next(iter(prepared.values()))):
                raise ValueError(f"{self.items[item].id}: the clip has no frames")
            if not self._room(sum(v.nbytes for v in prepared.values())):
                return dict(prepared)
            self._inputs[item, mirrored] = prepared
        return self._inputs[item, mirrored]

    def _pose(self, item: int) -> Pose:
        pose = self.clip(item).pose
        if pose is None:
            raise ValueError(
                f"{self.items[item].id}: augmentation {self.augmentation.kind!r} needs a pose; the clip has none"
            )
        return pose

    def clip(self, item: int) -> Clip:
        """The clip itself, without its pictures once they are prepared."""
        if item not in self._clips:
            clip = self.items[item].load()
            if clip.pose is not None and self._skeleton:
                clip = replace(clip, pose=clip.pose.to(self._skeleton))
            arrays = list(clip.extra.values()) + ([] if clip.pose is None else [clip.pose.xy])
            if clip.frames is not None or not self._room(2 * sum(v.nbytes for v in arrays)):
                return clip
            self._clips[item] = clip
        return self._clips[item]

    def _room(self, size: int) -> bool:
        if self._kept + size > self.budget:
            return False
        self._kept += size
        return True

    def _larger(self, values: Prepared) -> bool:
        """Whether pictures still have their margin."""
        first = next(n for n in values if n not in ("flow",))
        side = values[first].shape[-1] if first == "depth" else values[first].shape[1]
        return bool(side > self.encoder.config.size) and self.augmentation.kind.startswith("frames")

    def _ends(self, item: int, inputs: Prepared) -> tuple[float, float]:
        """Start and end of the cut in prepared rows."""
        rows = len(next(iter(inputs.values())))
        if self.sampling.cut == "clip":
            return 0.0, float(rows)
        clip = self.clip(item)
        if not clip.spans:
            return 0.0, float(rows)
        scale = rows / max(1, len(clip))
        return clip.spans[0].start * scale, clip.spans[0].end * scale

    def _augmented(self, item: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        kind = self.augmentation.kind
        mirror = self.augmentation.mirror
        if kind in ("pose", "spoter"):
            pose = self._pose(item)
            if kind == "pose":
                pose = augment_pose(pose, rng, self.augmentation.strength, mirror)
            else:
                pose = augment_spoter(pose.mirrored() if rng.random() < mirror else pose, rng)
            inputs: Prepared = self.encoder.prepare(replace(self.clip(item), pose=pose))
        else:
            inputs = self.inputs(item, kind == "mirror" and bool(rng.random() < mirror))
        positions = self.sampling.positions(*self._ends(item, inputs), self.encoder.window, rng)
        values = {name: take(inputs[name], positions) for name in self.encoder.required_inputs}
        if kind.startswith("frames"):
            draw = draw_augmentation(rng, I3D_SCALES if kind == "frames-i3d" else VTN_SCALES)
            return augment_inputs(values, draw, self.encoder.config.size)
        if kind == "hands":
            from ..encoders.handshape import augment_hands

            return {name: augment_hands(images, rng) for name, images in values.items()}
        return values

    def _tensors(self, values: Prepared, item: int) -> dict[str, Tensor]:
        tensors = {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in values.items()}
        return {**tensors, "label": torch.tensor(self.labels[item])}


def _own_skeleton(encoder: Encoder) -> str:
    """The layout that a network's preparation maps poses to, so that it need not augment other joints; or ""."""
    if "rotations" in encoder.required_inputs:
        return ""
    if getattr(encoder.config, "landmarks", "") == "spoter-54":
        return "spoter-54"
    return str(getattr(encoder, "skeleton", ""))


def stack(rows: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Windows as a batch: name → (B, window, …), "label" (B,)."""
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
