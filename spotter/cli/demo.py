"""`spotter demo`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from .console import err, out, progress_bar

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: [bold]spotter demo --keep world/[/bold]")(demo)


def demo(
    keep: Annotated[
        Path | None, typer.Option(help="Folder to keep the world in, for playing.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 2026,
    signs: Annotated[int, typer.Option(min=2, help="Signs to search for.")] = 12,
    seconds: Annotated[float, typer.Option(min=10.0, help="Continuous signing to make.")] = 184.0,
) -> None:
    """Show everything on data made on the spot: videos, poses, gallery, spotting, scores, exports, report."""
    from eval.segments import by_video
    from eval.spotting import challenge_f1, one_to_one_f1

    from ..demo import DemoOptions, make_world, spot_world
    from ..formats import write
    from ..report.page import write_report

    start = time.perf_counter()
    folder = keep if keep is not None else Path(tempfile.mkdtemp(prefix="spotter-demo-"))
    options = DemoOptions(seed=seed, signs=signs, seconds=seconds, videos=max(1, round(seconds / 31)))
    with progress_bar() as bar:
        task = bar.add_task("filming the signers")
        world = make_world(folder, options, lambda done, total: bar.update(task, completed=done, total=total))
        bar.update(task, completed=1, total=1)
        task = bar.add_task("estimating poses")
        results, gallery = spot_world(world, progress=lambda done, total: bar.update(task, completed=done, total=total))
        task = bar.add_task("for comparison: exact poses", total=1)
        exact, _ = spot_world(world, exact=True)
        bar.advance(task)
    detections = [d for result in results for d in result.detections]
    media = {video.stem: video for video in world.queries}
    written = [
        path
        for name in ("detections.csv", "detections.json", "detections.eaf", "detections.vtt")
        for path in write(folder / name, detections, media=media)
    ]
    report = folder / "report.html"
    exemplars = {video.stem: video for video in world.exemplars}
    write_report(report, results, media=media, gallery=gallery, truth=world.truth, exemplars=exemplars)

    occurrences = sum(len(spans) for spans in world.truth.values())
    out.print(
        f"{signs} signs, one example each; {len(world.queries)} videos, {world.seconds / 60:.1f} minutes, "
        f"{occurrences} occurrences by signers and cameras the examples do not show"
    )
    out.print("\n[bold]from the videos[/bold] (rendered, then pose estimation)")
    for score in (one_to_one_f1, challenge_f1):
        out.print(f"  {score(world.truth, by_video(detections))}")
    out.print("[bold]from exact poses[/bold] (no estimator between)")
    for score in (one_to_one_f1, challenge_f1):
        out.print(f"  {score(world.truth, by_video(d for result in exact for d in result.detections))}")
    out.print()
    for path in [*written, report]:
        out.print(f"  {path}")
    err.print(f"{time.perf_counter() - start:.0f} s")
