"""The networks that recipes name: instance with their config, started, and written to the file that uses them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..encoders import SHIPPED, load_encoder
from ..encoders.backbones import PretrainedError
from ..encoders.base import Encoder
from ..encoders.checkpoint import save_checkpoint
from ..encoders.image_encoder import ImageEncoder
from ..encoders.table import ENCODERS, encoder_class
from .frame_network import DepthNetwork, FrameNetwork, LocationNetwork
from .settings import Recipe

__all__ = ["FRAME_NETWORKS", "TrainingError", "build_network", "initialise", "network_class", "save_network"]

log = logging.getLogger(__name__)
FRAME_NETWORKS: dict[str, type[FrameNetwork]] = {"depth": DepthNetwork, "locations": LocationNetwork}
"""Beside `ENCODERS`: the networks of the phonology that judge single frames."""


class TrainingError(ValueError):
    """A training that cannot go on or cannot begin."""


def network_class(name: str) -> Any:
    """The class of a network of `ENCODERS` or `FRAME_NETWORKS`.

    Raises:
        TrainingError: no such network.
    """
    if name in FRAME_NETWORKS:
        return FRAME_NETWORKS[name]
    if name not in ENCODERS:
        raise TrainingError(f"network {name!r} is not known; expected one of {', '.join([*ENCODERS, *FRAME_NETWORKS])}")
    return encoder_class(name)


def build_network(recipe: Recipe, classes: int) -> Any:
    """The recipe's network with random weights; `classes` is the size of an encoder's classifier, 0 for none.

    Raises:
        TrainingError: the config has a field that the network does not know, or a value that it refuses.
    """
    from pydantic import TypeAdapter, ValidationError

    network = network_class(recipe.network)
    kind = network.config_class()
    names = [field.name for field in fields(kind)]
    unknown = sorted(set(recipe.config) - set(names))
    if unknown:
        have = ", ".join(name for name in names if name != "classes")
        raise TrainingError(f"{recipe.name}: {recipe.network} has no config {', '.join(unknown)} ({have})")
    values = {**recipe.config, **({"classes": classes} if "classes" in names else {})}
    try:
        instance = network(TypeAdapter(kind).validate_python(values))
    except ValidationError as errors:
        error = errors.errors()[0]
        raise TrainingError(
            f"{recipe.name}: config.{error['loc'][0]} is {error['input']!r}; {error['msg'].replace('Input', 'it', 1)}"
        ) from None
    except (TypeError, ValueError) as error:
        raise TrainingError(f"{recipe.name}: {recipe.network} refuses its config ({error})") from None
    if recipe.run.batch_norm:
        for module in instance.modules():
            if isinstance(module, _BatchNorm):
                module.momentum = recipe.run.batch_norm
    return instance


def initialise(network: Any, init: str) -> str:
    """Starting weights; returns where they came from.

    Args:
        init: "random", "imagenet", a shipped encoder's name, or a file.

    Raises:
        TrainingError: published weights cannot be had, or the checkpoint is of another network.
    """
    if init == "random":
        return init
    if init == "imagenet":
        if not isinstance(network, ImageEncoder):
            raise TrainingError(f"{network.name} looks at no pictures; there are no ImageNet weights for it")
        try:
            network.initialise("pretrained")
        except PretrainedError as error:
            raise TrainingError(str(error)) from None
        return init
    if init not in SHIPPED and not Path(init).is_file():
        raise TrainingError(
            f"init is {init!r}; expected random, imagenet, a shipped encoder ({', '.join(SHIPPED)}) or a checkpoint"
        )
    if isinstance(network, FrameNetwork):
        network.load(Path(init))
        return Path(init).name
    other = load_encoder(init)
    if other.name != network.name:
        raise TrainingError(f"{init} holds a {other.name}, but the recipe trains {network.name}")
    _take_over(network, other)
    return other.id


def _take_over(network: Any, other: Encoder) -> None:
    """The weights that fit."""
    state, own = other.state_dict(), network.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if other.label_set != network.label_set:  # another set of signs: its classifier says nothing about ours
        fitting = {k: v for k, v in fitting.items() if not k.startswith("classifier.")}
    missing = sorted(set(own) - set(fitting))
    if missing:
        log.warning("%d of %d tensors start missing: %s", len(missing), len(own), ", ".join(missing[:4]))
    network.load_state_dict(fitting, strict=False)


def save_network(network: nn.Module, path: Path, facts: Mapping[str, Any], half: bool = False) -> None:
    """The file that uses a trained network: an encoder's checkpoint, or the weights of a network of the phonology."""
    if isinstance(network, Encoder):
        save_checkpoint(path, network, facts, half)
    elif isinstance(network, FrameNetwork):
        network.save(path, facts)
