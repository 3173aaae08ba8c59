"""`spotter index` and `spotter search`: one clip against hours."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    Poses,
    Tiers,
    takes,
)

if TYPE_CHECKING:
    from embeddings.recordings import Recording

    from ..corpus.folder import Corpus
    from ..detection import Detection

__all__ = ["register"]

CorpusFolder = Annotated[Path, typer.Argument(help="Folder of the corpus.", show_default=False)]


class Engine(StrEnum):
    local = "local"
    ray = "ray"


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: [bold]spotter index archive/*.mp4 -o corpus/ --facts people.csv[/bold]")(index)
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
        Path | None, typer.Option(help="CSV video,signer,date to filter searches by.", show_default=False)
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(help="Video to remove; may be repeated.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build the index anew now.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Read every video's vectors and compare their hash.")] = False,
    engine: Annotated[Engine, typer.Option(help="local, or ray: a Ray cluster (RAY_ADDRESS, else this machine).")] = (
        Engine.local
    ),
    json_output: JsonFlag = False,
) -> None:
    """Store every window of videos, to be searched. A stopped run goes on where it was; more videos may follow.

    Poses are kept inside the corpus unless --poses names a folder.
    """
    from embeddings.recordings import find_recordings

    from ..corpus.cluster import RayEngine, mapper
    from ..corpus.facts import read_facts
    from ..corpus.folder import Corpus
    from ..corpus.indexing import index_videos, settings_for

    failures = Failures()
    given: list[Recording] = []
    if videos:
        network = computing.encoder(encoder)
        given = find_recordings(videos, network.required_inputs)
        corpus = Corpus.create(output, settings_for(network, options.lengths, options.stride))
        kept = replace(poses, folder=poses.folder if poses.folder is not None else output / "poses")
        source = computing.source(kept.source())
        compute = (computing.device, computing.batch, computing.dtype)
        videos_on = RayEngine(encoder, poses.workers, *compute) if engine is Engine.ray else None
        with progress_bar() as bar:
            task = bar.add_task("videos", total=len(given))
            for result in index_videos(corpus, given, network, source, poses.workers, videos_on):
                if result.error:
                    failures.add(result.source, result.error)
                bar.advance(task)
    else:
        corpus = Corpus.open(output)
    if facts is not None:
        corpus.add_facts(read_facts(facts))
    if remove:
        corpus.remove(remove)
    with corpus.writing(), progress_bar() as bar:
        task = bar.add_task("index", total=None)
        shards_on = mapper(poses.workers) if engine is Engine.ray else map
        corpus.build(rebuild, lambda done, rows: bar.update(task, completed=done, total=rows), shards_on)
        corpus.write_table()
    for video in corpus.videos.values() if check else ():
        if not video.intact():
            failures.add(video.path, "its vectors are not what was written; delete it and index the video again")
    _summary(corpus, json_output)
    failures.finish(max(len(given), len(corpus)))


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
    report: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    tiers: Tiers = None,
    media: Annotated[
        Path | None, typer.Option(help="Folder of the videos that annotations speak of (default: the file's own).")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Take clips whole, not trimmed to the sign.")] = False,
    encoder: EncoderName = "default",
    json_output: JsonFlag = False,
) -> None:
    """Find the signs of example clips in a corpus."""
    from ..corpus.folder import Corpus
    from ..corpus.search import search_gallery
    from ..enrolment import enroll, find_exemplars

    opened = Corpus.open(corpus)
    network = computing.encoder(encoder)
    exemplars = find_exemplars(clips, network.required_inputs, media, tiers)
    failures = Failures()
    source = computing.source(poses.source([e.source for e in exemplars], network.required_inputs))
    gallery = enroll(
        exemplars, None, network, trim=not whole, poses=source, on_error=failures.add, thumbnails=report is not None
    )
    hits = search_gallery(opened, gallery, options, network)
    films = _films(hits, opened)
    _show_hits(hits, films, output if output is not None else [], json_output, quiet=report is not None)
    if report is not None:
        from ..report.page import write_report

        write_report(report, hits, media=films, gallery=gallery, title=f"Search in {corpus}")
        err.print(f"report → {report}")
    failures.finish(len(exemplars))


def _films(hits: list[Detection], corpus: Corpus) -> dict[str, Path]:
    """Video → the file that shows it, of those with a hit: what was indexed, or the video beside its pose."""
    from embeddings.recordings import one_recording

    films: dict[str, Path] = {}
    for name in dict.fromkeys(d.video for d in hits):
        try:
            film = one_recording(corpus.videos[name].source).media
        except ValueError:  # moved since
            film = None
        if film is not None:
            films[name] = film
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
