"""The networks by name; a network's module is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Encoder

__all__ = ["ENCODERS", "encoder_class"]

ENCODERS: dict[str, str] = {
    "sign-tcn": "sign_tcn:SignTCN",
    "pose-cosine": "pose_cosine:PoseCosine",
    "sl-gcn": "sl_gcn:SLGCN",
    "sl-gcn-3d": "sl_gcn:SLGCN3D",
    "i3d": "i3d:I3D",
    "i3d-resnet50": "i3d_resnet:I3DResNet50",
    "vtn": "vtn:VTN",
    "vtn-hc": "vtn:VTNHC",
    "vtn-pf": "vtn:VTNPF",
    "vtn-pf-depth": "vtn:VTNPFDepth",
    "spoter": "spoter:Spoter",
    "spoter-no-position": "spoter:SpoterNoPosition",
    "encoder-only": "spoter:EncoderOnly",
    "class-query": "spoter:ClassQuery",
    "weights-both-sides": "spoter:WeightsBothSides",
    "pose-transformer": "pose_transformer:PoseTransformer",
    "vle-transformer": "pose_transformer:SemanticTransformer",
    "handshape": "handshape:Handshape",
}
"""Name → "module:class" in this package."""


def encoder_class(name: str) -> type[Encoder]:
    """The network of that name.

    Raises:
        ValueError: no such network.
    """
    if name not in ENCODERS:
        raise ValueError(f"encoder {name!r} is not known; expected one of {', '.join(ENCODERS)}")
    module, _, attribute = ENCODERS[name].partition(":")
    encoder: type[Encoder] = getattr(import_module(f".{module}", __package__), attribute)
    return encoder
