"""Tables of a settings file as frozen dataclasses: unknown keys and wrong types are refused, by pydantic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

__all__ = ["StrictTable", "checked"]

Kind = TypeVar("Kind")


class StrictTable:
    """Base of the dataclasses that `checked` reads: a text is no number, true is no 1, every key must be a field."""

    __pydantic_config__ = {"extra": "forbid", "strict": True}  # noqa: RUF012 (pydantic asks for a plain dict)


def checked(kind: type[Kind], table: Mapping[str, Any], place: str) -> Kind:
    """A table as its dataclass.

    Args:
        place: where the table stands, for the message.

    Raises:
        ValueError: names the key, its value and what was expected.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(json.dumps(table, default=str))
    except ValidationError as errors:
        error = errors.errors()[0]
    # of alternatives (a number or several) pydantic adds which one it tried
    key = ".".join([place, str(error["loc"][0]), *(str(part) for part in error["loc"][1:] if isinstance(part, int))])
    if error["type"] == "unexpected_keyword_argument":
        have = ", ".join(field.name for field in fields(kind))  # type: ignore[arg-type]
        raise ValueError(f"{key} is not known; expected one of {have}")
    raise ValueError(f"{key} is {error['input']!r}; {error['msg'].replace('Input', 'it', 1)}")
