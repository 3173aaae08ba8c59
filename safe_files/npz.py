"""Arrays from `.npz` files: no pickles, and sizes are checked before anything is allocated."""

from __future__ import annotations

import math
import re
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .boundary import boundary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ArraysError", "array_names", "read_npz"]

MOST_BYTES = 1 << 34
"""Of all arrays of a file."""
RATIO = 1100
"""Deflate packs at most 1,032 to 1."""
MOST_HEADER = 1 << 12
HEADER = re.compile(
    r"\{'descr': '([<>|=]?[biufUS]\d{1,9})', 'fortran_order': (True|False), "
    r"'shape': \(((?: ?\d{1,15}L?,?){0,8})\),? ?\}\s*$"
)
"""As NumPy writes it."""
MOST_ARRAYS = 10_000
KINDS = "biufUS"
"""Truth values, numbers, texts of fixed width."""


class ArraysError(ValueError):
    """No readable `.npz` file of plain arrays; names the file and says why."""

    @classmethod
    def unreadable(cls, path: object, reason: str) -> ArraysError:
        """Of a file that breaks while it is read, see `boundary`."""
        return cls(f"{path}: not a readable .npz file of plain arrays ({reason})")


def array_names(path: str | Path) -> set[str]:
    """Names of the arrays of a file; none of one that is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except Exception:
        return set()


def read_npz(path: str | Path, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of a file, or those named, of numbers, truth values or texts of fixed width.

    Raises:
        ArraysError: unreadable, damaged, other contents, or arrays larger than what the file can hold.
        KeyError: one that is named is not in it.
    """
    path = Path(path)
    with boundary(path, ArraysError, KeyError), zipfile.ZipFile(path) as archive:
        members = {item.filename.removesuffix(".npy"): item for item in archive.infolist()}
        if len(members) > MOST_ARRAYS:
            raise ArraysError(f"{path}: holds {len(members)} arrays; expected at most {MOST_ARRAYS}")
        chosen = list(members) if names is None else list(names)
        missing = [name for name in chosen if name not in members]
        if missing:
            raise KeyError(f"{path}: lacks {', '.join(missing)}; it holds {', '.join(members)}")
        arrays, room = {}, MOST_BYTES
        for name in chosen:
            item = members[name]
            if item.flag_bits & 1 or item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ArraysError(f"{path}: {name!r} is packed in a way that NumPy does not use")
            with archive.open(item) as file:
                arrays[name] = _array(file, f"{path}: {name!r}", min(room, RATIO * item.compress_size + 4096))
            room -= arrays[name].nbytes
    return arrays


def _array(file: Any, where: str, most: int) -> NDArray[Any]:
    """One array in NumPy's own format, of at most so many bytes."""
    import numpy as np

    kind, shape, by_columns = _header(file, where)
    if kind.kind not in KINDS or kind.hasobject:
        raise ArraysError(f"{where} is of the kind {kind}; expected numbers or texts")
    size = math.prod(shape) * kind.itemsize
    if len(shape) > 8 or size > most:
        raise ArraysError(f"{where} is said to be {shape} of {kind}, more than the file can hold")
    data = bytearray()
    while len(data) < size and (block := file.read(min(size - len(data), 1 << 24))):
        data += block
    if len(data) != size or file.read(1):
        raise ArraysError(f"{where} has {len(data)} bytes; its header says {size}")
    flat: NDArray[Any] = np.frombuffer(data, kind) if size else np.zeros(math.prod(shape), kind)
    return flat.reshape(shape, order="F" if by_columns else "C")


def _header(file: BinaryIO, where: str) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    import numpy as np

    start = file.read(8)
    if len(start) < 8 or start[:6] != b"\x93NUMPY" or start[6] not in (1, 2, 3):
        raise ArraysError(f"{where} is no array of NumPy's")
    width, form = (2, "<H") if start[6] == 1 else (4, "<I")
    (length,) = struct.unpack(form, file.read(width))
    found = HEADER.match(file.read(length).decode("latin-1")) if length <= MOST_HEADER else None
    if found is None:
        raise ArraysError(f"{where} has a header that describes no plain array")
    descr, by_columns, sides = found.groups()
    return (
        np.dtype(descr),
        tuple(int(side) for side in sides.replace("L", "").split(",") if side.strip()),
        (by_columns == "True"),
    )
