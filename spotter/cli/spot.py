"""`spotter spot`: where the gallery's signs occur in videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import Failures, err, out, print_json, progress_bar
from .options import (
    EncoderName,
    JsonFlag,
    Poses,
    Tiers,
    TruthUnit,
    Videos,
    reads_recordings,
    stated_rate,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embeddings.recordings import Recording
    from eval.segments import Segment

    from ..results import SpottingResult

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(
        epilog="Examples: [bold]spotter spot lecture.mp4 -g gallery/ -o lecture.eaf[/bold] · "
        "[bold]spotter spot talks/ -g gallery/ -o found.csv --report found.html[/bold]"
    )(spot)


@reads_recordings
def spot(
    context: typer.Context,
    poses: Poses,
    videos: Videos,
    gallery: Annotated[Path, typer.Option("--gallery", "-g", help="Folder of the gallery.", show_default=False)],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="File for the detections: .csv .json .eaf .vtt .srt .TextGrid .pkl; may be repeated."
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    encoder: EncoderName = "default",
    fuse: Annotated[
        tuple[Path, str, float] | None,
        typer.Option(
            "--fuse", help="Fuse with another encoder: its gallery, its name, its weight beside 1.", show_default=False
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Least score (default: a probability of 0.4; a cosine of 0.6 where the encoder is not calibrated)."
        ),
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option(help="How often each sign is expected: 2/h, 0.5/min. Rarer signs need more evidence."),
    ] = None,
    false_alarms: Annotated[
        str | None,
        typer.Option(help="In place of a threshold: so many wrong detections are expected, all signs together: 1/h."),
    ] = None,
    precision: Annotated[
        float | None, typer.Option(help="In place of a threshold: so large a share is expected to be right: 0.9.")
    ] = None,
    best: Annotated[
        int | None, typer.Option(min=1, help="In place of a threshold: so many of the surest, of all videos together.")
    ] = None,
    sign: Annotated[list[str] | None, typer.Option("--sign", help="Only this sign; may be repeated.")] = None,
    known: Annotated[
        Path | None,
        typer.Option(
            help="CSV video,sign (or a manifest of spotter data): the one sign to look for in each video; its best "
            "place is given."
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=0, help="So many best hits per sign and video (0: all).")] = 0,
    transfer: Annotated[int, typer.Option(min=0, help="Top-K transfer between the videos: K (0: off).")] = 0,
    iterations: Annotated[int, typer.Option(min=1, help="Iterations of the transfer.")] = 1,
    literal: Annotated[
        bool, typer.Option("--published-transfer", help="Transfer as published: replace the exemplar, no guard.")
    ] = False,
    refine: Annotated[bool, typer.Option(help="Align the exemplar so that spans have the sign's own length.")] = True,
    window: Annotated[int | None, typer.Option(help="One window length in frames for all signs.")] = None,
    stride: Annotated[
        int | None, typer.Option(min=1, help="Frames between windows (default: 3; 2 where scores are cosines).")
    ] = None,
    save_track: Annotated[Path | None, typer.Option(help="Folder for similarity tracks (.npz).")] = None,
    media: Annotated[
        list[Path] | None,
        typer.Option(help="The videos of poses, or folders of them: linked from ELAN, pictured in the report."),
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Ground truth, to score by and to show in the report.")] = None,
    unit: TruthUnit = None,
    tiers: Tiers = None,
    json_output: JsonFlag = False,
) -> None:
    """Find the gallery's signs in videos."""
    from embeddings.encoders import load_encoder
    from embeddings.recordings import find_recordings, with_media
    from gallery import Gallery

    from ..pipeline import Companion, spot_videos
    from ..search.options import Selection, SpottingOptions, TransferOptions

    network = load_encoder(encoder)
    recordings = with_media(find_recordings(videos, network.required_inputs, unique=True), media or ())
    exemplars = Gallery.load(gallery)
    exemplars = exemplars.only(sign) if sign else exemplars
    references = None
    if truth is not None:
        from eval.segments import read_segments

        references = read_segments(truth, unit, stated_rate(context), tiers)
        _check_names(truth, references, [recording.name for recording in recordings], exemplars.labels)
    preset = TransferOptions.published if literal else TransferOptions
    passed = preset(transfer, iterations) if transfer else None
    wanted = Selection(None if false_alarms is None else _per_hour("--false-alarms", false_alarms), precision, best)
    options = SpottingOptions(
        threshold, stride, window=window, refine=refine, most=most, transfer=passed, select=wanted,
        expect=None if expect is None else _per_hour("--expect", expect),
    )  # fmt: skip
    source = poses.source(recordings, network.required_inputs)
    companions = [] if fuse is None else [Companion(Gallery.load(fuse[0]), fuse[1], fuse[2])]
    with progress_bar() as bar:
        task = bar.add_task("videos", total=len(recordings))
        results = spot_videos(
            recordings, exemplars, network, options, source, _known(known), lambda _: bar.advance(task), companions,
            tracks=report is not None or save_track is not None,
        )  # fmt: skip
    failures = Failures()
    for recording, result in zip(recordings, results, strict=True):
        if result.error:
            failures.add(recording, result.error)
    _write_results(results, recordings, output if output is not None else [], save_track)
    if report is not None:
        _write_report(report, results, recordings, gallery, references)
    _show_results(results, json_output, quiet=bool(output))
    if references is not None:
        _show_scores(results, references)
    failures.finish(len(recordings))


