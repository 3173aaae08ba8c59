"""The one place that imports FAISS."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import reader

__all__ = [
    "empty_lists", "inner_product_index", "load_faiss", "merge_lists", "read_index", "read_lists", "search_lists",
    "to_gpu", "write_index",
]  # fmt: skip


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


@reader(ValueError)
def read_flat(path: Path) -> NDArray[np.float32]:
    """The rows (N, D) of a flat index for inner products, without FAISS, which trusts what a file says of its sizes.

    Raises:
        ValueError: missing, damaged, or another kind of index; names the file.
    """
    data = path.read_bytes()
    head = struct.Struct("<4siqqq?iQ")
    if len(data) < head.size:
        raise ValueError(f"{path}: not a readable FAISS index (it is cut off)")
    kind, dim, rows, _, _, _, metric, values = head.unpack(data[: head.size])
    if kind != b"IxFI" or metric != 0:
        raise ValueError(f"{path}: not a readable FAISS index (it is no flat one for inner products)")
    if dim < 1 or rows < 0 or rows * dim != values or len(data) != head.size + 4 * values:
        raise ValueError(f"{path}: not a readable FAISS index ({rows} rows of {dim} in {len(data)} bytes)")
    return np.frombuffer(data, "<f4", values, head.size).reshape(rows, dim).astype(np.float32)


@reader(ValueError)
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


def empty_lists(sample: NDArray[np.float32], lists: int, code: str) -> Any:
    """A trained inverted-file index without rows, for inner products of unit rows.

    Args:
        sample: (n, D) rows to train on.
        lists: number of inverted lists (k-means clusters).
        code: how rows are kept, as FAISS writes it: "SQ8" a byte per value, "PQ64" 64 bytes per row.
    """
    faiss = load_faiss()
    index = faiss.index_factory(sample.shape[1], f"IVF{lists},{code}", faiss.METRIC_INNER_PRODUCT)
    # by inner product a long centroid would win everywhere, so they are kept on the sphere
    index.cp.spherical = True
    index.cp.min_points_per_centroid = 1
    if code.startswith("PQ"):
        index.pq.cp.min_points_per_centroid = 1
    index.train(np.ascontiguousarray(sample, np.float32))
    return index


def merge_lists(empty: Path, shards: Sequence[Path], lists: Path, index: Path) -> None:
    """Merges shards of one trained index on disk: their lists into `lists`, the index that reads them into `index`.

    The shards are memory-mapped, so any number of rows needs little memory; rows keep their ids.
    """
    faiss = load_faiss()
    from faiss.contrib.ondisk import merge_ondisk

    merged = read_index(empty)
    with _silent():
        merge_ondisk(merged, [str(path) for path in shards], str(lists))
    # by its bare name, so that the folder can be moved
    faiss.downcast_InvertedLists(merged.invlists).filename = lists.name
    write_index(index, merged)


@reader(ValueError)
def read_lists(path: Path) -> Any:
    """An index that `merge_lists` wrote, its lists memory-mapped from the file beside it.

    Raises:
        ValueError: missing or damaged; names the file.
    """
    faiss = load_faiss()
    if not path.exists():
        raise ValueError(f"{path}: no such index file")
    try:
        with _silent():
            index = faiss.read_index(str(path.absolute()), faiss.IO_FLAG_ONDISK_SAME_DIR | faiss.IO_FLAG_READ_ONLY)
        lists = faiss.downcast_InvertedLists(index.invlists)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(f"{path}: not a readable FAISS index ({reason})") from None
    # reading ahead with 32 threads costs more than it saves once the lists are in the page cache
    lists.prefetch_nthread = 0
    return index


@contextmanager
def _silent() -> Iterator[None]:
    """FAISS tells of files on disk by printf, whatever its verbosity: that must not end up in a command's output."""
    library = ctypes.CDLL(None)
    library.fflush(None)
    standard_output, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        library.fflush(None)
        os.dup2(standard_output, 1)
        os.close(standard_output)
        os.close(nowhere)


def search_lists(
    index: Any, queries: NDArray[np.float32], k: int, probes: int, allowed: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Approximate scores and ids (Q, k), best first; id −1 where fewer rows were found.

    Args:
        probes: lists looked into.
        allowed: by row id, which rows count; None all.
    """
    faiss = load_faiss()
    settings = faiss.SearchParametersIVF(nprobe=probes)
    if allowed is not None:
        bits = np.packbits(allowed, bitorder="little")
        settings.sel = faiss.IDSelectorBitmap(bits)
    # faiss.contrib.torch_utils, which pytorch-metric-learning loads, puts a search without `params` in its place
    search = getattr(index, "search_numpy", index.search)
    scores, ids = search(np.ascontiguousarray(queries, np.float32), k, params=settings)
    return scores, ids
