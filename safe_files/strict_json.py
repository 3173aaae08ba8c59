"""JSON from files, strictly: what RFC 8259 has, in bounded depth, with finite numbers of bounded length."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

__all__ = ["JSONError", "parse_json", "read_json"]

DEPTH = 100
"""Objects and lists inside each other."""
DIGITS = 400
"""Of one number."""
MOST_BYTES = 1 << 30


class JSONError(ValueError):
    """Not the JSON that files of this toolkit and its field hold; the message says what and where.

    Attributes:
        line: where it breaks, None where that is not known; rule: what is wrong.
    """

    line: int | None = None
    rule: str = ""


def read_json(path: str | Path) -> Any:
    """The value of a file in UTF-8, with or without a byte-order mark.

    Raises:
        JSONError: unreadable, no JSON, NaN or infinite numbers, too deep, or more than 1 GiB; names the file.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise JSONError(f"{path}: {size} bytes of JSON; expected at most {MOST_BYTES}")
        if not size:
            raise JSONError(f"{path}: the file is empty (0 bytes)")
        return parse_json(path.read_bytes().decode("utf-8-sig"), str(path))
    except OSError as error:
        raise JSONError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise JSONError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def parse_json(text: str | bytes, where: str = "JSON", finite: bool = True) -> Any:
    """The value of a text.

    Args:
        where: what messages call it.
        finite: False takes NaN and infinite numbers too, as Python writes them.

    Raises:
        JSONError: as for `read_json`.
    """
    constant, number = (_constant, _number) if finite else (None, None)
    try:
        text = text.decode() if isinstance(text, bytes) else text
        value = json.loads(text, parse_constant=constant, parse_int=_whole, parse_float=number)
    except json.JSONDecodeError as error:
        rule = f"not valid JSON ({error.msg}); is the file cut short?"
        wrong = JSONError(f"{where}, line {error.lineno}: {rule}")
        wrong.line, wrong.rule = error.lineno, rule
        raise wrong from None
    except RecursionError:
        raise JSONError(f"{where}: lists or objects lie more than {DEPTH} deep in each other") from None
    except ValueError as error:
        raise JSONError(f"{where}: {error}") from None
    _check_depth(value, where)
    return value


def _constant(text: str) -> Any:
    raise ValueError(f"holds {text}; JSON has finite numbers only")


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise ValueError(f"holds a number of {len(text)} digits; expected at most {DIGITS}")
    return int(text)


def _number(text: str) -> float:
    number = float(text) if len(text) <= DIGITS else math.inf
    if not math.isfinite(number):
        raise ValueError(f"holds the number {text[:40]}; expected a finite one of at most {DIGITS} digits")
    return number


def _check_depth(value: Any, where: str) -> None:
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(DEPTH + 1):
        if not level:
            return
        level = [
            part
            for container in level
            for part in (container.values() if isinstance(container, dict) else container)
            if isinstance(part, list | dict)
        ]
    raise JSONError(f"{where}: lists or objects lie more than {DEPTH} deep in each other")
