"""Pose estimators beside each other: hands found, errors of hands and body, F1 of spotting, processor time.

    python scripts/quality/estimators.py worlds WORK [--seeds 5] [--estimators mediapipe holistic]
    python scripts/quality/estimators.py real WORK --videos FOLDER
    python scripts/quality/estimators.py conditions WORK
    python scripts/quality/estimators.py compression WORK [--seeds 1]
    python scripts/quality/estimators.py cleaning WORK [--seed 301 --seeds 1]
    python scripts/quality/estimators.py accepted WORK [--seeds 5]

Prints Markdown tables. `worlds` are the worlds of `spotter demo` from `--seed` on, whose truth is known; all estimators
see the same videos, and the encoder is the shipped one. A hand counts while it is raised: its wrist above the lowest
fifth of the trunk and four fifths of its landmarks in the picture. *Hand shape* is the error of the 20 landmarks
relative to the wrist's, as a share of the hand's extent in the picture; *body* the error of nose, shoulders, elbows,
wrists and hips in shoulder widths. What is estimated is kept in WORK, so a stopped run goes on; times are those of the
run that estimated. The names of estimators may carry settings: `holistic:hands=lite`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip, Pose
from embeddings.pose import estimate, read_pose, write_pose
from embeddings.pose.clean import smooth
from embeddings.pose.hand_gaps import interpolate_hands
from embeddings.pose.unsure_hands import steady_unsure_hands
from embeddings.video import probe, read_frames, write_video
from eval.segments import by_video
from eval.spotting import challenge_f1, one_to_one_f1
from safe_files import write_json
from spotter.demo import DemoOptions, World, make_world
from spotter.enrolment import enroll
from spotter.pipeline import SpottingOptions, TransferOptions, spot_videos

HANDS = (slice(33, 54), slice(54, 75))
TRUNK = (11, 12, 23, 24)
JOINTS = (0, 11, 12, 13, 14, 15, 16, 23, 24)
Array = NDArray[np.floating]


class Errors(NamedTuple):
    """found: of raised hands, whether they were; shape: (N, 20) of the found; body: (T, 9)."""

    found: Array
    shape: Array
    body: Array


def setting(text: str) -> tuple[str, dict[str, Any]]:
    """`name:key=value,…` as (name, settings)."""
    name, _, rest = text.partition(":")
    pairs = (pair.split("=", 1) for pair in rest.split(",") if pair)
    return name, {key: float(value) if value.replace(".", "", 1).isdecimal() else value for key, value in pairs}


def estimated(video: Path, folder: Path, estimator: str) -> Pose:
    """The pose, from the folder where it is there; the processor time goes beside it."""
    target = folder / f"{video.stem}.h5"
    if not target.exists():
        name, settings = setting(estimator)
        start = time.process_time()
        pose = estimate(video, name, **settings)
        seconds = time.process_time() - start
        write_json(folder / f"{video.stem}.time.json", {"seconds": seconds, "frames": len(pose)})
        write_pose(target, pose)
    return read_pose(target)


def milliseconds(folder: Path) -> float:
    """Processor time of a frame."""
    times = [json.loads(p.read_text()) for p in sorted(folder.glob("*.time.json"))]
    return 1000 * sum(t["seconds"] for t in times) / sum(t["frames"] for t in times)


def raised(pose: Pose, side: int) -> NDArray[np.bool_]:
    hand, (shoulders, hips) = (
        pose.xy[:, HANDS[side]],
        (pose.xy[:, rows, 1].mean(axis=1) for rows in ([11, 12], [23, 24])),
    )
    inside = ((hand >= 0) & (hand < np.array(pose.size))).all(axis=-1).mean(axis=1) > 0.8
    result: NDArray[np.bool_] = inside & (hand[:, 0, 1] < shoulders + 0.8 * (hips - shoulders))
    return result


def shoulder_width(pose: Pose) -> float:
    return float(np.nanmedian(np.linalg.norm(pose.xy[:, 11] - pose.xy[:, 12], axis=1)))


def errors(truth: Pose, pose: Pose) -> Errors:
    count = min(len(truth), len(pose))
    truth, pose = truth[:count], pose[:count]
    found, shape = [], []
    for side, rows in enumerate(HANDS):
        up = raised(truth, side)
        true, hand = truth.xy[up][:, rows], pose.xy[up][:, rows]
        seen = ~np.isnan(hand).any(axis=(1, 2))
        size = np.ptp(true, axis=1).max(axis=1)[:, None]
        away = np.linalg.norm((hand - hand[:, :1]) - (true - true[:, :1]), axis=-1)[:, 1:] / size
        found.append(seen)
        shape.append(away[seen])
    body = np.linalg.norm(pose.xy[:, JOINTS] - truth.xy[:, JOINTS], axis=-1) / shoulder_width(truth)
    return Errors(np.concatenate(found), np.concatenate(shape), body)


def together(parts: Sequence[Errors]) -> Errors:
    return Errors(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def scores(world: World, poses: Path, ending: str) -> tuple[float, float, float, float]:
    """One-to-one and challenge F1, with the demo's Top-K transfer and without."""
    gallery = enroll([poses / f"{v.stem}{ending}" for v in world.exemplars])
    values = []
    for options in (SpottingOptions(transfer=TransferOptions(keep=0.5, minimum=0.6)), SpottingOptions()):
        results = spot_videos([poses / f"{v.stem}{ending}" for v in world.queries], gallery, options=options)
        segments = by_video(d for result in results for d in result.detections)
        values += [one_to_one_f1(world.truth, segments).f1, challenge_f1(world.truth, segments).f1]
    return tuple(values)  # type: ignore[return-value]


