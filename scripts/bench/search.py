"""Search in a million and in ten million window vectors: recall, milliseconds, bytes, memory, beside the plain ways.

    python scripts/bench/search.py --rows 1000000
    python scripts/bench/search.py --rows 10000000 --work /data/bench --json search-10M.json

Vectors are synthetic but made of real ones: windows of procedural signing, encoded by the default encoder, give a pool;
a video is a path from one mixture of them to the next, so that neighbouring rows are as alike as neighbouring windows
are. A query is a row moved away by what separates two takes of a sign. Recall@10 is against comparing all rows. The
index is measured in a process of its own that opens it from disk; memory is that process's resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.corpus_index import IndexLayout, Part, RowIndex, build_index, exact_top, layout_for
from safe_files import open_whole, write_json

VIDEO = 50_000
"""Rows of a synthetic video."""
QUERIES = 32
NEAREST = 10


def real_pool(path: Path) -> NDArray[np.float32]:
    """Window vectors (N, 256) of procedural signing: one row per window of 15 frames, all of different sentences."""
    if not path.exists():
        from embeddings.encoders import load_encoder
        from embeddings.synthetic import Noise, SignWorld
        from spotter.search.windows import centres, windows_at

        encoder, world = load_encoder(), SignWorld(19, signs=150)
        rng, rows = np.random.default_rng(3), []
        for i in range(60):
            clip = world.continuous(rng.integers(150, size=12).tolist(), 1 + i, i, noise=Noise(), take=i, fillers=0.7)
            inputs = encoder.prepare(clip)
            rows.append(encoder.embed(inputs, windows_at(centres(len(inputs["pose"]), 2), 15.0)))
        with open_whole(path, "wb") as file:
            np.save(file, np.concatenate(rows))
    pool: NDArray[np.float32] = np.load(path)
    return pool


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def moved(rows: NDArray[np.float32], pool: NDArray[np.float32], by: float, rng: np.random.Generator) -> Any:
    """Rows moved along differences of pool vectors, `by` times their length."""
    one, other = pool[rng.integers(len(pool), size=(2, len(rows)))]
    return unit(rows + by * (one - other))


def video_rows(pool: NDArray[np.float32], number: int, dim: int) -> NDArray[np.float16]:
    """One video's rows (VIDEO, dim): a walk between places, about eight rows from one to the next."""
    rng = np.random.default_rng([11, number])
    steps = -(-VIDEO // 8) + 1
    places = moved(pool[rng.integers(len(pool), size=steps)], pool, 0.35, rng)
    at = np.arange(VIDEO) / 8
    low, share = at.astype(np.intp), (at % 1)[:, None].astype(np.float32)
    rows = places[low] * (1 - share) + places[low + 1] * share
    return unit(rows[:, :dim]).astype(np.float16)


def make(folder: Path, rows: int, dim: int) -> tuple[list[Part], NDArray[np.float32]]:
    """The parts on disk (kept between runs), and queries (QUERIES, dim)."""
    folder.mkdir(parents=True, exist_ok=True)
    pool = real_pool(folder.parent / "pool.npy")
    parts = [Part(f"{i:05d}", "1", VIDEO) for i in range(rows // VIDEO)]
    for i, part in enumerate(parts):
        path = folder / f"{part.name}.npy"
        if not path.exists():
            with open_whole(path, "wb") as file:
                np.save(file, video_rows(pool, i, dim))
    rng = np.random.default_rng(1)
    chosen = rng.integers(rows, size=QUERIES)
    source = np.stack([reader(folder)(parts[c // VIDEO])[c % VIDEO] for c in chosen]).astype(np.float32)
    return parts, moved(source, unit(pool[:, :dim]), 0.4, rng)


def reader(folder: Path) -> Callable[[Part], Any]:
    maps: dict[str, Any] = {}

    def read(part: Part) -> Any:
        if part.name not in maps:
            maps[part.name] = np.load(folder / f"{part.name}.npy", mmap_mode="r")
        return maps[part.name]

    return read


def resident(key: str = "VmRSS") -> float:
    """MB of this process (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return float("nan")


def measured(folder: Path, dim: int, probes: int | None) -> dict[str, float]:
    """Opens the index and searches it, one query at a time."""
    queries, truth = np.load(folder / "queries.npy"), np.load(folder / "truth.npy")
    begun = time.perf_counter()
    index = RowIndex.open(folder, dim)
    opened = time.perf_counter() - begun
    assert index is not None
    read = reader(folder)

    def fetch(ids: NDArray[np.int64]) -> Any:
        parts = ids // VIDEO
        return np.concatenate([read(index.parts[p])[ids[parts == p] - p * VIDEO] for p in np.unique(parts)])

    took, busy, hits = [], [], 0
    index.search(queries[:1], NEAREST, fetch, probes=probes)
    for query, best in zip(queries, truth, strict=True):
        begun, cpu = time.perf_counter(), time.process_time()
        _, ids = index.search(query[None], NEAREST, fetch, probes=probes)
        took.append(time.perf_counter() - begun)
        busy.append(time.process_time() - cpu)
        hits += len(set(ids[0].tolist()) & set(best.tolist()))
    begun = time.perf_counter()
    index.search(queries[:1], 2000, fetch, probes=probes)
    many = time.perf_counter() - begun
    return {
        "probes": float(index.layout.probes if probes is None else probes),
        "recall": hits / truth.size, "ms": 1e3 * float(np.median(took)),
        "cpu_ms": 1e3 * float(np.mean(busy)), "ms_95": 1e3 * float(np.quantile(took, 0.95)),
        "ms_2000": 1e3 * many, "open_s": opened, "resident_mb": resident(), "peak_mb": resident("VmHWM"),
    }  # fmt: skip


def plain_ways(folder: Path, parts: list[Part], queries: NDArray[np.float32]) -> list[tuple[str, int, float]]:
    """(way, rows, ms per query) of matrix products in memory, and of scikit-learn, on as many rows as they can take."""
    import torch
    from sklearn.neighbors import NearestNeighbors

    some = [np.asarray(reader(folder)(part), np.float32) for part in parts[: 1_000_000 // VIDEO]]
    rows = np.concatenate(some)
    del some
    tensor = torch.from_numpy(rows)

    def by_numpy(q: NDArray[np.float32]) -> None:
        np.argpartition(-(rows @ q), NEAREST)

    def by_torch(q: NDArray[np.float32]) -> None:
        (tensor @ torch.from_numpy(q)).topk(NEAREST)

    found = [("NumPy", len(rows), timed(by_numpy, queries)), ("torch", len(rows), timed(by_torch, queries))]
    model = NearestNeighbors(n_neighbors=NEAREST, algorithm="brute", metric="cosine").fit(rows)
    return [*found, ("scikit-learn brute", len(rows), timed(lambda q: model.kneighbors(q[None]), queries[:5]))]


def timed(work: Callable[[NDArray[np.float32]], object], queries: NDArray[np.float32]) -> float:
    work(queries[0])
    took = []
    for query in queries[:10]:
        begun = time.perf_counter()
        work(query)
        took.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(took))


def built(folder: Path, parts: list[Part], dim: int, layout: IndexLayout) -> dict[str, float]:
    """Seconds and memory of the build, and what it takes on disk."""
    begun, cpu = time.perf_counter(), time.process_time()
    build_index(folder, parts, reader(folder), dim, layout)
    took, busy = time.perf_counter() - begun, time.process_time() - cpu
    size = sum(p.stat().st_size for p in folder.glob("windows-*"))
    return {
        "build_s": took,
        "build_cpu_s": busy,
        "index_bytes_per_row": size / sum(p.count for p in parts),
        "build_peak_mb": resident("VmHWM"),
    }


def child(*arguments: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=256, help="at most 256, the default encoder's")
    parser.add_argument(
        "--work", type=Path, default=Path("runs/bench_search"), help="needs 2 · rows · dim bytes and more"
    )
    parser.add_argument("--probes", type=int, nargs="*", default=[], help="further settings to measure")
    parser.add_argument("--code", help="how rows are kept, e.g. SQ8 or PQ64 (default: by size)")
    parser.add_argument("--lists", type=int, help="inverted lists (default: by size)")
    parser.add_argument("--plain", action="store_true", help="also the plain ways, on the first million rows")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--step", choices=["build", "search"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.work / f"{options.rows}x{options.dim}"
    layout = layout_for(options.rows, options.dim)
    if options.code:
        layout = replace(layout, code=options.code)
    if options.lists:
        layout = replace(layout, lists=options.lists, training=40 * options.lists)
    if options.step == "search":
        probes = options.probes[0] if options.probes else None
        print(json.dumps(measured(folder, options.dim, probes)))
        return
    parts, queries = make(folder, options.rows // VIDEO * VIDEO, options.dim)
    if options.step == "build":
        print(json.dumps(built(folder, parts, options.dim, layout)))
        return
    report(folder, parts, queries, options, layout)


def report(
    folder: Path, parts: list[Part], queries: NDArray[np.float32], options: argparse.Namespace, layout: IndexLayout
) -> None:
    """Everything in turn, as a table."""
    count = sum(p.count for p in parts)
    print(f"{count:,} rows of {options.dim}, {layout.lists} lists, {layout.code}, {os.cpu_count()} cores", flush=True)
    begun = time.perf_counter()
    blocks = ((i * VIDEO, reader(folder)(part)) for i, part in enumerate(parts))
    _, truth = exact_top(queries, blocks, NEAREST)
    exact_ms = 1e3 * (time.perf_counter() - begun) / len(queries)
    for name, rows in (("queries", queries), ("truth", truth)):
        with open_whole(folder / f"{name}.npy", "wb") as file:
            np.save(file, rows)
    shared = ["--rows", str(options.rows), "--dim", str(options.dim), "--work", str(options.work)]
    shared += ["--code", layout.code, "--lists", str(layout.lists)]
    build = child(*shared, "--step", "build")
    print(", ".join(f"{k} {v:.1f}" for k, v in build.items()), flush=True)
    print(f"all rows compared, {QUERIES} queries at once: {exact_ms:.1f} ms a query")
    print(
        "\n| probes | recall@10 | ms | ms, 95 % | CPU ms | ms for 2000 | open s | resident MB | peak MB |\n"
        + "|---" * 9
        + "|"
    )
    runs = []
    for probes in [[], *([str(p)] for p in options.probes)]:
        extra = ["--probes", *probes] if probes else []
        runs.append(child(*shared, "--step", "search", *extra))
        r = runs[-1]
        told = (r["ms"], r["ms_95"], r["cpu_ms"], r["ms_2000"])
        print(f"| {r['probes']:.0f} | {r['recall']:.3f} | {' | '.join(f'{x:.1f}' for x in told)} | "
              f"{r['open_s']:.2f} | {r['resident_mb']:.0f} | {r['peak_mb']:.0f} |", flush=True)  # fmt: skip
    plain = plain_ways(folder, parts, queries) if options.plain else []
    for name, rows, ms in plain:
        print(f"{name}: {ms:.1f} ms a query over {rows:,} rows in memory")
    if options.json:
        told = {"rows": count, "dim": options.dim, "layout": asdict(layout), "exact_ms": exact_ms, **build,
                "runs": runs, "plain": plain, "cores": os.cpu_count()}  # fmt: skip
        write_json(options.json, told)


if __name__ == "__main__":
    main()
