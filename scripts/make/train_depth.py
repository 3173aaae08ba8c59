"""Trains `embeddings/weights/depth.safetensors`: how far before the body elbows and wrists are.

On the procedural signer alone: exact pictures of random signs, signers and cameras, and poses that MediaPipe estimates
on rendered video (kept in a folder: about five seconds a clip, once). Seeds are fixed, and are none of those that
scripts/bench/phonology.py reports on.

    python scripts/make/train_depth.py --poses estimated/ --videos 160 --clips 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.clip import Pose
from embeddings.phonology.depth import HAND_DEPTH, OUTPUTS, depth_features
from embeddings.skeletons import SKELETONS
from scripts.make.train_locations import save
from scripts.real.phonology_cases import performances, video_cases

OUTPUT = Path(__file__).parents[2] / "embeddings" / "weights" / "depth.safetensors"
HIDDEN = 96
STEP = 3
"""Frames over which the change of depth is learned, too: movement is what depth is for."""

Floats = NDArray[np.floating]


def targets(pose: Pose) -> Floats:
    """(T, 2, 5) true depth of `OUTPUTS`, units of h, forward of the neck."""
    skeleton = SKELETONS[pose.skeleton]
    if pose.z is None:
        raise ValueError("exact poses have depth; this one has none")
    forward = -pose.z.astype(np.float64)
    left, right = (skeleton.index(f"{side}_shoulder") for side in ("left", "right"))
    unit = np.median(np.linalg.norm(pose.xy[:, left] - pose.xy[:, right], axis=-1)) / 2
    forward = (forward - (forward[:, left] + forward[:, right])[:, None] / 2) / unit
    hips = (forward[:, skeleton.index("left_hip")] + forward[:, skeleton.index("right_hip")]) / 2
    result = np.zeros((len(pose), 2, len(OUTPUTS)))
    for hand, side in enumerate(("left", "right")):
        joints = (f"{side}_shoulder", f"{side}_elbow", f"{side}_hand_wrist", "nose")
        result[:, hand, :4] = np.stack([forward[:, skeleton.index(name)] for name in joints], axis=1)
        result[:, hand, 4] = hips
    return result


def estimated_hands(pose: Pose, rng: np.random.Generator) -> Pose:
    """The hands' depth about their wrists as badly as MediaPipe sees it (r .7): flatter, of drifting size and shape."""
    if pose.z is None:
        raise ValueError("exact poses have depth; this one has none")
    z, knots = pose.z.copy(), np.arange(len(pose) // 5 + 3)
    at = np.linspace(0, len(knots) - 1.01, len(pose))
    for side in ("left", "right"):
        joints = SKELETONS[pose.skeleton].hand(side)
        exact = z[:, joints] - z[:, joints[:1]]
        drift = np.stack([np.interp(at, knots, rng.normal(size=len(knots))) for _ in range(22)], axis=1)
        wrong = 0.35 * float(np.std(exact)) * drift[:, 1:]
        z[:, joints] = z[:, joints[:1]] + (exact * (1 + 0.3 * drift[:, :1]) + wrong) / HAND_DEPTH
    return replace(pose, z=z)


def sequences(
    clips: int, videos: int, folder: Path, seed: int, video_seed: int
) -> Iterator[tuple[Floats, Floats, float]]:
    """Features (T, F), targets (T, 5) and weight of each hand's track."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Floats, Floats, float]] = []
    for _, performed, camera in performances(clips, seed, 25.0):
        exact = camera.project(performed.figure)
        # A quarter as of skeletons without ears and hips, an eighth without depth of the hands.
        bare = rng.random() < 0.25
        shown = exact.to("openpose-50") if bare else estimated_hands(exact, rng)
        features = depth_features(shown, hand_depth=not bare and bool(rng.random() > 0.125))
        found.append((features.astype(np.float32), targets(exact), 1.0))
    cameras = (camera for _, _, camera in performances(videos, video_seed, 25.0))
    for (_, performed, pose), camera in zip(video_cases(videos, video_seed, 25.0, folder), cameras, strict=True):
        truth = targets(camera.project(performed.figure))
        found.append((depth_features(pose).astype(np.float32), truth, 2.0))
    for features, truth, weight in found:
        for hand in (0, 1):
            yield features[:, hand], truth[:, hand], weight


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=Path, required=True, help="folder of the estimated poses")
    parser.add_argument("--videos", type=int, default=160)
    parser.add_argument("--clips", type=int, default=1200)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7002)
    parser.add_argument("--video-seed", type=int, default=7001)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    found = list(sequences(options.clips, options.videos, options.poses, options.seed, options.video_seed))
    x = torch.tensor(np.concatenate([a for a, _, _ in found]), dtype=torch.float32)
    y = torch.tensor(np.concatenate([b for _, b, _ in found]), dtype=torch.float32)
    weight = torch.tensor(np.concatenate([np.full(len(a), w) for a, _, w in found]), dtype=torch.float32)
    # the row a few frames later of the same track, itself at its end
    later = torch.tensor(np.concatenate([np.minimum(np.arange(len(a)) + STEP, len(a) - 1) for a, _, _ in found]))
    starts = np.cumsum([0, *(len(a) for a, _, _ in found)])[:-1]
    later += torch.tensor(np.repeat(starts, [len(a) for a, _, _ in found]))
    mean, scale = x.mean(0), x.std(0) + 0.05
    widths = [x.shape[1], HIDDEN, HIDDEN, y.shape[1]]
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
    network = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.02)
    steps = options.epochs * (len(x) // 512 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for epoch in range(options.epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(512):
            after = later[rows]
            now, then = (network((x[r] + 0.02 * torch.randn_like(x[r]) - mean) / scale) for r in (rows, after))
            place = torch.nn.functional.smooth_l1_loss(now, y[rows], beta=0.2, reduction="none").mean(1)
            change = torch.nn.functional.smooth_l1_loss(then - now, y[after] - y[rows], beta=0.1, reduction="none")
            loss = (weight[rows] * (place + 2.0 * change.mean(1))).mean() / weight.mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}", flush=True)
    facts = {"clips": str(options.clips), "videos": str(options.videos), "frames": str(len(x))}
    save(options.output, layers, mean, scale, {**facts, "what": "depth of arms"})
    print(f"{len(x)} rows → {options.output}")


if __name__ == "__main__":
    main()
