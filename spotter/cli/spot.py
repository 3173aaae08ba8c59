"""`spotter spot`: where the gallery's signs occur in videos."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safe_files import locked

from .console import Failures, err, listed, out, print_json, progress_bar, shown
from .fusing import Encoders, Galleries, Preset, Weights, chosen_search
from .options import (
    COMPUTING,
    READING,
    Computing,
    NamesFrom,
    Poses,
    Tiers,
    TruthUnit,
    Videos,
    stated_rate,
    takes,
    temporary_folder,
)
from .search_options import ASKED, WRITING, Asked, Writing, known_signs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embeddings.encoders.base import Encoder
    from embeddings.recordings import PoseSource, Recording
    from eval.segments import Segment

    from ..fusion.ensemble import Ensemble
    from ..pipeline import Search
    from ..results import SpottingResult
    from ..runs.batch import Batch

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(
        epilog="Examples: [bold]spotter spot lecture.mp4 -g gallery/ -o lecture.eaf[/bold] · "
        "[bold]spotter spot talks/ -g gallery/ -o found.csv --report found.html[/bold]"
    )(spot)


@takes(poses=READING, asked=ASKED, writing=WRITING, computing=COMPUTING)
def spot(
    context: typer.Context,
    poses: Poses,
    asked: Asked,
    writing: Writing,
    computing: Computing,
    videos: Videos,
    gallery: Galleries,
    encoder: Encoders = ["default"],  # noqa: B006
    weight: Weights = None,
    preset: Preset = None,
    root: NamesFrom = None,
    media: Annotated[
        list[Path] | None,
        typer.Option(help="The videos of poses, or folders of them: linked from ELAN, pictured in the report."),
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Ground truth, to score by and to show in the report.")] = None,
    unit: TruthUnit = None,
    tiers: Tiers = None,
) -> None:
    """Find the gallery's signs in videos.

    Each video's results are written when it is done. What became of all is in `NAME.run/run.json` beside the first
    output; the same command again goes on where it was.
    """
    from embeddings.recordings import with_media
    from gallery import Gallery

    from ..pipeline import VideoSearch
    from ..runs.record import gallery_hash

    exemplars: Gallery | Ensemble
    several = chosen_search(videos, gallery, encoder, weight, preset, computing, asked.sign, root)
    options = asked.options(cosines=several is None or not several.ensemble.normalise)
    references = None
    if several is None:
        network = computing.encoder(encoder[0])
        needs: Sequence[str] = network.required_inputs
        recordings = _recordings(videos, network, root, media or ())
        exemplars = Gallery.load(gallery[0])
        exemplars = exemplars.only(asked.sign) if asked.sign else exemplars
    else:
        needs, exemplars = several.needs, several.ensemble
        recordings = with_media(several.recordings, media or ())
    names = [recording.name for recording in recordings]
    if truth is not None:
        from eval.segments import read_segments

        references = read_segments(truth, unit, stated_rate(context), tiers)
        _check_names(truth, references, names, exemplars.labels)
    known = known_signs(asked.known)
    if known and asked.known is not None:
        _check_videos(asked.known, list(known), names)
    source = poses.unprepared()
    source = computing.source(source if source.keeps else poses_for_now(source))
    tracks = writing.report is not None or writing.save_track is not None
    search: Search
    if several is None:
        assert isinstance(exemplars, Gallery)
        search = VideoSearch(exemplars, network, options, source, known, tracks)
        values: dict[str, Any] = {"gallery": gallery_hash(exemplars), "encoder": network.id or network.name}
    else:
        search = several.search(options, source, known, tracks)
        values = several.values()
    values |= {"options": asdict(options), "dtype": computing.dtype}
    batch = _batch(recordings, search, exemplars.labels, needs, values, source, known, poses.workers, writing)
    inputs = [*(Path(r) for r in recordings), *(path for path in (truth, asked.known) if path is not None)]
    waiting = list(recordings) if writing.anew else _earlier(batch)
    new = batch.recordings if batch.search.chooses_at_end else waiting
    batch.outputs.check(batch.record, inputs, [r.name for r in new])
    named = {"gallery": ", ".join(map(str, gallery)), "encoder": ", ".join(map(str, encoder))}
    with locked(batch.record.folder, wait=0) if batch.record is not None else nullcontext():
        results = _run(batch, waiting, named)
        batch.outputs.write_report(results, gallery[0] if several is None else several.shown_gallery, references)
        _close_record(batch)
    _tell(batch, results, writing)
    if references is not None:
        _show_scores(results, references)
    _finish(batch, results)


def _close_record(batch: Batch) -> None:
    if batch.record is not None:
        batch.record.state = "done"
        batch.record.facts["files_failed"] = {str(path): why for path, why in batch.outputs.failed.items()}
        batch.record.write()


def _recordings(videos: list[Path], network: Encoder, root: Path | None, media: Sequence[Path]) -> Sequence[Recording]:
    """What is named, each file once, under names of their own."""
    from embeddings.recordings import find_recordings, identified, with_media

    found = identified(find_recordings(videos, network.required_inputs), root)
    if found.repeated:
        err.print(f"named more than once, searched once: {listed(sorted({str(r) for r in found.repeated}))}")
    if found.renamed:
        names = [r.name for r in found.recordings if "/" in r.name or r.name != r.path.stem]
        err.print(f"some recordings are called alike; results call them {listed(names)}")
    return with_media(found.recordings, media)


def poses_for_now(source: PoseSource) -> PoseSource:
    """Where there is no cache: poses are kept as long as the program runs."""
    from dataclasses import replace

    return replace(source, folder=temporary_folder())


def _batch(
    recordings: Sequence[Recording], search: Search, signs: Sequence[str], needs: Sequence[str],
    values: dict[str, Any], source: PoseSource, known: dict[str, str], workers: int, writing: Writing,
) -> Batch:  # fmt: skip
    from ..runs.batch import Batch
    from ..runs.outputs import Outputs
    from ..runs.record import Ingredients, RunFolder, run_folder, versions

    outputs = Outputs(writing.output or [], writing.report, writing.save_track, recordings, signs, writing.force)
    tracks = writing.report is not None or writing.save_track is not None
    values = {
        **values, "program": versions().get("oneshot-sign-spotter", ""), "estimator": source.estimator,
        "settings": dict(source.settings),
    }  # fmt: skip
    return Batch(
        recordings, search, needs, source, outputs,
        None if outputs.first is None else RunFolder(run_folder(outputs.first), recordings),
        Ingredients(values, source.folder), known, workers, tracks,
    )  # fmt: skip


def _earlier(batch: Batch) -> list[Recording]:
    waiting = batch.take_earlier()
    if batch.reused:
        err.print(f"{len(batch.reused)} of {len(batch.recordings)} videos are done already, by an earlier run")
    return waiting


def _run(batch: Batch, waiting: Sequence[Recording], facts: dict[str, Any]) -> list[SpottingResult]:
    """The run, with its progress; told how to go on where it is interrupted."""
    if batch.record is not None:
        batch.record.begin({**facts, "options": dict(batch.ingredients.values)}, batch.outputs.all())
    try:
        with progress_bar() as bar:
            task = bar.add_task("videos", total=len(batch.recordings))
            return batch.run(waiting, lambda done: bar.update(task, completed=done))
    except KeyboardInterrupt:
        err.print(f"{len(batch.results)} of {len(batch.recordings)} videos are done")
        raise


def _check_names(path: Path, truth: dict[str, list[Segment]], videos: Sequence[str], signs: Sequence[str]) -> None:
    """Refuses ground truth of other videos or other signs before anything is computed."""
    from eval.spotting import nothing_shared

    labels = [s.sign for segments in truth.values() for s in segments]
    for kind, of_truth, own in (("video", list(truth), videos), ("sign", labels, signs)):
        if why := nothing_shared(kind, of_truth, own):
            raise ValueError(f"{path}: {why}")


def _check_videos(path: Path, known: Sequence[str], videos: Sequence[str]) -> None:
    if not set(known) & set(videos):
        raise ValueError(f"{path}: none of its videos ({listed(known)}) is searched ({listed(list(videos))})")


def _tell(batch: Batch, results: list[SpottingResult], writing: Writing) -> None:
    """What was found, on stdout; what was written, too, unless stdout is JSON."""
    from embeddings.files import readable

    outputs = batch.outputs
    if writing.json_output:
        videos = [
            {
                "video": r.name,
                "path": readable(str(r)),
                "duration": result.duration,
                "detections": len(result.detections),
                "error": readable(result.error),
                "warning": readable(result.warning),
            }
            for r, result in zip(batch.recordings, results, strict=True)
        ]
        detections = [asdict(d) for result in results for d in result.detections]
        print_json({"detections": detections, "videos": videos, "files": [str(path) for path in outputs.written]})
    elif not writing.output:
        _show_results(results)
    count = sum(len(result.detections) for result in results)
    written = listed([str(path) for path in outputs.written], 12)
    say = err if writing.json_output else out
    if written:
        say.print(f"{count} {'detection' if count == 1 else 'detections'} → {written}", markup=False)
    if outputs.tracks is not None:
        say.print(f"similarity tracks → {outputs.tracks}/", markup=False)
    if outputs.untouched:
        edited = listed([str(path) for path in outputs.untouched])
        say.print(f"left as they were edited: {edited} (--force writes our tiers anew)", markup=False)


def _finish(batch: Batch, results: list[SpottingResult]) -> None:
    """Warnings and failures, one line each; exit code 1 when a video or a file failed."""
    failures = Failures()
    warned = [(r, result) for r, result in zip(batch.recordings, results, strict=True) if result.warning]
    for _, result in warned:
        err.print(f"[yellow]warning:[/yellow] {escaped(result.warning)}")
    for recording, result in zip(batch.recordings, results, strict=True):
        if result.error:
            failures.add(recording, result.error)
    if warned:
        names = listed([r.path.name for r, _ in warned], 12)
        err.print(f"{len(warned)} of {len(results)} searched with a warning: {escaped(names)}")
    for path, why in batch.outputs.failed.items():
        err.print(f"[red]not written:[/red] {escaped(why if str(path) in why else f'{path}: {why}')}")
    failures.finish(len(results))
    if batch.outputs.failed:
        raise typer.Exit(1)


def escaped(text: str) -> str:
    """Text as it is, in a line that may hold rich's markup."""
    from rich.markup import escape

    return escape(shown(text))


def _show_scores(results: list[SpottingResult], truth: dict[str, list[Segment]]) -> None:
    """Both F1 scores over the videos that were searched, on stderr: stdout may be JSON."""
    from eval.spotting import challenge_f1, one_to_one_f1

    searched = {result.video: result.detections for result in results if not result.error}
    references = {video: segments for video, segments in truth.items() if video in searched}
    for score in (one_to_one_f1, challenge_f1):
        err.print(str(score(references, searched)))


def _show_results(results: list[SpottingResult]) -> None:
    from rich.table import Table

    detections = [d for result in results for d in result.detections]
    table = Table("video", "sign", "start", "end", "score")
    for d in detections:
        table.add_row(d.video, d.sign, f"{d.start:.2f} s", f"{d.end:.2f} s", f"{d.score:.2f}")
    out.print(table)
    minutes = sum(result.duration for result in results) / 60
    out.print(f"{len(detections)} detections in {minutes:.1f} minutes of {len(results)} videos")
    if detections and all(result.calibrated for result in results if not result.error):
        right = sum(d.score for d in detections)
        out.print(f"expected to be right: about {right:.0f} of {len(detections)}")
