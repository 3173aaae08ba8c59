"""Training recipes: named TOML files that travel with the package, one per published system, per shipped checkpoint,
and quick ones.

A recipe says everything that a training needs besides the data: the network and its config, how batches are cut out
of the material, augmentation, optimiser, schedule, losses. `read_recipe` takes a name of `recipe_names()` or a file of
one's own; unknown keys and wrong types are refused.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from safe_files import reader

from .checked import checked
from .losses import LOSSES
from .settings import Augmentation, Batch, DataPart, Filming, MixturePart, Optimiser, Recipe, RunPart, Schedule

__all__ = ["RecipeError", "override", "read_recipe", "recipe_names"]


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names the file, the key and what was expected."""


_USES: dict[str, tuple[str, ...]] = {
    "windows": ("cut", "sampling", "stride", "jitter", "warp"), "stretches": ("jitter", "tempo", "context"),
    "filmed": ("jitter", "tempo", "context"), "frames": (),
}  # fmt: skip
"""Keys of `DataPart` that are of some kinds of material only: kind → its keys."""


_TABLES: dict[str, type] = {
    "data": DataPart, "filming": Filming, "augmentation": Augmentation, "batch": Batch, "optimiser": Optimiser,
    "schedule": Schedule, "run": RunPart,
}  # fmt: skip


def recipe_names() -> list[str]:
    """Names of the recipes that travel with the package."""
    folder = files(str(__package__)) / "published"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


@reader(RecipeError)
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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{name}: not readable as TOML ({error})") from None
    for change in changes:
        override(content, change)
    return _recipe(name, content)


def override(content: dict[str, Any], change: str) -> None:
    """Sets "table.key=value" in a recipe's content, in place; a bare word is taken as text.

    "loss.NAME=0.5" sets the term's weight, "loss.NAME.key=value" one of its settings.

    Raises:
        RecipeError: not of this form.
    """
    key, equals, text = change.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or not all(path) or (len(path) < 2 and path != ["network"]):
        raise RecipeError(f"{change!r} is no change of a recipe; expected table.key=value, as optimiser.rate=0.01")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    if path[0] == "loss" and len(path) == 2 and not isinstance(value, dict):
        path.append("weight")
    table = content
    for part in path[:-1]:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):  # a loss that was given by its weight alone
            inner = table[part] = {"weight": inner}
        table = inner
    table[path[-1]] = value


def _recipe(name: str, content: Mapping[str, Any]) -> Recipe:
    expected = {"network", "about", "config", "mixture", "loss", *_TABLES}
    unknown = sorted(set(content) - expected)
    if unknown:
        raise RecipeError(f"{name}: {', '.join(unknown)} is not known; a recipe has {', '.join(sorted(expected))}")
    if not isinstance(content.get("network"), str):
        raise RecipeError(f"{name}: network is missing; expected a name of embeddings.encoders.ENCODERS")
    contents = {key: _mapping(name, key, content.get(key, {})) for key in ("config", "mixture", "loss", *_TABLES)}
    precision = contents["run"].get("precision")
    if isinstance(precision, int):  # 32 and 16 need no quotes
        contents["run"] = {**contents["run"], "precision": str(precision)}
    tables = {key: _checked(name, key, kind, contents[key]) for key, kind in _TABLES.items()}
    mixture = {key: _checked(name, f"mixture.{key}", MixturePart, part) for key, part in contents["mixture"].items()}
    unknown = sorted(set(contents["loss"]) - set(LOSSES))
    if unknown:
        raise RecipeError(f"{name}: loss.{unknown[0]} is not known; losses are {', '.join(LOSSES)}")
    loss = {
        key: _checked(name, f"loss.{key}", LOSSES[key], term if isinstance(term, Mapping) else {"weight": term})
        for key, term in contents["loss"].items()
    }
    recipe = Recipe(name, content["network"], str(content.get("about", "")), contents["config"], mixture=mixture,
                    loss=loss, **tables)  # fmt: skip
    _check_numbers(recipe)
    _check(recipe)
    return recipe


