"""`spotter review`, `refit`, `export`: a project's page, its learning, its results as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import Failures, err, out, print_json, progress_bar
from .options import EncoderName, JsonFlag, Poses, reads_recordings
from .project import ProjectFolder, opened

if TYPE_CHECKING:
    from ..project.folder import Project

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: [bold]spotter review project/[/bold]")(review)
    app.command(epilog="Example: [bold]spotter refit project/ --check[/bold]")(refit)
    app.command(epilog="Example: [bold]spotter export project/ --as eaf --as csv -o results/[/bold]")(export)


@reads_recordings
def review(
    poses: Poses,
    folder: ProjectFolder = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port (default: the one of the last time, else a free one).")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in your browser.")] = True,
    prepared: Annotated[
        bool, typer.Option("--prepare/--no-prepare", help="First enrol, index and search what is not yet.")
    ] = True,
    encoder: EncoderName = "default",
) -> None:
    """Look at a project's hits in the browser: accept, reject, correct, search again. Ctrl+C ends it."""
    project = opened(folder)
    if prepared:
        prepare_for_review(project, encoder, poses)
    show(project, port, browser, encoder)


def show(project: Project, port: int | None = None, browser: bool = True, encoder: str = "default") -> None:
    """Serves a project's page until it is interrupted."""
    from ..review.desk import Desk
    from ..review.server import address_of, review_app, run

    address = address_of(project, port)
    desk = Desk(project, encoder)
    app = review_app(desk, address)
    run(app, address, _announce, browser)


def _announce(url: str) -> None:
    out.print(f"review page: [link={url}]{url}[/link]")
    err.print("only this machine can open it, with this address; Ctrl+C ends it, nothing decided is lost")


def prepare_for_review(project: Project, encoder: str, poses: Poses) -> None:
    """Enrols, indexes and searches what is not yet, with a progress bar; says what failed."""
    from ..project.prepare import prepare

    tasks: dict[str, object] = {}
    with progress_bar() as bar:

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

        made = prepare(project, encoder, poses.estimator.value, poses.workers, tell, fps=poses.fps)
    failures = Failures()
    for file, why in made.failed:
        failures.add(file, why)
    if made.found:
        out.print(f"{made.found} hits to look at")


def refit(
    folder: ProjectFolder = None,
    sign: Annotated[list[str] | None, typer.Option("--sign", help="Only this sign; may be repeated.")] = None,
    until: Annotated[int | None, typer.Option(min=0, help="Only the log up to this line.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Do the last search of the log again and compare; write nothing.")
    ] = False,
    who: Annotated[str, typer.Option(help="Noted in the log.")] = "",
    encoder: EncoderName = "default",
    json_output: JsonFlag = False,
) -> None:
    """Search a project's corpus anew with everything in its log: the same log gives the same hits and scores."""
    from ..project.prepare import repeat_search, search_project

    project = opened(folder)
    if check:
        differences = repeat_search(project, encoder)
        if json_output:
            print_json({"differences": differences})
        elif not differences:
            out.print("the same hits with the same scores")
        for line in differences:
            err.print(f"[red]differs:[/red] {line}")
        if differences:
            raise typer.Exit(1)
        return
    found = search_project(project, encoder, sign, who, until)
    out.print(f"{found} hits")


def export(
    folder: ProjectFolder = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--as", help="eaf, vtt, textgrid, csv, json, decisions.csv, decisions.json; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder (default: exports/ in the project).")
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option(help="accepted (default), unsure, rejected, new; may be repeated.")
    ] = None,
    video: Annotated[list[str] | None, typer.Option(help="Only this video; may be repeated.")] = None,
    who: Annotated[str, typer.Option(help="Noted in the log.")] = "",
) -> None:
    """Write what was decided as files. ELAN files of your own keep every byte and get a tier more."""
    from ..project.export import export_project

    project = opened(folder)
    written = export_project(project, kind or ["eaf"], status or ["accepted"], who, output, video)
    for path in written:
        out.print(str(path))
    if not written:
        err.print("nothing to write: no hit with such a status")
