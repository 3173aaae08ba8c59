"""The networks, by name, and how to get one with its weights.

`ENCODERS` is a plain table; a network's module is imported when it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from _sign_spotter import module_name

from .table import ENCODERS, encoder_class

if TYPE_CHECKING:
    from .base import Encoder

__all__ = ["ENCODERS", "SHIPPED", "encoder_class", "load_encoder"]

SHIPPED: dict[str, str] = {
    "default": "sign-tcn.safetensors",
    "sign-tcn-real": "sign-tcn-real.safetensors",
    "sl-gcn": "sl-gcn.safetensors",
}
"""Names of the checkpoints that travel with the package (`embeddings/weights/`).

`default` and `sl-gcn` were trained on the procedural signer alone; `sign-tcn-real` is `default` trained further with
real recordings of 37 signs beside it (traduttore-model, American, MIT; ksl13, Korean, Apache-2.0).
"""


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
        with as_file(files(module_name("embeddings")) / "weights" / SHIPPED[str(which)]) as path:
            encoder = load_checkpoint(path)
    elif Path(which).exists():
        encoder = load_checkpoint(Path(which))
    else:
        names = ", ".join([*SHIPPED, "pose-cosine"])
        raise ValueError(f"{which}: neither a shipped encoder ({names}) nor a checkpoint file")
    return encoder.to(device).eval()
