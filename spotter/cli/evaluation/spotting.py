"""`spotter eval …` and `spotter report`: figures and pages from detections and ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..console import out, print_json
from . import compare as comparing
from . import isolated

__all__ = ["register"]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
TruthFile = Annotated[Path, typer.Argument(help="Ground truth: .csv .json .pkl .eaf, or a folder of text files.")]
FoundFile = Annotated[Path, typer.Argument(help="Detections: .csv .json .pkl .eaf.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Score detections and classifications.")
    group.command(
        "spotting",
        epilog="Examples: [bold]spotter eval spotting truth.csv found.csv[/bold] · "
        "[bold]spotter eval spotting --official truth.pkl predictions.pkl[/bold]",
    )(eval_spotting)
    isolated.register(group)
    comparing.register(group)
    app.add_typer(group, name="eval")
    app.command(epilog="Example: [bold]spotter report found.html found.csv --video lecture.mp4[/bold]")(report)


def eval_spotting(
    truth: TruthFile,
    predictions: FoundFile,
    official: Annotated[
        bool, typer.Option("--official", help="Only the challenge's number, to the last digit.")
    ] = False,
    iou: Annotated[float, typer.Option(help="Least IoU of a one-to-one match.")] = 0.5,
    tolerance: Annotated[float, typer.Option(help="Of the hit rate, in milliseconds.")] = 400.0,
    signs: Annotated[bool, typer.Option("--signs", help="Also one row per sign.")] = False,
    json_output: JsonFlag = False,
) -> None:
    """Challenge F1 and one-to-one F1 with their counts, boundaries, curves, intervals."""
    from ...scoring import scorer

    wanted, found = _segments(truth), _segments(predictions)
    if official:
        score = scorer().challenge_f1(wanted, found)
        if json_output:
            print_json({"f1": score.f1, "tp": score.tp, "fp": score.fp, "fn": score.fn})
        else:
            out.print(f"F1 {score.f1!r}  (TP {score.tp}, FP {score.fp}, FN {score.fn})")
        return
    figures = scorer("eval.spotting.report").spotting_report(wanted, found, threshold=iou, tolerance=tolerance)
    if json_output:
        print_json(figures.as_dict())
        return
    print(figures.table().text())
    if signs:
        print(figures.sign_table().text())


def _segments(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Rows (sign, start ms, end ms[, score]) of any form this toolkit or the challenge writes."""
    from ...scoring import scorer

    if path.suffix.lower() not in (".eaf", ".vtt"):
        rows: dict[str, list[tuple[Any, ...]]] = scorer("eval.segments").read_segments(path)
        return rows
    from ...formats import read

    segments: dict[str, list[tuple[Any, ...]]] = {}
    for d in read(path):
        segments.setdefault(d.video, []).append((d.sign, 1000 * d.start, 1000 * d.end, d.score))
    return segments


def report(
    page: Annotated[Path, typer.Argument(help="The HTML file to write.", show_default=False)],
    detections: Annotated[Path, typer.Argument(help="Detections: .csv .json .eaf .vtt.", show_default=False)],
    video: Annotated[
        list[Path] | None, typer.Option("--video", help="The videos, or folders of them; may be repeated.")
    ] = None,
    gallery: Annotated[Path | None, typer.Option("--gallery", "-g", help="Folder of the gallery.")] = None,
    exemplar: Annotated[list[Path] | None, typer.Option("--exemplar", help="Exemplar videos; may be repeated.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Ground truth to show beside the detections.")] = None,
) -> None:
    """A page that a person can look at: timelines, pictures of the exemplar beside each hit, ground truth."""
    from embeddings.recordings import find_recordings

    from ...formats import read
    from ...report.page import write_report
    from ...scoring import read_truth

    write_report(
        page,
        read(detections),
        media={r.name: r.path for r in find_recordings(video or [], ("frames",))},
        gallery=gallery,
        truth=None if truth is None else read_truth(truth),
        exemplars={r.name: r.path for r in find_recordings(exemplar or [], ("frames",))},
    )
    out.print(f"report → {page}")
