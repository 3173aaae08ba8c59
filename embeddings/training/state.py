"""The state of a training on disk: one file, whole or not at all, from which it goes on bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from safe_files import parse_json, reader, whole_file

__all__ = ["Progress", "StateError", "read_state", "restore", "write_state"]

FORMAT = "sign-spotter-training"


class StateError(ValueError):
    """A training's state cannot be used; the message says why and what to do."""


@dataclass
class Progress:
    """Where a training stands.

    Attributes:
        step: optimiser steps done.
        best: the best value of the watched figure so far (higher is better), NaN before the first.
        best_step: after how many steps; stale: validations since.
        stopped: early stopping has ended it.
    """

    step: int = 0
    best: float = float("nan")
    best_step: int = 0
    stale: int = 0
    stopped: bool = False


def write_state(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
    fingerprint: str,
    scaler: Mapping[str, Any] | None = None,
    further: Mapping[str, Tensor] | None = None,
) -> None:
    """One safetensors file: weights in full precision (the network's and the losses'), the optimiser's tensors, and
    where the training stands.

    Args:
        further: more tensors that the training needs to go on.
    """
    from safetensors.torch import save_file

    parts = {"model": model.state_dict(), "further": {} if further is None else further}
    tensors = {
        f"{part}.{k}": v.detach().cpu().contiguous().clone()
        for part, values in parts.items()
        for k, v in values.items()
    }
    numbers: dict[str, Any] = {}
    for place, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{place}.{name}"] = value.detach().cpu().contiguous().clone()
            else:
                numbers[f"optimiser.{place}.{name}"] = value
    head = {
        "format": FORMAT, "fingerprint": fingerprint, "progress": json.dumps(asdict(progress)),
        "numbers": json.dumps(numbers), "scaler": json.dumps(dict(scaler) if scaler is not None else {}),
    }  # fmt: skip
    with whole_file(path) as partial:
        save_file(tensors, str(partial), metadata=head)


@dataclass(frozen=True, eq=False)
class State:
    """A state as read: tensors by name, the head's parts."""

    tensors: dict[str, Tensor]
    progress: Progress
    numbers: dict[str, Any]
    scaler: dict[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors of "model" or "further"."""
        return {key[len(name) + 1 :]: value for key, value in self.tensors.items() if key.startswith(f"{name}.")}


@reader(StateError)
def read_state(path: Path, fingerprint: str) -> State:
    """A training's state.

    Raises:
        StateError: damaged, or of a training with another recipe or other data.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            head = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise StateError(f"{path}: not a readable training state ({error}); start anew with --restart") from None
    if head.get("format") != FORMAT:
        raise StateError(f"{path}: not a training state of this toolkit; choose another folder")
    if head["fingerprint"] != fingerprint:
        raise StateError(
            f"{path} belongs to a training with another recipe or other data; choose another folder, or --restart"
        )
    progress = Progress(**parse_json(head["progress"], finite=False))
    return State(tensors, progress, parse_json(head["numbers"], finite=False), parse_json(head["scaler"]))


def restore(state: State, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Puts weights and the optimiser's state back."""
    model.load_state_dict(state.part("model"))
    values: dict[int, dict[str, Any]] = {}
    for source in (state.tensors, state.numbers):
        for key, value in source.items():
            if key.startswith("optimiser."):
                _, place, name = key.split(".", 2)
                values.setdefault(int(place), {})[name] = value
    optimiser.load_state_dict({"state": values, "param_groups": optimiser.state_dict()["param_groups"]})