def _per_hour(option: str, text: str) -> float:
    """A rate as users write it: ``2/h``, ``0.1/min``; a number alone is an hour's."""
    number, _, unit = text.strip().partition("/")
    share = {"": 1.0, "h": 1.0, "hour": 1.0, "min": 60.0, "minute": 60.0}.get(unit.strip())
    try:
        if share is None:
            raise ValueError
        return float(number) * share
    except ValueError:
        raise ValueError(f"{option} {text!r}: expected a rate such as 2/h or 0.1/min") from None


def _check_names(path: Path, truth: dict[str, list[Segment]], videos: Sequence[str], signs: Sequence[str]) -> None:
    """Refuses ground truth of other videos or other signs before anything is computed."""
    from eval.spotting import nothing_shared

    labels = [s.sign for segments in truth.values() for s in segments]
    for kind, of_truth, own in (("video", list(truth), videos), ("sign", labels, signs)):
        if why := nothing_shared(kind, of_truth, own):
            raise ValueError(f"{path}: {why}")


def _known(path: Path | None) -> dict[str, str] | None:
    """Video → the sign to look for in it, of rows video,sign or a manifest of `spotter data` (columns id, label)."""
    if path is None:
        return None
    from eval.annotations.tables import records_of

    known: dict[str, str] = {}
    for where, row in records_of(path, ("video", "sign")):
        video, sign = (
            next((str(row[n]) for n in names if row.get(n)), "") for names in (("video", "id"), ("sign", "label"))
        )
        if not video or not sign or None in row:
            raise ValueError(f"{where}: expected video,sign")
        stem = Path(video).stem if Path(video).suffix else video
        if known.setdefault(stem, sign) != sign:
            raise ValueError(f"{where}: {stem} has the sign {known[stem]} already; a video has one sign to look for")
    return known


def _write_results(
    results: list[SpottingResult], recordings: Sequence[Recording], outputs: list[Path], tracks: Path | None
) -> None:
    from ..formats import write

    detections = [d for result in results for d in result.detections]
    media = {r.name: r.media for r in recordings if r.media is not None}
    for path in outputs:
        write(path, detections, media=media, videos=[r.name for r in recordings])
        out.print(f"{len(detections)} detections → {path}")
    if tracks is not None:
        for result in results:
            if result.track is not None:
                result.track.save(tracks / f"{result.video}.npz")


def _write_report(
    path: Path,
    results: list[SpottingResult],
    recordings: Sequence[Recording],
    gallery: Path,
    truth: dict[str, list[Segment]] | None,
) -> None:
    from ..report.page import write_report

    media = {r.name: r.media for r in recordings if r.media is not None}
    write_report(path, results, media=media, gallery=gallery, truth=truth)
    out.print(f"report → {path}")


def _show_scores(results: list[SpottingResult], truth: dict[str, list[Segment]]) -> None:
    """Both F1 scores over the videos that were searched, on stderr: stdout may be JSON."""
    from eval.spotting import challenge_f1, one_to_one_f1

    searched = {result.video: result.detections for result in results if not result.error}
    references = {video: segments for video, segments in truth.items() if video in searched}
    for score in (one_to_one_f1, challenge_f1):
        err.print(str(score(references, searched)))


def _show_results(results: list[SpottingResult], json_output: bool, quiet: bool) -> None:
    from dataclasses import asdict

    detections = [d for result in results for d in result.detections]
    if json_output:
        print_json([asdict(d) for d in detections])
        return
    if quiet:
        return
    from rich.table import Table

    table = Table("video", "sign", "start", "end", "score")
    for d in detections:
        table.add_row(d.video, d.sign, f"{d.start:.2f} s", f"{d.end:.2f} s", f"{d.score:.2f}")
    out.print(table)
    minutes = sum(result.duration for result in results) / 60
    out.print(f"{len(detections)} detections in {minutes:.1f} minutes of {len(results)} videos")
    if detections and all(result.calibrated for result in results if not result.error):
        right = sum(d.score for d in detections)
        out.print(f"expected to be right: about {right:.0f} of {len(detections)}")
