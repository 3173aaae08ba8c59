"""`spotter new` and `spotter decisions`: a project's folder and its log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import err, out, print_json
from .options import JsonFlag

if TYPE_CHECKING:
    from ..project.folder import Linked, Project

__all__ = ["ProjectFolder", "defaults", "opened", "register"]

ProjectFolder = Annotated[
    Path | None, typer.Argument(help="Folder of the project (default: the one around here).", show_default=False)
]

decisions = typer.Typer(
    no_args_is_help=True, help="The log of what people decided about hits: show it, take it out, take it in."
)


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: [bold]spotter new project/ talks/*.mp4 --exemplars dictionary/ --elan my.eaf[/bold]")(
        new
    )
    decisions.command("log", epilog="Example: [bold]spotter decisions log project/ --last 50[/bold]")(show_log)
    decisions.command(
        "export", epilog="Example: [bold]spotter decisions export project/ -o decisions.csv -o decisions.json[/bold]"
    )(export_decisions)
    decisions.command(
        "import", epilog="Example: [bold]spotter decisions import decisions.json --project project/[/bold]"
    )(import_decisions)
    app.add_typer(decisions, name="decisions")


def defaults(application: Any) -> dict[str, Any] | None:
    """Defaults that the project around the working folder gives to the commands' options; None outside of projects."""
    from ..project.settings import find_project

    folder = find_project(Path.cwd())
    if folder is None:
        return None
    from ..project.folder import Layout
    from ..project.settings import Settings, command_defaults

    layout = Layout(folder)
    return command_defaults(application.commands, Settings.read(layout.settings).options, layout.defaults(), folder)


def opened(folder: Path | None) -> Project:
    """The project named, or the one around the working folder.

    Raises:
        ValueError: there is none.
    """
    from ..project.folder import Project, ProjectError

    project = Project.around() if folder is None else Project.open(folder)
    if project is None:
        raise ProjectError(f"no project around {Path.cwd()} (no spotter.toml here or above); name its folder")
    return project


def new(
    folder: Annotated[Path, typer.Argument(help="Folder of the project; more may be added to one that is there.")],
    videos: Annotated[
        list[Path] | None,
        typer.Argument(help="Videos or pose files to link, or folders of them.", show_default=False),
    ] = None,
    exemplars: Annotated[
        list[Path] | None,
        typer.Option("--exemplars", "-x", help="Example clips, one sign each, or a folder of them; may be repeated."),
    ] = None,
    elan: Annotated[
        list[Path] | None, typer.Option(help="Your own .eaf files, or a folder of them; may be repeated.")
    ] = None,
    poses: Annotated[
        Path | None, typer.Option(help="Folder of poses that spotter pose estimated of these videos and clips before.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the project (default: the folder's).")] = "",
    language: Annotated[str, typer.Option(help="Of the review page: en or de.")] = "en",
    json_output: JsonFlag = False,
) -> None:
    """Make a project folder, or add to one: videos, examples and ELAN files are linked, never copied."""
    from ..project.folder import Project
    from ..project.settings import LANGUAGES

    if language not in LANGUAGES:
        raise ValueError(f"--language {language}: expected {' or '.join(LANGUAGES)}")
    # everything is looked at before anything is made
    listed = _recordings(videos or [])
    examples = [clip for path in exemplars or () for clip in _clips(path)]
    notes = [file for path in elan or () for file in _elan_files(path)]
    project = Project.create(folder, name, language)
    added = {
        "videos": project.add_videos(listed),
        "exemplars": [project.add_exemplar(clip, under) for clip, under in examples],
        "elan": project.add_elan(notes),
        "poses": project.add_poses(poses) if poses is not None else [],
    }
    if json_output:
        print_json({"project": str(project.folder), **{k: [one.name for one in v] for k, v in added.items()}})
        return
    for kind, linked in added.items():
        if linked:
            out.print(f"{kind}: {_count(linked)}")
    out.print(f"{project.folder}: {len(project.videos)} videos, {len(project.exemplar_clips)} exemplars")
    if project.videos and project.exemplar_clips:
        out.print(f"next: [bold]spotter review {folder}[/bold]", markup=True)


