"""Training of any encoder by a recipe: `train("sl-gcn-quick", "runs/sl-gcn")`.

The folder then holds `best.safetensors` (the checkpoint to use: best by validation, never by a test set),
`state.safetensors` (from which the same call goes on), `log.csv`, `tensorboard/`, `loss.png`, `split.json` and
`recipe.json`. Under `torchrun` the same call trains on several devices.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric

from eval.splits import Split, write_split
from safe_files import sweep, write_json

from ..encoders.backbones import PretrainedError
from ..encoders.base import Encoder
from ..encoders.checkpoint import load_checkpoint, read_header
from ..encoders.image_encoder import ImageEncoder
from ..encoders.table import encoder_class
from ..recordings import PoseSource
from .loop import BEST, STATE, Loop, Tell, TrainingError
from .recipes import Recipe, read_recipe
from .sources import open_source, split_items
from .state import Progress
from .validation import Figures
from .windows import Item, Sampling, WindowSet

__all__ = ["TrainingError", "TrainingResult", "build_encoder", "train"]

log = logging.getLogger(__name__)
PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


@dataclass(frozen=True)
class TrainingResult:
    """checkpoint: the best network's file. figures: of the last validation; those of the best are in the file."""

    checkpoint: Path
    progress: Progress
    figures: Figures
    clips: tuple[int, int]


def build_encoder(recipe: Recipe, classes: int) -> Encoder:
    """The recipe's network with random weights; `classes` is the size of its classifier, 0 for none.

    Raises:
        TrainingError: the config has a field that the network does not know, or a value that it refuses.
    """
    network = encoder_class(recipe.encoder)
    kind = network.config_class()
    unknown = sorted(set(recipe.config) - {f.name for f in fields(kind)})
    if unknown or not any(f.name == "classes" for f in fields(kind)):
        have = ", ".join(f.name for f in fields(kind))
        raise TrainingError(f"{recipe.name}: {recipe.encoder} has no config {', '.join(unknown) or 'classes'} ({have})")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in recipe.config.items()}
    try:
        return network(kind(**{**values, "classes": classes}))  # type: ignore[call-arg]
    except (TypeError, ValueError) as error:
        raise TrainingError(f"{recipe.name}: {recipe.encoder} refuses its config ({error})") from None


