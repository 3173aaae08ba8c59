"""Where and how exactly an encoder computes: device, windows at once, precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch

if TYPE_CHECKING:
    from .base import Encoder

__all__ = ["DTYPES", "Precision", "as_configured", "check_precision", "computing", "torch_device"]

Precision = Literal["float32", "bfloat16", "float16"]
DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

Function = TypeVar("Function", bound=Callable[..., Any])


def torch_device(name: str = "auto") -> torch.device:
    """A device by name: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps" …

    Raises:
        ValueError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device {name!r} is not known; expected auto, cpu, cuda, cuda:1 or mps") from None
    if device.type == "cuda":
        there = torch.cuda.device_count()
        if not torch.cuda.is_available() or (device.index is not None and device.index >= there):
            raise ValueError(f"device {name!r}: PyTorch sees {there} GPUs here; choose cpu, or auto")
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device {name!r}: PyTorch sees none here; choose cpu, or auto")
    elif device.type not in ("cpu", "mps"):
        raise ValueError(f"device {name!r} is not supported; expected auto, cpu, cuda, cuda:1 or mps")
    return device


def check_precision(precision: str, device: torch.device) -> None:
    """Raises `ValueError` unless the device computes in this precision."""
    if precision not in DTYPES:
        raise ValueError(f"precision is {precision!r}; expected one of {', '.join(DTYPES)}")
    if precision == "float16" and device.type == "cpu":
        raise ValueError("precision float16 is for GPUs; on a CPU choose float32 or bfloat16")


@contextmanager
def as_configured(encoder: Encoder) -> Iterator[None]:
    """Without gradients, in the encoder's precision."""
    device = next(encoder.parameters()).device
    dtype = DTYPES[encoder.precision]
    with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
        yield


def computing(method: Function) -> Function:
    """A method of an encoder that computes vectors: without gradients, in the encoder's precision."""

    @wraps(method)
    def run(self: Encoder, *args: Any, **named: Any) -> Any:
        with as_configured(self):
            return method(self, *args, **named)

    return run  # type: ignore[return-value]
