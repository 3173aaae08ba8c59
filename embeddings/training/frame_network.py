"""The small networks of the phonology, as they are trained: two hidden layers over what is seen of a hand in a frame.

`embeddings.phonology.frame_weights` applies their weights without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from safe_files import reader, whole_file

from ..phonology.depth import OUTPUTS
from ..phonology.locations import LOCATIONS

__all__ = ["DepthNetwork", "FrameNetwork", "FrameNetworkConfig", "FrameOutput", "LocationNetwork"]

LEAST_SPREAD = 0.05
"""Added to the inputs' standard deviations, so that a value that hardly varies does not count a hundredfold."""


@dataclass(frozen=True)
class FrameNetworkConfig:
    """Attributes:
    hidden: width of both hidden layers.
    dropout: of the inputs and of the first hidden layer.
    noise: standard deviation of what is added to the inputs in training.
    later: frames after which a frame is looked at once more in training, for `losses.Change`; 0 for none.
    """

    hidden: int = 96
    dropout: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
    later: int = 0


class FrameOutput(NamedTuple):
    """values (B, V, K) of V views of each frame; logits (B, K) of the first."""

    values: Tensor
    logits: Tensor


class FrameNetwork(nn.Module):
    """(B, V, F) features of hands → (B, V, K) values. See the module's text.

    Class attributes:
        name: as recipes name it.
        input_size: F; output_size: K.
    """

    name: ClassVar[str]
    input_size: ClassVar[int]
    output_size: ClassVar[int]
    required_inputs: ClassVar[tuple[str, ...]] = ("features",)

    def __init__(self, config: FrameNetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config = FrameNetworkConfig() if config is None else config
        self.layers = nn.ModuleList([
            nn.Linear(self.input_size, config.hidden), nn.Linear(config.hidden, config.hidden),
            nn.Linear(config.hidden, self.output_size),
        ])  # fmt: skip
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(self.input_size))
        self.register_buffer("scale", torch.ones(self.input_size))

    @classmethod
    def config_class(cls) -> type:
        return FrameNetworkConfig

    def normalise_by(self, features: Tensor) -> None:
        """Takes mean and spread of the inputs from (N, F) features.

        Raises:
            ValueError: they are of another width.
        """
        if features.shape[1] != self.input_size:
            raise ValueError(f"features have {features.shape[1]} values; network {self.name!r} takes {self.input_size}")
        self.mean.copy_(features.mean(0))
        self.scale.copy_(features.std(0) + LEAST_SPREAD)

    def forward(self, inputs: Mapping[str, Tensor]) -> FrameOutput:
        """inputs: "features" (B, V, F)."""
        values = torch.stack([self._of(view) for view in inputs["features"].unbind(1)], dim=1)
        return FrameOutput(values, values[:, 0])

    def _of(self, x: Tensor) -> Tensor:
        if self.training and self.config.noise:
            x = x + self.config.noise * torch.randn_like(x)
        first, second, last = self.layers
        x = F.dropout((x - self.mean) / self.scale, self.config.dropout[0], self.training)
        x = F.dropout(F.relu(first(x)), self.config.dropout[1], self.training)
        return last(F.relu(second(x)))

    def save(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Layers with the mean and scale of their inputs, as `embeddings.phonology.frame_weights` reads them."""
        import json

        from safetensors.torch import save_file

        arrays = {"mean": self.mean, "scale": self.scale}
        for k, layer in enumerate(self.layers):
            arrays |= {f"weight{k}": layer.weight, f"bias{k}": layer.bias}  # type: ignore[dict-item]
        head = {"network": self.name, "training": json.dumps(dict(facts), ensure_ascii=False, sort_keys=True)}
        with whole_file(path) as partial:
            save_file({k: v.detach().cpu().clone() for k, v in arrays.items()}, str(partial), metadata=head)

    @reader(ValueError)
    def load(self, path: Path) -> None:
        """Takes over what `save` wrote.

        Raises:
            ValueError: not such a file, or of another network.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            arrays = load_file(str(path))
            state = {"mean": arrays["mean"], "scale": arrays["scale"]}
            for k in range(len(self.layers)):
                state |= {f"layers.{k}.weight": arrays[f"weight{k}"], f"layers.{k}.bias": arrays[f"bias{k}"]}
            if not all(bool(torch.isfinite(values).all()) for values in state.values()):
                raise ValueError("they hold a number that is not finite; the file is damaged")
            self.load_state_dict(state)
        except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise ValueError(f"{path}: not weights of the network {self.name!r} ({reason})") from None


class DepthNetwork(FrameNetwork):
    """Depth of an arm: `embeddings.phonology.depth`."""

    name, input_size, output_size = "depth", 137, len(OUTPUTS)


class LocationNetwork(FrameNetwork):
    """Place of a hand: `embeddings.phonology.locations`."""

    name, input_size, output_size = "locations", 116, len(LOCATIONS)
