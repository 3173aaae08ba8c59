"""`spotter index` and `spotter search`: one clip against hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ..corpus.options import IndexOptions, SearchOptions
from .console import Failures, err, out, print_json, progress_bar
from .options import (
    COMPUTING,
    READING,
    RECORDINGS,
    Clips,
    Computing,
    EncoderName,
    Group,
    JsonFlag,
    PartOption,
    Poses,
    Tiers,
    takes,
)

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from embeddings.recordings import Recording
    from gallery.corpus_index import Engine as ShardEngine

    from ..corpus.folder import Corpus
    from ..corpus.indexing import VideoEngine
    from ..detection import Detection

__all__ = ["register"]

CorpusFolder = Annotated[Path, typer.Argument(help="Folder of the corpus.", show_default=False)]


class Engine(StrEnum):
    local = "local"
    ray = "ray"


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: [bold]spotter index archive/*.mp4 -o corpus/ --facts people.csv[/bold]")(index)
    app.command(epilog="Example: [bold]spotter status corpus/ --failed[/bold]")(status)
    app.command(epilog="Example: [bold]spotter search corpus/ HOUSE.mp4 -o found.eaf --signer anna[/bold]")(search)


INDEXING = Group(
    IndexOptions,
    {
        "lengths": Annotated[
            list[int], typer.Option("--length", min=1, help="Window length in frames to store; may be repeated.")
        ],
        "stride": Annotated[int, typer.Option("--stride", min=1, help="Frames between windows.")],
    },
)


@takes(poses=READING, options=INDEXING, computing=COMPUTING)
def index(
    poses: Poses,
    options: IndexOptions,
    computing: Computing,
    videos: Annotated[list[Path] | None, typer.Argument(help=RECORDINGS, show_default=False)] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the corpus.")] = Path("corpus"),
    encoder: EncoderName = "default",
    facts: Annotated[
        Path | None,
        typer.Option(help="CSV video,signer,date and any other columns to filter searches by.", show_default=False),
    ] = None,
    part: PartOption = None,
    remove: Annotated[list[str] | None, typer.Option(help="Video to remove; may be repeated.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build the index anew now.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Read every video's vectors and compare their hash.")] = False,
    engine: Annotated[Engine, typer.Option(help="local, or ray: a Ray cluster (RAY_ADDRESS, else this machine).")] = (
        Engine.local
    ),
    json_output: JsonFlag = False,
) -> None:
    """Store every window of videos, to be searched. A stopped run goes on where it was; more videos may follow.

    With --part, several processes or machines share the work; afterwards spotter index -o CORPUS takes all in.

    Poses are kept inside the corpus unless --poses names a folder.
    """
    from embeddings.recordings import find_recordings

    from .. import archive
    from ..corpus.cluster import RayEngine, mapper
    from ..corpus.facts import read_facts
    from ..corpus.share import Share

    share = None if part is None else Share.parse(part)
    failures = Failures()
    given: list[Recording] = []
    network: Encoder | str = encoder
    videos_on: VideoEngine | None = None
    shards_on: ShardEngine = mapper(poses.workers) if engine is Engine.ray else map
    if videos:
        network = computing.encoder(encoder)
        given = find_recordings(videos, network.required_inputs)
        if engine is Engine.ray:
            compute = (computing.device, computing.batch, computing.dtype)
            videos_on = RayEngine(encoder, poses.workers, *compute)
    source = replace(poses, folder=poses.folder if poses.folder is not None else output / "poses").source()
    with progress_bar() as bar:
        task = bar.add_task("videos", total=len(given if share is None else share.of(given)))
        rows = bar.add_task("index", total=None)
        corpus = archive.index(
            given, output, network, options, computing.source(source), poses.workers, failures.add,
            lambda _: bar.advance(task), share=share, facts=None if facts is None else read_facts(facts),
            remove=remove or (), rebuild=rebuild, engine=videos_on, shards_on=shards_on,
            building=lambda done, every: bar.update(rows, completed=done, total=every),
        )  # fmt: skip
    for video in corpus.videos.values() if check else ():
        if not video.intact():
            failures.add(video.path, "its vectors are not what was written; delete it and index the video again")
    _summary(corpus, json_output)
    failures.finish(max(len(given), len(corpus)))


def status(
    corpus: CorpusFolder,
    failed: Annotated[bool, typer.Option("--failed", help="List the recordings that failed, and why.")] = False,
    json_output: JsonFlag = False,
) -> None:
    """How far a corpus is: what runs of `spotter index` were asked for, what is done, failed and still to do."""
    from ..corpus.folder import Corpus
    from ..corpus.progress import status_of

    now = status_of(Corpus.open(corpus))
    if json_output:
        facts = {**asdict(now), "failed": dict(now.failed), "remaining_hours": now.remaining_hours}
        print_json({**facts, "active": list(now.active), "stopped": list(now.stopped)})
        return
    out.print(f"{now.videos:,} videos, {now.hours:,.2f} hours, {now.windows:,} windows in {corpus}/")
    out.print(f"{now.done:,} of {now.planned:,} planned are done, {len(now.failed):,} failed, {now.waiting:,} to do")
    if now.active:
        out.print(f"at work: {', '.join(now.active)}")
    if now.stopped:
        out.print(f"stopped before their end: {', '.join(now.stopped)}; the same command goes on where it was")
    left = "" if now.remaining_hours is None or not now.waiting else f"; {now.remaining_hours:,.1f} hours to go"
    out.print(f"{now.last_hour:,} stored in the last hour, {now.last_day:,} in the last day{left}")
    if now.unindexed:
        out.print(f"{now.unindexed:,} windows are not in the index yet; spotter index -o {corpus} takes them in")
    for name, why in sorted(now.failed.items()) if failed else ():
        out.print(f"[red]failed:[/red] {escape(name if name not in why else '')} {escape(why)}".replace("  ", " "))


def _summary(corpus: Corpus, json_output: bool) -> None:
    hours = sum(v.duration for v in corpus.videos.values()) / 3600
    waiting = sum(v.rows for v in corpus.unindexed())
    if json_output:
        summary = {"corpus": str(corpus.folder), "videos": len(corpus), "hours": hours, "windows": corpus.rows}
        print_json({**summary, "indexed": corpus.rows - waiting})
    else:
        out.print(f"{len(corpus)} videos, {hours:.2f} hours, {corpus.rows:,} windows in {corpus.folder}/")


SEARCHING = Group(
    SearchOptions,
    {
        "most": Annotated[int, typer.Option("--most", min=1, help="So many best hits per sign.")],
        "threshold": Annotated[
            float | None, typer.Option("--threshold", help="Least cosine of a hit (default: none).")
        ],
        "refine": Annotated[
            bool,
            typer.Option("--refine/--no-refine", help="Align the exemplar so that spans have the sign's own length."),
        ],
        "videos": Annotated[list[str] | None, typer.Option("--video", help="Only in this video; may be repeated.")],
        "signers": Annotated[list[str] | None, typer.Option("--signer", help="Only by this signer; may be repeated.")],
        "since": Annotated[str | None, typer.Option("--since", help="Only of this date (YYYY-MM-DD) or later.")],
        "until": Annotated[str | None, typer.Option("--until", help="Only of this date or earlier.")],
        "where": Annotated[
            str | None,
            typer.Option("--where", help="Only videos whose facts meet this, such as \"signer='A' and year<1990\"."),
        ],
    },
)


@takes(poses=READING, options=SEARCHING, computing=COMPUTING)
def search(
    poses: Poses,
    options: SearchOptions,
    computing: Computing,
    corpus: CorpusFolder,
    clips: Clips,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="File for the hits: .csv .json .eaf .vtt .srt .TextGrid .pkl; may be repeated."
        ),
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option("--also", help="A further corpus to search; may be repeated.", show_default=False),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    tiers: Tiers = None,
    media: Annotated[
        Path | None, typer.Option(help="Folder of the videos that annotations speak of (default: the file's own).")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Take clips whole, not trimmed to the sign.")] = False,
    encoder: EncoderName = "default",
    json_output: JsonFlag = False,
) -> None:
    """Find the signs of example clips in a corpus, or in several as if they were one."""
    from ..corpus.folder import Corpus
    from ..corpus.search import search_corpora
    from ..enrolment import enroll, find_exemplars

    opened = [Corpus.open(folder) for folder in (corpus, *(also or ()))]
    network = computing.encoder(encoder)
    exemplars = find_exemplars(clips, network.required_inputs, media, tiers)
    failures = Failures()
    source = computing.source(poses.source([e.source for e in exemplars], network.required_inputs))
    gallery = enroll(
        exemplars, None, network, trim=not whole, poses=source, on_error=failures.add, thumbnails=report is not None
    )
    hits = search_corpora(opened, gallery, options, network)
    films = _films(hits, opened)
    _show_hits(hits, films, output if output is not None else [], json_output, quiet=report is not None)
    if report is not None:
        from ..report.page import write_report

        write_report(report, hits, media=films, gallery=gallery, title=f"Search in {corpus}")
        err.print(f"report → {report}")
    failures.finish(len(exemplars))


def _films(hits: list[Detection], corpora: Sequence[Corpus]) -> dict[str, Path]:
    """Video → the file that shows it, of those with a hit: what was indexed, or the video beside its pose."""
    from embeddings.recordings import one_recording

    from ..corpus.search import names_in_all

    shown = {d.video for d in hits}
    films: dict[str, Path] = {}
    for corpus, names in zip(corpora, names_in_all(corpora), strict=True):
        for name, video in corpus.videos.items():
            if names.get(name, name) in shown:
                try:
                    film = one_recording(video.source).media
                except ValueError:  # moved since
                    film = None
                if film is not None:
                    films[names.get(name, name)] = film
    return films


def _show_hits(
    hits: list[Detection], media: dict[str, Path], outputs: list[Path], json_output: bool, quiet: bool
) -> None:
    from dataclasses import asdict

    from ..formats import write

    for path in outputs:
        write(path, hits, media=media)
        out.print(f"{len(hits)} hits → {path}")
    if json_output:
        print_json([asdict(d) for d in hits])
    elif not outputs and not quiet:
        from rich.table import Table

        table = Table("sign", "video", "start", "end", "score")
        for d in hits:
            table.add_row(d.sign, d.video, f"{d.start:.2f} s", f"{d.end:.2f} s", f"{d.score:.2f}")
        out.print(table)
