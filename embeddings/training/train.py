"""Training of any network by a recipe: `train("sl-gcn-quick", "runs/sl-gcn")`.

The folder then holds `best.safetensors` (the checkpoint to use: best by validation, never by a test set),
`state.safetensors` (from which the same call goes on), `best.md` (a model card), `log.csv`, `tensorboard/`, `loss.png`,
`split.json` and `recipe.json`. Under `torchrun` the same call trains on several devices.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from eval.splits import Split, write_split
from safe_files import sweep, write_json

from ..encoders.base import Encoder
from ..extras import extra
from ..recordings import PoseSource
from .augment_windows import BATCHWISE
from .card import write_model_card
from .items import Item, Sampling
from .loop import BEST, STATE, Loop, OnStep
from .losses import Objective
from .material import MATERIALS, Material
from .networks import TrainingError, build_network, initialise, network_class
from .recipes import read_recipe
from .settings import Recipe
from .sources import open_source
from .splits import split_items
from .state import Progress
from .validation import Figures

with extra("train", "training"):
    from lightning.fabric import Fabric
    from lightning.fabric.plugins.precision.amp import MixedPrecision

__all__ = ["TrainingError", "TrainingResult", "train"]

MIXED: dict[str, Literal["bf16-mixed", "16-mixed"]] = {"bf16": "bf16-mixed", "16": "16-mixed"}
STRETCHES = "stretches-{}.safetensors"
"""Prepared material that is kept beside the state until the training ends."""


class Autocast(MixedPrecision):
    """Mixed precision that leaves the inputs in 32 bits: torch casts them where it computes with them. Fabric's own
    rounds them all, and places in time with them, to three digits."""

    def convert_input(self, data: Any) -> Any:
        return data


@dataclass(frozen=True)
class TrainingResult:
    """checkpoint: the best network's file. figures: of the last validation; those of the best are in the file. clips:
    numbers of clips for training and for validation."""

    checkpoint: Path
    progress: Progress
    figures: Figures
    clips: tuple[int, int]


def train(
    recipe: Recipe | str,
    folder: str | Path,
    data: str | Sequence[Item] = "",
    init: str = "",
    device: str = "auto",
    resume: bool = True,
    poses: PoseSource | str | Path | None = None,
    workers: int = 0,
    save_every: float = 30.0,
    on_step: OnStep | None = None,
) -> TrainingResult:
    """Trains a network; goes on where a killed or interrupted run of the same recipe and data stopped.

    Args:
        recipe: a `Recipe`, or what `read_recipe` takes.
        folder: where everything is written.
        data: see `embeddings.training.sources`, or the clips themselves; default the recipe's.
        init: "random", "imagenet" (torchvision's published weights), a shipped encoder or a checkpoint file; default
            the recipe's.
        device: "auto", "cpu" or "cuda"; under torchrun one device per process.
        resume: False starts anew and removes the state that is there.
        poses: how poses are estimated from videos, or the folder where those are kept.
        workers: processes that prepare batches.
        save_every: seconds between states on disk.
        on_step: called after each step with steps done, steps in all, and a line of figures; before the first, with
            clips prepared, clips in all, and a line that says so.

    Raises:
        TrainingError, RecipeError, DataError, LeakError, StateError (all ValueError): the message says what to do.
    """
    recipe = read_recipe(recipe) if isinstance(recipe, str) else recipe
    folder, init = Path(folder), init if init else recipe.run.init
    fabric = _fabric(recipe, device)
    parts, validation_items, split = _open_data(recipe, data, poses)
    names = tuple(sorted({sign for items in parts for item in items for sign in item.labels() if sign}))
    classes = {label: number for number, label in enumerate(names)}
    torch.manual_seed(recipe.run.seed)
    network = build_network(recipe, len(names) if recipe.classifies() else 0)
    objective = Objective(network, recipe.loss, len(names), recipe.run.seed)
    _check_network(recipe, network, objective)
    if isinstance(network, Encoder):
        network.label_set = names if recipe.classifies() else ()
    initial_weights = initialise(network, init)
    ids = [[item.id for item in items] for items in parts]
    fingerprint = _digest([recipe.as_dict(), split.hash, ids[1:], names, initial_weights, fabric.world_size])
    if fabric.is_global_zero:
        _open_folder(folder, recipe, split, [*parts[0], *validation_items], resume)
    fabric.barrier()
    make = partial(_material, recipe=recipe, network=network, classes=classes, folder=folder, progress=on_step)
    materials: list[Material] = [make(items, place=str(k)) for k, items in enumerate(parts)]
    validation: Material | None = make(validation_items, place="validation") if validation_items else None
    if hasattr(network, "normalise_by"):
        network.normalise_by(materials[0].features())  # type: ignore[attr-defined]
    facts = {
        "recipe": recipe.as_dict(), "data": data if isinstance(data, str) and data else recipe.data.source,
        "clips": [sum(map(len, parts)), len(validation_items)], "init": initial_weights, "split": split.hash,
        "sampling": vars(Sampling.of(recipe.data)), "seed": recipe.run.seed,
    }  # fmt: skip
    loop = Loop(fabric, objective, materials, validation, len(names), recipe, folder, fingerprint, facts, save_every,
                workers, on_step)  # fmt: skip
    progress = loop.run()
    if fabric.is_global_zero:
        for path in folder.glob(STRETCHES.format("*")):
            path.unlink()
        write_model_card(folder / BEST)
    return TrainingResult(folder / BEST, progress, loop.figures, (sum(map(len, parts)), len(validation_items)))


def _open_data(
    recipe: Recipe, data: str | Sequence[Item], poses: PoseSource | str | Path | None
) -> tuple[list[list[Item]], list[Item], Split]:
    """The recipe's own clips for training and those of its mixture, the clips for validation, and which is which."""
    network = network_class(recipe.network)
    fps = float(recipe.config.get("fps", getattr(network.config_class()(), "fps", 25.0)))
    own = data if not isinstance(data, str) or data else recipe.data.source
    for source, key in [(own, ""), *((part.source, f"mixture.{name}.source") for name, part in recipe.mixture.items())]:
        if not source:
            raise TrainingError(
                f"{recipe.name} has no {key if key else 'data'} of its own; name some with "
                f"{f'--set {key}=…' if key else '--data'} (see embeddings.training.sources)"
            )
    read_source = partial(open_source, needs=network.required_inputs, poses=poses, fps=fps)
    items = read_source(own) if isinstance(own, str) else list(own)
    validation_items = read_source(recipe.data.validate_on) if recipe.data.validate_on else []
    mixture = [read_source(part.source) for part in recipe.mixture.values()]
    training, validation_items, split = split_items(
        items, recipe.data, recipe.run.seed, validation_items, [i for part in mixture for i in part]
    )
    return [training, *mixture], validation_items, split


def _check_network(recipe: Recipe, network: Any, objective: Objective) -> None:
    if not any(p.requires_grad for p in objective.parameters()):
        raise TrainingError(f"{recipe.name}: {recipe.network} has no weights to train")
    if recipe.batch.neighbours and objective.class_vectors() is None:
        raise TrainingError(
            f"{recipe.name}: batch.neighbours needs a loss with a linear classifier, as loss.cosine_softmax"
        )
    kind = recipe.augmentation.kind
    if kind in BATCHWISE and BATCHWISE[kind][0] != recipe.network:
        raise TrainingError(
            f"{recipe.name}: augmentation.kind {kind!r} is for {BATCHWISE[kind][0]}, not {recipe.network}"
        )


def _material(
    items: list[Item], place: str, recipe: Recipe, network: Any, classes: Mapping[str, int], folder: Path,
    progress: Callable[[int, int, str], None] | None,
) -> Material:  # fmt: skip
    kind = [recipe.data.material] if recipe.data.material == "filmed" else []
    config = json.dumps([recipe.network, recipe.config, [item.id for item in items], *kind], sort_keys=True)
    material: Material = MATERIALS[recipe.data.material](
        items, network, recipe, classes, cache=folder / STRETCHES.format(place), fingerprint=_digest(config),
        progress=progress,
    )  # fmt: skip
    return material


def _fabric(recipe: Recipe, device: str) -> Fabric:
    if device not in ("auto", "cpu", "cuda"):
        raise TrainingError(f"device is {device!r}; expected auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("no CUDA device here; use --device cpu")
    if recipe.run.precision == "16" and (device == "cpu" or not torch.cuda.is_available()):
        raise TrainingError("fp16 needs a GPU; use --set run.precision=bf16 or 32")
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    strategy: Any = "auto"
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from lightning.fabric.strategies import DDPStrategy

        # a classifier's loss alone, or one of embeddings alone, need not reach every weight
        terms = {name for name, term in recipe.loss.items() if term.weight > 0}
        both = terms & {"cross_entropy", "cosine_softmax"} and terms - {"cross_entropy", "cosine_softmax"}
        strategy = DDPStrategy(find_unused_parameters=not both)
    for name in ("lightning.fabric", "lightning.pytorch"):  # its greetings; ours say what matters
        logging.getLogger(name).setLevel(logging.ERROR)
    mixed = MIXED.get(recipe.run.precision)
    fabric = Fabric(
        accelerator=device, devices=processes if device != "auto" or processes > 1 else 1, strategy=strategy,
        num_nodes=int(os.environ.get("WORLD_SIZE", "1")) // processes,
        plugins=None if mixed is None else Autocast(mixed, _device_type(device)),
    )  # fmt: skip
    fabric.launch()
    return fabric


def _device_type(device: str) -> str:
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return "cpu" if device == "cpu" or accelerator is None else accelerator.type


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _open_folder(folder: Path, recipe: Recipe, split: Split, items: Sequence[Item], resume: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder, older_than=0)  # what a killed run had begun to write
    if not resume:
        for path in [folder / STATE, folder / BEST, folder / "log.csv", *folder.glob(STRETCHES.format("*"))]:
            path.unlink(missing_ok=True)
    facts: Mapping[str, Any] = {"clips": len(items), "by": "signer" if all(i.signer for i in items) else "clip"}
    write_split(folder / "split.json", split, facts)
    write_json(folder / "recipe.json", recipe.as_dict())
