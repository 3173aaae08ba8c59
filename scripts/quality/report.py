"""Writes docs/measured/spotting.md: every method on every set, each ingredient removed in turn, the worst failures.

    python scripts/quality/report.py FOLDER --work WORK [-o docs/measured/spotting.md]

FOLDER holds the real collections (`real_sets.py`), WORK keeps the rendered world and the measured tables: a stopped run
goes on where it was; delete a table's JSON to measure it anew. No number in the page is typed by hand. About 40 minutes
on two cores, most of it rendering 6.7 minutes of video and estimating its poses.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from embeddings.encoders import load_encoder
from eval.segments import Segment
from safe_files import write_json, write_text
from scripts.bench.compare import code, kept
from scripts.quality.failures import write_failures
from scripts.quality.measures import (
    RENDERED,
    UNSEEN_BY_REAL,
    ablations,
    boundaries,
    length_ratios,
    rendered_set,
    retrieval,
    second_checkpoint,
    transfers,
)
from scripts.real.catalogue import pooled
from scripts.real.streams import real_streams
from spotter.comparison.figures import ComparisonSet, MethodRow, compare, procedural_set, table
from spotter.comparison.methods import METHODS, Method


class Tables:
    """Measured tables, each kept as a JSON file of the work folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.encoder = load_encoder("default").id

    def get(self, name: str, measure: Callable[[], Any]) -> Any:
        """The table of that name, measured if it is not there or was made with other weights or another program."""
        path = self.folder / f"{name.replace(':', '-').replace(' ', '-').replace(',', '')}.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if (kept["encoder"], kept["code"]) == (self.encoder, code()):
                return kept["rows"]
        start = time.perf_counter()
        rows = measure()
        write_json(path, {"encoder": self.encoder, "code": code(), "rows": rows})
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        return rows


def baselines_and_ours(work: Path) -> list[Method]:
    """All methods; the baselines' results are kept from one run to the next, ours are always made anew."""
    return [m if m.name == "sign-spotter" else kept(m, work / "kept") for m in METHODS.values()]


def compared(chosen: ComparisonSet, methods: Sequence[Method] | None = None) -> dict[str, Any]:
    """A comparison as plain values: rows, and the last method's detections."""
    rows, found = compare(chosen, methods)
    last = rows[-1].method
    return {
        "rows": [asdict(r) for r in rows],
        "found": {v: [asdict(d) for d in own] for v, own in found[last].items()},
        "facts": facts(chosen),
    }


def facts(chosen: ComparisonSet) -> dict[str, Any]:
    """Sizes of a set."""
    signs = {e.label for p in chosen.parts for e in p.exemplars}
    return {
        "signs": len(signs),
        "videos": len(chosen.durations()),
        "minutes": sum(chosen.durations().values()) / 60,
        "occurrences": sum(map(len, chosen.truth().values())),
    }


def spotting_section(title: str, made: dict[str, Any]) -> list[str]:
    size = made["facts"]
    rows = [MethodRow(**row) for row in made["rows"]]
    head = (
        f"{size['signs']} signs, one exemplar each; {size['videos']} streams, {size['minutes']:.1f} minutes, "
        f"{size['occurrences']} occurrences."
    )
    return [f"### {title}", "", head, "", table(rows).markdown(), ""]


