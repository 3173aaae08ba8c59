"""A training that takes a second: few procedural clips, a tiny network with everything that draws random numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from embeddings.training.losses import CrossEntropy, PartTriplet
from embeddings.training.settings import Augmentation, Batch, DataPart, Optimiser, Recipe, RunPart, Schedule

DATA = "procedural:5?signs=4&signers=0-4"

SMALL = Recipe(
    "small",
    "sl-gcn",
    config={"widths": [8, 8, 8, 8], "head_units": 1, "part_dim": 4, "groups": 4, "kernel": 3, "window": 12},
    data=DataPart(DATA, warp=0.2),
    augmentation=Augmentation("pose", mirror=0.2),
    batch=Batch("pk", classes=4, each=2, accumulate=2),
    optimiser=Optimiser("adamw", 5e-3, weight_decay=0.01, clip=1.0),
    schedule=Schedule("cosine", steps=12, warmup=3, validate=4, watch="top1"),
    loss={"part_triplet": PartTriplet(parts=5), "cross_entropy": CrossEntropy()},
    run=RunPart(seed=3),
)


def as_toml(recipe: Recipe) -> str:
    """A recipe as a file would hold it."""
    lines = [f"network = {json.dumps(recipe.network)}"]
    for name, table in recipe.as_dict().items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)


def main(arguments: Sequence[str]) -> None:
    """`python -m tests.embeddings.training.small_training FOLDER STEP`: is killed while it writes a step's state."""
    import os
    import signal

    import torch

    from embeddings.training.train import train

    torch.set_num_threads(1)
    folder, step = Path(arguments[0]), int(arguments[1])
    done = [0]
    real = os.replace

    def dying(source: str | Path, target: str | Path) -> None:
        if Path(target).name == "state.safetensors" and done[0] >= step:
            os.kill(os.getpid(), signal.SIGKILL)  # the new state is written but does not bear its name yet
        real(source, target)

    os.replace = dying  # type: ignore[assignment]
    train(replace(SMALL), folder, save_every=0.0, on_step=lambda now, *_: done.__setitem__(0, now))


if __name__ == "__main__":
    main(sys.argv[1:])