def _recordings(given: list[Path]) -> list[Path]:
    """The files to link; of a video and its pose file the video, which can be looked at."""
    from embeddings.recordings import find_recordings

    from ..project.folder import check_linkable

    found = [recording.path for recording in find_recordings(given, ("frames",))] if given else []
    for path in found:
        check_linkable(path)
    return list(dict.fromkeys(found))


def _clips(path: Path) -> list[tuple[Path, str]]:
    """(clip, folder it lies in below `path`): in a folder of folders the inner folder's name is the gloss."""
    from ..enrolment import find_exemplars
    from ..project.folder import check_linkable

    clips = [Path(e.source) for e in find_exemplars(path, ("frames",))]
    for clip in clips:
        check_linkable(clip)
    return [(clip, "" if not path.is_dir() or clip.parent == path else clip.parent.name) for clip in clips]


def _elan_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.iterdir() if f.suffix.lower() == ".eaf" and not f.name.startswith("."))
    if not found:
        raise ValueError(f"{path}: no .eaf file in this folder")
    return found


def _count(linked: list[Linked]) -> str:
    already = sum(one.already for one in linked)
    renamed = [f"{one.file.name} is {one.name!r} here" for one in linked if one.name != one.file.stem]
    more = "".join(f"\n  {line}" for line in renamed)
    return f"{len(linked) - already} linked" + (f", {already} were there" if already else "") + more


def show_log(
    folder: ProjectFolder = None,
    last: Annotated[int, typer.Option(min=1, help="So many of the newest lines.")] = 20,
    json_output: JsonFlag = False,
) -> None:
    """Show the newest lines of the log."""
    from dataclasses import asdict

    from rich.table import Table

    project = opened(folder)
    state = project.state()
    lines = project.log.lines(since=max(0, project.log.last - last))
    if json_output:
        print_json([{**asdict(line), "detail": dict(line.detail)} for line in lines])
        return
    table = Table("n", "when", "who", "action", "sign", "video", "time", "holds")
    for line in lines:
        hit = state.hits.get(line.hit)
        place = ("", "", "") if hit is None else (hit.sign, hit.video, f"{hit.start:.2f}–{hit.end:.2f} s")
        table.add_row(str(line.n), line.at, line.who, line.action, *place, "" if state.holds(line.n) else "undone")
    out.print(table)
    counts: dict[str, int] = {}
    for hit in state.hits.values():
        counts[hit.status] = counts.get(hit.status, 0) + 1
    out.print(f"{state.last} lines; hits: " + (", ".join(f"{n} {s}" for s, n in sorted(counts.items())) or "none"))


def export_decisions(
    folder: ProjectFolder = None,
    output: Annotated[
        list[Path] | None, typer.Option("--output", "-o", help="File for the log: .csv or .json; may be repeated.")
    ] = None,
) -> None:
    """Write the log of decisions: CSV for people and statistics, JSON with everything."""
    from ..project.exchange import export_log

    project = opened(folder)
    for path in output if output else [project.at.exports / "decisions.csv", project.at.exports / "decisions.json"]:
        out.print(f"{export_log(project, path)} lines → {path}")


def import_decisions(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Decisions (.json, .csv), from here or a report; or .eaf files corrected in ELAN.", show_default=False
        ),
    ],
    project: Annotated[
        Path | None, typer.Option("--project", "-p", help="Folder of the project (default: the one around here).")
    ] = None,
    who: Annotated[str, typer.Option(help="Who decided, for files that do not say.")] = "",
) -> None:
    """Take decisions in. Lines that are there already are left out, so a file may be read twice."""
    from ..project.elan import import_elan
    from ..project.exchange import import_log

    chosen = opened(project)
    failed = False
    for path in files:
        if path.suffix.lower() == ".eaf":
            corrections = import_elan(chosen, path, who)
            said = ", ".join(f"{n} {action}" for action, n in corrections.counts.items())
            out.print(f"{path}: {said or 'no corrections'}")
            problems = corrections.problems
        else:
            done = import_log(chosen, path, who)
            out.print(f"{path}: {done.added} lines taken in, {done.already} were there")
            problems = done.refused
        for reason in problems:
            failed = True
            err.print(f"[red]problem:[/red] {reason}")
    if failed:
        raise typer.Exit(1)
