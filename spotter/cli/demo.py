"""`spotter demo`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import err, out, progress_bar

if TYPE_CHECKING:
    from ..demo import DemoOptions, Scores, World

__all__ = ["register"]

Step = Callable[[int, int], None]
"""Told (done, of how many)."""


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: [bold]spotter demo --keep world/[/bold]")(demo)


def demo(
    keep: Annotated[
        Path | None, typer.Option(help="Folder to keep the world in, for playing.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 2026,
    seeds: Annotated[
        int, typer.Option(min=1, help="So many worlds, from --seed on: mean and spread of the scores.")
    ] = 1,
    signs: Annotated[int, typer.Option(min=2, help="Signs to search for.")] = 12,
    seconds: Annotated[float, typer.Option(min=10.0, help="Continuous signing to make, per world.")] = 184.0,
    review: Annotated[
        bool, typer.Option("--review", help="Then make a project of it and open its page, to judge the hits.")
    ] = False,
    browser: Annotated[bool, typer.Option(help="With --review: open the page in your browser.")] = True,
) -> None:
    """Show everything on data made on the spot: videos, poses, gallery, spotting, scores, exports, report."""
    from ..demo import DemoOptions, spread_lines

    start = time.perf_counter()
    folder = keep if keep is not None else Path(tempfile.mkdtemp(prefix="spotter-demo-"))
    options = DemoOptions(seed=seed, signs=signs, seconds=seconds, videos=max(1, round(seconds / 31)))
    made = []
    for own in range(seed, seed + seeds):
        where = folder / f"seed-{own}" if seeds > 1 else folder
        if seeds > 1:
            out.print(f"[bold]seed {own}[/bold]")
        scores, world = _one_world(where, replace(options, seed=own), keep is not None)
        made.append(scores)
        out.print()
    if seeds > 1:
        out.print(f"[bold]{seeds} worlds[/bold]: mean ± standard deviation (lowest to highest)")
        for line in spread_lines(made):
            out.print(f"  {line}")
    err.print(f"{time.perf_counter() - start:.0f} s")
    if review:
        _review(where, world, browser)


def _one_world(folder: Path, options: DemoOptions, kept: bool) -> tuple[Scores, World]:
    """Makes a world, spots in it from its videos and from its exact poses, and prints and writes the results.

    The poses of a world that is kept are cached: it is there to be played with.
    """
    from embeddings.pose.cache import cache_folder
    from eval.segments import by_video
    from eval.spotting import challenge_f1, one_to_one_f1

    from ..demo import Scores, make_world, spot_world
    from ..formats import write

    with progress_bar() as bar:
        world = make_world(folder, options, _task(bar, "filming the signers"))
        results, gallery = spot_world(
            world, progress=_task(bar, "estimating poses"), cache=cache_folder() if kept else None
        )
        step = _task(bar, "for comparison: exact poses")
        exact, _ = spot_world(world, exact=True)
        step(1, 1)
    detections = [d for result in results for d in result.detections]
    media = {video.stem: video for video in world.queries}
    written = [
        path
        for name in ("detections.csv", "detections.json", "detections.eaf", "detections.vtt")
        for path in write(folder / name, detections, media=media)
    ]
    written.append(_report(world, results, gallery))
    out.print(
        f"{options.signs} signs, one example each; {len(world.queries)} videos, {world.seconds / 60:.1f} minutes, "
        f"{sum(map(len, world.truth.values()))} occurrences by signers and cameras the examples do not show"
    )
    shown = []
    for title, segments in (
        ("[bold]from the videos[/bold] (rendered, then pose estimation)", by_video(detections)),
        ("[bold]from exact poses[/bold] (no estimator between)", by_video(d for r in exact for d in r.detections)),
    ):
        pair = one_to_one_f1(world.truth, segments), challenge_f1(world.truth, segments)
        out.print(f"\n{title}")
        for score in pair:
            out.print(f"  {score}")
        shown.append((pair[0].f1, pair[1].f1))
    out.print()
    for path in written:
        out.print(f"  {path}")
    return Scores(options.seed, *shown), world


def _task(bar: Any, title: str) -> Step:
    task = bar.add_task(title)
    return lambda done, total: bar.update(task, completed=done, total=total)


def _report(world: World, results: Any, gallery: Path) -> Path:
    from ..report.page import write_report

    path = world.folder / "report.html"
    media, exemplars = ({video.stem: video for video in videos} for videos in (world.queries, world.exemplars))
    write_report(path, results, media=media, gallery=gallery, truth=world.truth, exemplars=exemplars)
    return path


def _review(folder: Path, world: World, browser: bool) -> None:
    """The project's page: what `spotter new` and `spotter review` do with the world's files."""
    from ..project.folder import Project
    from .options import Poses
    from .review import prepare_for_review, show

    start = time.perf_counter()
    project = Project.create(folder / "project", "Demo")
    project.add_videos(world.queries)
    for clip in world.exemplars:
        project.add_exemplar(clip)
    project.add_poses(folder / "poses")
    prepare_for_review(project, "default", Poses())
    err.print(f"the same as a project, indexed and searched again: {time.perf_counter() - start:.0f} s")
    show(project, browser=browser)
