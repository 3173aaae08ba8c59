"""`spotter enroll`: example clips as a gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import Failures, err, out, print_json, progress_bar
from .fusing import Encoders, named_galleries, write_ensemble_of
from .options import (
    Clips,
    Computing,
    JsonFlag,
    Poses,
    Tiers,
    TimeUnit,
    computes,
    stated_rate,
)

if TYPE_CHECKING:
    from eval.segments import Segment


__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(
        epilog="Examples: [bold]spotter enroll dictionary/ -o gallery/[/bold] · "
        "[bold]spotter enroll HOUSE.mp4 --span 0.4 1.6 -o gallery/[/bold] · "
        "[bold]spotter enroll talk.eaf --tier GLOSSES -o gallery/ --add[/bold]"
    )(enroll)


@computes
def enroll(
    context: typer.Context,
    poses: Poses,
    computing: Computing,
    clips: Clips,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the gallery.")] = Path("gallery"),
    encoder: Encoders = ["default"],  # noqa: B006
    span: Annotated[
        tuple[float, float] | None,
        typer.Option("--span", help="Start and end of the sign in seconds (one clip only).", show_default=False),
    ] = None,
    spans: Annotated[
        Path | None,
        typer.Option(help="Where the sign is in some of the clips: CSV clip,start,end, ELAN, or as for ground truth."),
    ] = None,
    unit: Annotated[
        TimeUnit | None, typer.Option(help="Unit of these times, if their file does not state it.", show_default=False)
    ] = None,
    tiers: Tiers = None,
    media: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the videos that annotations speak of, or that the paths of a CSV or manifest start from "
            "(default: the file's own)."
        ),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Take clips whole, not trimmed to the sign.")] = False,
    add: Annotated[
        bool,
        typer.Option("--add", help="Add to the gallery that is there; what it holds already is not added twice."),
    ] = False,
    json_output: JsonFlag = False,
) -> None:
    """Make a gallery from one or more examples per sign: clips, or places in videos that a file of annotations names.

    Annotations are ELAN files (--tier), detections (.csv, .json), what spotter decisions exports, or a project's
    folder, of which the accepted hits are taken.

    Of several encoders each gets a gallery inside the folder, and an ensemble.toml names them all: `spotter spot -g
    FOLDER` searches with all of them.
    """
    settings = (clips, span, spans, unit, tiers, media, whole, add)
    if len(encoder) == 1:
        _enroll_by(context, poses, computing, encoder[0], output, json_output, *settings)
        return
    failed = False
    places = named_galleries(encoder)
    for name, which in places.items():
        try:
            _enroll_by(context, poses, computing, which, output / name, json_output, *settings)
        except typer.Exit:
            failed = True
    out.print(f"{len(places)} encoders together → {write_ensemble_of(output, places)}")
    if failed:
        raise typer.Exit(1)


def _enroll_by(
    context: typer.Context, poses: Poses, computing: Computing, encoder: str, output: Path, json_output: bool,
    clips: list[Path], span: tuple[float, float] | None, spans: Path | None, unit: TimeUnit | None,
    tiers: list[str] | None, media: Path | None, whole: bool, add: bool,
) -> None:  # fmt: skip
    """The gallery of one encoder."""
    from embeddings.recordings import source_name
    from eval.segments import Segment, read_spans
    from gallery import Gallery

    from ..enrolment import enroll as enroll_exemplars
    from ..enrolment import find_exemplars, span_of

    network = computing.encoder(encoder)
    rate = stated_rate(context)
    found = find_exemplars(clips, network.required_inputs, media, tiers, unit, rate)
    names = [source_name(exemplar.source) for exemplar in found]
    given: dict[str, Segment] = {}
    if span is not None:
        if len(found) != 1 or spans is not None:
            raise ValueError(f"--span is for one clip, {len(found)} were given; use --spans with a table alone")
        given = {names[0]: Segment(names[0], found[0].label, *span)}
    elif spans is not None:
        given = read_spans(spans, unit, rate, tiers)
        _tell_spans_used(spans, list(given), [name for name in names if span_of(name, given) is not None], names)
    if output.exists() and any(output.iterdir()) and not add:
        raise ValueError(f"{output} exists; add to it with --add, or choose another folder")
    into = Gallery.load(output) if add and output.exists() else None
    before = 0 if into is None else len(into)
    recordings = list(dict.fromkeys(e.source for e in found))
    source = computing.source(poses.source(recordings, network.required_inputs))
    failures = Failures()
    with progress_bar() as bar:
        task = bar.add_task("exemplars", total=len(found))
        gallery = enroll_exemplars(
            found, output, network, given, not whole, source, into, failures.add,
            lambda done, _: bar.update(task, completed=done),
        )  # fmt: skip
    already = len(found) - len(failures.failed) - (len(gallery) - before)
    if already and not json_output:
        err.print(f"{already} of {len(found)} exemplars were there already")
    if json_output:
        print_json({"gallery": str(output), "signs": list(gallery.labels), "exemplars": len(gallery)})
    else:
        _show_exemplars(gallery, output)
    failures.finish(len(found))


def _tell_spans_used(table: Path, clips: list[str], used: list[str], names: list[str]) -> None:
    """How many of a table's spans are used; none at all is a mistake of names."""
    if not used:
        raise ValueError(f"{table}: names {', '.join(clips[:3])} …, none of the clips ({', '.join(names[:3])} …)")
    err.print(f"{table}: spans of {len(clips)} clips, {len(used)} of the {len(names)} clips here are among them")


def _show_exemplars(gallery: Any, output: Path) -> None:
    from rich.table import Table

    table = Table("exemplar", "from", "sign starts", "ends")
    for row in gallery.exemplars.to_dict("records"):
        table.add_row(row["id"], str(row["source"]), f"{row['start']:.2f} s", f"{row['end']:.2f} s")
    out.print(table)
    out.print(f"{len(gallery.labels)} signs, {len(gallery)} exemplars in {output}/")
