"""Trains `embeddings/weights/locations.safetensors`: which of fifteen places a hand is at.

On the procedural signer alone: random signs, signers, cameras and estimator errors, with depth, with degraded depth and
without. About two minutes on one core; seeds are fixed.

    python scripts/train_locations.py --clips 3000
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
from embeddings.phonology.body import signer_space
from embeddings.phonology.locations import LOCATIONS, features
from embeddings.synthetic import SignWorld, random_camera, random_noise, random_sign, random_signer
from spotter.files import whole_file

OUTPUT = Path(__file__).parents[1] / "embeddings" / "weights" / "locations.safetensors"
HIDDEN = 96


def degraded(pose: Pose, rng: np.random.Generator) -> Pose:
    """Depth as estimators give it: wrong in scale, offset and from frame to frame; or none at all."""
    if pose.z is None or rng.random() < 0.25:
        return replace(pose, z=None)
    if rng.random() < 0.3:
        return pose
    hands = [np.array([pose.joint(f"{side}_hand_wrist") + k for k in range(21)]) for side in ("left", "right")]
    z = pose.z * rng.uniform(0.5, 1.3)
    for joints in hands:
        wander = np.cumsum(rng.normal(0, 2.0, len(pose))) + rng.normal(0, 25)
        z[:, joints] += (wander - np.linspace(0, wander[-1], len(pose)))[:, None]
    return replace(pose, z=z.astype(np.float32))


def examples(clips: int, seed: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Features and places of hold frames, four a hold at most."""
    world, rng = SignWorld(seed=seed, signs=1), np.random.default_rng(seed)
    for k in range(clips):
        sign, who = random_sign(rng, f"s{k}"), random_signer(rng, f"w{k}", 0.12)
        performed = world.perform(sign, who, take=k)
        pose = random_camera(rng).project(performed.figure)
        if rng.random() < 0.7:
            pose = random_noise(rng, 1.0).apply(pose, rng)
        space, truth = signer_space(degraded(pose, rng)), performed.truth
        rows = truth.hold & (truth.location != "") & space.seen & (rng.random(truth.hold.shape) < 0.6)
        if rows.any():
            yield features(space)[rows], np.array([LOCATIONS.index(name) for name in truth.location[rows]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    found = list(examples(options.clips, options.seed))
    x = torch.tensor(np.concatenate([a for a, _ in found]), dtype=torch.float32)
    y = torch.tensor(np.concatenate([b for _, b in found]))
    mean, scale = x.mean(0), x.std(0) + 0.05
    widths = [x.shape[1], HIDDEN, HIDDEN, len(LOCATIONS)]
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.05),
        layers[0],
        torch.nn.ReLU(),
        torch.nn.Dropout(0.15),
        layers[1],
        torch.nn.ReLU(),
        layers[2],
    )
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.02)
    steps = options.epochs * (len(x) // 256 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for epoch in range(options.epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(256):
            loss = torch.nn.functional.cross_entropy(network((x[rows] - mean) / scale), y[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}", flush=True)
    save(OUTPUT, layers, mean, scale, {"clips": str(options.clips), "seed": str(options.seed), "frames": str(len(x))})
    print(f"{len(x)} frames → {OUTPUT}")


def save(
    path: Path, layers: list[torch.nn.Linear], mean: torch.Tensor, scale: torch.Tensor, facts: dict[str, str]
) -> None:
    from safetensors.torch import save_file

    arrays = {"mean": mean, "scale": scale}
    for k, layer in enumerate(layers):
        arrays |= {f"weight{k}": layer.weight.detach(), f"bias{k}": layer.bias.detach()}
    with whole_file(path) as partial:
        save_file(arrays, str(partial), metadata={"what": "phonological locations", **facts})


if __name__ == "__main__":
    main()
