"""Cells that spreadsheets would compute, and texts that terminals would obey."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spotter
from safe_files import plain_cell, safe_cell
from safe_files.cells import SAFE
from spotter import Detection
from spotter.cli.console import SafeConsole, shown

GLOSSES = ["=cmd|' /C calc'!A0", "+1+1", "-X", "@SUM(A1)", "'=x", "''-y", "'TREE", "TREE", "-5", "\tA"]


@given(st.text(max_size=6) | st.text("'=+-@ab1.", max_size=6))
def test_every_text_comes_back(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text
    assert safe_cell(text)[:1] not in ("=", "@", "\t", "\r")


def test_formulas_are_none_in_a_table_and_themselves_when_read(tmp_path: Path) -> None:
    detections = [Detection("=talk", gloss, float(k), k + 0.5, 0.5) for k, gloss in enumerate(GLOSSES)]
    spotter.write(tmp_path / "found.csv", detections)
    lines = (tmp_path / "found.csv").read_text().splitlines()[1:]
    assert [line.lstrip('"').startswith("'=talk") for line in lines] == [True] * len(GLOSSES)
    assert [line.split(",")[1].strip('"')[:2] for line in lines[:5]] == ["'=", "'+", "'-", "'@", "''"]
    assert spotter.read(tmp_path / "found.csv") == detections


def test_a_table_for_programs_is_written_as_it_is(tmp_path: Path) -> None:
    token = SAFE.set(False)
    try:
        spotter.write(tmp_path / "found.csv", [Detection("talk", "=x", 1.0, 1.5, 0.5)])
    finally:
        SAFE.reset(token)
    assert (tmp_path / "found.csv").read_text().splitlines()[1].startswith("talk,=x,")


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\x9b31mb", "a\x07b", "a\rb", "\x1b]0;title\x07"])
def test_no_name_reaches_the_terminal_as_a_command(text: str) -> None:
    from rich.table import Table

    written = io.StringIO()
    console = SafeConsole(file=written, highlight=False)
    console.print(text)
    table = Table("name")
    table.add_row(text)
    console.print(table)
    console.print(f"[red]{shown(text)}[/red]")
    assert not set(written.getvalue()) & set("\x1b\x9b\x07\r")
    assert "\\x" in written.getvalue() or "\\r" in written.getvalue()
