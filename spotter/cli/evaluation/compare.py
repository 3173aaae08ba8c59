"""`spotter eval compare`: what one would try first, what was published, and this toolkit, on one set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import err, out, print_json, say
from ..options import FrameRate, Tiers, TruthUnit

__all__ = ["register"]


def register(group: typer.Typer) -> None:
    """Adds the command of this module to the group `eval`."""
    group.command(
        "compare",
        epilog="Examples: [bold]spotter eval compare --data procedural:77[/bold] · "
        "[bold]spotter eval compare --data mine/ --methods pose-dtw,sign-spotter -o tables/[/bold]",
    )(eval_compare)


def eval_compare(
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            help="procedural:SEED[?signs=…&videos=…&each=…&noise=…], a folder with exemplars/, queries/ and truth.csv "
            "(or .json .eaf …), or what `spotter data` prepared; may be repeated.",
            show_default=False,
        ),
    ],
    methods: Annotated[
        str, typer.Option(help="Names separated by commas, the one to test against last; default all.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for comparison.json, .md and .tex.", show_default=False),
    ] = None,
    one_shot: Annotated[
        bool, typer.Option("--one-shot/--no-one-shot", help="Also recognise every true span as a single sign.")
    ] = True,
    segmenter: Annotated[
        Path | None,
        typer.Option(
            help="TorchScript file of sign-language-processing's segmentation network: adds the method segment-match.",
            show_default=False,
        ),
    ] = None,
    unit: TruthUnit = None,
    fps: FrameRate = None,
    tiers: Tiers = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Every method on the same videos: F1, precision-recall, boundaries, one-shot recognition, intervals, p-values."""
    from ...comparison.figures import as_dict, compare, open_set, table, write_comparison
    from ...comparison.methods import METHODS
    from ...comparison.segments import SegmentMethod

    known = dict(METHODS)
    if segmenter is not None:
        known = {"segment-match": SegmentMethod.of(segmenter), **known}
    names = [name.strip() for name in methods.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = "; it needs --segmenter" if unknown[0] == "segment-match" else ""
        raise ValueError(f"method {unknown[0]!r} is not known; expected some of {', '.join(known)}{hint}")
    names = names if names else list(known)
    comparisons = []
    for source in data:
        chosen = open_set(source, unit, fps, tiers)
        with err.status(f"{chosen.name}: {names[0]}") as status:
            done = iter([*names[1:], "figures"])
            rows, _ = compare(
                chosen,
                [known[name] for name in names],
                lambda _: status.update(f"{chosen.name}: {next(done)}"),  # noqa: B023 (called within this turn)
                one_shot,
            )
        comparisons.append(as_dict(chosen, rows))
        if not json_output:
            seconds, figures = sum(chosen.durations().values()), comparisons[-1]
            out.print(
                f"{chosen.name}: {figures['signs']} signs, one exemplar each; {figures['videos']} videos, "
                f"{seconds / 60:.1f} minutes, {figures['references']} occurrences"
            )
            say(table(rows).text())
        if output is not None:
            folder = output if len(data) == 1 else output / chosen.name.replace(":", "-").replace("/", "-")
            write_comparison(folder, chosen, rows)
            err.print(f"table → {folder}/comparison.json .md .tex")
    if json_output:
        print_json(comparisons[0] if len(comparisons) == 1 else comparisons)