def spread(values: Sequence[float], digits: int = 3) -> str:
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{deviation}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |", flush=True)
    print(flush=True)


def worlds(options: argparse.Namespace) -> None:
    """Rendered worlds: errors and F1, mean ± deviation over seeds."""
    names: list[str] = options.estimators
    measured: dict[str, list[tuple[float, ...]]] = {name: [] for name in (*names, "exact")}
    for seed in range(options.seed, options.seed + options.seeds):
        world = make_world(options.work / str(seed), DemoOptions(seed=seed))
        for name in names:
            folder = world.folder / name.replace(":", "-")
            parts = [
                errors(read_pose(world.exact[video.stem]), estimated(video, folder, name))
                for video in (*world.queries, *world.exemplars)
            ]
            seen = together(parts)
            quantiles = np.quantile(seen.shape, [0.5, 0.75, 0.9])
            figures = (float(seen.found.mean()), *map(float, quantiles), float(np.nanmedian(seen.body)))
            f1 = scores(world, folder, ".h5")
            measured[name].append((*figures, *f1, milliseconds(folder)))
            print(
                f"seed {seed} {name}: {len(seen.found)} raised hands, {[round(v, 3) for v in measured[name][-1]]}",
                flush=True,
            )
        measured["exact"].append((1.0, 0.0, 0.0, 0.0, 0.0, *scores(world, world.folder / "exact-poses", ".pose"), 0.0))
    head = ["estimator", "found", "hand shape median", "p75", "p90", "body", "one-to-one F1", "challenge F1",
            "without transfer", "challenge F1", "CPU ms a frame"]  # fmt: skip
    table(head, [[name, *(spread(v) for v in zip(*rows, strict=True))] for name, rows in measured.items() if rows])


def real(options: argparse.Namespace) -> None:
    """Real videos: hands found while raised, agreement of each estimator with the first."""
    videos = sorted(p for p in options.videos.iterdir() if p.suffix == ".mp4")[:: options.every]
    first = options.estimators[0]
    rows = []
    poses = {
        name: [estimated(v, options.work / "real" / name.replace(":", "-"), name) for v in videos]
        for name in options.estimators
    }
    for name in options.estimators:
        seen, distance, moved = [], [], []
        for reference, pose in zip(poses[first], poses[name], strict=True):
            count = min(len(reference), len(pose))
            unit = shoulder_width(reference)
            for side, joints in enumerate(HANDS):
                up = _raised_by_body(reference, side)[:count]
                hand, other = pose.xy[:count, joints], reference.xy[:count, joints]
                there = ~np.isnan(hand).any(axis=(1, 2))
                seen.append(there[up])
                both = there & ~np.isnan(other).any(axis=(1, 2)) & up
                distance.append(np.linalg.norm(hand - other, axis=-1)[both].ravel() / unit)
            moved.append(np.linalg.norm(pose.xy[:count, JOINTS] - reference.xy[:count, JOINTS], axis=-1).ravel() / unit)
        hands, gaps, body = np.concatenate(seen), np.concatenate(distance), np.concatenate(moved)
        folder = options.work / "real" / name.replace(":", "-")
        rows.append([name, f"{hands.mean():.4f} of {len(hands)}", *(f"{v:.4f}" for v in np.quantile(gaps, [0.5, 0.9])),
                     f"{np.nanmedian(body):.4f}", f"{milliseconds(folder):.1f}"])  # fmt: skip
    head = [
        "estimator",
        "raised hands found",
        f"hands' distance to {first}: median",
        "p90",
        "body's distance",
        "CPU ms a frame",
    ]
    table(head, rows)


