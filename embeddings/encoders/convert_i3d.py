"""Published I3D checkpoints (`.pth`, `.pth.tar`) → an `I3D` of ours.

Two layouts are in circulation: `i3d.*` beside `mlp.*` (I3D-MLP, 1064 classes), and a bare I3D whose keys carry the
`module.` of DataParallel, often inside {"state_dict": …}. Files are read with weights_only=True: a file that holds
anything but tensors and plain containers is refused, never executed.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from safe_files import reader

from .i3d import I3D, I3DConfig

__all__ = ["convert_state", "load_i3d", "read_state"]


@reader(ValueError)
def read_state(path: Path | str) -> dict[str, Tensor]:
    """The state dict of a checkpoint file, out of its wrapper and without `module.` prefixes.

    Raises:
        ValueError: the file holds more than tensors, or no state dict.
    """
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{path} holds more than tensors and is refused ({reason}); save its state_dict alone with torch.save"
        ) from None
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not all(isinstance(v, Tensor) for v in loaded.values()) or not loaded:
        raise ValueError(f"{path} holds no state dict (name → tensor); expected a published I3D checkpoint")
    return {key.removeprefix("module."): value for key, value in loaded.items()}


def _classifier(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The 1×1×1 class convolution (K, 1024, 1, 1, 1) as a linear layer (K, 1024); {} when there is none."""
    if "i3d.logits.conv3d.weight" not in state:
        return {}
    weight = state["i3d.logits.conv3d.weight"].flatten(1)
    bias = state.get("i3d.logits.conv3d.bias", torch.zeros(len(weight)))
    return {"classifier.weight": weight, "classifier.bias": bias}


def convert_state(state: Mapping[str, Tensor]) -> tuple[I3DConfig, dict[str, Tensor]]:
    """A published state dict as our config and state dict.

    The class scores stay those of I3D itself (linear in the 1024 features), as published; the MLP's own unused class
    layer `mlp.logits` is left out. Without `mlp.*` the head is "plain".

    Raises:
        ValueError: the keys are not those of an Inception-I3D.
    """
    inception = any(key.startswith("i3d.") for key in state)
    named = dict(state) if inception else {f"i3d.{key}": value for key, value in state.items()}
    if "i3d.Conv3d_1a_7x7.conv3d.weight" not in named:
        first = ", ".join(list(state)[:3])
        raise ValueError(f"not an Inception-I3D state dict: expected Conv3d_1a_7x7.conv3d.weight, found {first}, …")
    stem = named["i3d.Conv3d_1a_7x7.conv3d.weight"]
    if stem.shape[1] != 3:
        raise ValueError(f"the checkpoint takes {stem.shape[1]} input channels; only RGB (3) is supported")
    head = {key: value for key, value in named.items() if key.startswith(("mlp.res.", "mlp.adaptor."))}
    classifier = _classifier(named)
    sizes: dict[str, Any] = (
        {"hidden": len(head["mlp.adaptor.0.weight"]), "embedding": len(head["mlp.adaptor.2.weight"])} if head else {}
    )
    config = I3DConfig(
        classes=len(classifier["classifier.weight"]) if classifier else 0,
        head="mlp" if head else "plain",
        classifier_on="features",
        width=stem.shape[0] / 64,
        **sizes,
    )
    trunk = {k: v for k, v in named.items() if k.startswith("i3d.") and not k.startswith("i3d.logits.")}
    return config, {**trunk, **head, **classifier}


def load_i3d(path: Path | str) -> I3D:
    """An `I3D` with the weights of a published checkpoint file, ready to embed.

    Raises:
        ValueError: not such a checkpoint; the message names the first keys that differ.
    """
    config, state = convert_state(read_state(path))
    encoder = I3D(config)
    missing, unexpected = encoder.load_state_dict(state, strict=False)
    absent = [key for key in missing if not key.endswith("num_batches_tracked")]
    if absent or unexpected:
        raise ValueError(f"{path} does not fit: lacks {absent[:3]}, has besides {list(unexpected)[:3]}")
    return encoder.eval()
