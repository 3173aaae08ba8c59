"""What holds now: planted logs with the state worked out by hand, and a slow twin on random ones."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotter import Detection
from spotter.project.log import DecisionLog, Found, Line, LogError, Search, now
from spotter.project.matching import named_hits, overlap
from spotter.project.state import State, checked, read_state

HITS = [
    Found("h0", "talk", "HOUSE", 1.0, 2.0, 0.9),
    Found("h1", "talk", "HOUSE", 5.0, 6.0, 0.8),
    Found("h2", "talk", "HOME", 8.0, 9.0, 0.7),
]


def started(hits: list[Found] = HITS, name: str = "s1", state: State | None = None, **detail: Any) -> State:
    state = State() if state is None else state
    state.take_search(Search(name, "", "anna", "spot", "e1", state.last, detail), hits)
    return state


def said(
    state: State,
    action: str,
    hit: str = "h0",
    who: str = "anna",
    client: str = "a",
    base: int | None = None,
    **detail: Any,
) -> Line:
    n = state.last + 1
    line = Line(action, hit, who, f"t{n}", client, state.last if base is None else base, "s1", "e1", detail, n)
    state.take([checked(state, line)])
    return line


def test_decisions_and_their_undoing() -> None:
    state = started()
    assert [state.hits[h].status for h in ("h0", "h1", "h2")] == ["new"] * 3
    accept = said(state, "accept")
    said(state, "reject", "h1", who="ben", client="b")
    assert (state.hits["h0"].status, state.hits["h0"].who, state.hits["h0"].line) == ("accepted", "anna", 1)
    assert state.undoable("anna") == accept
    undo = said(state, "undo", line=1)
    assert state.hits["h0"].status == "new"
    assert state.hits["h0"].line == 0
    assert state.undoable("anna") is None
    assert state.redoable("anna") == undo
    said(state, "undo", line=undo.n)
    assert state.hits["h0"].status == "accepted"
    assert state.undoable("anna") == accept
    assert state.redoable("anna") is None
    said(state, "unsure", "h0")
    said(state, "clear", "h0")
    assert state.hits["h0"].status == "new"
    assert state.hits["h1"].status == "rejected"


def test_an_undo_in_the_middle_leaves_later_lines_standing() -> None:
    state = started()
    said(state, "span", start=1.1, end=2.0)
    said(state, "accept")
    said(state, "span", start=1.2, end=2.1)
    said(state, "undo", line=3)
    hit = state.hits["h0"]
    assert (hit.start, hit.end, hit.status) == (1.1, 2.0, "accepted")
    said(state, "undo", line=1)
    hit = state.hits["h0"]
    assert (hit.start, hit.end, hit.status) == (1.0, 2.0, "accepted")
    assert (hit.found_start, hit.found_end) == (1.0, 2.0)


def test_cut_join_and_relabel() -> None:
    state = started()
    said(state, "split", "h0", at=1.4, second="h9", video="talk", sign="HOUSE", start=1.4, end=2.0)
    assert (state.hits["h0"].end, state.hits["h9"].start, state.hits["h9"].end) == (1.4, 1.4, 2.0)
    assert state.hits["h9"].status == "new"
    said(state, "accept", "h9")
    said(state, "merge", "h0", other="h1", start=1.0, end=6.0)
    assert (state.hits["h0"].end, state.hits["h1"].status) == (6.0, "merged")
    assert not state.current(state.hits["h1"])
    said(state, "relabel", "h0", sign="HOME")
    assert (state.hits["h0"].sign, state.hits["h0"].found_sign) == ("HOME", "HOUSE")
    said(state, "undo", line=3)
    assert state.hits["h1"].status == "new"
    assert state.hits["h0"].end == 1.4
    said(state, "undo", line=1)
    assert state.hits["h9"].status == "withdrawn"
    assert state.hits["h0"].end == 2.0


def test_drawn_hits_and_exemplars() -> None:
    state = started()
    said(state, "add", "new-1", video="talk", sign="TREE", start=3.0, end=3.5)
    assert state.hits["new-1"].status == "accepted"
    assert state.hits["new-1"].score is None
    made = said(state, "exemplar", "x1", video="talk", sign="TREE", start=3.0, end=3.5)
    assert state.exemplars["x1"].sign == "TREE"
    retire = said(state, "retire", "x1")
    assert not state.exemplars
    said(state, "undo", line=retire.n)
    assert set(state.exemplars) == {"x1"}
    said(state, "undo", line=made.n)
    assert not state.exemplars


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (("accept", {}), ("reject", {}), True),
        (("accept", {}), ("accept", {}), False),
        (("accept", {}), ("span", {"start": 1.0, "end": 1.9}), False),
        (("span", {"start": 1.1, "end": 2.0}), ("span", {"start": 1.0, "end": 1.9}), True),
        (("relabel", {"sign": "A"}), ("relabel", {"sign": "B"}), True),
        (("relabel", {"sign": "A"}), ("relabel", {"sign": "A"}), False),
        (("merge", {"other": "h1", "start": 1.0, "end": 6.0}), ("accept", {}), True),
    ],
)
def test_two_people_who_did_not_see_each_other(first: Any, second: Any, clash: bool) -> None:
    state = started()
    said(state, first[0], who="anna", client="a", base=0, **first[1])
    said(state, second[0], who="ben", client="b", base=0, **second[1])
    assert state.hits["h0"].conflict == ((1, 2) if clash else ())
    said(state, "accept", who="anna", client="a")  # has seen both
    assert state.hits["h0"].conflict == ()


def test_one_client_never_conflicts_with_itself_and_seen_lines_do_not_conflict() -> None:
    state = started()
    said(state, "accept", client="a", base=0)
    said(state, "reject", client="a", base=0)
    said(state, "accept", who="ben", client="b")
    assert state.hits["h0"].conflict == ()
    said(state, "reject", who="cleo", client="c", base=2)
    assert state.hits["h0"].conflict == (3, 4)
    said(state, "undo", "h0", who="cleo", client="c", line=4)
    assert state.hits["h0"].conflict == ()


def test_a_new_search_keeps_what_was_decided() -> None:
    state = started(signs=["HOUSE", "HOME"])
    said(state, "accept", "h0")
    said(state, "relabel", "h1", sign="BARN")
    again = [
        Detection("talk", "HOUSE", 1.1, 2.1, 0.95),  # h0
        Detection("talk", "HOUSE", 5.1, 6.0, 0.6),  # h1, which is no HOUSE
        Detection("talk", "HOUSE", 20.0, 21.0, 0.5),
        Detection("talk", "HOUSE", 20.1, 21.1, 0.4),  # one hit has one name
        Detection("other", "HOUSE", 1.0, 2.0, 0.3),
    ]
    rows = named_hits(state, "s2", again)
    assert [r.start for r in rows] == [1.1, 20.0, 20.1, 1.0]
    assert rows[0].hit == "h0"
    assert len({r.hit for r in rows}) == 4
    assert not {r.hit for r in rows[1:]} & set(state.hits)
    started(rows, "s2", state, signs=["HOUSE"])
    hit = state.hits["h0"]
    assert (hit.status, hit.score, hit.search, hit.found_start) == ("accepted", 0.95, "s2", 1.1)
    assert not state.current(state.hits["h1"]) or state.hits["h1"].line
    # HOME was not searched for again: its hits stand; a HOUSE that is not found again is gone
    assert state.current(state.hits["h2"])
    third = started([], "s3", state, signs=["HOUSE"])
    assert not third.current(third.hits[rows[1].hit])
    assert third.current(third.hits["h0"])


def test_overlap_by_hand() -> None:
    assert overlap((0, 2), (1, 3)) == pytest.approx(1 / 3)
    assert overlap((0, 1), (1, 2)) == 0
    assert overlap((0, 4), (1, 2)) == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("action", "hit", "detail", "why"),
    [
        ("accept", "h7", {}, "no hit 'h7'"),
        ("span", "h0", {"start": 2.0, "end": 1.0}, "0 <= start < end"),
        ("span", "h0", {"start": "1", "end": 2.0}, "0 <= start < end"),
        ("span", "h0", {"end": 2.0}, "0 <= start < end"),
        ("relabel", "h0", {"sign": " "}, "expected a gloss"),
        ("split", "h0", {"at": 3.0, "second": "n", "start": 3.0, "end": 4.0}, "between 1.000 and 2.000"),
        ("split", "h0", {"at": 1.5, "second": "h1", "start": 1.5, "end": 2.0}, "taken"),
        ("merge", "h0", {"other": "h2", "start": 1.0, "end": 9.0}, "no other hit of the same sign"),
        ("add", "h0", {"video": "talk", "sign": "A", "start": 0.0, "end": 1.0}, "taken"),
        ("add", "n", {"video": "talk", "sign": "", "start": 0.0, "end": 1.0}, "expected a name"),
        ("exemplar", "", {"video": "talk", "sign": "A", "start": 0.0, "end": 1.0}, "taken or empty"),
        ("retire", "x9", {}, "no drawn exemplar"),
        ("undo", "", {"line": 5}, "not in the log"),
        ("undo", "", {"line": True}, "not in the log"),
        ("note", "h0", {"text": 3}, "expected a text"),
    ],
)
def test_lines_that_do_not_fit(action: str, hit: str, detail: dict[str, Any], why: str) -> None:
    state = started()
    with pytest.raises(LogError, match=why):
        checked(state, Line(action, hit, "anna", "t1", detail=detail))


steps = st.lists(
    st.tuples(
        st.sampled_from(["accept", "reject", "unsure", "clear", "span", "relabel", "add", "split", "undo", "undo"]),
        st.sampled_from(["h0", "h1"]),
        st.sampled_from(["a", "b"]),
        st.integers(0, 8),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_taking_lines_one_by_one_ends_as_reading_them_all(steps: list[tuple[str, str, str, int]]) -> None:
    """The state that the server keeps is the state of the log, and as slow code that only counts says it is."""
    state, lines = started(), []
    for number, (action, hit, client, value) in enumerate(steps, start=1):
        detail: dict[str, Any] = {}
        if action == "undo":
            if not lines:
                continue
            detail = {"line": lines[value % len(lines)].n}
        elif action == "span":
            detail = {"start": float(value), "end": value + 1.0}
        elif action == "relabel":
            detail = {"sign": f"S{value}"}
        elif action in ("add", "split"):
            detail = {"video": "talk", "sign": "HOUSE", "start": float(value), "end": value + 2.0}
            if action == "add":
                hit = f"new-{len(lines)}"
            else:
                detail |= {"at": float(value), "second": f"new-{len(lines)}"}
        n = len(lines) + 1
        line = Line(action, hit, client, f"t{number}", client, max(0, n - 1 - value), "s1", "e1", detail, n)
        lines.append(line)
        state.take([line])
    whole = started()
    whole.take(lines)
    assert whole.hits == state.hits
    standing = [True] * (len(lines) + 1)
    for line in reversed(lines):
        if line.action == "undo" and standing[line.n]:
            standing[line.detail["line"]] = False
    words = {"accept": "accepted", "reject": "rejected", "unsure": "unsure", "clear": "new"}
    for name in ("h0", "h1"):
        own = [line for line in lines if standing[line.n] and line.hit == name]
        decided = [words[line.action] for line in own if line.action in words]
        spans = [line.detail["start"] for line in own if line.action == "span"]
        made = {name for name, h in state.hits.items() if name.startswith("new") and h.status == "withdrawn"}
        undone = {x.detail.get("second", x.hit) for x in lines if x.action in ("add", "split") and not standing[x.n]}
        assert made == undone
        assert state.hits[name].status == (decided[-1] if decided else "new")
        assert state.hits[name].start == (spans[-1] if spans else {"h0": 1.0, "h1": 5.0}[name])


def test_reading_the_log_at_an_earlier_line(tmp_path: Path) -> None:
    with DecisionLog(tmp_path / "d.sqlite") as log:
        log.add_search(Search("s1", now(), "anna", "spot", "e1", 0), HITS)
        log.append([Line(a, "h0", "anna", f"t{i}") for i, a in enumerate(["accept", "reject", "unsure"])])
        log.add_search(Search("s2", now(), "anna", "learned", "e1", 3, {"signs": ["HOUSE"]}), [])
        assert [read_state(log, n).hits["h0"].status for n in itertools.chain([0, 1, 2, 3, None])] == [
            "new", "accepted", "rejected", "unsure", "unsure",
        ]  # fmt: skip
        assert len(read_state(log, 2).searches) == 1
