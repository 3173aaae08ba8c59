"""Is our search ahead of the best rival, set by set, or was it the draw of the videos?

    python scripts/bench/rivals.py --real FOLDER [--sets haystack ksl13-in-swiss@0 …] [--rivals tcn-dtw tcn-dtw8]

For each set: one-to-one F1 at IoU .5 at the methods' own thresholds and average precision, of ours and of the rival
that is best by it; the difference with its 95 % interval and p-value by the paired bootstrap over videos; then the
p-values of all sets corrected for their number (Holm 1979). `worlds` pools procedural:77 to 81, each a cluster of six
videos, and `worlds?tempo=2.2` those with signs that much faster.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from eval.significance import Comparison, compared_draws, f1_of, holm, paired_bootstrap, resamples
from eval.spotting.curves import average_precisions, precision_recall
from eval.spotting.groups import counts_per_video
from scripts.real.catalogue import open_sets, purpose_of
from spotter.comparison.methods import METHODS
from spotter.comparison.sets import ComparisonSet
from spotter.detection import Detection

OURS = "sign-spotter"
SETS = (
    "asl-9", "asl-13", "ksl-13", "ksl-20", "asl-in-korean@0", "korean-in-asl@0", "haystack", "korean-in-swiss@0",
    "ksl13-in-swiss@0", "boston104", "worlds", "worlds?tempo=1.4", "worlds?tempo=1.8", "worlds?tempo=2.2",
)  # fmt: skip
WORLDS = range(77, 82)
REPEATS = 5000
FIGURES = (("one-to-one F1 at IoU .5", 2), ("average precision", 4))


def parts_of(name: str, folder: Path | None) -> tuple[str, list[ComparisonSet]]:
    """(what it is for, the sets pooled)."""
    if not name.startswith("worlds"):
        return purpose_of(name), list(open_sets([name], folder).values())
    names = [f"procedural:{seed}{name.removeprefix('worlds')}" for seed in WORLDS]
    return purpose_of(names[0]), list(open_sets(names).values())


def searched(sets: Sequence[ComparisonSet], method: str) -> dict[str, list[Detection]]:
    """Every detection of all sets, from the method's lowest score on; a video's name starts with its set's."""
    way = METHODS[method]
    return {
        f"{one.name}/{video}": detections
        for one in sets
        for part in one.parts
        for video, detections in way.detections(part.exemplars, part.queries, way.least).items()
    }


def compared(sets: Sequence[ComparisonSet], rivals: Sequence[str]) -> tuple[str, Comparison, str, Comparison]:
    """(best rival by F1, ours against it, best rival by average precision, ours against it)."""
    truth = {f"{one.name}/{video}": segments for one in sets for video, segments in one.truth().items()}
    found = {name: searched(sets, name) for name in (OURS, *rivals)}
    above = {
        name: {v: [d for d in rows if d.score >= METHODS[name].threshold] for v, rows in videos.items()}
        for name, videos in found.items()
    }
    counts = {name: counts_per_video(truth, videos, 0.5) for name, videos in above.items()}
    precision = {name: precision_recall(truth, videos, 0.5).average_precision for name, videos in found.items()}
    f1 = {name: float(f1_of(c.sum(axis=0, keepdims=True).astype(float))[0]) for name, c in counts.items()}
    by_f1, by_precision = max(rivals, key=lambda n: f1[n]), max(rivals, key=lambda n: precision[n])
    draws = resamples(len(truth), REPEATS, 0)
    differences = average_precisions(truth, found[OURS], draws) - average_precisions(truth, found[by_precision], draws)
    return (
        by_f1, paired_bootstrap(counts[OURS], counts[by_f1], f1_of, REPEATS),
        by_precision, compared_draws(precision[OURS], precision[by_precision], differences),
    )  # fmt: skip


def row(rival: str, one: Comparison, corrected: float) -> str:
    """Cells of a figure."""
    interval = f"{one.difference.value:+.3f} [{one.difference.low:+.3f}, {one.difference.high:+.3f}]"
    return f"{one.first:.3f} | {rival} {one.second:.3f} | {interval} | {corrected:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, help="the collections of real recordings")
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="see scripts/real/catalogue.py; worlds")
    parser.add_argument("--rivals", nargs="+", default=["tcn-dtw", "tcn-dtw8"], choices=[*METHODS])
    args = parser.parse_args()
    torch.set_num_threads(1)
    made = []
    for name in args.sets:
        try:
            purpose, sets = parts_of(name, args.real)
        except ValueError as error:
            raise SystemExit(str(error)) from None
        made.append((name, purpose, *compared(sets, args.rivals)))
        for title, at in FIGURES:
            one: Comparison = made[-1][at + 1]  # type: ignore[assignment]
            print(f"{name}, {title}: {row(made[-1][at], one, one.p_value)} uncorrected", flush=True)
    for title, at in FIGURES:
        corrected = holm([one[at + 1].p_value for one in made])  # type: ignore[union-attr]
        print(f"\n| set | purpose | {title}: ours | best rival | difference, 95 % | p (Holm, {len(made)} sets) |")
        print("|---|---|---|---|---|---|")
        for one, p in zip(made, corrected, strict=True):
            print(f"| {one[0]} | {one[1]} | {row(one[at], one[at + 1], p)} |")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