def _raised_by_body(pose: Pose, side: int) -> NDArray[np.bool_]:
    """Raised by the body's own wrist, where the truth is not known."""
    wrist = pose.xy[:, 15 + side]
    shoulders, hips = pose.xy[:, [11, 12], 1].mean(axis=1), pose.xy[:, [23, 24], 1].mean(axis=1)
    inside = ((wrist >= 0) & (wrist < np.array(pose.size))).all(axis=1)
    result: NDArray[np.bool_] = inside & (wrist[:, 1] < shoulders + 0.8 * (hips - shoulders))
    return result


def filmed(folder: Path, fps: float, height: int, whole: bool, gain: float, mirrored: bool) -> tuple[Path, Pose]:
    """The same three signs under one condition, as a video, and its exact pose."""
    from embeddings.synthetic import Camera, SignWorld
    from embeddings.synthetic.filming.look import Look
    from embeddings.synthetic.filming.render import render_frames

    light = f"-gain{gain:g}" if gain != 1 else ""
    name = f"{fps:g}fps-{height}px{'-whole' * whole}{light}{'-mirrored' * mirrored}"
    video, exact = folder / f"{name}.mp4", folder / "exact" / f"{name}.h5"
    if not exact.exists():
        performance = SignWorld(2031, 12, minimal_pairs=0.0).perform([0, 1, 2, 3], signer=1, fps=fps)
        distance = 4.4 if whole else 2.2
        camera = Camera(size=(height, height), distance=distance, focal=height * 2.2 / 1.22, target=(0.0, -0.16, 0.05))
        look = replace(Look(), gain=Look().gain * gain)
        frames = render_frames(performance.figure, look, camera)
        pose = camera.project(performance.figure)
        write_video(video, (f[:, ::-1] for f in frames) if mirrored else frames, fps)
        write_pose(exact, pose.mirrored() if mirrored else pose)
    return video, read_pose(exact)


def conditions(options: argparse.Namespace) -> None:
    """One performance at several frame rates and sizes, near and far, bright and dark, mirrored."""
    usual = (25.0, 480, False, 1.0, False)
    wanted = [usual]
    wanted += [(fps, *usual[1:]) for fps in (15.0, 30.0, 50.0, 60.0)]
    wanted += [(25.0, height, *usual[2:]) for height in (240, 360, 720, 1080)]
    wanted += [(25.0, 480, True, 1.0, False), (25.0, 480, False, 1.5, False), (25.0, 480, False, 0.4, False)]
    wanted += [(25.0, 480, False, 1.0, True)]
    folder, rows = options.work / "conditions", []
    for one in wanted:
        video, truth = filmed(folder, *one)
        for name in options.estimators:
            seen = errors(truth, estimated(video, folder / name.replace(":", "-"), name))
            quantiles = np.quantile(seen.shape, [0.5, 0.9]) if len(seen.shape) else [np.nan, np.nan]
            found = f"{seen.found.mean():.3f} of {len(seen.found)}"
            rows.append([video.stem, name, found, *(f"{v:.3f}" for v in quantiles), f"{np.nanmedian(seen.body):.3f}"])
            print(*rows[-1], flush=True)
    table(["condition", "estimator", "found", "hand shape median", "p90", "body"], rows)


def compression(options: argparse.Namespace) -> None:
    """The queries and exemplars of a world compressed anew three ways: how far F1 moves."""
    rows = []
    for seed in range(options.seed, options.seed + options.seeds):
        world = make_world(options.work / str(seed), DemoOptions(seed=seed))
        for name in options.estimators:
            values = []
            for crf in (18, 23, 30):
                folder = world.folder / f"crf{crf}"
                for video in (*world.queries, *world.exemplars):
                    again = folder / video.name
                    if not again.exists():
                        write_video(again, (f for _, f in read_frames(video)), probe(video).fps, crf)
                    estimated(again, folder / name.replace(":", "-"), name)
                values.append(scores(world, folder / name.replace(":", "-"), ".h5")[0])
            rows.append([str(seed), name, *(f"{v:.3f}" for v in values), f"{max(values) - min(values):.3f}"])
    table(["seed", "estimator", "CRF 18", "23", "30", "range of one-to-one F1"], rows)


