"""`Share`: one of several equal parts of a long list of recordings, as the jobs of a cluster's array take them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Share"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Share:
    """Part `number` (from 1) of `count`.

    Raises:
        ValueError: the number is not one of 1 … count.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ValueError(f"part {self}; expected I/N with I from 1 to N, such as 3/8")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Share:
        """From `3/8`.

        Raises:
            ValueError: it is no such text.
        """
        found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text)
        if found is None:
            raise ValueError(f"part {text!r}; expected I/N with I from 1 to N, such as 3/8")
        return cls(int(found[1]), int(found[2]))

    def of(self, items: Sequence[Item]) -> list[Item]:
        """Every `count`-th item from the `number`-th on: all parts together are all items, each once."""
        return list(items[self.number - 1 :: self.count])
