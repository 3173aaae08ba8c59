"""Conditions on the facts of videos, as users write them: ``signer = 'A' and year < 1990``.

The language is SQL's for comparisons, but what is run is built here: names must be columns of the table, values are
bound, and there is nothing else in it: no functions, no further statements.

::

    condition   = conjunction {"or" conjunction}
    conjunction = term {"and" term}
    term        = "not" term | "(" condition ")" | column comparison
    comparison  = ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value
                | ["not"] "like" text | ["not"] "in" "(" value {"," value} ")" | "is" ["not"] "null"
    value       = number | text in single quotes ('' for a quote)
    column      = word | "column in double quotes"

A number compares as a number, with the cells that hold one; text compares as text, so dates (1989-05-01) do as they
should. `null` is an empty cell.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from .video import CorpusError

__all__ = ["matching"]

TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<column>"(?:[^"]|"")*")|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"""
    r"""|(?P<sign>==|<=|>=|<>|!=|[=<>(),])|(?P<word>[^\W\d]\w*))""",
)
KEYWORDS = frozenset({"and", "or", "not", "like", "in", "is", "null"})
SIGNS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
LONGEST, DEEPEST = 10_000, 50
"""Characters of a condition; parentheses and negations in one another."""


def matching(condition: str, columns: Sequence[str], rows: Iterable[Mapping[str, str]], key: str = "video") -> set[str]:
    """The `key` of the rows that meet a condition.

    Args:
        columns: of the table.
        rows: column → cell; a cell that is absent or empty is null.

    Raises:
        CorpusError: the condition cannot be read, or names no column; says where.
    """
    sql, values = _Parser(condition, columns).parsed()
    with sqlite3.connect(":memory:") as table:
        table.create_function("number", 1, _number, deterministic=True)
        names = ", ".join(_quoted(name) for name in columns)
        table.execute(f"CREATE TABLE facts ({names})")
        cells = ([row.get(name) or None for name in columns] for row in rows)
        table.executemany(f"INSERT INTO facts VALUES ({', '.join('?' * len(columns))})", cells)
        return {name for (name,) in table.execute(f"SELECT {_quoted(key)} FROM facts WHERE {sql}", values)}


def _number(cell: str | None) -> float | None:
    try:
        value = math.nan if cell is None else float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Parser:
    """Reads a condition from left to right."""

    def __init__(self, condition: str, columns: Sequence[str]) -> None:
        self.condition, self.columns = condition, {name.casefold(): name for name in columns}
        self.tokens: list[tuple[str, str, int]] = []
        self.next = 0
        self.values: list[str | float] = []
        if len(condition) > LONGEST:
            raise CorpusError(f"a condition of {len(condition)} characters; expected at most {LONGEST}")
        at = 0
        while condition[at:].strip():
            found = TOKEN.match(condition, at)
            if found is None:
                raise self._error(at, "this is no part of a condition")
            kind = str(found.lastgroup)
            word = found[kind]
            if kind == "word" and word.casefold() in KEYWORDS:
                kind, word = "keyword", word.casefold()
            self.tokens.append((kind, word, found.end() - len(word)))
            at = found.end()

    def parsed(self) -> tuple[str, list[str | float]]:
        """SQL with question marks, and their values."""
        sql = self._condition(0)
        if self.next < len(self.tokens):
            raise self._error(self.tokens[self.next][2], "expected and, or, or the end")
        return sql, self.values

    def _error(self, at: int, why: str) -> CorpusError:
        rest = self.condition[at:].strip()
        place = f"at {rest[:30]!r}" if rest else "at its end"
        return CorpusError(f"condition {self.condition[:200]!r}, {place}: {why}; such as \"signer='A' and year<1990\"")

    def _peek(self, *wanted: str) -> str | None:
        """The next sign or keyword if it is one of these."""
        if self.next < len(self.tokens):
            kind, word, _ = self.tokens[self.next]
            if kind in ("sign", "keyword") and word in wanted:
                return word
        return None

    def _take(self, *wanted: str) -> str | None:
        word = self._peek(*wanted)
        self.next += word is not None
        return word

    def _need(self, *wanted: str) -> str:
        word = self._take(*wanted)
        if word is None:
            at = self.tokens[self.next][2] if self.next < len(self.tokens) else len(self.condition)
            raise self._error(at, f"expected {' or '.join(wanted)}")
        return word

    def _condition(self, depth: int) -> str:
        if depth > DEEPEST:
            raise CorpusError(f"a condition with more than {DEEPEST} parentheses or negations in one another")
        either = [self._conjunction(depth)]
        while self._take("or"):
            either.append(self._conjunction(depth))
        return "(" + " OR ".join(either) + ")"

    def _conjunction(self, depth: int) -> str:
        every = [self._term(depth)]
        while self._take("and"):
            every.append(self._term(depth))
        return "(" + " AND ".join(every) + ")"

    def _term(self, depth: int) -> str:
        if self._take("not"):
            if depth > DEEPEST:
                raise CorpusError(f"a condition with more than {DEEPEST} parentheses or negations in one another")
            # what is unknown stays out whether or not it is negated
            return f"(NOT {self._term(depth + 1)})"
        if self._take("("):
            inner = self._condition(depth + 1)
            self._need(")")
            return inner
        return self._comparison(self._column())

    def _column(self) -> str:
        if self.next == len(self.tokens):
            raise self._error(len(self.condition), "expected a column")
        kind, word, at = self.tokens[self.next]
        if kind not in ("word", "column"):
            raise self._error(at, "expected a column")
        name = word[1:-1].replace('""', '"') if kind == "column" else word
        if name.casefold() not in self.columns:
            raise self._error(at, f"no column {name!r}; there are {', '.join(self.columns.values())}")
        self.next += 1
        return _quoted(self.columns[name.casefold()])

    def _comparison(self, column: str) -> str:
        if self._take("is"):
            negated = self._take("not")
            self._need("null")
            return f"({column} IS {'NOT ' if negated else ''}NULL)"
        negated = "NOT " if self._take("not") else ""
        word = self._need("like", "in") if negated else self._need(*SIGNS, "like", "in", "is")
        if word in SIGNS:
            value = self._value()
            side = f"number({column})" if isinstance(value, float) else column
            return f"({side} {SIGNS[word]} ?)"
        if word == "like":
            if not isinstance(self._value(), str):
                raise self._error(self.tokens[self.next - 1][2], "expected text in quotes after like")
            return f"({column} {negated}LIKE ?)"
        self._need("(")
        listed = [self._listed(column)]
        while self._take(","):
            listed.append(self._listed(column))
        self._need(")")
        return f"({negated}({' OR '.join(listed)}))"

    def _listed(self, column: str) -> str:
        value = self._value()
        return f"{f'number({column})' if isinstance(value, float) else column} = ?"

    def _value(self) -> str | float:
        if self.next == len(self.tokens):
            raise self._error(len(self.condition), "expected a number, or text in single quotes")
        kind, word, at = self.tokens[self.next]
        if kind not in ("text", "number"):
            raise self._error(at, "expected a number, or text in single quotes")
        self.next += 1
        value = word[1:-1].replace("''", "'") if kind == "text" else float(word)
        self.values.append(value)
        return value
