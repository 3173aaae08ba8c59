"""`spotter clips`: hits as small videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import Failures, out, print_json, progress_bar
from .options import FrameRate, JsonFlag, Tiers, TimeUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..cutting import ClipsMade

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(
        epilog="Examples: [bold]spotter clips project/ -o dictionary/[/bold] · "
        "[bold]spotter clips found.csv --media talks/ -o dictionary/[/bold] · "
        "[bold]spotter clips talk.eaf --tier GLOSSES -o dictionary/[/bold]"
    )(clips)


def clips(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Detections, decisions, ELAN or other annotations; or a project (default: the one around here).",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder (default: clips; of a project, exports/clips in it)."),
    ] = None,
    media: Annotated[
        list[Path] | None,
        typer.Option(help="The videos, or folders of them (default: beside the file, or linked in it)."),
    ] = None,
    tiers: Tiers = None,
    unit: Annotated[
        TimeUnit | None, typer.Option(help="Unit of the times, if the file does not state it.", show_default=False)
    ] = None,
    fps: FrameRate = None,
    sign: Annotated[list[str] | None, typer.Option("--sign", help="Only this sign; may be repeated.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least score; hits without a score are taken.", show_default=False)
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(help="Of a project: accepted (default), unsure, rejected, new; may be repeated."),
    ] = None,
    margin: Annotated[float, typer.Option(min=0.0, help="Seconds before and after the sign.")] = 0.2,
    json_output: JsonFlag = False,
) -> None:
    """Cut hits out as small videos with their poses: a dictionary that spotter enroll reads."""
    with progress_bar() as bar:
        task = bar.add_task("clips")

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if source is None or source.is_dir():
            if media or tiers or unit or threshold is not None:
                raise ValueError(
                    "--media, --tier, --unit and --threshold are for files of annotations, not for a project"
                )
            target, made = _of_project(source, output, status or ["accepted"], sign, margin, progress)
        else:
            if status:
                raise ValueError("--status is for a project; a file of annotations has none")
            from ..annotated import read_annotated
            from ..cutting import cuts_of, write_cuts

            read = read_annotated(source, media or (), ("frames",), unit, fps, tiers)
            chosen = [
                s
                for s in read.segments
                if (not sign or s.sign in sign) and (threshold is None or s.score is None or s.score >= threshold)
            ]
            if not chosen:
                raise ValueError(
                    f"{source}: none of its {len(read.segments)} hits is asked for; see --sign, --threshold"
                )
            target = Path("clips") if output is None else output
            made = write_cuts(target, cuts_of(chosen, dict(read.recordings)), source.stem, margin, progress)
    _say(made, target, json_output)


def _of_project(
    folder: Path | None, output: Path | None, status: Sequence[str], signs: Sequence[str] | None, margin: float,
    progress: Callable[[int, int], None],
) -> tuple[Path, ClipsMade]:  # fmt: skip
    from ..project.clips import write_clips
    from .project import opened

    project = opened(folder)
    target = project.at.exports / "clips" if output is None else output
    return target, write_clips(project, target, status, signs, margin, progress)


def _say(made: ClipsMade, target: Path, json_output: bool) -> None:
    failures = Failures()
    for what, why in made.failed:
        failures.add(what, why)
    if json_output:
        print_json({"folder": str(target), "clips": made.rows})
    else:
        kept = f" ({made.kept} were there already)" if made.kept else ""
        out.print(f"{len(made.rows)} clips in {target}/{kept}; look at {target}/index.html")
    failures.finish(len(made.rows) + len(made.failed))
