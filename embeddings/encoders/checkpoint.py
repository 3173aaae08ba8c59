"""Checkpoints: safetensors files that describe themselves (which network, its config, labels, how it was trained)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from safe_files import parse_json, reader, whole_file

from .base import Encoder
from .table import encoder_class

__all__ = ["CheckpointError", "load_checkpoint", "read_header", "save_checkpoint"]

VERSION = "1"
MOST = 1 << 20
"""Of a number of a config: a damaged one must not make a network that fills the memory."""


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message names the file and says why."""


def save_checkpoint(
    path: str | Path, encoder: Encoder, training: Mapping[str, Any] | None = None, half: bool = False
) -> Path:
    """Writes weights, config, label set and training facts; the file appears when it is whole.

    Args:
        training: facts worth keeping (data, seed, steps, validation figure …), as JSON.
        half: keep floating-point weights in 16 bits (half the size).
    """
    from safetensors.torch import save_file

    path = Path(path)
    state = {k: _packed(v, half) for k, v in encoder.state_dict().items()}
    head = {
        "format": "sign-spotter-encoder",
        "version": VERSION,
        "encoder": encoder.name,
        "config": json.dumps(asdict(encoder.config)),
        "label_set": json.dumps(list(encoder.label_set), ensure_ascii=False),
        "training": json.dumps(dict(training or {}), ensure_ascii=False, sort_keys=True),
    }
    with whole_file(path) as partial:
        save_file(state, str(partial), metadata=head)
    return path


def _packed(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous()
    return value.half() if half and value.is_floating_point() else value.clone()


@reader(CheckpointError)
def read_header(path: str | Path) -> dict[str, str]:
    """What a checkpoint says of itself, without its weights.

    Raises:
        CheckpointError: missing, damaged, or not one of this toolkit's.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.exists():
        raise CheckpointError(f"{path}: no such checkpoint")
    if path.suffix in (".pth", ".pt", ".tar", ".ckpt", ".pkl"):
        raise CheckpointError(f"{path}: a foreign checkpoint; convert it first (embeddings.encoders.convert_*)")
    try:
        with safe_open(str(path), framework="pt") as file:
            head = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from None
    if head.get("format") != "sign-spotter-encoder":
        raise CheckpointError(f"{path}: safetensors, but not a checkpoint of this toolkit")
    if int(head.get("version", "0")) > int(VERSION):
        raise CheckpointError(f"{path}: format version {head['version']}; this toolkit reads up to {VERSION}")
    return head


@reader(CheckpointError)
def load_checkpoint(path: str | Path) -> Encoder:
    """The network with its weights, in evaluation mode; its `id` tells galleries which weights made their vectors.

    Raises:
        CheckpointError: the file is unusable, or its weights do not fit the network it names.
    """
    from safetensors.torch import load_file

    path = Path(path)
    head = read_header(path)
    network = encoder_class(head["encoder"])
    try:
        config = _config(network, parse_json(head["config"]))
        encoder: Encoder = network(config)  # type: ignore[call-arg]
        state = load_file(str(path))
        _check_finite(path, state)
        encoder.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(f"{path}: its weights do not fit the network {head['encoder']!r} ({reason})") from None
    encoder.label_set = tuple(parse_json(head["label_set"]))
    encoder.id = f"{encoder.name}-{_digest(state)}"
    return encoder.eval()


def _check_finite(path: Path, state: Mapping[str, Tensor]) -> None:
    """Raises `CheckpointError` for weights that would make every vector NaN."""
    for name, values in state.items():
        if values.is_floating_point() and not bool(torch.isfinite(values).all()):
            raise CheckpointError(f"{path}: its weights {name!r} hold a number that is not finite; the file is damaged")


def _config(network: type[Encoder], values: dict[str, Any]) -> Any:
    kind = network.config_class()
    names = {field.name for field in fields(kind)}
    unknown = set(values) - names
    if unknown:
        raise ValueError(f"config has {', '.join(sorted(unknown))}, which {kind.__name__} does not know")
    values = {**network.earlier, **values}
    for name, value in values.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int | float) and not abs(number) <= MOST:
                raise ValueError(f"config {name} is {number}; expected at most {MOST}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _digest(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:8]
