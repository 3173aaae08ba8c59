"""Trains `embeddings/weights/locations.safetensors`: which of fifteen places a hand is at.

On the procedural signer alone: random signs, signers, cameras and estimator errors, with true depth and without (then
it is judged), and poses that MediaPipe estimates on rendered video (kept in a folder: about five seconds a clip, once).
Some ten minutes on one core; seeds are fixed, and none is one that scripts/bench/phonology.py reports on.

    python scripts/make/train_locations.py --poses estimated/ --videos 160 --clips 2500
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
from embeddings.phonology.locations import LOCATIONS, features
from embeddings.phonology.signer_space import signer_space
from embeddings.synthetic import random_noise
from safe_files import whole_file
from scripts.real.phonology_cases import Case, performances, video_cases

OUTPUT = Path(__file__).parents[2] / "embeddings" / "weights" / "locations.safetensors"
HIDDEN = 96
NEUTRAL_SHARE = 0.6
"""Share of the frames in neutral space, the commonest place by far, that training sees."""

Example = tuple[NDArray[np.float64], NDArray[np.int64]]


def noisy_cases(clips: int, seed: int) -> Iterator[Case]:
    """Exact or disturbed, with depth or without."""
    rng = np.random.default_rng(seed)
    for arrangement, performed, camera in performances(clips, seed, 25.0):
        pose = camera.project(performed.figure)
        if rng.random() < 0.7:
            pose = random_noise(rng, 1.0).apply(pose, rng)
        yield Case(arrangement, performed, pose if rng.random() < 0.5 else without_depth(pose, rng))


def without_depth(pose: Pose, rng: np.random.Generator) -> Pose:
    """No depth at all, or (MediaPipe's kind) exaggerated so that only the hands' own is left."""
    if pose.z is None or rng.random() < 0.5:
        return replace(pose, z=None)
    shoulders = [pose.joint(f"{side}_shoulder") for side in ("left", "right")]
    middle = np.nanmean(pose.z[:, shoulders], axis=1, keepdims=True)
    return replace(pose, z=(middle + rng.uniform(3, 5) * (pose.z - middle)).astype(np.float32))


def examples(cases: Iterator[Case], rng: np.random.Generator, share: float) -> Iterator[Example]:
    """Features and places of hold frames, a `share` of them."""
    for case in cases:
        space, truth = signer_space(case.pose), case.performed.truth
        rows = truth.hold & (truth.location != "") & space.seen & (rng.random(truth.hold.shape) < share)
        rows &= (truth.location != LOCATIONS[0]) | (rng.random(truth.hold.shape) < NEUTRAL_SHARE)
        if rows.any():
            yield features(space)[rows], np.array([LOCATIONS.index(name) for name in truth.location[rows]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=Path, required=True, help="folder of the estimated poses")
    parser.add_argument("--videos", type=int, default=160)
    parser.add_argument("--clips", type=int, default=2500)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--video-seed", type=int, default=7001)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    found = list(examples(noisy_cases(options.clips, options.seed), rng, 0.6))
    # the real thing counts double, and whole
    videos = list(examples(video_cases(options.videos, options.video_seed, 25.0, options.poses), rng, 1.0))
    found += 2 * videos
    x = torch.tensor(np.concatenate([a for a, _ in found]), dtype=torch.float32)
    y = torch.tensor(np.concatenate([b for _, b in found]))
    print(f"{len(x)} frames, {2 * sum(len(b) for _, b in videos)} of them from video", flush=True)
    layers, mean, scale = trained(x, y, options.epochs)
    facts = {"clips": options.clips, "videos": options.videos, "seed": options.seed, "frames": len(x)}
    save(options.output, layers, mean, scale, {key: str(value) for key, value in facts.items()})
    print(f"{len(x)} frames → {options.output}")


def trained(x: torch.Tensor, y: torch.Tensor, epochs: int) -> tuple[list[torch.nn.Linear], torch.Tensor, torch.Tensor]:
    """The layers, and mean and scale of their inputs."""
    mean, scale = x.mean(0), x.std(0) + 0.05
    widths = [x.shape[1], HIDDEN, HIDDEN, len(LOCATIONS)]
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
    bend = torch.nn.ReLU()
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.05), layers[0], bend, torch.nn.Dropout(0.15), layers[1], bend, layers[2]
    )
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=epochs * (len(x) // 256 + 1))
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(256):
            loss = torch.nn.functional.cross_entropy(network((x[rows] - mean) / scale), y[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}", flush=True)
    return layers, mean, scale


def save(
    path: Path, layers: list[torch.nn.Linear], mean: torch.Tensor, scale: torch.Tensor, facts: dict[str, str]
) -> None:
    """Layers with the mean and scale of their inputs, as safetensors."""
    from safetensors.torch import save_file

    arrays = {"mean": mean, "scale": scale}
    for k, layer in enumerate(layers):
        arrays |= {f"weight{k}": layer.weight.detach(), f"bias{k}": layer.bias.detach()}
    with whole_file(path) as partial:
        save_file(arrays, str(partial), metadata={"what": "phonological locations", **facts})
        partial.chmod(0o644)


if __name__ == "__main__":
    main()
