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
from torch.nn import functional as F

from ..clip import Clip
from ..interpolation import rows_at
from .compute import Precision, computing

__all__ = ["Encoder", "EncoderOutput", "Inputs", "interpolated", "unit_rows", "window_positions"]

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


def unit_rows(rows: Tensor) -> Tensor:
    """Rows of length 1, also where they were computed in 16 bits."""
    return F.normalize(rows) if torch.is_autocast_enabled(rows.device.type) else rows


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
        parts: of how many unit vectors, each over √parts, the embedding is made; 1 where it is one.
        at_once: windows that are computed together; memory grows with it, vectors do not depend on it.
        precision: what vectors are computed in (`compute.DTYPES`); they are float32 whatever it is.
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
    parts: int = 1
    at_once: int = 128
    precision: Precision = "float32"

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

    def staged(self, inputs: Inputs) -> Inputs:
        """Prepared inputs of a whole clip with the work that windows share done, for `embed` and `clip_features`."""
        return inputs

    def clip_features(self, inputs: Inputs) -> NDArray[np.float32]:
        """Vectors of every frame (T, F), unit rows, for alignment.

        Unless a network has features of its own for a frame, those of a short window around it.
        """
        return self.window_features(inputs, np.arange(len(next(iter(inputs.values())))))

    def window_features(self, inputs: Inputs, frames: NDArray[np.intp]) -> NDArray[np.float32]:
        """Vectors (n, D), unit rows, of the short windows around frames (n,)."""
        centres = frames + 0.5
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

    @computing
    def embed(self, inputs: Inputs, windows: NDArray[np.floating], batch: int | None = None) -> NDArray[np.float32]:
        """Vectors (W, D) float32, unit rows, of half-open frame windows (W, 2) of one prepared clip.

        Args:
            batch: windows computed together; None takes `at_once`.
        """
        self.check_inputs(inputs)
        self.eval()
        parts = self.batches(inputs, windows, self.at_once if batch is None else batch)
        rows = [unit_rows(self(part).embedding.float()).cpu().numpy() for part in parts]
        return np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32)
