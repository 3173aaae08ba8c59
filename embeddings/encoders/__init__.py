"""The networks, by name, and how to get one with its weights.

`ENCODERS` is a plain table; a network's module is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Encoder

__all__ = ["ENCODERS", "SHIPPED", "encoder_class", "load_encoder"]

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
    "spoter-no-position": "spoter_variants:SpoterNoPosition",
    "encoder-only": "spoter_variants:EncoderOnly",
    "class-query": "spoter_variants:ClassQuery",
    "weights-both-sides": "spoter_variants:WeightsBothSides",
    "pose-transformer": "pose_transformer:PoseTransformer",
    "vle-transformer": "pose_transformer:SemanticTransformer",
    "handshape": "handshape:Handshape",
}
"""Name → "module:class" in this package."""

SHIPPED: dict[str, str] = {
    "default": "sign-tcn.safetensors",
    "sign-tcn-real": "sign-tcn-real.safetensors",
    "sl-gcn": "sl-gcn.safetensors",
}
"""Names of the checkpoints that travel with the package (`embeddings/weights/`).

`default` and `sl-gcn` were trained on the procedural signer alone; `sign-tcn-real` is `default` trained further with
real recordings of 37 signs beside it (traduttore-model, American, MIT; ksl13, Korean, Apache-2.0).
"""


def encoder_class(name: str) -> type[Encoder]:
    """The network of that name.

    Raises:
        ValueError: no such network.
    """
    if name not in ENCODERS:
        raise ValueError(f"encoder {name!r} is not known; expected one of {', '.join(ENCODERS)}")
    module, _, attribute = ENCODERS[name].partition(":")
    found: type[Encoder] = getattr(import_module(f".{module}", __name__), attribute)
    return found


def load_encoder(which: str | Path = "default", device: str = "cpu") -> Encoder:
    """An encoder ready to embed.

    Args:
        which: "default" or another name of `SHIPPED`, "pose-cosine" (needs no weights), or a checkpoint file. With
            ":dense" after it, in dense mode (`dense.dense`): one pass over a clip in place of one per window.

    Raises:
        ValueError: neither a shipped name nor a readable checkpoint.
    """
    from importlib.resources import as_file, files

    from .checkpoint import load_checkpoint

    exact, _, mode = str(which).rpartition(":")
    if exact and mode == "dense":
        from .dense import dense

        return dense(load_encoder(exact, device)).eval()
    encoder: Any
    if str(which) == "pose-cosine":
        encoder = encoder_class("pose-cosine")()
    elif str(which) in SHIPPED:
        with as_file(files("embeddings") / "weights" / SHIPPED[str(which)]) as path:
            encoder = load_checkpoint(path)
    elif Path(which).exists():
        encoder = load_checkpoint(Path(which))
    else:
        names = ", ".join([*SHIPPED, "pose-cosine"])
        raise ValueError(f"{which}: neither a shipped encoder ({names}) nor a checkpoint file")
    return encoder.to(device).eval()
