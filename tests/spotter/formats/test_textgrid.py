"""Praat TextGrids: what Praat itself writes is read, what we write covers all of the time and comes back."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter import Detection
from spotter.formats import read, write

LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.3
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "Gloss ""R"""
        xmin = 0
        xmax = 2.3
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.7
            text = ""
        intervals [2]:
            xmin = 0.7
            xmax = 1.5
            text = "HOUSE ""big"" 2"
        intervals [3]:
            xmin = 1.5
            xmax = 2.3
            text = "a line
break"
    item [2]:
        class = "TextTier"
        name = "points"
        xmin = 0
        xmax = 2.3
        points: size = 1
        points [1]:
            number = 1.1
            mark = "blink"
'''
HEAD = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
SHORT = HEAD + '0\n1\n<exists>\n1\n"IntervalTier"\n"t"\n0\n1\n1\n0\n1\n"A"\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_praat_writes(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "talk.TextGrid").write_text(LONG, encoding=encoding)
    assert read(tmp_path / "talk.TextGrid") == [
        Detection("talk", 'HOUSE "big" 2', 0.7, 1.5, 1.0),
        Detection("talk", "a line\nbreak", 1.5, 2.3, 1.0),
    ]
    (tmp_path / "short.textgrid").write_text(SHORT, encoding=encoding)
    assert read(tmp_path / "short.textgrid") == [Detection("short", "A", 0.0, 1.0, 1.0)]


def test_pympi_reads_what_we_write(tmp_path: Path) -> None:
    from pympi.Praat import TextGrid

    rows = [Detection("t", "A", 1.0, 2.0, 0.5), Detection("t", "A", 1.5, 2.5, 0.5), Detection("t", "B", 0.0, 0.25, 0.5)]
    write(tmp_path / "t.TextGrid", rows)
    grid = TextGrid(str(tmp_path / "t.TextGrid"))
    tiers = [(tier.name, sorted(tier.get_all_intervals())) for tier in grid.get_tiers()]
    assert tiers == [
        ("A", [(0.0, 1.0, ""), (1.0, 2.0, "A"), (2.0, 2.5, "")]),
        ("A", [(0.0, 1.5, ""), (1.5, 2.5, "A")]),
        ("B", [(0.0, 0.25, "B"), (0.25, 2.5, "")]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        LONG[:300],
        LONG.replace("0.7\n", "x\n"),
        LONG.replace("size = 3", "size = 9"),
        LONG.replace("size = 3", "size = 1e12"),
        LONG.replace("xmax = 1.5", "xmax = 0.5"),
        LONG.replace('"HOUSE', "HOUSE"),
    ],
)
def test_damaged_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.TextGrid").write_text(text)
    with pytest.raises(ValueError, match=r"t\.TextGrid"):
        read(tmp_path / "t.TextGrid")


labels = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(lambda s: s.strip())
rows = st.lists(st.tuples(labels, st.floats(0, 1e4), st.floats(1e-3, 10)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_everything_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, float]]) -> None:
    path = tmp_path_factory.mktemp("grids") / "t.TextGrid"
    given_rows = sorted((Detection("t", s, a, a + n, 1.0) for s, a, n in rows), key=lambda d: (d.start, d.end, d.sign))
    write(path, given_rows)
    assert read(path) == given_rows
