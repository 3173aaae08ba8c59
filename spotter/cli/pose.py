"""`spotter pose`: key points as files, and how well each video shows its signer."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from safe_files import parse_json

from .console import Failures, err, listed, out, print_json, progress_bar
from .options import (
    Estimator,
    EstimatorName,
    HandNetwork,
    JsonFlag,
    NamesFrom,
    PartOption,
    PoseFormat,
    Rate,
    Videos,
    WhichPerson,
    Workers,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embeddings.pose import Quality


__all__ = ["register"]


class Smoothing(StrEnum):
    savgol = "savgol"
    one_euro = "one-euro"


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: [bold]spotter pose talks/*.mp4 -o poses/[/bold]")(pose)


def pose(
    videos: Videos,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pose files.")] = Path("poses"),
    estimator: EstimatorName = Estimator.holistic,
    format: Annotated[
        PoseFormat, typer.Option(help="pose: the field's exchange format; h5: HDF5, with the hands in metres.")
    ] = PoseFormat.pose,
    workers: Workers = 0,
    person: WhichPerson = None,
    hands: Annotated[
        HandNetwork | None,
        typer.Option(help="holistic: network of the hands; lite is faster and less exact.", show_default="full"),
    ] = None,
    clean: Annotated[
        bool,
        typer.Option(
            "--clean", help="Take unsure points out, smooth, join wrists, and fill gaps of up to 0.4 s (docs/poses.md)."
        ),
    ] = False,
    smooth: Annotated[
        Smoothing | None,
        typer.Option(
            help="Smooth alone, or the way to smooth with --clean: savgol, or one-euro, which looks back only.",
            show_default=False,
        ),
    ] = None,
    part: PartOption = None,
    root: NamesFrom = None,
    quality: Annotated[
        bool, typer.Option("--quality", help="Say how well each video shows its signer, and what to film otherwise.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="MMPose: the model's config file.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="The estimator's model file.")] = None,
    fps: Rate = 25.0,
    json_output: JsonFlag = False,
) -> None:
    """Keypoints as files: estimated from videos, converted from other files of poses.

    A folder that holds finished files is continued, not repeated; what is estimated goes into the cache, too (`spotter
    cache`), so that other commands find it.
    """
    from embeddings.pose.quality import advice, as_text, quality_of
    from embeddings.recordings import PoseSource, find_recordings, identified, write_poses

    from ..corpus.share import Share

    named = identified(find_recordings(videos, ("frames",)), root)
    recordings = named.recordings
    if part is not None:
        recordings = Share.parse(part).of(sorted(recordings, key=lambda r: r.name))
    if named.renamed:
        err.print(f"some are called alike; their files are {listed([r.name for r in recordings if '/' in r.name])}")
    given = {"config": config, "checkpoint": checkpoint, "person": person, "hands": hands and hands.value}
    settings = {key: value for key, value in given.items() if value is not None}
    source = PoseSource(estimator.value, output, settings, fps)
    failures = Failures()
    written: list[Path] = []
    warned: dict[str, str] = {}
    already = 0
    with progress_bar() as bar:
        task = bar.add_task("poses", total=len(recordings))
        for recording, result in write_poses(recordings, source, format.value, workers, _cleaning(clean, smooth)):
            already += result.skipped
            if result.warning:
                warned[str(recording)] = result.warning
                err.print(f"[yellow]warning:[/yellow] {escape(result.warning)}")
            if result.output is None:
                failures.add(recording, result.error)
            else:
                written.append(result.output)
            bar.advance(task)
    measured = {path: quality_of(path) for path in written} if quality else {}
    if json_output:
        facts: dict[str, Any] = {
            "written": [str(p) for p in written], "failed": [name for name, _ in failures.failed], "warnings": warned,
        }  # fmt: skip
        if quality:
            facts["quality"] = {
                str(path): {**parse_json(as_text(value)), "advice": advice(value)} for path, value in measured.items()
            }
        print_json(facts)
    else:
        there = f" ({already} were there, or in the cache)" if already else ""
        out.print(f"{len(written)} of {len(recordings)} recordings have their poses in {output}/{there}")
        _print_quality(measured)
    failures.finish(len(recordings))


def _cleaning(clean: bool, smooth: Smoothing | None) -> dict[str, Any] | None:
    """Arguments of `embeddings.pose.clean.clean`."""
    if not clean:
        return None if smooth is None else {
            "min_confidence": 0.0, "fill": False, "snap": False, "smoothing": smooth.value
        }  # fmt: skip
    return {"smoothing": smooth.value if smooth is not None else "savgol"}


def _print_quality(measured: Mapping[Path, Quality]) -> None:
    """A line of figures per pose, and what to film otherwise."""
    from embeddings.pose.quality import advice

    for path, one in measured.items():
        hands = ", ".join(
            f"{side} hand {'never raised' if share != share else f'in {share:.0%} of where it is raised'}"
            for side, share in (("left", one.left_hand), ("right", one.right_hand))
        )
        facts = f"{one.frames} frames at {one.fps:g} a second, body in {one.body:.0%}"
        out.print(f"\n[bold]{path.stem}[/bold]: {facts}, {hands}")
        for line in advice(one) or ["nothing to say against it"]:
            out.print(f"  {line}")