def train(
    recipe: Recipe | str,
    folder: str | Path,
    data: str = "",
    init: str = "",
    device: str = "auto",
    resume: bool = True,
    poses: PoseSource | str | Path | None = None,
    workers: int = 0,
    save_every: float = 30.0,
    tell: Tell | None = None,
) -> TrainingResult:
    """Trains an encoder; goes on where a killed or interrupted run of the same recipe and data stopped.

    Args:
        recipe: a `Recipe`, or what `read_recipe` takes.
        folder: where everything is written.
        data: see `embeddings.training.sources`; default the recipe's.
        init: "random", "imagenet" (torchvision's published weights) or a checkpoint file; default the recipe's.
        device: "auto", "cpu" or "cuda"; under torchrun one device per process.
        resume: False starts anew and removes the state that is there.
        poses: how poses are estimated from videos, or the folder where those are kept.
        workers: processes that prepare batches.
        save_every: seconds between states on disk.
        tell: called after each step with steps done, steps in all, and a line of figures.

    Raises:
        TrainingError, RecipeError, DataError, LeakError, StateError (all ValueError): the message says what to do.
    """
    recipe = read_recipe(recipe) if isinstance(recipe, str) else recipe
    folder = Path(folder)
    source, init = data if data else recipe.data.source, init if init else recipe.run.init
    if not source:
        raise TrainingError(
            f"{recipe.name} has no data of its own; name some with --data (see embeddings.training.sources)"
        )
    fabric = _fabric(recipe, device)
    network = encoder_class(recipe.encoder)
    items = open_source(source, network.required_inputs, poses, recipe.config.get("fps", 25.0))
    known, held, split = split_items(items, recipe.data, recipe.run.seed)
    labels = tuple(sorted({item.label for item in known}))
    torch.manual_seed(recipe.run.seed)
    encoder = build_encoder(recipe, len(labels) if recipe.loss.cross_entropy else 0)
    encoder.label_set = labels if recipe.loss.cross_entropy else ()
    came_from = _initialise(encoder, init)
    print_of = _fingerprint(recipe, split, labels, came_from, fabric.world_size)
    if fabric.is_global_zero:
        _open_folder(folder, recipe, split, items, resume)
    fabric.barrier()
    sampling, classes = Sampling.of(recipe.data), {label: i for i, label in enumerate(labels)}
    sets = [WindowSet(side, encoder, sampling, recipe.augmentation, classes) for side in (known, held)]
    facts = {
        "recipe": recipe.as_dict(), "data": source, "clips": [len(known), len(held)], "init": came_from,
        "split": split.hash, "sampling": vars(sampling), "seed": recipe.run.seed,
    }  # fmt: skip
    loop = Loop(fabric, encoder, sets[0], sets[1] if held else None, recipe, folder, print_of, facts, save_every,
                workers, tell)  # fmt: skip
    progress = loop.run()
    return TrainingResult(folder / BEST, progress, loop.figures, (len(known), len(held)))


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

        # a loss term that is left out leaves parameters without a gradient
        partly = not (recipe.loss.triplet and recipe.loss.cross_entropy)
        strategy = DDPStrategy(find_unused_parameters=partly)
    for name in ("lightning.fabric", "lightning.pytorch"):  # its greetings; ours say what matters
        logging.getLogger(name).setLevel(logging.ERROR)
    fabric = Fabric(
        accelerator=device, devices=processes if device != "auto" or processes > 1 else 1, strategy=strategy,
        num_nodes=int(os.environ.get("WORLD_SIZE", "1")) // processes, precision=PRECISIONS[recipe.run.precision],  # type: ignore[arg-type]
    )  # fmt: skip
    fabric.launch()
    return fabric


def _initialise(encoder: Encoder, init: str) -> str:
    """Starting weights; returns where they came from.

    Raises:
        TrainingError: published weights cannot be had, or the checkpoint is of another network.
    """
    if init == "random":
        return init
    if init == "imagenet":
        if not isinstance(encoder, ImageEncoder):
            raise TrainingError(f"{encoder.name} looks at no pictures; there are no ImageNet weights for it")
        try:
            encoder.initialise("pretrained")
        except PretrainedError as error:
            raise TrainingError(str(error)) from None
        return init
    if not Path(init).is_file():
        raise TrainingError(f"init is {init!r}; expected random, imagenet or a checkpoint file")
    if read_header(Path(init))["encoder"] != encoder.name:
        raise TrainingError(
            f"{init} holds a {read_header(Path(init))['encoder']}, but the recipe trains {encoder.name}"
        )
    other = load_checkpoint(init)
    state, own = other.state_dict(), encoder.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if other.label_set != encoder.label_set:  # another set of signs: its classifier says nothing about ours
        fitting = {k: v for k, v in fitting.items() if not k.startswith("classifier.")}
    left = sorted(set(own) - set(fitting))
    if left:
        log.warning("%d of %d tensors start anew: %s", len(left), len(own), ", ".join(left[:4]))
    encoder.load_state_dict(fitting, strict=False)
    return other.id


def _fingerprint(recipe: Recipe, split: Split, labels: tuple[str, ...], init: str, world: int) -> str:
    content = json.dumps([recipe.as_dict(), split.hash, labels, init, world], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _open_folder(folder: Path, recipe: Recipe, split: Split, items: list[Item], resume: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder, older_than=0)  # what a killed run had begun to write
    if not resume:
        for name in (STATE, BEST, "log.csv"):
            (folder / name).unlink(missing_ok=True)
    facts: Mapping[str, Any] = {"clips": len(items), "by": "signer" if all(i.signer for i in items) else "clip"}
    write_split(folder / "split.json", split, facts)
    write_json(folder / "recipe.json", recipe.as_dict())
