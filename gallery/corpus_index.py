"""`RowIndex`: approximate search over millions of unit rows that live in files, exact where it can be.

Rows come in named parts (a video each). Searching takes candidates from an inverted file on disk (FAISS, memory-mapped)
and scores them again from the rows themselves, so what is returned has exact cosines. The folder holds
``windows.json``, which names the files it belongs with and lists the parts in the order of their row ids; it is
written last, so a killed build leaves the index that was there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import content_hash, read_json, whole_file, write_text

from .index import empty_lists, merge_lists, read_index, read_lists, search_lists, write_index

__all__ = [
    "Engine",
    "IndexLayout",
    "Part",
    "RowIndex",
    "Shard",
    "build_index",
    "exact_top",
    "layout_for",
    "write_shard",
]

VERSION = 1
MANIFEST = "windows.json"
EXACT_CHUNK = 8192
"""Rows of an exact search that are turned into float32 at a time: they stay in the processor's cache."""

Rows = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """Rows that were added together.

    Attributes:
        name: of the part, unique.
        content: a hash that changes when its rows do.
        count: how many rows.
    """

    name: str
    content: str
    count: int


@dataclass(frozen=True)
class IndexLayout:
    """How rows are kept and looked for.

    Attributes:
        lists: inverted lists.
        code: "SQ8", or "PQ…" (bytes per row).
        probes: lists looked into per query.
        training: rows to train on.
        shard: rows added in memory before they go to disk.
    """

    lists: int
    code: str
    probes: int
    training: int
    shard: int = 2_000_000


