"""How well MediaPipe follows the rendered signer: detection rates, errors against the truth, frames per second.

    python scripts/bench/render.py --clips 8 --frames 30

Each clip has its own signer, camera and look; the frames of a clip are consecutive, as an estimator sees them.
A hand counts as raised when its wrist is above the lower third of the trunk and the whole hand is in the picture.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from mediapipe.python.solutions import holistic

from embeddings.phonology.pictures import write_picture
from embeddings.synthetic import Camera, Draws, Figure, SignWorld, random_camera
from embeddings.synthetic.filming.look import Look, random_look
from embeddings.synthetic.filming.render import render_frames
from embeddings.synthetic.signing.figure import figure_index

UPPER = slice(11, 17)
"""Shoulders, elbows and wrists of MediaPipe's body."""


def raised(figure: Figure, hands: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(T, 2) bool, hands as (left, right), for projected hands (T, 2, 21, 2)."""
    neck = figure.xyz[:, figure_index("neck"), 1]
    hips = figure.xyz[:, figure_index("left_hip"), 1]
    low = hips + (neck - hips) / 3
    up = np.stack([figure.xyz[:, figure_index(f"{s}_wrist"), 1] > low for s in ("left", "right")], axis=1)
    inside = ((hands >= 0) & (hands <= np.array(size) - 1)).all(axis=(2, 3))
    return np.asarray(up & inside)


def landmarks(result: object, size: tuple[int, int]) -> np.ndarray:
    """(75, 2) px: body, left hand, right hand; NaN where not found."""
    parts = []
    for name, count in (("pose", 33), ("left_hand", 21), ("right_hand", 21)):
        found = getattr(result, f"{name}_landmarks")
        parts.append(np.full((count, 2), np.nan) if found is None else [(p.x, p.y) for p in found.landmark])
    return np.concatenate(parts) * size


def measure(figure: Figure, look: Look, camera: Camera, keep: Path | None = None) -> dict[str, np.ndarray]:
    """Per frame: body and face found, hands raised and found, errors in px (joints; per hand) and in palms."""
    truth = camera.project(figure).xy
    hands = truth[:, 33:].reshape(-1, 2, 21, 2)
    estimator = holistic.Holistic(model_complexity=1)
    faces, found, drawn, began = [], [], 0.0, time.thread_time()
    for i, frame in enumerate(render_frames(figure, look, camera)):
        if i > 0:  # the first also makes the person
            drawn += time.thread_time() - began
        result = estimator.process(frame)
        faces.append(result.face_landmarks is not None)
        found.append(landmarks(result, camera.size))
        if keep is not None and i % 10 == 0:
            write_picture(Path(f"{keep}-{i:03d}.png"), frame)
        began = time.thread_time()
    estimator.close()
    xy = np.stack(found)
    error = np.linalg.norm(xy - truth, axis=-1)
    off = error[:, 33:].reshape(-1, 2, 21)
    palm = np.linalg.norm(
        figure.xyz[0, figure_index("left_hand_wrist")] - figure.xyz[0, figure_index("left_hand_middle_mcp")]
    )
    depth = camera.points(figure.xyz[:, [figure_index("left_wrist"), figure_index("right_wrist")]])[..., 2]
    return {
        "body": ~np.isnan(xy[:, 0, 0]),
        "face": np.array(faces),
        "body error": error[:, UPPER],
        "raised": raised(figure, hands, camera.size),
        "hand": ~np.isnan(off[..., 0]),
        "hand error": np.median(off, axis=-1) / (camera.focal * palm / depth),
        "hand px": np.median(off, axis=-1),
        "seconds": np.array([drawn / max(1, len(xy) - 1)]),
    }


def middle(values: np.ndarray) -> float:
    """The median; NaN of nothing."""
    return float(np.median(values)) if len(values) else float("nan")


def report(name: str, parts: list[dict[str, np.ndarray]]) -> None:
    """One line of the table."""
    up = np.concatenate([p["raised"] for p in parts])
    hit = np.concatenate([p["hand"] for p in parts])
    error = np.concatenate([p["hand error"] for p in parts])[up & hit]
    pixels = np.concatenate([p["hand px"] for p in parts])[up & hit]
    print(
        f"{name:10s} frames {len(up):4d}  body {np.mean(np.concatenate([p['body'] for p in parts])):6.1%}"
        f" ({np.nanmedian(np.concatenate([p['body error'] for p in parts])):4.1f} px)"
        f"  face {np.mean(np.concatenate([p['face'] for p in parts])):6.1%}"
        f"  raised hands {int((up & hit).sum()):4d}/{int(up.sum()):4d} = {(up & hit).sum() / max(1, up.sum()):6.1%}"
        f" ({middle(pixels):4.1f} px, {middle(error):.2f} palms)"
        f"  {1 / np.mean([p['seconds'] for p in parts]):5.1f} frames/CPU s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=30, help="of each clip")
    parser.add_argument("--fps", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="number of the first clip")
    parser.add_argument("--keep", type=Path, help="folder for every tenth picture")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    world = SignWorld(options.seed, 40)
    parts = []
    for clip in range(options.first, options.first + options.clips):
        rng = Draws(options.seed, clip)
        signs = rng.choice(len(world), 4, replace=False)
        figure = world.perform(signs, clip, options.fps).figure
        start = min(round(options.fps * 0.6), max(0, len(figure) - options.frames))
        part = Figure(figure.xyz[start : start + options.frames], options.fps)
        camera = random_camera(rng) if clip else Camera()
        look = random_look(rng) if clip else Look()
        keep = None
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            keep = options.keep / f"clip{clip}"
        parts.append(measure(part, look, camera, keep))
        report(f"clip {clip}", parts[-1:])
    report("all", parts)


if __name__ == "__main__":
    main()
