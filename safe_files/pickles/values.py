"""The values of a pickle on their stack: how instructions make numbers, texts and containers."""

from __future__ import annotations

from codecs import escape_decode
from typing import Any, BinaryIO

import numpy as np

from .arrays import PendingArray, RefusedError
from .source import DamageError, Source

__all__ = ["ENTRY", "ITEM", "LIST", "MOST_TEXT", "NUMBER", "Values"]

MOST_TEXT = 2 << 20
"""Bytes of one string."""

ENTRY, ITEM, NUMBER, LIST, DICT = 100, 16, 48, 240, 460
"""Bytes that are counted for an entry of a dict or the memo, an item, a number and containers, with their upkeep."""


class Values(Source):
    """The stack and the memo, and the instructions that make plain values of them."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(file, size)
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        """The stacks below each mark."""
        self.memo: dict[int, Any] = {}

    def push(self, value: Any, cost: int = NUMBER) -> None:
        self.charge(cost)
        self.stack.append(value)

    def pop(self) -> Any:
        if not self.stack:
            raise DamageError("takes a value from an empty stack")
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack:
            raise DamageError("takes a value from an empty stack")
        return self.stack[-1]

    def marked(self) -> list[Any]:
        """The values above the last mark, which goes."""
        if not self.below:
            raise DamageError("takes values up to a mark that is missing")
        values, self.stack = self.stack, self.below.pop()
        return values

    def integer(self, value: int) -> None:
        if value.bit_length() > 128:
            raise RefusedError(f"holds a whole number of {value.bit_length()} bits; up to 128 are read")
        self.push(value)

    def long(self, form: str) -> None:
        count = self.number(form)
        if not 0 <= count <= 17:
            raise RefusedError(f"holds a whole number of {count} bytes; up to 17 are read")
        self.integer(int.from_bytes(self.take(count), "little", signed=True))

    def decimal(self, truth: bool = False) -> None:
        text = self.line().removesuffix(b"L")
        if truth and text in (b"00", b"01"):  # how the oldest protocols write False and True
            self.push(text == b"01")
        elif len(text) > 40:
            raise RefusedError(f"holds a whole number of {len(text)} digits; up to 128 bits are read")
        else:
            self.integer(int(text))

    def text(self, count: int, encoding: str = "utf-8") -> None:
        if count < 0 or count > MOST_TEXT:
            raise RefusedError(f"holds text of {count} bytes; up to {MOST_TEXT} are read")
        self.keep_text(self.take(count).decode(encoding))

    def keep_text(self, value: str) -> None:
        self.push(value, value.__sizeof__() + ITEM)

    def quoted(self) -> None:
        """A string of Python 2, as it is written in programs."""
        text = self.line(MOST_TEXT)
        if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in (b"'", b'"'):
            raise DamageError("a string has no quotation marks")
        self.keep_text(escape_decode(text[1:-1])[0].decode("ascii"))

    def data(self, count: int) -> None:
        if not 0 <= count <= self.size - self.position:
            raise DamageError(f"{count} bytes expected, {self.size - self.position} left: the file is cut")
        self.charge(count)
        self.push(self.take(count), NUMBER + ITEM)

    def push_list(self, values: list[Any]) -> None:
        self.push(values, LIST + ITEM * len(values))

    def push_tuple(self, values: list[Any]) -> None:
        self.push(tuple(values), LIST + ITEM * len(values))

    def few(self, count: int) -> None:
        self.push_tuple([self.pop() for _ in range(count)][::-1])

    def mapping(self, pairs: list[Any]) -> None:
        self.push({}, DICT)
        self.set_items(pairs)

    def append(self, values: list[Any]) -> None:
        target = self.top()
        if type(target) is not list:
            raise DamageError(f"appends to a {type(target).__name__}")
        self.charge(ITEM * len(values))
        target.extend(values)

    def set_items(self, pairs: list[Any]) -> None:
        target = self.top()
        if type(target) is not dict or len(pairs) % 2:
            raise DamageError(f"sets entries of a {type(target).__name__}, or a key without a value")
        self.charge(ENTRY * len(pairs))
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not (key is None or isinstance(key, str | bytes | int | np.integer)):
                raise RefusedError(f"a key is a {type(key).__name__}; expected a string or a whole number")
            if type(key) is int and key.bit_length() > 64:  # larger ones can be made to collide
                raise RefusedError(f"a key has {key.bit_length()} bits; up to 64 are read")
            target[key] = value

    def append_one(self) -> None:
        self.append([self.pop()])

    def set_one(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def mark(self) -> None:
        self.charge(LIST)
        self.below.append(self.stack)
        self.stack = []

    def put(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise DamageError(f"stores a value as number {index}; the file has {self.size} bytes")
        value = self.top()
        self.charge(ENTRY)
        self.memo[index] = value
        if type(value) is PendingArray:
            value.slots.append(index)

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise DamageError(f"asks for value number {index}, which was not stored")
        self.push(self.memo[index], ITEM)