def _mapping(recipe: str, table: str, content: Any) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise RecipeError(f"{recipe}: {table} is {content!r}; expected a table")
    return dict(content)


def _checked(recipe: str, table: str, kind: type, content: Any) -> Any:
    try:
        return checked(kind, _mapping(recipe, table, content), table)
    except RecipeError:
        raise
    except ValueError as error:
        raise RecipeError(f"{recipe}: {error}") from None


def _check_numbers(recipe: Recipe) -> None:
    """Raises `RecipeError` for a number that is not finite, or below 0 where none can be."""
    parts = {key: getattr(recipe, key) for key in _TABLES} | {f"loss.{key}": term for key, term in recipe.loss.items()}
    parts |= {f"mixture.{key}": part for key, part in recipe.mixture.items()}
    for table, part in parts.items():
        for key, value in vars(part).items():
            for number in value if isinstance(value, tuple | list) else (value,):
                if not isinstance(number, int | float):
                    continue
                if not math.isfinite(number):
                    raise RecipeError(f"{recipe.name}: {table}.{key} is {number}; expected a finite number")
                if number < 0 and table in ("optimiser", "schedule", "batch"):
                    raise RecipeError(f"{recipe.name}: {table}.{key} is {number}; expected at least 0")


def _check(recipe: Recipe) -> None:
    """What no single table can tell.

    Raises:
        RecipeError: names the keys.
    """
    name, data, schedule, batch, terms = recipe.name, recipe.data, recipe.schedule, recipe.batch, recipe.loss
    active = {key for key, term in terms.items() if term.weight > 0}
    if not active:
        raise RecipeError(f"{name}: no loss counts; give one of {', '.join(LOSSES)} a weight above 0")
    if (schedule.steps > 0) == (schedule.epochs > 0):
        raise RecipeError(f"{name}: set one of schedule.steps ({schedule.steps}) and schedule.epochs; the other is 0")
    if active & {"triplet", "part_triplet"} and batch.sampler == "pk" and batch.each < 2:
        raise RecipeError(f"{name}: triplets need two clips of a sign in a batch; batch.each is {batch.each}")
    if data.material == "windows" and data.sampling == "all" and batch.clips() > 1:
        raise RecipeError(f"{name}: clips of all their frames differ in length; a batch holds one, not {batch.clips()}")
    if schedule.watch in ("loss", "top1") and not active & {"cross_entropy", "smooth_l1"}:
        raise RecipeError(
            f"{name}: without loss.cross_entropy nothing is classified; set schedule.watch to one-shot or last"
        )
    if (schedule.kind == "milestones") != bool(schedule.milestones):
        raise RecipeError(
            f"{name}: schedule.kind is {schedule.kind!r} and schedule.milestones {list(schedule.milestones)}; "
            "milestones need both, as kind = 'milestones', milestones = [300, 400]"
        )
    if schedule.watch == "last" and schedule.patience:
        raise RecipeError(f"{name}: schedule.patience stops by a watched figure; schedule.watch is 'last'")
    if batch.neighbours and batch.sampler != "pk":
        raise RecipeError(f"{name}: batch.neighbours needs batch.sampler = 'pk'")
    for key in {key for keys in _USES.values() for key in keys} - set(_USES[data.material]):
        if getattr(data, key) != getattr(DataPart(), key):
            raise RecipeError(f"{name}: data.{key} does nothing where data.material is {data.material!r}; leave it out")
    cuts = data.material in ("stretches", "filmed")
    if not cuts and (batch.background or any(p.background for p in recipe.mixture.values())):
        raise RecipeError(
            f"{name}: background windows need data.material = 'stretches' or 'filmed'; it is {data.material!r}"
        )
    if data.material != "filmed" and recipe.filming != Filming():
        raise RecipeError(f"{name}: [filming] does nothing where data.material is {data.material!r}; leave it out")
    batchwise = recipe.augmentation.kind in ("none", "body-hands", "joints")
    if data.material != "windows" and not batchwise:
        raise RecipeError(
            f"{name}: augmentation.kind {recipe.augmentation.kind!r} works on clips; with data.material "
            f"{data.material!r} expected none, body-hands or joints"
        )
