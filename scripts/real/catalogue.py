"""Every set by name, and what it is for: choosing (settings, weights, thresholds) or reporting. Never both.

    from scripts.real.catalogue import for_choosing, open_sets
    for_choosing(["procedural:21", "ksl-13"], folder)      # a reporting set here is an error

Code that chooses opens its sets by `for_choosing` alone (tests/scripts/test_catalogue.py looks at the imports of
everything in scripts/make/), so that nobody tunes on what is reported by accident. The table is in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from scripts.real import haystacks
from scripts.real.streams import StreamSet, real_streams
from spotter.comparison.sets import ComparisonPart, ComparisonSet, open_set

__all__ = ["REAL_SETS", "for_choosing", "open_sets", "pooled", "purpose_of", "refuse_reported"]

Purpose = Literal["choosing", "reporting"]

REAL_SETS: dict[str, Purpose] = {
    "asl-9": "choosing",
    "asl-13": "choosing",
    "ksl-13": "choosing",
    "ksl-20": "choosing",
    "asl-in-korean": "choosing",
    "korean-in-asl": "choosing",
    "haystack": "reporting",
    "korean-in-swiss": "reporting",
    "ksl13-in-swiss": "reporting",
    "boston104": "reporting",
}
"""Sets of real recordings. `@…` after a name is the draw (`korean-in-swiss@3`), or for `asl-9`, `asl-13` and `ksl-13`
how long signs last as a share of what was recorded (`asl-9@1.3`)."""

CHOOSING_WORLDS = (range(5, 6), range(21, 30), range(9000, 10_000))
"""Seeds of procedural and filmed worlds for choosing; all others are for reporting."""

_DRAWN: dict[str, Callable[[Path, int], dict[str, StreamSet]]] = {
    "asl-in-korean": haystacks.asl_in_korean,
    "korean-in-asl": haystacks.korean_in_asl,
    "korean-in-swiss": haystacks.korean_in_swiss,
    "ksl13-in-swiss": haystacks.ksl13_in_swiss,
}
_RATIOS = ("asl-9", "asl-13", "ksl-13")


def purpose_of(name: str) -> Purpose:
    """What a set is for.

    Args:
        name: of `REAL_SETS`, perhaps with `@…`; `procedural:SEED…`, `filmed:SEED` or `rendered:SEED`.

    Raises:
        ValueError: no such set.
    """
    kind, _, rest = name.partition(":")
    if kind in ("procedural", "filmed", "rendered"):
        seed = rest.partition("?")[0]
        if not seed.isdecimal():
            raise ValueError(f"{name!r}: expected {kind}:SEED with a whole number")
        return "choosing" if any(int(seed) in worlds for worlds in CHOOSING_WORLDS) else "reporting"
    base = name.partition("@")[0]
    if base not in REAL_SETS:
        raise ValueError(f"{name!r}: no such set; there are procedural:SEED and {', '.join(REAL_SETS)}")
    return REAL_SETS[base]


def refuse_reported(names: Sequence[str]) -> None:
    """Nothing if all sets are for choosing.

    Raises:
        ValueError: one is for reporting.
    """
    for name in names:
        if purpose_of(name) == "reporting":
            raise ValueError(
                f"{name!r} is for reporting: nothing may be chosen on it. For choosing there are procedural worlds "
                f"21 to 29 and 9000 to 9999, and {', '.join(n for n, p in REAL_SETS.items() if p == 'choosing')}"
            )


def for_choosing(names: Sequence[str], folder: Path | None = None) -> dict[str, ComparisonSet]:
    """The sets, in the order asked for; see `open_sets`.

    Raises:
        ValueError: one is for reporting, or cannot be opened.
    """
    refuse_reported(names)
    return open_sets(names, folder)


def open_sets(names: Sequence[str], folder: Path | None = None) -> dict[str, ComparisonSet]:
    """Sets by name, for reporting.

    Args:
        folder: the collections of real recordings; None where only procedural sets are asked for.

    Raises:
        ValueError: no such set, or its recordings are not in the folder.
    """
    opened: dict[str, ComparisonSet] = {}
    ratios: dict[float, Mapping[str, ComparisonSet]] = {}
    for name in names:
        purpose_of(name)
        if name.startswith("procedural:"):
            opened[name] = open_set(name)
            continue
        if folder is None:
            raise ValueError(f"{name!r} is made of real recordings; the folder that holds them is needed")
        opened[name] = _real(name, folder, ratios)
    return opened


def pooled(streams: Mapping[str, StreamSet]) -> dict[str, ComparisonSet]:
    """Sets of streams whose names begin alike (`asl-9/1`, `asl-9/2`) as one: the turns of the signers together."""
    parts: dict[str, list[ComparisonPart]] = {}
    for name, (exemplars, queries) in streams.items():
        parts.setdefault(name.partition("/")[0], []).append(ComparisonPart(exemplars, queries))
    return {name: ComparisonSet(name, found) for name, found in parts.items()}


def _real(name: str, folder: Path, ratios: dict[float, Mapping[str, ComparisonSet]]) -> ComparisonSet:
    base, _, asked = name.partition("@")
    try:
        if base in _DRAWN:
            made = pooled(_DRAWN[base](folder, int(asked or 0)))
        elif base == "boston104":
            made = pooled(haystacks.boston104(folder))
        else:
            ratio = float(asked or 1)
            if ratio != 1 and base not in _RATIOS:
                raise ValueError(f"{name!r}: only {', '.join(_RATIOS)} are made at other lengths")
            ratios.setdefault(ratio, pooled(real_streams(folder, ratio=ratio)))
            made = dict(ratios[ratio])
    except FileNotFoundError as error:
        raise ValueError(f"{name!r}: {error.filename or error} is not there") from None
    if base not in made:
        raise ValueError(f"{name!r}: {folder} lacks its recordings")
    return ComparisonSet(name, made[base].parts)
