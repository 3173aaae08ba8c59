"""torchvision's image networks as feature extractors, and where their ImageNet weights come from.

A network is always built with random weights; `imagenet_state` fetches the published ones when they can be had (or
finds them in torch's cache), and says in one line when they cannot.
"""

from __future__ import annotations

import logging
import urllib.error
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["Init", "PretrainedError", "check_init", "cnn", "imagenet_state", "load_cnn"]

Init = Literal["pretrained", "random"]

log = logging.getLogger(__name__)


class PretrainedError(RuntimeError):
    """Published weights were asked for and could not be had."""


def check_init(init: str) -> None:
    if init not in ("pretrained", "random"):
        raise ValueError(f"init is {init!r}; expected 'pretrained' or 'random'")


def imagenet_state(name: str) -> dict[str, Tensor]:
    """torchvision's first published ImageNet weights (IMAGENET1K_V1) of a network, from the cache or the network.

    Raises:
        PretrainedError: no file in torch's cache and no way to fetch it.
    """
    from torchvision.models import get_model_weights

    choices = get_model_weights(name)
    weights = getattr(choices, "IMAGENET1K_V1", None) or next(iter(choices))
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True, weights_only=True))
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise PretrainedError(
            f"the ImageNet weights of {name} could not be fetched ({error}); start without them by init='random' "
            f"(--init random), or put {weights.url.rsplit('/', 1)[-1]} into {torch.hub.get_dir()}/checkpoints"
        ) from None


def cnn(name: str) -> tuple[nn.Sequential, int]:
    """The convolutional part of a torchvision classifier, (N, 3, H, W) -> (N, C, h, w), and its C.

    Any network whose convolutions end in `features` (VGG, MobileNet, DenseNet, EfficientNet, ConvNeXt, …), in
    `layer4` (ResNet, ResNeXt) or in `trunk_output` (RegNet). Weights are random.

    Raises:
        ValueError: torchvision has no such network, or it is not of these families.
    """
    from torchvision.models import DenseNet, get_model, list_models

    if name not in list_models():
        raise ValueError(f"torchvision has no network {name!r}; see torchvision.models.list_models()")
    model = get_model(name, weights=None)
    if hasattr(model, "features"):
        parts = [("features", model.features)]
        if isinstance(model, DenseNet):
            parts.append(("relu", nn.ReLU()))  # torchvision applies it outside `features`
    elif hasattr(model, "layer4"):
        parts = [(key, child) for key, child in model.named_children() if key not in ("avgpool", "fc")]
    elif hasattr(model, "trunk_output"):
        parts = [("stem", model.stem), ("trunk_output", model.trunk_output)]
    else:
        raise ValueError(f"{name} is not a plain convolutional network; choose e.g. resnet34, vgg16, mobilenet_v2")
    network = nn.Sequential()
    for key, child in parts:
        network.add_module(key, child)
    with torch.no_grad():
        probe = torch.zeros(1, 3, 64, 64, device=next(network.parameters()).device)
        width = network.eval()(probe).shape[1]
    return network.train(), width


def load_cnn(network: nn.Module, name: str, init: Init) -> None:
    """Fill a network of `cnn(name)` with ImageNet weights; with init="random" leave it and say so."""
    check_init(init)
    if init == "random":
        log.warning("%s starts from random weights (init='random')", name)
        return
    state = imagenet_state(name)
    keys = network.state_dict().keys()
    network.load_state_dict({key: value for key, value in state.items() if key in keys})
