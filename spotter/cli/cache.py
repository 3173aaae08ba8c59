"""`spotter cache`: the poses that were estimated, kept for all commands."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import out, print_json
from .options import JsonFlag

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(
        invoke_without_command=True,
        help="Estimated poses, kept for all commands: show them, or delete them (nothing but time is lost).",
        epilog="Example: [bold]spotter cache clear --unused-for 30[/bold]",
    )
    group.callback()(show)
    group.command(epilog="Example: [bold]spotter cache clear --unused-for 30[/bold]")(clear)
    app.add_typer(group, name="cache")


def show(
    context: typer.Context,
    every: Annotated[
        bool, typer.Option("--all", help="Each entry, with the video it was first estimated from.")
    ] = False,
    json_output: JsonFlag = False,
) -> None:
    """Estimated poses, kept for all commands: show them, or delete them (nothing but time is lost).

    They lie in ~/.cache/spotter/poses, under $XDG_CACHE_HOME where that is set, or in the folder that $SPOTTER_CACHE
    names; SPOTTER_CACHE=off keeps none.
    """
    if context.invoked_subcommand is not None:
        return
    from datetime import datetime

    from embeddings.pose.cache import cache_folder, cached_poses

    folder = cache_folder()
    entries = list(cached_poses(folder)) if folder is not None else []
    if json_output:
        rows = [
            {"file": str(e.path), "video": e.source, "estimator": e.estimator, "bytes": e.bytes, "used": e.used}
            for e in entries
        ]
        print_json({"folder": None if folder is None else str(folder), "poses": rows})
        return
    if folder is None:
        out.print("no cache: SPOTTER_CACHE is off")
        return
    if every:
        for entry in sorted(entries, key=lambda e: e.used):
            day = datetime.fromtimestamp(entry.used).date()
            out.print(
                f"{day}  {entry.bytes / 1e6:8.1f} MB  {entry.estimator or 'damaged'}  {entry.source}", markup=False
            )
    out.print(f"{_count(len(entries))}, {sum(e.bytes for e in entries) / 1e6:.1f} MB in {folder}/", markup=False)


def clear(
    unused_for: Annotated[
        float, typer.Option("--unused-for", min=0.0, help="Only poses that nobody used for so many days (0: all).")
    ] = 0.0,
) -> None:
    """Delete poses from the cache."""
    from embeddings.pose.cache import clear_cache

    count, size = clear_cache(unused_days=unused_for)
    out.print(f"{_count(count)} deleted, {size / 1e6:.1f} MB")


def _count(number: int) -> str:
    return f"{number} pose" if number == 1 else f"{number} poses"
