"""`spotter demo`: the main job, for real, on a world of signs that it makes itself.

World (procedural signer → rendered H.264 video) → poses estimated from the video → exemplars trimmed and enrolled →
spotting as it is by default → both F1 scores → CSV, JSON, ELAN, WebVTT, HTML report.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, NamedTuple

from eval.segments import Segment, read_segments
from safe_files import read_json, write_json

if TYPE_CHECKING:
    from embeddings.synthetic import Camera

    from .results import SpottingResult

__all__ = ["DemoOptions", "Scores", "World", "make_world", "spot_world", "spread_lines"]


@dataclass(frozen=True)
class DemoOptions:
    """What the demo makes.

    Attributes:
        seed: of everything.
        signs: how many signs are searched for, one exemplar each.
        fillers: how many other signs the queries hold, which must not be reported.
        videos: how many query videos, each by another signer before another camera.
        seconds: least length of the query videos together.
        fps: of the videos.
        size: width and height of the videos in pixels.
    """

    seed: int = 2026
    signs: int = 12
    fillers: int = 12
    videos: int = 6
    seconds: float = 184.0
    fps: float = 15.0
    size: int = 480


@dataclass(frozen=True)
class World:
    """Files of a made world.

    Attributes:
        folder: where it lies.
        exemplars: one video per sign; the file's stem is the gloss.
        queries: continuous signing.
        truth: what each query holds, by stem.
        exact: the exact pose file of each video, by stem.
    """

    folder: Path
    exemplars: tuple[Path, ...]
    queries: tuple[Path, ...]
    truth: dict[str, list[Segment]]
    exact: dict[str, Path]

    @property
    def seconds(self) -> float:
        """Length of the queries together."""
        from embeddings.pose import read_pose

        return sum(read_pose(self.exact[q.stem]).duration for q in self.queries)


class Scores(NamedTuple):
    """(one-to-one F1 at IoU .5, challenge F1) of one world, from its videos and from its exact poses."""

    seed: int
    video: tuple[float, float]
    exact: tuple[float, float]


def spread_lines(scores: Sequence[Scores]) -> list[str]:
    """Mean, standard deviation (of the sample) and extremes of each score over several worlds, a line each."""
    lines = []
    for source, pairs in (("the videos", [s.video for s in scores]), ("exact poses", [s.exact for s in scores])):
        for kind, values in zip(("one-to-one@0.5 F1", "challenge F1"), zip(*pairs, strict=True), strict=True):
            deviation = stdev(values) if len(values) > 1 else 0.0
            lines.append(
                f"{kind} from {source}: {fmean(values):.3f} ± {deviation:.3f} ({min(values):.3f} to {max(values):.3f})"
            )
    return lines


@dataclass(frozen=True)
class Job:
    """One video to make: the exemplar of a sign, or a query (numbered from 0)."""

    options: DemoOptions
    folder: Path
    sign: int | None = None
    query: int | None = None


def make_world(folder: Path, options: DemoOptions, progress: Callable[[int, int], None] | None = None) -> World:
    """Writes the world's videos, exact poses and ground truth; a world already there is kept.

    Args:
        progress: called with (videos done, videos in all).

    Raises:
        ValueError: the folder holds a world made with other options.
    """
    from .formats import write

    settings, truth_file = folder / "world.json", folder / "truth.json"
    asked = asdict(options)
    if settings.exists() and read_json(settings) != asked:
        raise ValueError(f"{folder} holds a demo world made with other options; choose another folder or delete it")
    if not truth_file.exists():
        write_json(settings, asked)
        jobs = [Job(options, folder, query=i) for i in range(options.videos)]
        jobs += [Job(options, folder, sign=i) for i in range(options.signs)]
        segments: list[Segment] = []
        for done, segments_of_video in enumerate(_in_parallel(jobs), start=1):
            segments += segments_of_video
            if progress is not None:
                progress(done, len(jobs))
        write(truth_file, segments, videos=[f"talk-{i + 1}" for i in range(options.videos)])
    exact = {path.stem: path for path in sorted((folder / "exact-poses").glob("*.pose"))}
    return World(
        folder,
        tuple(sorted((folder / "exemplars").glob("*.mp4"))),
        tuple(sorted((folder / "queries").glob("*.mp4"))),
        read_segments(truth_file, unit="s"),
        exact,
    )


def _in_parallel(jobs: Sequence[Job]) -> Iterator[list[Segment]]:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(make_video, job) for job in jobs]):
            yield future.result()


def make_video(job: Job) -> list[Segment]:
    """Renders one video and writes its exact pose; returns what a query holds of the signs searched for."""
    from embeddings.pose import write_pose
    from embeddings.synthetic import Draws, SignWorld, random_look
    from embeddings.synthetic.filming.look import Look
    from embeddings.synthetic.filming.render import render_video

    options = job.options
    world = SignWorld(options.seed, options.signs + options.fillers)
    number = 0 if job.query is None else job.query + 1
    rng = Draws("demo", options.seed, number)
    if job.sign is not None:
        stem, kind, counted = world.signs[job.sign].label, "exemplars", set()
        performance = world.perform(world.signs[job.sign], signer=0, fps=options.fps)
    else:
        stem, kind = f"talk-{number}", "queries"
        counted = {sign.label for sign in world.signs[: options.signs]}
        script = _script(world, options, rng, number)
        performance = world.perform(script, signer=number, fps=options.fps, take=number)
    camera = _camera(rng, options, frontal=job.sign is not None)
    look = Look() if job.sign is not None else random_look(rng)
    render_video(job.folder / kind / f"{stem}.mp4", performance.figure, look, camera, seed=number)
    write_pose(job.folder / "exact-poses" / f"{stem}.pose", camera.project(performance.figure))
    return [
        Segment.from_frames(stem, s.label, s.start, s.end, options.fps) for s in performance.spans if s.label in counted
    ]


def _script(world: Any, options: DemoOptions, rng: Any, signer: int) -> list[Any]:
    """Signs of one query in a random order, as many as it takes: the searched ones twice as often as the others."""
    wanted = options.seconds / options.videos
    bag = [*world.signs[: options.signs], *world.signs[: options.signs], *world.signs[options.signs :]]
    order: list[Any] = []
    count = 4
    while True:
        while len(order) < count:
            order += [bag[i] for i in rng.permutation(len(bag))]
        seconds = len(world.perform(order[:count], signer=signer, fps=options.fps, take=signer)) / options.fps
        if seconds >= wanted:
            return order[:count]
        count += max(1, round((wanted - seconds) / (seconds / count)))


def _camera(rng: Any, options: DemoOptions, frontal: bool) -> Camera:
    """A camera that sees head to waist, as sign-language recordings do; frontal for exemplars."""
    from embeddings.synthetic import Camera

    size, distance = options.size, 2.2
    base = Camera(size=(size, size), distance=distance, focal=size * distance / 1.22, target=(0.0, -0.16, 0.05))
    if frontal:
        return base
    return replace(
        base,
        yaw=rng.uniform(-0.35, 0.35),
        pitch=rng.uniform(-0.08, 0.15),
        roll=rng.normal(0, 0.02),
        focal=base.focal * rng.uniform(0.92, 1.06),
    )


def spot_world(
    world: World, exact: bool = False, progress: Callable[[int, int], None] | None = None, cache: Path | None = None
) -> tuple[list[SpottingResult], Path]:
    """What a user does with the world's videos: poses, enrolment, spotting.

    Args:
        exact: use the exact poses instead of estimating them from the videos (for comparison).
        progress: called with (pose files done, all).
        cache: where poses are kept for other commands, too.

    Returns:
        The results of the queries, and the folder of the gallery.
    """
    from embeddings.pose import estimate_videos

    from .enrolment import enroll
    from .pipeline import spot_videos

    videos = [*world.queries, *world.exemplars]
    poses: dict[str, Path] = dict(world.exact)
    if not exact:
        for done, result in enumerate(estimate_videos(videos, world.folder / "poses", cache=cache, keep=True), start=1):
            if result.output is None:
                raise ValueError(result.error)
            poses[result.video.stem] = result.output
            if progress is not None:
                progress(done, len(videos))
    folder = world.folder / ("gallery-exact" if exact else "gallery")
    gallery = enroll([poses[v.stem] for v in world.exemplars], folder)
    return spot_videos([poses[v.stem] for v in world.queries], gallery), folder