def retrieval_section(rows: list[dict[str, Any]]) -> list[str]:
    methods = list(dict.fromkeys(r["method"] for r in rows))
    lines = ["| collection | signs | clips | " + " | ".join(methods) + " |", "|---|---|---|" + "---|" * len(methods)]
    for name in dict.fromkeys(r["collection"] for r in rows):
        mine = {r["method"]: r for r in rows if r["collection"] == name}
        first = next(iter(mine.values()))
        cells = [f"{r['top1']:.3f} [{r['low']:.2f}, {r['high']:.2f}] · {r['mrr']:.3f}" for r in mine.values()]
        lines.append(f"| {name} | {first['signs']} | {first['clips']} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def targets_section(rows: list[dict[str, Any]]) -> list[str]:
    """Ours against raw pose cosine as the aims put it."""
    lines = ["| collection | pose-cosine | ours | aim | reached | ahead of pose DTW |", "|---|---|---|---|---|---|"]
    for name in dict.fromkeys(r["collection"] for r in rows):
        mine = {r["method"]: r["top1"] for r in rows if r["collection"] == name}
        raw, ours = mine["pose-cosine"], mine["sign-spotter"]
        aim = 1.8 * raw if raw < 0.5 else 1 - (1 - raw) / 2
        kind = "1.8 ×" if raw < 0.5 else "half the error"
        ahead = "yes" if ours > mine["pose-dtw"] else "no"
        lines.append(
            f"| {name} | {raw:.3f} | {ours:.3f} | {aim:.3f} ({kind}) | {'yes' if ours >= aim else 'no'} | {ahead} |"
        )
    return [*lines, ""]


def speed() -> float:
    """Windows a second of the default encoder on one thread, frame stage included, from poses."""
    encoder = load_encoder("default")
    values = np.random.default_rng(0).normal(0, 0.5, (3000, 100)).astype(np.float32)
    windows = np.stack([np.arange(2900), np.arange(2900) + 16], axis=1).astype(float)
    encoder.embed({"pose": values}, windows)
    start = time.perf_counter()
    for _ in range(3):
        encoder.embed({"pose": values}, windows)
    return 3 * len(windows) / (time.perf_counter() - start)


def measured(tables: Tables, folder: Path, work: Path) -> dict[str, Any]:
    """Every table of the page, from its file where it was measured before."""
    methods = baselines_and_ours(work)
    streams = pooled(real_streams(folder))
    rendered, procedural = rendered_set(work / "rendered"), procedural_set(77)
    exact = f"rendered:{RENDERED.seed}, exact poses"
    sets = {procedural.name: procedural, rendered.name: rendered, exact: rendered_set(work / "rendered", exact=True)}

    def each(
        kind: str, chosen: dict[str, ComparisonSet | None], ways: Callable[[], Sequence[Method]]
    ) -> dict[str, Any]:
        return {
            name: tables.get(f"{kind}{name}", lambda one=one: compared(one, ways()))
            for name, one in chosen.items()
            if one is not None
        }

    return {
        "rendered": rendered,
        "sets": each("", {**sets, **streams}, lambda: methods),
        "retrieval": tables.get("retrieval", lambda: [asdict(r) for r in retrieval(folder, methods)]),
        "ablations": each("ablations ", {procedural.name: procedural, "rendered": rendered}, ablations),
        "transfer": each("transfer ", {procedural.name: procedural, "asl-9": streams.get("asl-9")}, transfers),
        "second": each("second ", {"rendered": rendered, "ksl-20": streams.get("ksl-20")}, second_checkpoint),
        "second retrieval": tables.get(
            "second retrieval", lambda: [asdict(r) for r in retrieval(folder, second_checkpoint(), UNSEEN_BY_REAL)]
        ),
        "lengths": tables.get("lengths", lambda: list(length_ratios())),
        "speed": tables.get("speed", speed),
    }


HEAD = """\
# Spotting quality

Written by `python scripts/quality/report.py FOLDER --work WORK`; weights `{encoder}`. Do not edit: change the script.

One exemplar per sign throughout. *F1@.5* is one-to-one at IoU 0.5 with its 95 % bootstrap interval over videos;
*recall* is that at one false alarm a minute of video, all signs together; *boundary* the median absolute error of start
and end; *p* a paired bootstrap over videos against the last row.

What was chosen where: the network and its training on procedural worlds; body proportions, speed, the trimming of
clips that are cut close, and the kinds of signing that the calibration is fitted on, after looking at `ksl13`,
`traduttore` and `ksl77`, which are development sets: `asl-9`, `asl-13`, `ksl-13` and `ksl-20` are streams of those
recordings, whose true spans the same trimming finds. That trimming should follow stops of the hand, not its height
alone, was seen in the pictures of failures of an earlier version of this page, which were of the rendered world; how it
does so was chosen on other procedural worlds. The thresholds of the baselines come from
`scripts/make/fit_baselines.py`, the calibration from `scripts/make/fit_calibration.py`, both on procedural worlds.
Nothing else was chosen on the rendered world, and nothing on `procedural:77` or `fingerspelling`.
"""

TRIED = """\
## Tried and left out

Each on procedural worlds and the development streams, by the same measure as above:

- Adapting the probability to how rare a sign is in a video (expectation maximisation on its candidates, Saerens et al.
  2002): where signs are rare it silenced the true ones with the false.
- Products of evidence with free weights in the calibration: better on fluent procedural signing (one-to-one F1 on the
  rendered world .74), worse on the real streams (asl-9 .61, asl-13 .63, ksl-13 .74). They are held back therefore.
- Boosted trees in place of the logistic map: worse average precision on new worlds.
- Phonological distance fused with the encoder: lower F1, see [phonology](phonology.md).
"""


def page(tables: Tables, folder: Path, work: Path, pictures: Path) -> str:
    made = measured(tables, folder, work)
    kept = made["sets"][made["rendered"].name]["found"]
    found = {video: [Segment(**row) for row in rows] for video, rows in kept.items()}
    spans = boundaries(made["rendered"], found)
    low, middle, high = made["lengths"]

    def spotting(kind: str) -> list[str]:
        return [line for name, one in made[kind].items() for line in spotting_section(name, one)]

    return "\n".join(
        [
            HEAD.format(encoder=tables.encoder),
            "## One-shot retrieval across signers, real recordings",
            "",
            "Top-1 [middle 95 % of 50 draws of the exemplars] · mean reciprocal rank. "
            "Exemplars and queries by different signers.",
            "",
            *retrieval_section(made["retrieval"]),
            *targets_section(made["retrieval"]),
            "## Continuous signing",
            "",
            *spotting("sets"),
            "## Each ingredient removed in turn",
            "",
            *spotting("ablations"),
            "## Top-K transfer",
            "",
            *spotting("transfer"),
            "## The second checkpoint",
            "",
            "`sign-tcn-real` is the default encoder trained further with real recordings of 37 signs (American and "
            "Korean) beside the procedural ones. The sets it was trained on are left out here.",
            "",
            *retrieval_section(made["second retrieval"]),
            *spotting("second"),
            "## Lengths and boundaries",
            "",
            f"A sign in procedural signing lasts {middle:.2f} of its exemplar (10 % {low:.2f}, 90 % {high:.2f}). On "
            f"the rendered world, challenge F1 of our detections is {spans.ours:.3f}; with 600 ms around the same "
            f"middles {spans.fixed:.3f}; 600 ms around every *true* middle would reach {spans.ceiling:.3f}.",
            "",
            f"The shipped encoder embeds {made['speed']:,.0f} windows a second on one core, from pose features, frame "
            "stage included.",
            "",
            *write_failures(made["rendered"], found, pictures),
            TRIED,
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parents[2] / "docs" / "measured" / "spotting.md"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    text = page(Tables(args.work / "tables"), args.folder, args.work, args.output.parent)
    write_text(args.output, text)
    print(f"→ {args.output}")


if __name__ == "__main__":
    main()
