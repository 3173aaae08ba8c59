"""The table of licences in docs/licences.md: every package that an installation brings, read from what is installed.

    PYTHONPATH=. python scripts/make/licences.py            # rewrites the table
    PYTHONPATH=. python scripts/make/licences.py --check    # says what is out of date, exit code 1

The packages are those that the default and the extras `train` and `export` need on this machine, theirs included; a
wheel's bundled libraries are looked at for those whose licence reaches further than the package's own.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from safe_files import write_text

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
BEGIN, END = "<!-- table: scripts/make/licences.py -->", "<!-- end of table -->"
EXTRAS = ("train", "export")
NOTABLE = {
    "libx264": "x264 (GPL-2.0-or-later)",
    "libx265": "x265 (GPL-2.0-or-later)",
    "libavcodec": "FFmpeg (LGPL-2.1-or-later; GPL where built with x264 or x265)",
    "libQt5Core": "Qt 5 (LGPL-3.0)",
}
"""Library inside a wheel → what it is. No other file name counts."""
FAMILIES = (
    ("PSF", r"python software foundation|^psf"),
    ("Apache-2.0", r"apache"),
    ("BSD", r"\bbsd\b|3-clause|2-clause"),
    ("MIT", r"\bmit\b|permission is hereby granted, free of charge"),
    ("MPL-2.0", r"mozilla|mpl"),
    ("LGPL", r"lgpl|lesser general"),
    ("GPL", r"\bgpl\b|general public"),
    ("ISC", r"\bisc\b"),
    ("HPND", r"hpnd|historical permission"),
    ("proprietary (NVIDIA)", r"nvidia|proprietary"),
)
"""Name that stands in the table ← what a package writes that gives no SPDX expression; the first that fits."""


def closure(requirements: list[str]) -> set[str]:
    """Names of the installed distributions that these requirements need, themselves included."""
    waiting = [Requirement(text) for text in requirements if applies(Requirement(text), frozenset())]
    seen, names = set[tuple[str, frozenset[str]]](), set[str]()
    while waiting:
        need = waiting.pop()
        name, extras = canonicalize_name(need.name), frozenset(need.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            print(f"{name} is not installed; its row is left out", file=sys.stderr)
            continue
        names.add(name)
        waiting += [r for r in map(Requirement, found.requires or ()) if applies(r, extras)]
    return names


def applies(need: Requirement, extras: frozenset[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def licence(found: Distribution) -> str:
    """Its SPDX expression; else the family of its classifiers, or of the licence file's text."""
    facts = found.metadata
    if facts["License-Expression"]:
        return str(facts["License-Expression"])
    classifiers = [
        c.rsplit("::", 1)[-1].strip() for c in facts.get_all("Classifier") or () if c.startswith("License ::")
    ]
    said = [c for c in classifiers if c != "OSI Approved"] or [str(facts["License"] or "").strip().split("\n")[0]]
    said = said if said != [""] else [_text(found)]
    named = [next((name for name, pattern in FAMILIES if re.search(pattern, text, re.I)), text) for text in said]
    return " AND ".join(dict.fromkeys(named)) or "not stated in its wheel"


def _text(found: Distribution) -> str:
    """The first words of its licence file."""
    for file in found.files or ():
        if re.fullmatch(r"(LICEN[CS]E|COPYING)(\.\w+)?", Path(str(file)).name, re.I):
            return " ".join(str(found.locate_file(file).read_text(encoding="utf-8")).split())[:200]  # type: ignore[union-attr]
    return ""


def bundled(found: Distribution) -> list[str]:
    """Notable libraries among its files."""
    names = {Path(str(file)).name for file in found.files or ()}
    return [what for start, what in NOTABLE.items() if any(re.match(rf"{start}[-.0-9]", name) for name in names)]


def table() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    default = closure(project["dependencies"])
    wider = {e: closure(project["optional-dependencies"][e]) for e in EXTRAS if e in project["optional-dependencies"]}
    rows = ["| package | licence | comes with | inside its wheel |", "|---|---|---|---|"]
    nvidia = 0
    for name in sorted(default.union(*wider.values())):
        if name.startswith(("nvidia-", "cuda-")):
            nvidia += 1
            continue
        found = distribution(name)
        comes = "default" if name in default else ", ".join(f"`{e}`" for e, names in wider.items() if name in names)
        rows.append(f"| {name} | {licence(found)} | {comes} | {'; '.join(bundled(found))} |")
    if nvidia:
        rows.append("| nvidia-…, cuda-… | proprietary (NVIDIA) | default on Linux, unless torch is the CPU build | |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    given = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN, 1)
    old, tail = rest.split(END, 1)
    new = table()
    if given.check:
        lines = set(new.splitlines()) ^ set(old.strip().splitlines())
        print("\n".join(sorted(lines)) or "the table is up to date")
        return int(bool(lines))
    write_text(PAGE, f"{head}{BEGIN}\n{new}\n{END}{tail}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
