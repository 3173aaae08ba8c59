"""The tables of docs/scale.md, worked out from measured unit costs: what 1,000, 100,000 and 10 million hours take.

    python scripts/bench/scale_costs.py                 # prints the tables
    python scripts/bench/scale_costs.py --write         # puts them into docs/scale.md, between its markers

Unit costs are read from docs/measured/*.json, which `bench_pipeline.py`, `bench_scaling.py` and `bench_search.py` write
with `--json`. Everything else here is multiplication.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from gallery.corpus_index import layout_for
from safe_files import write_text

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOURS = (1_000, 100_000, 10_000_000)
YEAR = 24 * 365


def unit_costs(folder: Path) -> dict[str, float]:
    """Per hour of video: processor hours of each step, bytes, rows; per row of the index: seconds and bytes."""
    pipeline, scaling, search = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("pipeline", "scaling", "search")
    )
    longest = max((run for run in scaling["runs"] if run["threads"] == 1), key=lambda run: run["minutes"])
    per_minute = {stage: cpu / pipeline["minutes"] for stage, (_, cpu) in pipeline["stages"].items()}
    return {
        "pose_h": per_minute["floor: pose, one process"] / 60,
        "encode_h": longest["processor_s"] / longest["minutes"] / 60,
        "rows": longest["windows"] / longest["minutes"] * 60,
        "store_bytes": longest["bytes"] / longest["minutes"] * 60,
        # finding a row's list means comparing it with all of them
        "index_s_per_list": search["build_cpu_s"] / search["rows"] / search["layout"]["lists"],
        "dim": search["dim"],
        "index_bytes": search["index_bytes_per_row"],
    }


def index_hours(rows: float, cost: dict[str, float]) -> float:
    """Processor hours of building an index of so many rows."""
    lists = layout_for(round(rows), round(cost["dim"])).lists
    return rows * lists * cost["index_s_per_list"] / 3600


def table_of_costs(cost: dict[str, float]) -> list[str]:
    lines = [
        "| hours of video | windows | pose, CPU h | encoding, CPU h | index, CPU h | vectors, features "
        "| index, a byte a value | a byte for four |",
        "|---" * 8 + "|",
    ]
    for hours in HOURS:
        rows = hours * cost["rows"]
        lines.append(
            f"| {hours:,} | {rows:.3g} | {number(hours * cost['pose_h'])} | {number(hours * cost['encode_h'])} | "
            f"{number(index_hours(rows, cost))} | {size(hours * cost['store_bytes'])} | "
            f"{size(rows * (cost['index_bytes']))} | {size(rows * (cost['index_bytes'] / 4 + 6))} |"
        )
    return lines


def table_of_machines(cost: dict[str, float]) -> list[str]:
    lines = ["| hours of video | cores for a month, pose | cores for a month, the rest |", "|---|---|---|"]
    for hours in HOURS:
        month = YEAR / 12
        rest = hours * cost["encode_h"] + index_hours(hours * cost["rows"], cost)
        lines.append(f"| {hours:,} | {number(hours * cost['pose_h'] / month)} | {number(rest / month)} |")
    return lines


def number(value: float) -> str:
    """Two significant digits; more would pretend."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB", "PB"):
        if count < 1000 or unit == "PB":
            return f"{count:.2g} {unit}" if count < 10 else f"{count:.0f} {unit}"
        count /= 1000
    raise AssertionError


def tables(folder: Path) -> str:
    cost = unit_costs(folder)
    told: list[tuple[str, Any]] = [
        ("CPU hours of pose estimation per hour of video (MediaPipe)", number(cost["pose_h"])),
        ("CPU hours of encoding per hour of video (default encoder)", number(cost["encode_h"])),
        ("window vectors per hour", f"{cost['rows']:,.0f}"),
        ("bytes of vectors and features per hour", size(cost["store_bytes"])),
        (
            "CPU seconds of index building per million vectors and thousand lists",
            number(1e9 * cost["index_s_per_list"]),
        ),
    ]
    units = ["| unit cost, measured | |", "|---|---|", *(f"| {name} | {value} |" for name, value in told)]
    return "\n".join([*units, "", *table_of_costs(cost), "", *table_of_machines(cost)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, default=DOCS / "measured", help="folder of the benches' JSON files")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    options = parser.parse_args()
    text = tables(options.measured)
    if not options.write:
        print(text)
        return
    page = DOCS / "scale.md"
    begin, end = "<!-- made by scripts/bench/scale_costs.py -->", "<!-- end -->"
    old = page.read_text(encoding="utf-8")
    new = re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL)
    write_text(page, new)


if __name__ == "__main__":
    main()
