"""`spotter data`: a benchmark's own folder turned into a checked manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .console import out, say

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: [bold]spotter data wlasl100 WLASL100.json -o wlasl/ --media videos/[/bold]")(data)


def data(
    name: Annotated[str, typer.Argument(help="The benchmark; a wrong name lists all.", show_default=False)],
    source: Annotated[Path, typer.Argument(help="Its annotation file or folder.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for manifest, report and lists.")],
    media: Annotated[Path | None, typer.Option(help="Folder of its videos; without it no file is looked at.")] = None,
    trims: Annotated[
        Path | None, typer.Option(help="oslwl-queries: the organisers' table CLASS;SIGN;BEGIN;END.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="oslwl: the ground truth; a row for each true segment.")] = None,
) -> None:
    """Check a benchmark against what it publishes; write its manifest and the lists of missing files."""
    from eval.datasets.prepare import prepare

    given = {"trims": ("oslwl-queries", trims), "truth": ("oslwl", truth)}
    options: dict[str, Any] = {option: value for option, (_, value) in given.items() if value is not None}
    if wrong := next((option for option in options if given[option][0] != name), None):
        raise ValueError(f"--{wrong} is for {given[wrong][0]}, not for {name}")
    _, report = prepare(name, source, output, media, **options)
    say(report.table().text())
    out.print(f"manifest, report and lists → {output}/")
