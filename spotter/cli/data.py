"""`spotter data`: a benchmark's own folder turned into a checked manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import out

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: [bold]spotter data wlasl100 WLASL100.json -o wlasl/ --media videos/[/bold]")(data)


def data(
    name: Annotated[str, typer.Argument(help="The benchmark; a wrong name lists all.", show_default=False)],
    source: Annotated[Path, typer.Argument(help="Its annotation file or folder.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for manifest, report and lists.")],
    media: Annotated[Path | None, typer.Option(help="Folder of its videos; without it no file is looked at.")] = None,
) -> None:
    """Check a benchmark against what it publishes; write its manifest and the lists of missing files."""
    from eval.datasets.prepare import prepare

    _, report = prepare(name, source, output, media)
    print(report.table().text())
    out.print(f"manifest, report and lists → {output}/")
