"""Texts in tables that spreadsheets open: a cell that begins as a formula does is none."""

from __future__ import annotations

import re
from contextvars import ContextVar

__all__ = ["SAFE", "plain_cell", "safe_cell"]

SAFE: ContextVar[bool] = ContextVar("safe_cells", default=True)
"""Whether tables for people are written so."""

FORMULA = re.compile(r"'*[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def safe_cell(text: str) -> str:
    """A text with an apostrophe before it where a spreadsheet would compute it: ``=1+1`` becomes ``'=1+1``.

    Numbers stay; so does every text inside `SAFE.set(False)`. `plain_cell` is the way back, for every text.
    """
    return f"'{text}" if SAFE.get() and _computed(text) else text


def plain_cell(text: str) -> str:
    """What `safe_cell` was given."""
    return text[1:] if text.startswith("'") and _computed(text) else text


def _computed(text: str) -> bool:
    return FORMULA.match(text) is not None and NUMBER.fullmatch(text) is None
