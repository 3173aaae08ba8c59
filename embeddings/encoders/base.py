"""`Encoder`: the base class every network derives from.

Data flow: ``Clip`` → `Encoder.prepare` (per-frame work, once a clip, NumPy) → windows gathered in time by
`rows_at` → `Encoder.forward` (a batch of windows) → unit rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, get_args, get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..clip import Clip
from ..interpolation import rows_at

__all__ = ["Encoder", "EncoderOutput", "Inputs", "interpolated", "window_positions"]

Inputs = Mapping[str, NDArray[np.float32]]
"""Per-frame inputs of one clip: name → (T, …) float32 without NaN."""


class EncoderOutput(NamedTuple):
    """What a network returns for a batch of B windows.

    Attributes:
        embedding: (B, D), unit rows; cosine similarity is their inner product.
        parts: (B, P, C), the per-part vectors that the triplet loss compares (P = 1 for most networks).
        logits: (B, K) class scores, or None when the network has no classifier.
        part_logits: (B, P, K) scores of each part, of networks that classify part by part; `logits` is their mean.
    """

    embedding: Tensor
    parts: Tensor
    logits: Tensor | None
    part_logits: Tensor | None = None


def window_positions(windows: NDArray[np.floating], samples: int) -> NDArray[np.float64]:
    """Frame positions (W, samples) that cover each half-open window [start, end) evenly.

    A window of exactly `samples` frames gives its own frames; positions may lie outside the clip
    (readers clamp them, which repeats the edge frame).
    """
    windows = np.asarray(windows, np.float64).reshape(-1, 2)
    centres = (np.arange(samples) + 0.5) / samples
    start, length = windows[:, :1], windows[:, 1:] - windows[:, :1]
    return start + centres * length - 0.5


def interpolated(values: Tensor, positions: Tensor) -> Tensor:
    """(B, T, …) at fractional positions (B, n) in time, clamped, linearly interpolated: (B, n, …)."""
    positions = positions.float().clamp(0, values.shape[1] - 1)
    low = positions.floor().long()
    weight = (positions - low).reshape(*positions.shape, *[1] * (values.dim() - 2))
    rows = torch.arange(len(values), device=values.device)[:, None]
    first = values[rows, low]
    return first + (values[rows, (low + 1).clamp(max=values.shape[1] - 1)] - first) * weight


class Encoder(nn.Module):
    """A network that turns windows of a clip into unit vectors.

    Class attributes:
        name: its key in `embeddings.encoders.ENCODERS`.
        required_inputs: what `forward` must be given; checked once here. A subset of "pose", "frames",
            "left_hand", "right_hand", "flow", "rotations", "depth".
        earlier: values of config fields in checkpoints that were written before there were these fields.
    Instance attributes (set by subclasses before use):
        config: the network's frozen dataclass, enough to rebuild it.
        id: which weights these are (set by `checkpoint.load_checkpoint`); galleries remember it.
        fps: frame rate of the inputs.
        window: number of frames the network sees.
        dim: D of the embedding.
        label_set: class labels of the logits, or ().
    """

    name: ClassVar[str]
    required_inputs: ClassVar[tuple[str, ...]]
    earlier: ClassVar[Mapping[str, Any]] = {}

    config: Any
    id: str = ""
    fps: float = 25.0
    window: int = 16
    dim: int
    label_set: tuple[str, ...] = ()

    @classmethod
    def config_class(cls) -> type:
        """The frozen dataclass that ``__init__`` takes as `config`."""
        hint = get_type_hints(cls.__init__)["config"]
        kind_of_config: type = next((kind for kind in get_args(hint) if kind is not type(None)), hint)
        return kind_of_config

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        """Per-frame inputs of a whole clip at `fps`: name → (T, …) float32 without NaN.

        Raises:
            ValueError: the clip lacks what the network needs (no pose, no frames, wrong skeleton).
        """
        raise NotImplementedError

    def forward(self, inputs: Mapping[str, Tensor]) -> EncoderOutput:
        """inputs: name → (B, window, …)."""
        raise NotImplementedError

    def within(self, inputs: Mapping[str, Tensor], positions: Tensor) -> EncoderOutput:
        """Windows inside their surroundings.

        Args:
            inputs: name → (B, T, …) floats, frames around each window.
            positions: (B, window) in frames of them, fractional, as `window_positions` gives them; clamped.
        """
        return self({name: interpolated(values, positions) for name, values in inputs.items()})

    def clip_features(self, inputs: Inputs) -> NDArray[np.float32]:
        """Vectors of every frame (T, F), unit rows, for alignment.

        Unless a network has features of its own for a frame, those of a short window around it.
        """
        frames = len(next(iter(inputs.values())))
        centres = np.arange(frames) + 0.5
        return self.embed(inputs, np.stack([centres - self.window / 4, centres + self.window / 4], axis=1))

    def check_inputs(self, inputs: Mapping[str, Any]) -> None:
        missing = [name for name in self.required_inputs if name not in inputs]
        if missing:
            raise ValueError(
                f"encoder {self.name!r} needs {', '.join(self.required_inputs)}; "
                f"missing {', '.join(missing)} (given: {', '.join(inputs) or 'nothing'})"
            )

    def batches(self, inputs: Inputs, windows: NDArray[np.floating], batch: int) -> Iterator[dict[str, Tensor]]:
        """Windows (W, 2) of prepared inputs, gathered in time, a batch at a time."""
        device = next(self.parameters()).device
        positions = window_positions(windows, self.window)
        for i in range(0, len(positions), batch):
            yield {
                name: torch.from_numpy(rows_at(inputs[name], positions[i : i + batch])).to(device)
                for name in self.required_inputs
            }

    @torch.inference_mode()
    def embed(self, inputs: Inputs, windows: NDArray[np.floating], batch: int = 128) -> NDArray[np.float32]:
        """Vectors (W, D) float32, unit rows, of half-open frame windows (W, 2) of one prepared clip."""
        self.check_inputs(inputs)
        self.eval()
        rows = [self(part).embedding.float().cpu().numpy() for part in self.batches(inputs, windows, batch)]
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32)
