"""The log as a file: out and in again, twice, into copies and into projects that searched for themselves."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from spotter import Detection
from spotter.project.exchange import export_log, import_log
from spotter.project.folder import Project
from spotter.project.log import Line

ROWS = [
    Detection("talk", "HOUSE", 1.0, 2.0, 0.9),
    Detection("talk", "HOUSE", 5.0, 6.0, 0.8),
    Detection("talk", "TREE", 8.0, 9.0, 0.7),
]


def searched(folder: Path, rows: list[Detection] = ROWS) -> Project:
    project = Project.create(folder)
    project.record("spot", rows, "e1", {"signs": ["HOUSE", "TREE"]}, "anna")
    return project


def by_start(project: Project) -> dict[float, str]:
    return {hit.found_start: name for name, hit in project.state().hits.items()}


def decided(project: Project) -> None:
    name = by_start(project)
    project.log.append(
        [
            Line("accept", name[1.0], "anna", "t1", "tab", 0, "s", "e1"),
            Line("span", name[1.0], "anna", "t2", "tab", 1, detail={"start": 1.04, "end": 2.0}),
            Line("reject", name[5.0], "ben", "t3", "other", 2, detail={"sample": "s-1"}),
            Line("undo", name[5.0], "ben", "t4", "other", 3, detail={"line": 3}),
            Line("relabel", name[8.0], "ben", "t5", "other", 4, detail={"sign": 'B, "C"\nD'}),
            Line(
                "add",
                "drawn",
                "ben",
                "t6",
                "other",
                5,
                detail={"video": "talk", "sign": "BARN", "start": 3.0, "end": 4.0},
            ),
            Line(
                "exemplar",
                "x1",
                "ben",
                "t7",
                "other",
                6,
                detail={"video": "talk", "sign": "BARN", "start": 3.0, "end": 4.0},
            ),
        ]
    )


def standing(project: Project) -> set[tuple]:
    state = project.state()
    return {
        (h.video, h.sign, h.start, h.end, h.status, h.who) for h in state.hits.values() if h.status != "new" or h.line
    } | {("exemplar", x.sign, x.start, x.end, "", x.who) for x in state.exemplars.values()}


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_into_a_project_that_searched_for_itself(tmp_path: Path, ending: str) -> None:
    here = searched(tmp_path / "here")
    decided(here)
    path = tmp_path / f"decisions.{ending}"
    assert export_log(here, path) == 7
    # the other project found the first place a little later and the third not at all
    there = searched(tmp_path / "there", [Detection("talk", "HOUSE", 1.1, 2.0, 0.5), ROWS[1]])
    done = import_log(there, path)
    assert (done.added, done.already, done.refused) == (7, 0, [])
    assert standing(there) == standing(here)
    assert [(line.at, line.who) for line in there.log.lines()] == [(line.at, line.who) for line in here.log.lines()]
    again = import_log(there, path)
    assert (again.added, again.already) == (0, 7)
    assert len(there.log.lines()) == 7


def test_two_copies_come_together_and_their_conflicts_show(tmp_path: Path) -> None:
    searched(tmp_path / "mine").close()
    shutil.copytree(tmp_path / "mine", tmp_path / "yours")
    mine, yours = Project.open(tmp_path / "mine"), Project.open(tmp_path / "yours")
    name = by_start(mine)
    mine.log.append([Line("accept", name[1.0], "anna", "m1"), Line("accept", name[5.0], "anna", "m2")])
    yours.log.append(
        [
            Line("reject", name[1.0], "ben", "y1"),
            Line("accept", name[5.0], "ben", "y2"),
            Line("reject", name[8.0], "ben", "y3"),
            Line("undo", name[8.0], "ben", "y4", detail={"line": 3}),
            Line("unsure", name[8.0], "ben", "y5"),
        ]
    )
    export_log(yours, tmp_path / "yours.json")
    import_log(mine, tmp_path / "yours.json")
    hits = mine.state().hits
    assert len(hits) == 3
    assert hits[name[1.0]].conflict == (1, 3)
    assert hits[name[5.0]].conflict == ()
    assert hits[name[8.0]].status == "unsure"
    assert not mine.state().holds(5)


def test_the_csv_is_a_table_that_people_can_read(tmp_path: Path) -> None:
    project = searched(tmp_path / "p")
    decided(project)
    export_log(project, tmp_path / "d.csv")
    with (tmp_path / "d.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["action"] for r in rows] == ["accept", "span", "reject", "undo", "relabel", "add", "exemplar"]
    assert (rows[0]["video"], rows[0]["sign"], rows[0]["start"], rows[0]["who"]) == ("talk", "HOUSE", "1.0", "anna")
    assert json.loads(rows[4]["detail"]) == {"sign": 'B, "C"\nD'}


def test_what_a_report_downloads(tmp_path: Path) -> None:
    """Places and words, no names of hits: as the page of `write_report` writes it."""
    project = searched(tmp_path / "p")
    lines = [
        {
            "action": "accept",
            "video": "talk",
            "sign": "HOUSE",
            "start": 1.0,
            "end": 2.0,
            "score": 0.9,
            "token": "a",
            "at": "2024-05-01T10:00:00.000Z",
            "who": "",
        },
        {
            "action": "reject",
            "video": "elsewhere",
            "sign": "TREE",
            "start": 4.0,
            "end": 5.0,
            "score": 0.6,
            "token": "b",
            "at": "2024-05-01T10:00:01.000Z",
            "who": "",
        },
    ]
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"format": "sign-spotter decisions", "version": 1, "lines": lines}))
    assert import_log(project, path, "cleo").added == 2
    hits = {(h.video, h.start): h for h in project.state().hits.values()}
    assert (hits["talk", 1.0].status, hits["talk", 1.0].who) == ("accepted", "cleo")
    assert hits["elsewhere", 4.0].status == "rejected"
    assert len(hits) == 4


HEAD = '{"format": "sign-spotter decisions", "version": 1, '


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not readable"),
        ('{"format": "x", "version": 1, "lines": []}', "expected a file of the format"),
        ('{"format": "sign-spotter decisions", "version": 2, "lines": []}', "version 1"),
        (HEAD + '"searches": []}', "lines"),
        (HEAD + '"lines": [3]}', "no object"),
        (HEAD + '"lines": [{"action": "burn"}]}', "line 1: action 'burn'"),
        (HEAD + '"lines": [{"action": "accept", "detail": [1]}]}', "expected an object"),
        (HEAD + '"searches": [{"found": [{"hit": 1}]}], "lines": []}', "not readable"),
    ],
)
def test_damaged_files_are_refused_before_anything_is_written(tmp_path: Path, text: str, why: str) -> None:
    project = searched(tmp_path / "p")
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(ValueError, match=why):
        import_log(project, tmp_path / "d.json")
    assert project.log.lines() == []
    with pytest.raises(ValueError, match="no such file"):
        import_log(project, tmp_path / "nothing.json")
    with pytest.raises(ValueError, match=r"\.csv or \.json"):
        export_log(project, tmp_path / "d.txt")


def test_lines_that_do_not_fit_are_named_and_the_others_taken(tmp_path: Path) -> None:
    project = searched(tmp_path / "p")
    lines = [
        {"action": "accept", "hit": "nowhere", "who": "anna", "token": "a"},
        {"action": "accept", "video": "talk", "sign": "HOUSE", "start": 1.0, "end": 2.0, "who": "anna", "token": "b"},
        {
            "action": "merge",
            "video": "talk",
            "sign": "HOUSE",
            "start": 1.0,
            "end": 2.0,
            "who": "anna",
            "token": "c",
            "detail": {"other": "x", "start": 0, "end": 1},
        },
    ]
    (tmp_path / "d.json").write_text(json.dumps({"format": "sign-spotter decisions", "version": 1, "lines": lines}))
    done = import_log(project, tmp_path / "d.json")
    assert done.added == 1
    assert len(done.refused) == 2
    assert "no hit 'nowhere'" in done.refused[0]
