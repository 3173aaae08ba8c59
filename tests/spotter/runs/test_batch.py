"""Runs of `spotter spot` over videos: what is written when, what a second run does, what is said of each video."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from eval.segments import read_segments
from spotter.cli.app import app

from .replayed import NOBODY, STOP, estimated, film


def spot(signs: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["spot", "-g", str(signs), "-j", "1", *map(str, arguments)])


def record(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.with_name(f"{path.stem}.run").joinpath("run.json").read_text())
    return found


def statuses(path: Path) -> dict[str, str]:
    return {video["name"]: video["status"] for video in record(path)["videos"]}


def truncated(path: Path) -> Path:
    whole = film(path)
    raw = whole.read_bytes()
    path.write_bytes(raw[: int(len(raw) * 0.6)])
    return path


def test_each_video_is_written_when_it_is_done_and_the_same_command_goes_on(signs: Path, tmp_path: Path) -> None:
    talks, found = tmp_path / "my talks", tmp_path / "out" / "found.csv"
    for name in ("a", "b"):
        film(talks / f"{name}.mp4", first=2 if name == "a" else 0)
    film(talks / "c.mp4", first=STOP)
    command = (talks, "-o", found, "-o", found.with_suffix(".eaf"))
    stopped = spot(signs, *command)
    assert isinstance(stopped.exception, (KeyboardInterrupt, SystemExit)) or stopped.exit_code == 130
    assert "2 of 3 videos are done" in stopped.stderr
    assert statuses(found) == {"a": "done", "b": "done", "c": "waiting"}
    assert record(found)["state"] == "interrupted"
    assert set(read_segments(found)) == {"a", "b"}
    assert sorted(p.name for p in found.parent.glob("*.eaf")) == ["found.a.eaf", "found.b.eaf"]
    begun = estimated()
    film(talks / "c.mp4", first=4)
    done = spot(signs, *command)
    assert done.exit_code == 0, done.output
    assert "2 of 3 videos are done already" in done.stderr
    assert estimated() == begun + 1, "only the third video was estimated"
    assert statuses(found) == dict.fromkeys("abc", "done")
    assert record(found)["state"] == "done"
    rows = read_segments(found)
    assert {name: [s.sign for s in listed] for name, listed in rows.items()} == {
        name: [s.sign for s in rows["a"]] for name in "abc"
    }
    assert len(rows["a"]) >= 2


def test_another_gallery_searches_again_and_estimates_nothing(signs: Path, tmp_path: Path) -> None:
    from gallery import Gallery

    film(tmp_path / "a.mp4")
    assert spot(signs, tmp_path / "a.mp4", "-o", tmp_path / "found.csv").exit_code == 0
    begun = estimated()
    few = tmp_path / "few"
    whole = Gallery.load(signs)
    whole.only(whole.labels[:2]).save(few)
    again = spot(few, tmp_path / "a.mp4", "-o", tmp_path / "found.csv")
    assert again.exit_code == 0
    assert "done already" not in again.stderr
    assert estimated() == begun
    assert {s.sign for s in read_segments(tmp_path / "found.csv")["a"]} <= set(whole.labels[:2])
    assert spot(few, tmp_path / "a.mp4", "-o", tmp_path / "found.csv", "--anew").exit_code == 0
    (moved := tmp_path / "renamed").mkdir()
    (tmp_path / "a.mp4").rename(moved / "z.mp4")
    assert spot(few, moved / "z.mp4", "-o", tmp_path / "other.csv").exit_code == 0
    assert estimated() == begun, "the cache knows a video by its content"


def test_what_became_of_each_video_is_said_everywhere(signs: Path, tmp_path: Path) -> None:
    talks, found, page = tmp_path / "talks", tmp_path / "found.json", tmp_path / "found.html"
    film(talks / "good.mp4")
    (talks / "broken.mp4").write_text("no video")
    truncated(talks / "cut.mp4")
    film(talks / "empty.mp4", first=NOBODY)
    command = (talks, "-o", found, "-o", tmp_path / "found.eaf", "--report", page, "--json")
    for _ in range(2):  # the second run takes the poses, and their warnings, from what the first one kept
        done = spot(signs, *command)
        assert done.exit_code == 1
        said = json.loads(done.stdout)
        assert {v["video"]: (bool(v["error"]), bool(v["warning"])) for v in said["videos"]} == {
            "good": (False, False), "broken": (True, False), "cut": (False, True), "empty": (False, True),
        }  # fmt: skip
        assert "1 of 4 failed: broken.mp4" in done.stderr
        assert "2 of 4 searched with a warning: cut.mp4, empty.mp4" in done.stderr
        assert statuses(found) == {"good": "done", "broken": "failed", "cut": "warned", "empty": "warned"}
        head = json.loads(found.read_text())
        assert (set(head["failed"]), set(head["warnings"])) == ({"broken"}, {"cut", "empty"})
        assert "kept" in head["warnings"]["cut"]
        assert "no signer is seen" in head["warnings"]["empty"]
        text = page.read_text(encoding="utf-8")
        assert "no signer is seen" in text
        assert "cut.mp4" in text
        assert sorted(p.name for p in tmp_path.glob("*.eaf")) == ["found.cut.eaf", "found.empty.eaf", "found.good.eaf"]
        assert {Path(name) for name in said["files"]} <= {*tmp_path.glob("*.eaf"), found, page}


def test_recordings_that_are_called_alike_are_told_apart_and_none_is_searched_twice(
    signs: Path, tmp_path: Path
) -> None:
    a, b = film(tmp_path / "monday" / "x.mp4"), film(tmp_path / "tuesday" / "x.mp4", first=3)
    done = spot(signs, a, b, a, "-o", tmp_path / "found.csv", "-o", tmp_path / "found.eaf")
    assert done.exit_code == 0, done.output
    assert "named more than once" in done.stderr
    rows = read_segments(tmp_path / "found.csv")
    assert set(rows) == {"monday/x", "tuesday/x"}
    single = spot(signs, a, "-o", tmp_path / "one.csv")
    assert single.exit_code == 0
    assert len(read_segments(tmp_path / "one.csv")["x"]) == len(rows["monday/x"])
    assert {p.name for p in tmp_path.glob("*.eaf")} == {"found.monday_x.eaf", "found.tuesday_x.eaf"}
    assert set(read_segments(tmp_path / "found.monday_x.eaf")) == {"monday/x"}
    named = spot(signs, a, "-o", tmp_path / "rooted.csv", "--root", tmp_path)
    assert named.exit_code == 0
    assert set(read_segments(tmp_path / "rooted.csv")) == {"monday/x"}
    assert "does not lie in" in str(spot(signs, a, "--root", tmp_path / "tuesday").exception)


@pytest.mark.parametrize("option", [("--best", "2"), ("--transfer", "2")])
def test_what_depends_on_all_videos_is_written_at_the_end(signs: Path, tmp_path: Path, option: tuple[str, str]) -> None:
    for name in ("a", "b"):
        film(tmp_path / "talks" / f"{name}.mp4", first=3)
    command = (tmp_path / "talks", "-o", tmp_path / "found.csv", "-o", tmp_path / "found.vtt", *option)
    assert spot(signs, *command).exit_code == 0
    first = (tmp_path / "found.csv").read_bytes()
    assert len(first.splitlines()) > 1
    if option[0] == "--best":
        assert len(first.splitlines()) == 3
    assert spot(signs, *command).exit_code == 0
    assert (tmp_path / "found.csv").read_bytes() == first
    assert {p.name for p in tmp_path.glob("*.vtt")} == {"found.a.vtt", "found.b.vtt"}


def test_one_output_that_fails_does_not_stop_the_others(signs: Path, tmp_path: Path) -> None:
    from unittest.mock import patch

    film(tmp_path / "a.mp4")
    with patch("spotter.formats.subtitles.write_vtt", side_effect=ValueError("no")):
        done = spot(signs, tmp_path / "a.mp4", "-o", tmp_path / "found.vtt", "-o", tmp_path / "found.csv")
    assert done.exit_code == 1
    assert f"not written: {tmp_path}/found.vtt: no" in done.stderr
    assert (tmp_path / "found.csv").exists()


def test_a_full_disk_is_one_line_and_what_was_done_stays(signs: Path, tmp_path: Path) -> None:
    from safe_files import WriteError
    from safe_files.faults import fault

    film(tmp_path / "talks" / "a.mp4")
    film(tmp_path / "talks" / "b.mp4", first=3)
    assert spot(signs, tmp_path / "talks" / "a.mp4", "-o", tmp_path / "warm.csv").exit_code == 0
    with fault("write", "ENOSPC", passes=4):
        done = spot(signs, tmp_path / "talks", "-o", tmp_path / "found.csv")
    assert isinstance(done.exception, WriteError)
    assert "No space left" in str(done.exception)
    done = spot(signs, tmp_path / "talks", "-o", tmp_path / "found.csv")
    assert done.exit_code == 0, done.output
    assert statuses(tmp_path / "found.csv") == {"a": "done", "b": "done"}


def test_two_programs_do_not_write_one_run(signs: Path, tmp_path: Path) -> None:
    from threading import Event, Thread

    from safe_files import BusyError, locked

    film(tmp_path / "a.mp4")
    held, end = Event(), Event()

    def other() -> None:
        with locked(tmp_path / "found.run"):
            held.set()
            end.wait(60)

    thread = Thread(target=other)
    thread.start()
    held.wait(60)
    try:
        done = spot(signs, tmp_path / "a.mp4", "-o", tmp_path / "found.csv")
    finally:
        end.set()
        thread.join()
    assert isinstance(done.exception, BusyError)
    assert estimated() == 0
    assert spot(signs, tmp_path / "a.mp4", "-o", tmp_path / "found.csv").exit_code == 0
