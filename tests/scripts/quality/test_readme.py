"""README's own figures: what counts as another figure."""

from __future__ import annotations

import pytest

from scripts.quality.readme import LINES, README, differs


@pytest.mark.parametrize(
    ("now", "then", "other"),
    [
        ("| world, 112 in 2.9 min | F1 .973 |", "| world, 112 in 2.9 min | F1 .973 |", False),
        ("| world, 112 in 2.9 min | F1 .973 |", "| world, 112 in 2.9 min | F1 .960 |", False),
        ("| world, 112 in 2.9 min | F1 .973 |", "| world, 112 in 2.9 min | F1 .940 |", True),
        ("| world, 112 in 2.9 min | F1 .973 |", "| world, 113 in 2.9 min | F1 .973 |", True),
        ("| world, 112 in 2.9 min | F1 .973 |", "| other, 112 in 2.9 min | F1 .973 |", True),
    ],
)
def test_what_counts_as_another_figure(now: str, then: str, other: bool) -> None:
    assert differs(now, then) is other


def test_every_line_stands_in_readme_once() -> None:
    rows = README.read_text(encoding="utf-8").splitlines()
    for line in LINES:
        assert len([row for row in rows if row.startswith(line.start)]) == 1, line.start
