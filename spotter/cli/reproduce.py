"""`spotter reproduce`: a published system from annotation to score, by the commands that anybody can give."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from .console import out

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(
        epilog="Examples: [bold]spotter reproduce vtn-pf --data mini -o vtn/[/bold] · "
        "[bold]spotter reproduce vtn-pf --data AUTSL/ -o vtn/ --commands[/bold]"
    )(reproduce)


def reproduce(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Which system; none lists them.")] = "",
    data: Annotated[
        str, typer.Option(help="Folder of its data set in the published layout; mini makes a miniature.")
    ] = "mini",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for everything.")] = Path("reproduction"),
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Change every recipe: table.key=value; may be repeated.")
    ] = None,
    commands: Annotated[bool, typer.Option("--commands", help="Only print the commands.")] = False,
) -> None:
    """A published system from annotation to score. Given again, it goes on where it stopped.

    A miniature is a few made-up videos in the data set's layout and tiny networks: it shows that every command fits the
    next one, and its score says nothing. On the data set itself the recipes are the published ones.
    """
    from ..reproduce import MINIATURES, SYSTEMS, Place

    if not system:
        for name, one in SYSTEMS.items():
            out.print(f"[bold]{name}[/bold]  {one.about}")
        return
    if system not in SYSTEMS:
        raise ValueError(f"{system!r} is not known; expected one of {', '.join(SYSTEMS)}")
    chosen, small = SYSTEMS[system], data == "mini"
    folder = output / "mini" if small else Path(data)
    if small and not commands:
        out.print(f"a miniature of {chosen.data} → {folder}/")
        MINIATURES[chosen.data](folder)
    absent = [name for name in chosen.needs if not (folder / name).exists()]
    if absent and not commands:
        raise ValueError(f"{folder}: holds no {', '.join(absent)}; expected {chosen.data} as it is published")
    root = context.find_root().command
    for words in chosen.commands(Place(folder, output, small, tuple(change or ()))):
        print(f"$ spotter {shlex.join(words)}", flush=True)
        if commands:
            continue
        begun = time.perf_counter()
        root.main(list(words), prog_name="spotter", standalone_mode=False)  # type: ignore[attr-defined]
        out.print(f"[dim]{time.perf_counter() - begun:.0f} s[/dim]")
