"""A pickle reader that cannot run code: plain containers, strings, numbers and NumPy arrays only.

The challenge's ground truth and submissions are pickles, and a pickle is a program; Python's own reader runs it.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

__all__ = ["PickleError", "read_pickle"]


class PickleError(ValueError):
    """The file is damaged or holds more than plain data."""


ALLOWED: frozenset[tuple[str, str]] = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
        ("_codecs", "encode"),
        ("collections", "OrderedDict"),
        ("collections", "defaultdict"),
        ("builtins", "list"),
        ("builtins", "dict"),
        ("builtins", "int"),
        ("builtins", "float"),
        # Protocols below 3 are Python 2's: its module of built-ins has another name.
        ("__builtin__", "list"),
        ("__builtin__", "dict"),
    }
)
"""Everything a file may name; each rebuilds data and nothing else."""


def _encode(text: str, encoding: str) -> bytes:
    """How the oldest protocols write bytes; Python's own function of this name knows many more codecs."""
    if encoding not in ("latin1", "latin-1"):
        raise PickleError(f"encodes bytes as {encoding}; expected latin1")
    return text.encode("latin-1")


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise PickleError(f"names {module}.{name}; only plain data and NumPy arrays are read")
        if module == "_codecs":
            return _encode
        if module.startswith("numpy."):  # NumPy 2 moved `core` to `_core`; files of both are read by both
            import numpy as np

            module = module.replace("numpy.core", "numpy._core") if np.__version__ >= "2" else module
            module = module.replace("numpy._core", "numpy.core") if np.__version__ < "2" else module
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise PickleError("refers to objects outside the file")


def read_pickle(path: str | Path) -> Any:
    """The plain data of a pickle: dict, list, tuple, str, int, float, bool, None, NumPy arrays and scalars.

    Raises:
        PickleError: the file is missing, empty, truncated, or names anything else.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PickleError(f"{path}: cannot be read ({error.strerror})") from None
    if not raw:
        raise PickleError(f"{path}: the file is empty (0 bytes)")
    try:
        value = _PlainUnpickler(io.BytesIO(raw)).load()
    except PickleError as error:
        raise PickleError(f"{path}: {error}") from None
    except Exception as error:  # a damaged program fails in whatever instruction is damaged
        raise PickleError(f"{path}: not a readable pickle ({type(error).__name__}: {error})") from None
    _check(value, path)
    return value


def _check(value: Any, path: Path) -> None:
    import numpy as np

    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += list(item)
        elif isinstance(item, np.ndarray) and item.dtype.hasobject:
            waiting += list(item.ravel())
        elif not (item is None or isinstance(item, str | bytes | int | float | np.generic | np.ndarray)):
            raise PickleError(f"{path}: holds a {type(item).__name__}; only plain data and NumPy arrays are read")