def layout_for(rows: int, dim: int) -> IndexLayout:
    """The layout for so many rows: about √(rows / 2) lists; a byte per value up to half a gigabyte, then one for 4."""
    lists = int(2 ** np.clip(round(np.log2(max(rows, 1)) / 2 - 0.5), 4, 14))
    code = "SQ8" if rows * dim <= 1 << 29 or dim % 4 else f"PQ{dim // 4}"
    return IndexLayout(lists, code, probes=max(8, lists // 16), training=40 * lists)


class RowIndex:
    """An index that `build_index` wrote, opened.

    Attributes:
        parts: in the order of their rows.
        first: (P + 1,) the first row id of each part, and the number of rows.
    """

    def __init__(self, index: Any, parts: Sequence[Part], layout: IndexLayout) -> None:
        self._index, self.parts, self.layout = index, tuple(parts), layout
        self.first = np.concatenate([[0], np.cumsum([p.count for p in parts])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.first[-1])

    @classmethod
    def open(cls, folder: Path, dim: int) -> RowIndex | None:
        """The index of a folder, None when it has none.

        Raises:
            ValueError: the index is damaged or of another version; the message says how to rebuild it.
        """
        path = folder / MANIFEST
        if not path.exists():
            return None
        try:
            header = read_json(path)
            if header["version"] != VERSION:
                raise ValueError(f"version {header['version']}; this program reads {VERSION}")
            for name, size in header["files"].items():
                if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                    raise ValueError(f"{name} is missing or not {size} bytes long")
            # FAISS trusts what a file says of its sizes, so a damaged one never reaches it
            if header["hash"] != content_hash(folder / header["index"]):
                raise ValueError(f"{header['index']} is not what was written")
            parts = [Part(**part) for part in header["parts"]]
            index = read_lists(folder / header["index"])
            count = sum(p.count for p in parts)
            if index.ntotal != count or index.d != dim:
                raise ValueError(
                    f"{header['index']} holds {index.ntotal} rows of {index.d}; expected {count} rows of {dim}"
                )
            return cls(index, parts, IndexLayout(**header["layout"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: the index is damaged ({error}); rebuild it (spotter index --rebuild)") from None

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        fetch: Callable[[NDArray[np.int64]], Rows] | None = None,
        allowed: NDArray[np.bool_] | None = None,
        probes: int | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and row ids (Q, k), best first; score −inf and id −1 where fewer rows were found.

        Args:
            fetch: ids (n,), ascending → rows (n, D), to score candidates exactly; None returns approximate scores.
            allowed: by row id, which rows count.
            probes: lists looked into; None takes the layout's.
        """
        probes = self.layout.probes if probes is None else probes
        # kept rows are inexact, so more of them are scored exactly than are asked for
        taken = min(k if fetch is None else 2 * k + 200, len(self))
        scores, ids = search_lists(self._index, queries, max(taken, 1), probes, allowed)
        scores = np.where(ids < 0, -np.inf, scores).astype(np.float32)
        if fetch is not None:
            needed = np.unique(ids[ids >= 0])
            rows = np.asarray(fetch(needed), np.float32)
            for q, query in enumerate(queries):
                valid = ids[q] >= 0
                scores[q, valid] = rows[np.searchsorted(needed, ids[q, valid])] @ query
        return _best(scores, ids, k)


def _best(scores: NDArray[np.float32], ids: NDArray[np.int64], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The k best of each row, best first, of equal scores the lower id; padded when there are fewer."""
    order = np.lexsort((ids, -scores), axis=1)[:, :k]
    scores, ids = np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)
    missing = k - scores.shape[1]
    if missing > 0:
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=-np.inf)
        ids = np.pad(ids, ((0, 0), (0, missing)), constant_values=-1)
    return scores, ids


def exact_top(
    queries: NDArray[np.float32], blocks: Iterable[tuple[int, Rows]], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The k best rows of all blocks by inner product: scores and ids (Q, k), as `RowIndex.search`.

    Args:
        blocks: (id of the first row, rows (n, D)), read one at a time.
    """
    scores = np.full((len(queries), k), -np.inf, np.float32)
    ids = np.full((len(queries), k), -1, np.int64)
    for first, block in blocks:
        for at in range(0, len(block), EXACT_CHUNK):
            new = queries @ np.asarray(block[at : at + EXACT_CHUNK], np.float32).T
            places = np.broadcast_to(np.arange(first + at, first + at + new.shape[1]), new.shape)
            if new.shape[1] > k:
                best = np.argpartition(-new, k - 1, axis=1)[:, :k]
                new, places = np.take_along_axis(new, best, axis=1), np.take_along_axis(places, best, axis=1)
            scores, ids = _best(np.hstack([scores, new]), np.hstack([ids, places]), k)
    return scores, ids


@dataclass(frozen=True)
class Shard:
    """A share of an index's rows, to be added in any process.

    Attributes:
        empty: the trained index without rows.
        path: where the shard goes.
        group: (first row id, part) of its parts.
        read: the rows (count, D) of a part; may be a memory map. Has to be picklable for other processes.
    """

    empty: Path
    path: Path
    group: tuple[tuple[int, Part], ...]
    read: Callable[[Part], Rows]

    @property
    def end(self) -> int:
        """One past its last row id."""
        first, part = self.group[-1]
        return first + part.count


def write_shard(shard: Shard) -> int:
    """Adds a shard's rows and writes it, unless it is there; returns `Shard.end`."""
    if not shard.path.exists():
        index = read_index(shard.empty)
        for first, part in shard.group:
            rows = shard.read(part)
            for at in range(0, part.count, 65536):
                block = np.asarray(rows[at : at + 65536], np.float32)
                index.add_with_ids(block, np.arange(first + at, first + at + len(block), dtype=np.int64))
        _whole(shard.path, index)
    return shard.end


Engine = Callable[[Callable[[Shard], int], Sequence[Shard]], Iterable[int]]
"""Applies a function to each of several jobs, here or in other processes; `map` is one."""


def build_index(
    folder: Path,
    parts: Sequence[Part],
    read: Callable[[Part], Rows],
    dim: int,
    layout: IndexLayout | None = None,
    progress: Callable[[int, int], None] | None = None,
    engine: Engine = map,
) -> None:
    """Builds the index of a folder over parts, in shards that are merged on disk; memory does not grow with the rows.

    A build that was killed goes on with the shards that are finished.

    Args:
        read: the rows (count, D) of a part; may be a memory map.
        layout: None takes `layout_for`.
        progress: called with (rows done, all).
        engine: what runs `write_shard` on each shard.
    """
    count = sum(p.count for p in parts)
    layout = layout_for(count, dim) if layout is None else layout
    facts = json.dumps([VERSION, dim, asdict(layout), [asdict(p) for p in parts]])
    token = hashlib.sha256(facts.encode()).hexdigest()[:12]
    workplace = folder / f".building-{token}"
    workplace.mkdir(parents=True, exist_ok=True)
    empty = workplace / "empty.faiss"
    if not empty.exists():
        _whole(empty, empty_lists(_sample(parts, read, dim, layout.training), layout.lists, layout.code))
    shards = [
        Shard(empty, workplace / f"shard-{number}.faiss", tuple(group), read)
        for number, group in enumerate(_groups(parts, layout.shard))
    ]
    for done in engine(write_shard, shards):
        if progress is not None:
            progress(done, count)
    names = (f"windows-{token}.faiss", f"windows-{token}.lists")
    merge_lists(empty, [shard.path for shard in shards], workplace / names[1], workplace / names[0])
    for name in reversed(names):
        with whole_file(folder / name) as partial:
            os.replace(workplace / name, partial)
    _finish(folder, names, parts, layout)
    shutil.rmtree(workplace)


def _whole(path: Path, index: Any) -> None:
    with whole_file(path) as partial:
        write_index(partial, index)


def _groups(parts: Sequence[Part], most: int) -> Iterator[list[tuple[int, Part]]]:
    """(first row id, part) in groups of about so many rows."""
    first, held = 0, 0
    group: list[tuple[int, Part]] = []
    for part in parts:
        if group and held + part.count > most:
            yield group
            group, held = [], 0
        group.append((first, part))
        first, held = first + part.count, held + part.count
    if group:
        yield group


def _sample(parts: Sequence[Part], read: Callable[[Part], Rows], dim: int, most: int) -> NDArray[np.float32]:
    """Rows at even distances over all parts."""
    count = sum(p.count for p in parts)
    wanted = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
    taken = np.empty((len(wanted), dim), np.float32)
    first = 0
    for part in parts:
        low, high = np.searchsorted(wanted, (first, first + part.count))
        if high > low:
            taken[low:high] = read(part)[wanted[low:high] - first]
        first += part.count
    return taken


def _finish(folder: Path, names: Sequence[str], parts: Sequence[Part], layout: IndexLayout) -> None:
    """Makes the new index the folder's, then removes the old one's files."""
    header = {
        "version": VERSION,
        "index": names[0],
        "files": {name: (folder / name).stat().st_size for name in names},
        "hash": content_hash(folder / names[0]),
        "layout": asdict(layout),
        "parts": [asdict(p) for p in parts],
    }
    write_text(folder / MANIFEST, json.dumps(header))
    for old in folder.glob("windows-*"):
        if old.name not in names:
            old.unlink()
