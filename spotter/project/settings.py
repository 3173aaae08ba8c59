"""`spotter.toml`: what a project folder says of itself, and defaults for the options of every command.

::

    [project]
    name = "House, home and family"
    language = "en"                  # of the review page: en or de
    annotator = ""                   # who decides when nobody says; else the name of the user's account

    [options]                        # of every command that has the option, by its long name
    encoder = "default"
    workers = 2

    [options.search]                 # of one command; [options.eval.spotting] of one in a group
    most = 50

What is given on the command line comes first, then a command's own table, then `[options]`, then what the folder holds
(`Layout.defaults`). Paths are taken from the project's folder.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, get_args, get_type_hints

from safe_files import reader, write_text

__all__ = ["FILE", "LANGUAGES", "Settings", "command_defaults", "find_project", "new_settings"]

FILE = "spotter.toml"
LANGUAGES = ("en", "de")

TEMPLATE = """# Settings of this project; docs/review.md explains them.

[project]
name = {name}
language = "{language}"    # of the review page: en or de
annotator = ""     # who decides when nobody says; empty: the name of the user's account

[options]          # defaults for every command that has the option, by its long name
# encoder = "default"
# workers = 2

# [options.search]   # defaults for one command
# most = 50
"""


@dataclass(frozen=True)
class Settings:
    """What `spotter.toml` says.

    Attributes:
        name: of the project, for people.
        language: of the review page.
        annotator: who decides when nobody says.
        options: defaults for commands, as in the file.
    """

    name: str = ""
    language: str = "en"
    annotator: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    @reader(ValueError)
    def read(cls, path: Path) -> Settings:
        """Settings from the file.

        Raises:
            ValueError: not readable, or something in it is not known; names file and key.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ValueError(f"{path}: not readable ({error})") from None
        _check_keys(path, "", values, ("project", "options"))
        project, options = values.get("project", {}), values.get("options", {})
        if not isinstance(project, dict) or not isinstance(options, dict):
            raise ValueError(f"{path}: expected the tables [project] and [options]")
        _check_keys(path, "project.", project, ("name", "language", "annotator"))
        for key, value in project.items():
            if not isinstance(value, str):
                raise ValueError(f"{path}: project.{key} is {value!r}; expected a text in quotes")
        if project.get("language", "en") not in LANGUAGES:
            raise ValueError(f"{path}: project.language is {project['language']!r}; expected {' or '.join(LANGUAGES)}")
        return cls(**project, options=options)


def _check_keys(path: Path, where: str, values: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in values:
        if key not in known:
            raise ValueError(f"{path}: {where}{key} is not known; expected {', '.join(known)}")


def new_settings(path: Path, name: str, language: str = "en") -> None:
    """Writes the file of a new project."""
    import json

    # a JSON string is a TOML string
    write_text(path, TEMPLATE.format(name=json.dumps(name, ensure_ascii=False), language=language))


def find_project(start: Path) -> Path | None:
    """The folder with `spotter.toml`, looked for in `start` and every folder above it."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


class Parameter(Protocol):
    """An option or argument of a command, as Typer describes it."""

    name: str | None
    opts: list[str]


class Command(Protocol):
    """A command, as Typer describes it."""

    params: list[Any]
    callback: Any


def command_defaults(
    commands: Mapping[str, Any], options: Mapping[str, Any], layout: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Defaults in the form that Typer takes (`default_map`): command → parameter → value, groups nested.

    Args:
        commands: the application's commands by name; a group has `commands` of its own.
        options: the table `[options]`.
        layout: command → parameter → value, what the project's folder gives (`Layout.defaults`).
        folder: relative paths of `options` start here.

    Raises:
        ValueError: an option that no command has, named with its table.
    """
    path = folder / FILE
    every = {name for command in _all(commands) for name in _names(command)}
    shared = {key: value for key, value in options.items() if not isinstance(value, dict)}
    for key in shared:
        if key not in every:
            raise ValueError(f"{path}: [options] {key} is no option of any command")
    return _defaults(commands, shared, {k: v for k, v in options.items() if k not in shared}, layout, folder, "options")


def _defaults(
    commands: Mapping[str, Any],
    shared: Mapping[str, Any],
    own: Mapping[str, Any],
    layout: Mapping[str, Any],
    folder: Path,
    table: str,
) -> dict[str, Any]:
    unknown = [name for name in own if name not in commands]
    if unknown:
        raise ValueError(f"{folder / FILE}: [{table}.{unknown[0]}]: there is no such command")
    made: dict[str, Any] = {}
    for name, command in commands.items():
        mine, given = own.get(name, {}), layout.get(name, {})
        if hasattr(command, "commands"):
            made[name] = _defaults(command.commands, shared, mine, given, folder, f"{table}.{name}")
            continue
        parameters = _names(command)
        for key in mine:
            if key not in parameters:
                known = ", ".join(
                    sorted({said[2:] for p in command.params for said in p.opts if said.startswith("--")})
                )
                raise ValueError(f"{folder / FILE}: [{table}.{name}] {key} is no option of it; it has {known}")
        said = {k: v for k, v in shared.items() if k in parameters} | dict(mine)
        paths = _paths(command) if said else set()
        made[name] = {str(parameters[key].name): value for key, value in given.items()}
        for key, value in said.items():
            target = str(parameters[key].name)
            made[name][target] = _from_folder(value, folder) if target in paths else value
    return made


def _all(commands: Mapping[str, Any]) -> list[Any]:
    found = []
    for command in commands.values():
        found += _all(command.commands) if hasattr(command, "commands") else [command]
    return found


def _names(command: Command) -> dict[str, Parameter]:
    """Long names (as on the command line, without dashes) → parameters."""
    names: dict[str, Parameter] = {}
    for parameter in command.params:
        for said in (*parameter.opts, parameter.name or ""):
            if said.startswith("--") or not said.startswith("-"):
                names[said.removeprefix("--")] = parameter
                names[said.removeprefix("--").replace("_", "-")] = parameter
    names.pop("help", None)
    return names


def _paths(command: Command) -> set[str]:
    """Names of the parameters that are paths: what the command's function says of them."""
    hints = get_type_hints(command.callback) if command.callback is not None else {}
    return {name for name, hint in hints.items() if hint is Path or Path in _inner(hint)}


def _inner(hint: Any) -> set[Any]:
    parts = get_args(hint)
    return set(parts) | {inner for part in parts for inner in _inner(part)}


def _from_folder(value: Any, folder: Path) -> Any:
    return [_from_folder(v, folder) for v in value] if isinstance(value, list) else str(folder / str(value))
