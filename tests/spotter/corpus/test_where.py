from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotter.corpus.facts import read_facts, write_facts
from spotter.corpus.video import CorpusError
from spotter.corpus.where import matching

COLUMNS = ("video", "signer", "year", "place of birth")
ROWS = [
    {"video": "a", "signer": "A", "year": "1985", "place of birth": ""},
    {"video": "b", "signer": "B", "year": "about 1980", "place of birth": "Zürich"},
    {"video": "c", "signer": "A", "year": "1995", "place of birth": "O'Hara"},
    {"video": "d", "signer": "7"},
]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("signer='A' and year<1990", "a"),
        ("signer = 'A' AND NOT year < 1990", "c"),
        ("year > 1900", "ac"),  # what is no number is neither more nor less
        ("not year > 1900", ""),
        ("year < '1990'", "a"),  # as text
        ("signer = 7", "d"),
        ("signer = '7'", "d"),
        ("signer in ('B', 7) or year >= 1.995e3", "bcd"),
        ("signer not in ('A', 'B')", "d"),
        ("signer != 'A'", "bd"),
        ("signer='A' or signer='B' and year=1995", "ac"),  # and binds more than or
        ("(signer='A' or signer='B') and year=1995", "c"),
        ('"place of birth" is null', "ad"),
        ('"Place of Birth" is not null', "bc"),
        ("\"place of birth\" = 'O''Hara'", "c"),
        ("\"place of birth\" like 'z%'", "b"),
        ("\"place of birth\" not like 'z%'", "c"),
    ],
)
def test_conditions_choose_what_they_say(condition: str, expected: str) -> None:
    assert matching(condition, COLUMNS, ROWS) == set(expected)


@pytest.mark.parametrize(
    "condition",
    ["", "signer", "signer=", "signer=A", "nothing=3", "signer='A", "(signer='A'", "signer='A') or (1=1", "1=1",
     "signer='A'; drop table facts", "signer='A' union select video", "signer='A' --", "signer='A' /* */",
     "load_extension('x')=1", "signer like 3", "signer in ()", "not", "signer is 'A'", "signer = ?", 'signer="A"',
     "(" * 60 + "signer='A'" + ")" * 60, "not " * 60 + "signer='A'", "signer=" + "1" * 20_000],
)  # fmt: skip
def test_what_is_no_condition_is_refused(condition: str) -> None:
    with pytest.raises(CorpusError):
        matching(condition, COLUMNS, ROWS)


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    with suppress(CorpusError):
        assert matching(text, COLUMNS, ROWS) <= set("abcd")


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_any_text_can_be_asked_for(text: str) -> None:
    quoted = text.replace("'", "''")
    rows = [{"video": "a", "signer": text}, {"video": "b", "signer": text + "x"}]
    assert matching(f"signer = '{quoted}'", COLUMNS, rows) == {"a"}


def test_facts_have_any_columns(tmp_path: Path) -> None:
    given = tmp_path / "people.csv"
    given.write_text("video,year,signer\ntalk.mp4,1985,anna\nother,,\n", encoding="utf-8")
    facts = read_facts(given)
    assert facts == {
        "talk": {"signer": "anna", "date": "", "year": "1985"}, "other": {"signer": "", "date": "", "year": ""}
    }  # fmt: skip
    write_facts(tmp_path / "facts.csv", {**facts, "third": {"signer": "ben", "date": "2001", "region": "Ticino"}})
    again = read_facts(tmp_path / "facts.csv")
    assert again["talk"] == {"signer": "anna", "date": "", "year": "1985", "region": ""}
    assert again["third"]["region"] == "Ticino"
    given.write_text("video,Year,year\ntalk,1,2\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="a name of its own"):
        read_facts(given)
    given.write_text("video,year\ntalk,1,2\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="line 2: has more cells"):
        read_facts(given)
