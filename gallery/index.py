"""The one place that imports FAISS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["inner_product_index", "load_faiss", "read_index", "to_gpu", "write_index"]


def load_faiss() -> Any:
    """The module `faiss`.

    Raises:
        ImportError: not installed; the message has the line that installs it.
    """
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            f"FAISS cannot be loaded ({error}); pip install faiss-cpu, or the extra [gpu] on Linux with an NVIDIA GPU"
        ) from None
    return faiss


def inner_product_index(vectors: NDArray[np.float32], gpu: bool = False) -> Any:
    """An exact inner-product index over rows (N, D)."""
    index = load_faiss().IndexFlatIP(vectors.shape[1])
    if gpu:
        index = to_gpu(index)
    index.add(np.ascontiguousarray(vectors))
    return index


def to_gpu(index: Any) -> Any:
    """The index on the first GPU.

    Raises:
        ImportError: this FAISS has no GPU support or sees no GPU.
    """
    faiss = load_faiss()
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
        raise ImportError("this FAISS sees no GPU; install the extra [gpu] in place of faiss-cpu, or leave gpu out")
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)


def write_index(path: Path, index: Any) -> None:
    load_faiss().write_index(index, str(path))


def read_index(path: Path) -> Any:
    """An index from a file.

    Raises:
        ValueError: missing or damaged; names the file.
    """
    if not path.exists():
        raise ValueError(f"{path}: no such index file")
    try:
        return load_faiss().read_index(str(path))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(f"{path}: not a readable FAISS index ({reason})") from None
