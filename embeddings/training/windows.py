"""From labelled clips to windows that a network can be trained on.

`WindowSet` cuts one window out of each `Item`, augmented by a generator that follows from (seed, number of the batch,
slot in the batch), so the same step always sees the same values. What loading and preparing gave is kept in memory up
to a budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..clip import Clip, Pose
from ..encoders.base import Encoder
from ..encoders.frames import central_inputs
from ..encoders.image_encoder import ImageEncoder
from ..interpolation import rows_at
from .augment_frames import augment_inputs, draw_augmentation
from .augment_pose import augment_pose
from .augment_spoter import add_noise, augment_spoter
from .augment_windows import augment_batch
from .batches import Draw, numbers
from .items import Item, Prepared, Sampling
from .settings import Augmentation, Recipe
from .validation import Figures, Outputs, figures_of, outputs_of

__all__ = ["Place", "WindowSet", "stack", "take"]

BUDGET = 4 << 30


class Place(NamedTuple):
    """A clip at its place in a batch: the generator of its augmentation follows from the first three."""

    seed: int
    number: int
    slot: int
    item: int


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

    @classmethod
    def of(
        cls, items: Sequence[Item], network: Encoder, recipe: Recipe, classes: Mapping[str, int], **_: Any
    ) -> WindowSet:
        """As a recipe says."""
        return cls(items, network, Sampling.of(recipe.data), recipe.augmentation, classes)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: Place) -> dict[str, Tensor]:
        """One window for training: input name → (window, …), and "label"."""
        rng = numbers(place.seed, 3, place.number, place.slot)
        return self._tensors(self._augmented(place.item, rng), place.item)

    def batch(self, draw: Draw) -> dict[str, Tensor]:
        """The windows of a batch: input name → (B, window, …), "label" (B,)."""
        places = [Place(draw.seed, draw.number, draw.slot + k, int(item)) for k, item in enumerate(draw.items)]
        return augment_batch(stack([self[place] for place in places]), self.augmentation.kind, draw)

    def figures(self, network: Encoder) -> Figures:
        """Validation figures of a network on these clips.

        Raises:
            ValueError: the network classifies, and some of the clips' signs are among its classes but not all.
        """
        signers = [item.signer for item in self.items]
        return figures_of(self.outputs(network), self.labels, [item.label for item in self.items], signers)

    def outputs(self, network: Encoder, batch: int = 64) -> Outputs:
        """What a network makes of every clip, in evaluation mode, nothing augmented."""
        size = 1 if self.sampling.sampling == "all" else batch
        starts = range(0, len(self), size)
        return outputs_of(network, (stack([self.plain(k) for k in range(len(self))[i : i + size]]) for i in starts))

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
        prepare = self.items[item].inputs
        if prepare is not None and not mirrored:
            return prepare()
        if (item, mirrored) not in self._inputs:
            clip = self.clip(item)
            if mirrored:
                clip = replace(clip, pose=self._pose(item).mirrored())
            training = isinstance(self.encoder, ImageEncoder) and self.augmentation.kind == "frames"
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
        return bool(side > self.encoder.config.size) and self.augmentation.kind == "frames"

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
                pose = pose.mirrored() if rng.random() < mirror else pose
                pose = augment_spoter(pose, rng, self.augmentation.probability)
            inputs: Prepared = self.encoder.prepare(replace(self.clip(item), pose=pose))
        else:
            inputs = self.inputs(item, kind == "mirror" and bool(rng.random() < mirror))
        positions = self.sampling.positions(*self._ends(item, inputs), self.encoder.window, rng)
        values = {name: take(inputs[name], positions) for name in self.encoder.required_inputs}
        if kind == "spoter":
            return {name: add_noise(rows, rng, self.augmentation.noise) for name, rows in values.items()}
        if kind == "frames":
            draw = draw_augmentation(rng, self.augmentation.scales, self.augmentation.flip)
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
