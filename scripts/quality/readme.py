"""README's figures from the command that makes them: measured again, compared, written.

    PYTHONPATH=. python scripts/quality/readme.py --check     # compares; exit code 1 where README says something else
    PYTHONPATH=. python scripts/quality/readme.py             # writes the lines anew

Each line here takes less than a minute on a free core; `./scripts/test` compares them. Figures that take longer stand
in README with their own commands. Fractions may differ by `TOLERANCE`, since machines round otherwise; whole numbers
may not.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safe_files import write_text

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TOLERANCE = 0.02
NUMBER = re.compile(r"(?<![\w.])\.?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Line:
    """One line of README.

    Attributes:
        start: how it begins.
        make: the whole line, measured.
    """

    start: str
    make: Callable[[], str]


def spotting() -> str:
    """The row of `scripts/bench/spotting.py`: what users get by default, on a world that decided nothing."""
    from eval.spotting import challenge_f1, one_to_one_f1
    from spotter import enroll, spot_videos
    from spotter.comparison.sets import procedural_set

    chosen = procedural_set(77, noise=0.0)
    part, truth = chosen.parts[0], chosen.truth()
    results = spot_videos(part.queries, enroll(list(part.exemplars)), tracks=False)
    found = {r.video: r.detections for r in results}
    minutes, occurrences = sum(chosen.durations().values()) / 60, sum(map(len, truth.values()))
    strict, challenge = (f"{score(truth, found).f1:.3f}".lstrip("0") for score in (one_to_one_f1, challenge_f1))
    what = f"another world, re-measured, exact poses, {occurrences} occurrences in {minutes:.1f} min"
    figure = f"one-to-one F1 {strict}, challenge F1 {challenge}"
    return f"| {what} | {figure} | `python scripts/bench/spotting.py` |"


def encoder() -> str:
    """The row of the encoder that ships: the size of its file."""
    size = (ROOT / "embeddings" / "weights" / "sign-tcn.safetensors").stat().st_size / 1e6
    what = f"`sign-tcn`, {size:.1f} MB of weights that travel with the package"
    return f"| encoder | {what}; SL-GCN 2D/3D, I3D, VTN, SPOTER and others to train | `embeddings/encoders/` |"


LINES = (Line("| another world,", spotting), Line("| encoder | `sign-tcn`", encoder))


def differs(now: str, then: str) -> bool:
    """Whether a line says something else: other words, other whole numbers, or fractions beyond the tolerance."""
    if NUMBER.sub("#", now) != NUMBER.sub("#", then):
        return True
    pairs = zip(NUMBER.findall(now), NUMBER.findall(then), strict=True)
    return any(a != b and ("." not in a or abs(float(a) - float(b)) > TOLERANCE) for a, b in pairs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    given = parser.parse_args()
    rows, wrong = README.read_text(encoding="utf-8").splitlines(), 0
    for line in LINES:
        places = [n for n, row in enumerate(rows) if row.startswith(line.start)]
        if len(places) != 1:
            raise SystemExit(f"README.md has {len(places)} lines that begin {line.start!r}; expected one")
        now = line.make()
        if differs(now, rows[places[0]]):
            wrong += 1
            print(f"README says  {rows[places[0]]}\nmeasured     {now}")
            rows[places[0]] = now
    if not given.check and wrong:
        write_text(README, "\n".join(rows) + "\n")
    print(
        f"{len(LINES) - wrong} of {len(LINES)} lines agree"
        + ("" if given.check or not wrong else "; README is written")
    )
    return int(given.check and wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
