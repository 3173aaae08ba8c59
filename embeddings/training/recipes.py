"""Training recipes: named TOML files that travel with the package, one per published system, and quick ones.

A recipe says everything that a training needs besides the data: the network and its config, how windows are cut,
augmentation, batches, optimiser, schedule, losses. `read_recipe` takes a name of `recipe_names()` or a file of one's
own; unknown keys and wrong types are refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints

from .losses import LossWeights

__all__ = [
    "Augmentation", "Batch", "DataPart", "LossPart", "Optimiser", "Recipe", "RecipeError", "RunPart", "Schedule",
    "override", "read_recipe", "recipe_names",
]  # fmt: skip


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names the file, the key and what was expected."""


@dataclass(frozen=True)
class DataPart:
    """Which part of which clips.

    Attributes:
        source: default data (see `embeddings.training.sources.open_source`); "" must be given at the command.
        cut: "clip" takes whole clips, "span" their labelled stretch where they have one.
        sampling: "even" spreads the window's frames over the cut; "contiguous" takes consecutive frames at a random
            place (the middle outside training), looped when short; "centre" takes every `stride`-th around the middle;
            "all" every frame there is, which needs batches of one clip.
        stride: of "centre" and "contiguous", in frames at the network's rate.
        jitter: "even" only: standard deviation by which either end moves in training, as a share of the length.
        warp: "even" only: how unevenly time passes in training, standard deviation of the log speed.
        validation: share of the clips for validation where the data has no split; 0 trains on everything.
        leaks: "refuse" a signer or a source video in training and validation; "signers" allows the signers (published
            splits that share them), "allow" both.
    """

    source: str = ""
    cut: str = "clip"
    sampling: str = "even"
    stride: int = 1
    jitter: float = 0.05
    warp: float = 0.0
    validation: float = 0.2
    leaks: str = "refuse"


@dataclass(frozen=True)
class Augmentation:
    """kind: "none", "mirror" (poses as they are or in a mirror: each is prepared once, so it costs nothing), "pose"
    (`pose_augment`), "spoter" (SPOTER's four), "frames" (VTN's), "frames-i3d" (other scales), "hands" (hand images).
    strength scales "pose". mirror: probability that a pose is seen in a mirror ("mirror", "pose" and "spoter")."""

    kind: str = "none"
    strength: float = 1.0
    mirror: float = 0.0


@dataclass(frozen=True)
class Batch:
    """sampler: "pk" (`classes` signs × `each` clips) or "shuffle" (`size` clips in random order, each once an epoch).
    accumulate: batches per optimiser step."""

    sampler: str = "pk"
    classes: int = 12
    each: int = 4
    size: int = 32
    accumulate: int = 1

    def clips(self) -> int:
        """Clips of one batch."""
        return self.classes * self.each if self.sampler == "pk" else self.size


@dataclass(frozen=True)
class Optimiser:
    """name: "sgd", "adam" or "adamw". clip: largest norm of the gradient, 0 for none. betas: of Adam."""

    name: str = "adam"
    rate: float = 1e-3
    momentum: float = 0.9
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """How long, and how the rate changes. One of `steps` and `epochs` is set, the other 0.

    Attributes:
        kind: "constant"; "step" (× `factor` every `every` epochs); "cosine" to zero at the end.
        warmup: optimiser steps over which the rate rises linearly from zero.
        epoch: optimiser steps of an epoch; 0 counts them from the data.
        validate: optimiser steps between validations; 0 validates after each epoch.
        patience: validations without a better value before training stops; 0 never stops early.
        watch: what is better: "loss" (lower), "top1" or "one-shot" (higher).
    """

    kind: str = "constant"
    steps: int = 0
    epochs: int = 0
    warmup: int = 0
    every: int = 5
    factor: float = 0.1
    epoch: int = 0
    validate: int = 0
    patience: int = 0
    watch: str = "loss"


@dataclass(frozen=True)
class LossPart(LossWeights):
    """As `LossWeights`; parts: how many of a network's parts each step's triplets compare, drawn anew (0: all)."""

    parts: int = 0


@dataclass(frozen=True)
class RunPart:
    """seed: of weights, batches and augmentation. precision: 32, "bf16" or "16". init: "random" or "imagenet"."""

    seed: int = 0
    precision: str = "32"
    init: str = "random"


