"""What a reader of foreign files may hand on: values without cycles, of bounded depth and size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .arrays import RefusedError

__all__ = ["MOST_NESTED", "check"]

MOST_NESTED = 100
"""Containers inside containers."""


def check(value: Any, most: int) -> None:
    """Refuses what is no data, containers that hold themselves, deep nesting, and sharing that multiplies.

    Args:
        most: values, counted each time they occur; an array counts by its elements.

    Raises:
        RefusedError: with the reason.
    """
    done: dict[int, tuple[int, int]] = {}  # container → its values, its depth
    path: dict[int, list[int]] = {}  # those that are being counted
    waiting = [(value, _parts(value))]
    path[id(value)] = [1, 1]
    while waiting:
        container, parts = waiting[-1]
        mine = path[id(container)]
        for part in parts:
            if type(part) not in (list, tuple, dict):
                mine[0] += _size(part)
            elif id(part) in path:
                raise RefusedError("a container holds itself")
            elif id(part) in done:
                size, depth = done[id(part)]
                mine[:] = mine[0] + size, max(mine[1], depth + 1)
            else:
                path[id(part)] = [1, 1]
                waiting.append((part, _parts(part)))
                break
            if mine[0] > most or mine[1] > MOST_NESTED:
                break
        else:
            waiting.pop()
            size, depth = path.pop(id(container))
            done[id(container)] = size, depth
            if waiting:
                above = path[id(waiting[-1][0])]
                above[:] = above[0] + size, max(above[1], depth + 1)
                mine = above
        if len(waiting) > MOST_NESTED or mine[1] > MOST_NESTED:
            raise RefusedError(f"containers lie more than {MOST_NESTED} deep in each other")
        if mine[0] > most:
            raise RefusedError(f"containers occur again and again, more than {most} values in all")


def _parts(value: Any) -> Iterator[Any]:
    if type(value) is dict:
        return iter(value.values())
    if type(value) in (list, tuple):
        return iter(value)
    return iter((value,))


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return max(1, value.size)
    if value is None or isinstance(value, str | bytes | int | float | np.generic):
        return 1
    raise RefusedError(f"holds a {type(value).__name__} without content; only plain data and NumPy arrays are read")
