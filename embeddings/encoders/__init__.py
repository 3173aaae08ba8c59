"""The networks, by name, and how to get one with its weights.

`ENCODERS` is a plain table; a network's module is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _sign_spotter import module_name

from .table import ENCODERS, encoder_class

if TYPE_CHECKING:
    from .base import Encoder
    from .compute import Precision

__all__ = ["ENCODERS", "SHIPPED", "checkpoint_file", "encoder_class", "load_encoder"]

SHIPPED: dict[str, str] = {
    "default": "sign-tcn.safetensors",
    "sign-tcn-real": "sign-tcn-real.safetensors",
    "sl-gcn": "sl-gcn.safetensors",
}
"""Names of the checkpoints that travel with the package (`embeddings/weights/`).

`default` and `sl-gcn` were trained on the procedural signer alone; `sign-tcn-real` is `default` trained further with
real recordings of 37 signs beside it (traduttore-model, American, MIT; ksl13, Korean, Apache-2.0).
"""


BEST = "best.safetensors"
"""The checkpoint of a training, in its folder."""


@contextmanager
def checkpoint_file(which: str | Path) -> Iterator[Path]:
    """The file of a checkpoint: of a shipped name, of the folder of a training, or the file itself.

    Raises:
        ValueError: there is none.
    """
    from importlib.resources import as_file, files

    path = Path(which)
    if str(which) in SHIPPED:
        with as_file(files(module_name("embeddings")) / "weights" / SHIPPED[str(which)]) as shipped:
            yield shipped
    elif path.is_dir():
        if not (path / BEST).is_file():
            raise ValueError(f"{path}: a folder without {BEST}; expected a checkpoint or the folder of spotter train")
        yield path / BEST
    elif path.exists():
        yield path
    else:
        names = ", ".join([*SHIPPED, "pose-cosine"])
        raise ValueError(f"{which}: no such checkpoint; expected a shipped encoder ({names}) or a checkpoint file")


def load_encoder(
    which: str | Path = "default",
    device: str = "cpu",
    batch: int | None = None,
    precision: Precision = "float32",
) -> Encoder:
    """An encoder ready to embed.

    Args:
        which: "default" or another name of `SHIPPED`, "pose-cosine" (needs no weights), a checkpoint file, or the
            folder of a training (its best weights). With ":dense" after it, in dense mode (`dense.dense`): one pass
            over a clip in place of one per window.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto": a GPU where there is one.
        batch: windows computed together; None leaves it to the network. More take more memory, and less time on a GPU.
        precision: "float32", "bfloat16", or "float16" (GPUs only). Vectors are float32 whatever it is.

    Raises:
        ValueError: neither a shipped name nor a readable checkpoint or training; or no such device or precision here.
    """
    from .checkpoint import load_checkpoint
    from .compute import check_precision, torch_device

    place = torch_device(device)
    check_precision(precision, place)
    if batch is not None and batch < 1:
        raise ValueError(f"batch is {batch}; expected at least 1 window")
    exact, _, mode = str(which).rpartition(":")
    if exact and mode == "dense":
        from .dense import dense

        return dense(load_encoder(exact, device, batch, precision)).eval()
    encoder: Any
    if str(which) == "pose-cosine":
        encoder = encoder_class("pose-cosine")()
    else:
        with checkpoint_file(which) as path:
            encoder = load_checkpoint(path)
    encoder.precision = precision
    if batch is not None:
        encoder.at_once = batch
    return encoder.to(place).eval()