def accepted(options: argparse.Namespace) -> None:
    """What the search holds and what it gives: shares of the occurrences that a candidate, a detection overlaps at all.

    Candidates: places of a probability of at least .02, clashes allowed. Precision: of the detections that overlap
    their sign at all, and one-to-one at IoU .5.
    """
    name, rows = options.estimators[-1], []
    for seed in range(options.seed, options.seed + options.seeds):
        world = make_world(options.work / str(seed), DemoOptions(seed=seed))
        folder = world.folder / name.replace(":", "-")
        exemplars, queries = (
            [Clip(v.stem, pose.fps, pose, label=v.stem) for v in videos for pose in [estimated(v, folder, name)]]
            for videos in (world.exemplars, world.queries)
        )
        gallery = enroll(exemplars)
        held, given = (
            by_video(d for r in spot_videos(queries, gallery, options=o) for d in r.detections)
            for o in (SpottingOptions(threshold=0.02, exclusive=False), SpottingOptions())
        )
        near, far, strict = (one_to_one_f1(world.truth, *of) for of in ((given, 0.01), (held, 0.01), (given, 0.5)))
        shares = [s.tp / (s.tp + s.fn) for s in (far, near)]
        precisions = [s.tp / max(s.tp + s.fp, 1) for s in (near, strict)]
        rows.append((*shares, shares[1] / shares[0], *precisions))
        print(f"seed {seed} {name}: {[round(v, 3) for v in rows[-1]]}", flush=True)
    head = ["estimator", "candidates", "accepted", "accepted of candidates", "precision, any overlap", "at IoU .5"]
    table(head, [[name, *(spread(v) for v in zip(*rows, strict=True))]])


def cleaned() -> dict[str, Callable[[Pose], Pose]]:
    """What may be done to an estimated pose, by name."""
    return {
        "as estimated": lambda pose: pose,
        "unsure hands steadied": steady_unsure_hands,
        "hand gaps up to .2 s filled": lambda pose: interpolate_hands(pose, 0.2),
        "hand gaps up to .5 s filled": lambda pose: interpolate_hands(pose, 0.5),
        "steadied, .2 s filled": lambda pose: interpolate_hands(steady_unsure_hands(pose), 0.2),
        "smoothed (Savitzky-Golay, .2 s)": smooth,
    }


def cleaning(options: argparse.Namespace) -> None:
    """Steps of cleaning after the last estimator asked for: errors of the hands, F1 of spotting as it is by default."""
    name, rows = options.estimators[-1], []
    seeds = range(options.seed, options.seed + options.seeds)
    made = [make_world(options.work / str(seed), DemoOptions(seed=seed)) for seed in seeds]
    for title, step in cleaned().items():
        figures = []
        for world in made:
            folder = world.folder / name.replace(":", "-")
            poses = {v.stem: step(estimated(v, folder, name)) for v in (*world.queries, *world.exemplars)}
            seen = together([errors(read_pose(world.exact[stem]), pose) for stem, pose in poses.items()])
            exemplars, queries = (
                [Clip(v.stem, poses[v.stem].fps, poses[v.stem], label=v.stem) for v in videos]
                for videos in (world.exemplars, world.queries)
            )
            found = by_video(d for r in spot_videos(queries, enroll(exemplars)) for d in r.detections)
            shape = map(float, np.quantile(seen.shape, [0.5, 0.75, 0.9]))
            figures.append((float(seen.found.mean()), *shape, one_to_one_f1(world.truth, found).f1))
        rows.append([title, *(spread(v) for v in zip(*figures, strict=True))])
        print(*rows[-1], flush=True)
    table([name, "found", "hand shape median", "p75", "p90", "one-to-one F1"], rows)


PARTS = {
    "worlds": worlds, "real": real, "conditions": conditions, "compression": compression, "cleaning": cleaning,
    "accepted": accepted,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--estimators", nargs="+", default=["mediapipe", "holistic"])
    parser.add_argument("--videos", type=Path, help="folder of real videos")
    parser.add_argument("--every", type=int, default=1, help="take every n-th of them")
    options = parser.parse_args()
    PARTS[options.part](options)


if __name__ == "__main__":
    main()
