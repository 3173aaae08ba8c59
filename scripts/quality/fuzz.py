"""Damaged files for every reader: `python -m scripts.quality.fuzz --minutes 30`, or `--mutants 1000000 --state FILE`.

Readers take turns; a run with `--state` goes on where it was stopped. Finds are written to `--finds` as files; those
that are kept go to `tests/fuzz/finds/READER/`, where the tests read them. Where Atheris is installed,
`--atheris READER` lets it choose the mutants of one reader by the lines of Python that they reach.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from safe_files import read_json, write_bytes, write_json
from tests.fuzz.campaign import Find, Outcome, describe, run, seeds_of, slug, try_bytes
from tests.fuzz.readers import READERS

TURN = 4.0
"""Seconds that a reader has at a time."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.0, help="how long")
    parser.add_argument("--mutants", type=int, default=0, help="how many, over all readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="a reader by name; may be repeated")
    parser.add_argument("--state", type=Path, help="JSON with what was done")
    parser.add_argument("--finds", type=Path, default=Path("finds"), help="folder of finds")
    parser.add_argument("--atheris", help="a reader by name")
    given = parser.parse_args()
    if given.atheris:
        return _atheris(given.atheris)
    names = given.only if given.only else list(READERS)
    total = _campaign(names, given.minutes * 60, given.mutants, given.seed, given.state, given.finds)
    print(describe(total))
    return 1 if any(one.finds for one in total.values()) else 0


def _campaign(
    names: list[str], seconds: float, mutants: int, seed: int, state: Path | None, finds: Path
) -> dict[str, Outcome]:
    total = _stored(names, state)
    each = -(-mutants // len(names)) if mutants else sys.maxsize
    begun, speed = time.monotonic(), dict.fromkeys(names, 20.0)
    while True:
        waiting = [name for name in names if total[name].tried < each]
        if not waiting or (seconds and time.monotonic() - begun > seconds):
            return total
        name = min(waiting, key=lambda n: total[n].tried / each if mutants else total[n].seconds)
        count = min(each - total[name].tried, max(20, int(speed[name] * TURN)))
        got = run(name, total[name].tried, count, seed)
        speed[name] = max(1.0, got.tried / max(got.seconds, 0.1))
        one = total[name]
        one.tried, one.accepted, one.seconds = (
            one.tried + got.tried,
            one.accepted + got.accepted,
            one.seconds + got.seconds,
        )
        for find in got.finds:
            one.finds.append(find)
            file = finds / slug(name) / f"{find.kind}-{seed}-{find.number}"
            write_bytes(file, find.data)
            print(f"{name}, mutant {find.number}: {find.kind}: {find.detail} ({file})", flush=True)
        _store(total, state)


def _stored(names: list[str], state: Path | None) -> dict[str, Outcome]:
    facts = read_json(state) if state is not None and state.exists() else {}
    total = {}
    for name in names:
        one = facts.get(name, {"tried": 0, "accepted": 0, "seconds": 0.0, "finds": []})
        finds = [Find(name, find["number"], find["kind"], find["detail"], b"") for find in one["finds"]]
        total[name] = Outcome(one["tried"], one["accepted"], finds, one["seconds"])
    return total


def _store(total: dict[str, Outcome], state: Path | None) -> None:
    if state is not None:
        write_json(state, {
            name: {"tried": one.tried, "accepted": one.accepted, "seconds": one.seconds,
                   "finds": [{"number": f.number, "kind": f.kind, "detail": f.detail} for f in one.finds]}
            for name, one in total.items()
        })  # fmt: skip


def _atheris(name: str) -> int:
    """Mutants chosen by coverage; ends with the first find."""
    import tempfile

    try:
        import atheris
    except ImportError:
        print("Atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    reader = READERS[name]
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    seeds, base = seeds_of(reader, folder)
    corpus = folder / "corpus"
    for number, data in enumerate(seeds):
        write_bytes(corpus / str(number), data)

    def one(data: bytes) -> None:
        _, kind, detail = try_bytes(reader, base / reader.target, data)
        if kind:
            raise RuntimeError(f"{kind}: {detail}")

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], str(corpus)], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
