"""`spotter eval …` and `spotter report`: figures and pages from detections and ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import err, out, print_json, say
from ..options import FrameRate, PredictionsTiers, PredictionsUnit, Tiers, TruthUnit
from . import compare as comparing
from . import isolated

__all__ = ["register"]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
TruthFile = Annotated[
    Path,
    typer.Argument(
        help="Ground truth: .csv .tsv .json .pkl .eaf .vtt .srt .TextGrid, or a folder.", show_default=False
    ),
]
FoundFile = Annotated[Path, typer.Argument(help="Detections, in any of the same forms.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Score detections and classifications.")
    group.command(
        "spotting",
        epilog="Examples: [bold]spotter eval spotting truth.csv found.csv[/bold] · "
        "[bold]spotter eval spotting --official truth.pkl predictions.pkl[/bold] · "
        "[bold]spotter eval spotting truth.csv mine.csv theirs.csv --plots both.png[/bold]",
    )(eval_spotting)
    isolated.register(group)
    comparing.register(group)
    app.add_typer(group, name="eval")
    app.command(epilog="Example: [bold]spotter report found.html found.csv --video lecture.mp4[/bold]")(report)


def eval_spotting(
    truth: TruthFile,
    predictions: Annotated[
        list[Path],
        typer.Argument(help="Detections, in any of the same forms; several are compared.", show_default=False),
    ],
    official: Annotated[
        bool, typer.Option("--official", help="Only the challenge's number, to the last digit.")
    ] = False,
    iou: Annotated[float, typer.Option(help="Least IoU of a one-to-one match.")] = 0.5,
    tolerance: Annotated[float, typer.Option(min=0, max=10, help="Of the hit rate, in seconds.")] = 0.4,
    signs: Annotated[bool, typer.Option("--signs", help="Also one row per sign.")] = False,
    unit: TruthUnit = None,
    predictions_unit: PredictionsUnit = None,
    fps: FrameRate = None,
    tiers: Tiers = None,
    predictions_tiers: PredictionsTiers = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Picture (.png .svg .pdf): precision-recall, F1 over IoU, boundaries.", show_default=False),
    ] = None,
    json_output: JsonFlag = False,
) -> None:
    """Challenge F1 and one-to-one F1 with their counts, boundaries, curves, intervals.

    Several files of detections (of several systems, or settings) are compared, with p-values against the best.
    """
    from eval.segments import read_segments
    from eval.spotting import challenge_f1
    from eval.spotting.report import spotting_report

    from ...scoring import check_truth

    references = read_segments(truth, unit, fps, tiers)
    systems = {}
    for name, path in zip(_short_names(predictions), predictions, strict=True):
        systems[name] = read_segments(path, predictions_unit, fps, predictions_tiers)
        check_truth(references, systems[name])
    if official:
        scores = {name: challenge_f1(references, detections) for name, detections in systems.items()}
        if json_output:
            figures = {name: {"f1": s.f1, "tp": s.tp, "fp": s.fp, "fn": s.fn} for name, s in scores.items()}
            print_json(figures if len(figures) > 1 else next(iter(figures.values())))
            return
        for name, score in scores.items():
            prefix = f"{name}: " if len(scores) > 1 else ""
            out.print(f"{prefix}F1 {score.f1!r}  (TP {score.tp}, FP {score.fp}, FN {score.fn})")
        return
    reports = {
        name: spotting_report(references, detections, threshold=iou, tolerance=tolerance)
        for name, detections in systems.items()
    }
    if plots is not None:
        from eval.spotting.plots import draw_spotting

        draw_spotting(reports, plots)
        err.print(f"figures → {plots}")
    if len(reports) > 1:
        from eval.spotting.compare import compare_spotting

        table = compare_spotting(references, systems, iou)
        print_json(table.records()) if json_output else print(table.text())
        return
    (single,) = reports.values()
    if json_output:
        print_json(single.as_dict())
        return
    say(single.table().text())
    if signs:
        say(single.sign_table().text())


def _short_names(paths: list[Path]) -> list[str]:
    """The files' stems where they differ, else their paths."""
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]


def report(
    page: Annotated[Path, typer.Argument(help="The HTML file to write.", show_default=False)],
    detections: FoundFile,
    video: Annotated[
        list[Path] | None, typer.Option("--video", help="The videos, or folders of them; may be repeated.")
    ] = None,
    gallery: Annotated[Path | None, typer.Option("--gallery", "-g", help="Folder of the gallery.")] = None,
    exemplar: Annotated[
        list[Path] | None,
        typer.Option(
            "--exemplar", help="Exemplar videos, called as for spotter enroll, or folders of them; may be repeated."
        ),
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Ground truth to show beside the detections.")] = None,
    unit: TruthUnit = None,
    predictions_unit: PredictionsUnit = None,
    fps: FrameRate = None,
    tiers: Tiers = None,
    predictions_tiers: PredictionsTiers = None,
) -> None:
    """A page that a person can look at: timelines, pictures of the exemplar beside each hit, ground truth."""
    from embeddings.recordings import find_recordings
    from eval.segments import by_video, read_segments

    from ...formats import read
    from ...report.page import write_report
    from ...scoring import check_truth

    hits = read(detections, predictions_unit, fps, predictions_tiers)
    references = None if truth is None else read_segments(truth, unit, fps, tiers)
    if references is not None:
        check_truth(references, by_video(hits))
    write_report(
        page,
        hits,
        media={r.name: r.path for r in find_recordings(video or [], ("frames",))},
        gallery=gallery,
        truth=references,
        exemplars=_examples(exemplar or [], {d.sign for d in hits}),
    )
    out.print(f"report → {page}")


def _examples(given: list[Path], signs: set[str]) -> dict[str, Path]:
    """Clip's name and gloss → its file, of example clips.

    Raises:
        ValueError: none of them is of a sign that was detected.
    """
    from ...exemplars import find_exemplars

    files: dict[str, Path] = {}
    for exemplar in find_exemplars(given, ("frames",)) if given else []:
        path = Path(exemplar.source)
        files.setdefault(path.stem, path)
        files.setdefault(exemplar.label, path)
    if given and signs and not any(name.partition("~")[0] in signs for name in files):
        named, wanted = ", ".join(sorted(files)[:3]), ", ".join(sorted(signs)[:3])
        raise ValueError(f"--exemplar: the clips show {named} …, and the detections are of {wanted} …; none fits")
    return files
