"""Every method on the real collections: continuous streams, and single signs from one exemplar by another signer.

    python scripts/bench/compare.py FOLDER --work WORK [--sets ksl-20 asl-9 …] [--streams 2] [--isolated]

Sets are those of `scripts/real/catalogue.py` by name (`korean-in-swiss@3`, `asl-9@1.3`, `procedural:78`), by default
all streams of `scripts/real/streams.py`; `--streams N` takes N of every turn's, spread evenly (all by default). What
each method found is kept in WORK, so that a stopped run goes on where it was; files made with other weights are made
anew. Prints Markdown; writes `comparison.json`, `.md` and `.tex` per set under WORK.
Each table says whether its set is for choosing or for reporting.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.clip import Clip
from eval.tables import Table
from safe_files import open_whole, write_json
from scripts.quality.measures import retrieval
from scripts.real.catalogue import open_sets, pooled, purpose_of
from scripts.real.streams import real_streams
from spotter.comparison.figures import ComparisonPart, ComparisonSet, compare, table, write_comparison
from spotter.comparison.methods import METHODS, Method
from spotter.detection import Detection


@cache
def code() -> str:
    """Digest of the program and calibrations that results depend on: what other code found is not kept."""
    root = Path(__file__).parents[2]
    found = [
        f
        for p in ("gallery/*.py", "spotter/*.py", "spotter/search/calibration/*", "embeddings/*.py")
        for f in root.glob(p)
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(found))).hexdigest()[:16]


@dataclass(frozen=True)
class Kept(Method):
    """A method whose results lie in a folder: each is made once for the same clips, weights and program."""

    method: Method | None = None
    folder: Path = Path()

    def _path(self, ending: str, *parts: Sequence[Clip]) -> Path:
        if self.method is None:
            raise ValueError(f"{self.name}: wraps no method")
        said = repr([replace(self.method, threshold=0.0), self.method.load().id, code()])
        said += repr([[(c.name, c.label, len(c)) for c in clips] for clips in parts])
        poses = b"".join(c.pose.xy.tobytes() for clips in parts for c in clips if c.pose is not None)
        digest = hashlib.sha256(said.encode() + poses).hexdigest()[:16]
        return self.folder / f"{self.name}-{digest}{ending}"

    def _detections(
        self, exemplars: Sequence[Clip], queries: Sequence[Clip], threshold: float, known: Mapping[str, str] | None
    ) -> dict[str, list[Detection]]:
        path = self._path(".json", exemplars, queries)
        if self.method is None or known is not None:
            raise ValueError(f"{self.name}: kept results are those of an open search")
        if not path.exists():
            found = self.method.detections(exemplars, queries, self.least)
            write_json(path, {video: [asdict(d) for d in rows] for video, rows in found.items()})
        read = json.loads(path.read_text(encoding="utf-8"))
        return {v: [d for d in (Detection(**r) for r in rows) if d.score >= threshold] for v, rows in read.items()}

    def similarity(self, clips: Sequence[Clip]) -> NDArray[np.float64]:
        path = self._path(".npy", clips)
        if self.method is not None and not path.exists():
            with open_whole(path, "wb") as file:
                np.save(file, self.method.similarity(clips))
        made: NDArray[np.float64] = np.load(path, allow_pickle=False)
        return made


def kept(method: Method, folder: Path) -> Kept:
    return Kept(method.name, method.about, method.encoder, method.threshold, method.least, method, folder)


def thinned(chosen: ComparisonSet, streams: int) -> ComparisonSet:
    """`streams` queries of every part, spread evenly; all with 0."""
    parts = []
    for part in chosen.parts:
        count = min(streams, len(part.queries)) if streams else len(part.queries)
        places = np.linspace(0, len(part.queries) - 1, count).round().astype(int)
        parts.append(ComparisonPart(part.exemplars, [part.queries[i] for i in places]))
    return ComparisonSet(chosen.name, parts)


def continuous(sets: Sequence[ComparisonSet], methods: Sequence[Method], work: Path) -> None:
    for chosen in sets:
        seconds = sum(chosen.durations().values())
        signs = len({e.label for p in chosen.parts for e in p.exemplars})
        print(
            f"\n### {chosen.name} ({purpose_of(chosen.name)}): {signs} signs, {len(chosen.durations())} streams, "
            f"{seconds / 60:.1f} minutes, {sum(map(len, chosen.truth().values()))} occurrences\n"
        )
        rows, _ = compare(chosen, methods, one_shot=True)
        print(table(rows).markdown(), flush=True)
        write_comparison(work / chosen.name.replace(":", "-").replace("?", "-"), chosen, rows)


def isolated(folder: Path, methods: Sequence[Method]) -> None:
    cells: dict[tuple[str, int, int], dict[str, str]] = {}
    for found in retrieval(folder, methods):
        row = cells.setdefault((found.collection, found.signs, found.clips), {})
        row[found.method] = f"{found.top1:.3f} [{found.low:.3f}, {found.high:.3f}], {found.mrr:.3f}"
    names = [m.name for m in methods]
    rows = [[*size, *(row[name] for name in names)] for size, row in cells.items()]
    print("\n### Single signs: top-1 [95 % of the draws], MRR\n")
    print(Table(["collection", "signs", "clips", *names], rows).markdown())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="where results are kept")
    parser.add_argument("--sets", nargs="+", default=[], help="sets by name (scripts/real/catalogue.py)")
    parser.add_argument("--streams", type=int, default=0, help="so many of every turn (0: all)")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--isolated", action="store_true", help="single signs instead of streams")
    args = parser.parse_args()
    torch.set_num_threads(1)
    methods = [kept(METHODS[name], args.work / "kept") for name in args.methods]
    if args.isolated:
        isolated(args.folder, methods)
        return
    try:
        chosen = open_sets(args.sets, args.folder) if args.sets else pooled(real_streams(args.folder))
    except ValueError as error:
        raise SystemExit(str(error)) from None
    continuous([thinned(one, args.streams) for one in chosen.values()], methods, args.work)


if __name__ == "__main__":
    main()
