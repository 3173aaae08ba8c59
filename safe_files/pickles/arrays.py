"""NumPy's arrays, data types and scalars as pickles write them, built from checked numbers and bytes.

NumPy's own functions for this trust their arguments: with wrong ones they end the process or give away its memory. Here
only `numpy.frombuffer` is called, on as many bytes as the shape asks for.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PendingArray", "PendingDtype", "RefusedError", "array_of", "dtype_of", "from_buffer", "scalar_of"]

NUMBERS = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"])
STRING = re.compile(r"[SU][1-9][0-9]{0,3}")
"""Bytes or text of 1 to 9,999 characters."""

ORDERS = ("<", ">", "|", "=")

MOST_DIMENSIONS, MOST_EMPTY = 8, 65_536
"""An array without elements may have other dimensions; their product is bounded, as lists would be made of them."""


class RefusedError(ValueError):
    """The reason why a pickle is not read."""


@dataclass(eq=False)
class PendingDtype:
    """A data type, whose byte order follows as its state; `code` is NumPy's, such as "f8"."""

    code: str
    order: str | None = None

    def finish(self) -> np.dtype[Any]:
        """The data type.

        Raises:
            RefusedError: neither numbers nor strings of a fixed width.
        """
        if self.code not in NUMBERS and not STRING.fullmatch(self.code):
            raise RefusedError(f"holds an array of type {self.code[:20]!r}; only numbers and short strings are read")
        return np.dtype((self.order or "=") + self.code)

    def set_state(self, state: Any) -> None:
        """Takes NumPy's state: (3, byte order, no sub-array, no names, no fields, item size, alignment, flags)."""
        kinds = [type(part) for part in state] if type(state) is tuple else []
        if kinds[:5] != [int, str, NoneType, NoneType, NoneType] or len(kinds) != 8 or state[0] != 3:
            raise RefusedError("holds a structured data type; only plain arrays are read")
        if self.order is not None or state[1] not in ORDERS:
            raise RefusedError("holds a data type without a proper byte order")
        self.order = str(state[1])


@dataclass(eq=False)
class PendingArray:
    """An array whose content follows as its state; `slots` are the places of the memo that it was stored in."""

    slots: list[int] = field(default_factory=list)


def dtype_of(arguments: tuple[Any, ...]) -> PendingDtype:
    """What `numpy.dtype(code, align, copy)` begins."""
    if not arguments or type(arguments[0]) is not str:
        raise RefusedError("holds a data type that is not named by its code")
    return PendingDtype(arguments[0])


def array_of(state: Any) -> NDArray[Any]:
    """The array of NumPy's state: (1, shape, data type, whether columns come first, bytes)."""
    if type(state) is not tuple or len(state) != 5 or type(state[0]) is not int or state[0] != 1:
        raise RefusedError("holds an array in a form that is not known")
    _, shape, dtype, columns_first, data = state
    if type(columns_first) not in (bool, int):
        raise RefusedError("holds an array in a form that is not known")
    return _array(data, dtype, shape, "F" if columns_first else "C")


def from_buffer(arguments: tuple[Any, ...]) -> NDArray[Any]:
    """What protocol 5 calls with (bytes, data type, shape, order) and, for order "K", the order of the axes."""
    if len(arguments) not in (4, 5) or type(arguments[3]) is not str:
        raise RefusedError("holds an array in a form that is not known")
    data, dtype, shape, order = arguments[:4]
    axes = arguments[4] if len(arguments) == 5 else None
    if order == "K" and axes is not None:
        array = _array(data, dtype, shape, "C")
        if type(axes) is not tuple or not all(type(a) is int for a in axes) or sorted(axes) != list(range(array.ndim)):
            raise RefusedError("holds an array whose axes are in no proper order")
        return array.transpose(axes)
    if order not in ("C", "F"):
        raise RefusedError("holds an array in a form that is not known")
    return _array(data, dtype, shape, order)


def scalar_of(arguments: tuple[Any, ...]) -> np.generic:
    """What `scalar(data type, bytes)` gives."""
    if len(arguments) != 2:
        raise RefusedError("holds a NumPy scalar in a form that is not known")
    scalar: np.generic = _array(arguments[1], arguments[0], (1,), "C")[0]
    return scalar


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    if type(dtype) is not PendingDtype:
        raise RefusedError("holds an array without a data type")
    kind = dtype.finish()
    if type(shape) is not tuple or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise RefusedError("holds an array whose shape is not made of sizes")
    if len(shape) > MOST_DIMENSIONS or (0 in shape and math.prod(max(n, 1) for n in shape) > MOST_EMPTY):
        raise RefusedError(f"holds an array of shape {shape[: MOST_DIMENSIONS + 1]}; that is beyond reason")
    if type(data) is not bytes or len(data) != math.prod(shape) * kind.itemsize:
        size = len(data) if type(data) is bytes else "no"
        raise RefusedError(f"holds an array of shape {shape} and type {kind} in {size} bytes")
    array = np.frombuffer(data, kind) if data else np.zeros(0, kind)
    if kind.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise RefusedError("holds truth values that are neither 0 nor 1")
    if kind.kind == "U" and array.size:
        _check_text(array.view(np.dtype(f"{kind.byteorder}u4")))
    return array.reshape(shape, order=order)


def _check_text(codes: NDArray[np.uint32], step: int = 1 << 16) -> None:
    for start in range(0, len(codes), step):
        block = codes[start : start + step]
        if (block > 0x10FFFF).any() or ((block >= 0xD800) & (block < 0xE000)).any():
            raise RefusedError("holds text with characters that do not exist")
