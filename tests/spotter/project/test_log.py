"""The log of decisions: nothing is lost, nothing can be changed, the same line twice is one line."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spotter.project.log import DecisionLog, Found, Line, LogError, Search, now

from ...conftest import REPOSITORY


def searched(log: DecisionLog, hits: int = 3) -> None:
    found = [Found(f"h{i}", "talk", "HOUSE", float(i), i + 0.5, 0.9 - i / 10) for i in range(hits)]
    log.add_search(Search("s1", now(), "anna", "spot", "sign-tcn-1", 0, {"signs": ["HOUSE"]}), found)


def test_lines_come_back_as_they_were_written(tmp_path: Path) -> None:
    with DecisionLog(tmp_path / "decisions.sqlite") as log:
        searched(log)
        lines = [
            Line("accept", "h0", "anna", "t1", "tab-1", 0, "s1", "sign-tcn-1"),
            Line("span", "h1", "Zoë 手", "t2", detail={"start": 0.1 + 0.2, "end": 1 / 3}),
        ]
        written = log.append(lines)
        assert [line.n for line in written] == [1, 2]
    with DecisionLog(tmp_path / "decisions.sqlite") as log:
        assert log.lines() == written
        assert log.lines(since=1) == written[1:]
        assert log.lines(until=1) == written[:1]
        assert log.lines()[1].detail == {"start": 0.1 + 0.2, "end": 1 / 3}
        assert [f.hit for f in log.found("s1")] == ["h0", "h1", "h2"]
        assert log.searches()[0].detail == {"signs": ["HOUSE"]}


def test_a_token_is_one_line_however_often_it_is_sent(tmp_path: Path) -> None:
    with DecisionLog(tmp_path / "d.sqlite") as log:
        (first,) = log.append([Line("accept", "h0", "anna", "t1")])
        again = log.append([Line("accept", "h0", "anna", "t1"), Line("reject", "h1", "anna", "t2")])
        assert again[0] == first
        assert [line.n for line in log.lines()] == [1, 2]


@pytest.mark.parametrize("statement", ["UPDATE line SET who = 'x'", "DELETE FROM line", "UPDATE found SET score = 1"])
def test_rows_cannot_be_changed_even_by_another_program(tmp_path: Path, statement: str) -> None:
    with DecisionLog(tmp_path / "d.sqlite") as log:
        searched(log)
        log.append([Line("accept", "h0", "anna", "t1")])
    with sqlite3.connect(tmp_path / "d.sqlite") as other, pytest.raises(sqlite3.DatabaseError, match="append-only"):
        other.execute(statement)


def test_several_lines_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    with DecisionLog(tmp_path / "d.sqlite") as log:
        bad = Line("note", "h0", "anna", "t2", detail={"text": float("nan")})
        with pytest.raises(ValueError, match="JSON"):
            log.append([Line("accept", "h0", "anna", "t1"), bad])
        assert log.lines() == []
        log.append([Line("accept", "h0", "anna", "t1")])
        searched(log)
        with pytest.raises(LogError, match="could not be written"):
            searched(log)
        assert len(log.searches()) == 1


def test_two_programs_and_four_threads_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite"
    logs = [DecisionLog(path), DecisionLog(path)]

    def write(who: int) -> None:
        for i in range(25):
            logs[who % 2].append([Line("accept", f"h{i}", f"p{who}", f"{who}-{i}")])

    threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logs[0].lines()) == 100
    assert [line.n for line in logs[1].lines()] == list(range(1, 101))
    for log in logs:
        log.close()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    code = """
import sys
from spotter.project.log import DecisionLog, Line
log = DecisionLog(sys.argv[1])
i = 0
while True:
    log.append([Line("accept", f"h{i}", "anna", f"t{i}")])
    print(i, flush=True)
    i += 1
"""
    path = tmp_path / "d.sqlite"
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(20)]
    os.kill(child.pid, signal.SIGKILL)
    said += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    acknowledged = [int(s) for s in said if s.endswith("\n")]
    with DecisionLog(path) as log:
        tokens = {line.token for line in log.lines()}
        assert {f"t{i}" for i in acknowledged} <= tokens
        log.append([Line("reject", "h0", "anna", "after")])


def test_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("no database at all, but long enough to be looked at" * 20)
    with pytest.raises(LogError, match="cannot be read"):
        DecisionLog(tmp_path / "text.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE theirs (a)")
    with pytest.raises(LogError, match="another program"):
        DecisionLog(tmp_path / "other.sqlite")
    with DecisionLog(tmp_path / "new.sqlite"):
        pass
    with sqlite3.connect(tmp_path / "new.sqlite") as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(LogError, match="version 99"):
        DecisionLog(tmp_path / "new.sqlite")
    with pytest.raises(LogError, match="action 'delete'"):
        Line("delete", "h0", "anna", "t1")