@dataclass(frozen=True)
class Recipe:
    """See the module's text. `config` goes to the encoder's config class, without `classes`."""

    name: str
    encoder: str
    about: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    data: DataPart = DataPart()
    augmentation: Augmentation = Augmentation()
    batch: Batch = Batch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    loss: LossPart = LossPart()
    run: RunPart = RunPart()

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as JSON and TOML hold it."""
        return asdict(self)


_TABLES: dict[str, type] = {
    "data": DataPart, "augmentation": Augmentation, "batch": Batch, "optimiser": Optimiser, "schedule": Schedule,
    "loss": LossPart, "run": RunPart,
}  # fmt: skip
_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("data", "cut"): ("clip", "span"),
    ("data", "sampling"): ("even", "contiguous", "centre", "all"),
    ("data", "leaks"): ("refuse", "signers", "allow"),
    ("augmentation", "kind"): ("none", "mirror", "pose", "spoter", "frames", "frames-i3d", "hands"),
    ("batch", "sampler"): ("pk", "shuffle"),
    ("optimiser", "name"): ("sgd", "adam", "adamw"),
    ("schedule", "kind"): ("constant", "step", "cosine"),
    ("schedule", "watch"): ("loss", "top1", "one-shot"),
    ("run", "precision"): ("32", "bf16", "16"),
    ("run", "init"): ("random", "imagenet"),
}


def recipe_names() -> list[str]:
    """Names of the recipes that travel with the package."""
    folder = files(str(__package__)) / "published"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read_recipe(which: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """A recipe by name or from a `.toml` file.

    Args:
        changes: "table.key=value" each, value as TOML ("optimiser.rate=0.01", "config.streams=['bone']").

    Raises:
        RecipeError: no such recipe, unreadable, an unknown key, a wrong type or choice.
    """
    name = str(which)
    try:
        if name in recipe_names():
            text = (files(str(__package__)) / "published" / f"{name}.toml").read_text(encoding="utf-8")
            content = tomllib.loads(text)
        elif name.endswith(".toml") and Path(which).is_file():
            content = tomllib.loads(Path(which).read_text(encoding="utf-8"))
            name = Path(which).stem
        else:
            raise RecipeError(f"{name}: neither a .toml file nor one of {', '.join(recipe_names())}")
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name}: not readable as TOML ({error})") from None
    for change in changes:
        override(content, change)
    return _recipe(name, content)


def override(content: dict[str, Any], change: str) -> None:
    """Sets "table.key=value" in a recipe's content, in place.

    Raises:
        RecipeError: not of this form; a bare word is taken as text.
    """
    key, equals, text = change.partition("=")
    table, dot, name = key.strip().partition(".")
    if not equals or not dot or not name:
        raise RecipeError(f"{change!r} is no change of a recipe; expected table.key=value, as optimiser.rate=0.01")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    content.setdefault(table, {})[name] = value


def _recipe(name: str, content: Mapping[str, Any]) -> Recipe:
    known = {"encoder", "about", "config", *_TABLES}
    unknown = sorted(set(content) - known)
    if unknown:
        raise RecipeError(f"{name}: {', '.join(unknown)} is not known; a recipe has {', '.join(sorted(known))}")
    if not isinstance(content.get("encoder"), str):
        raise RecipeError(f"{name}: encoder is missing; expected a name of embeddings.encoders.ENCODERS")
    tables = {key: _table(name, key, kind, content.get(key, {})) for key, kind in _TABLES.items()}
    recipe = Recipe(name, content["encoder"], content.get("about", ""), dict(content.get("config", {})), **tables)
    _check(recipe)
    return recipe


def _table(recipe: str, table: str, kind: type, given: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for key, value in given.items():
        if key not in {f.name for f in fields(kind)}:
            raise RecipeError(f"{recipe}: {table}.{key} is not known; {table} has {', '.join(hints)}")
        wanted = hints[key]
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if wanted is str and isinstance(value, int) and (table, key) == ("run", "precision"):
            value = str(value)
        if isinstance(value, list):
            value = tuple(value)
        if not isinstance(value, getattr(wanted, "__origin__", wanted)) or (wanted is int and isinstance(value, bool)):
            raise RecipeError(f"{recipe}: {table}.{key} is {value!r}; expected {getattr(wanted, '__name__', wanted)}")
        choices = _CHOICES.get((table, key))
        if choices and value not in choices:
            raise RecipeError(f"{recipe}: {table}.{key} is {value!r}; expected one of {', '.join(choices)}")
        values[key] = value
    return replace(kind(), **values)


def _check(recipe: Recipe) -> None:
    name, schedule, batch = recipe.name, recipe.schedule, recipe.batch
    if (schedule.steps > 0) == (schedule.epochs > 0):
        raise RecipeError(f"{name}: set one of schedule.steps ({schedule.steps}) and schedule.epochs; the other is 0")
    if min(batch.classes, batch.each, batch.size, batch.accumulate) < 1:
        raise RecipeError(f"{name}: sizes in batch must be at least 1; they are {batch}")
    if recipe.loss.triplet and batch.sampler == "pk" and batch.each < 2:
        raise RecipeError(f"{name}: triplets need two clips of a sign in a batch; batch.each is {batch.each}")
    if recipe.data.sampling == "all" and batch.clips() > 1:
        raise RecipeError(f"{name}: clips of all their frames differ in length; a batch holds one, not {batch.clips()}")
    if not 0 <= recipe.data.validation <= 0.5:
        raise RecipeError(f"{name}: data.validation is {recipe.data.validation}; expected a share in [0, 0.5]")
    if schedule.watch != "one-shot" and not recipe.loss.cross_entropy:
        raise RecipeError(f"{name}: without cross-entropy nothing is classified; set schedule.watch = 'one-shot'")
