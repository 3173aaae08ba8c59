"""What `spotter spot` says before the first frame, and what it does with files that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.segments import read_segments

from .replayed import estimated, film
from .test_batch import spot


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "x.txt"), "ending '.txt' is not known"),
        (("--report", "page.pdf"), "ending '.pdf' is not known"),
        (("-o", "file/found.csv"), "is a file"),
        (("-o", "folder.csv"), "is a folder"),
        (("-o", "found.csv", "-o", "found.csv"), "would be written twice"),
        (("-o", "n" * 260 + ".csv"), "more than 255 bytes"),
        (("-o", "talk.csv", "--truth", "talk.csv"), "is read by this command"),
        (("-o", "found.csv", "--truth", "absent.csv"), "no such file"),
        (("--threshold", "7"), "--threshold 7: expected"),
        (("--precision", "2"), "precision is 2.0"),
        (("-o", "theirs.csv"), "is there already, and not from this run"),
        (("-o", "notes.eaf"), "notes.eaf"),
    ],
)
def test_mistakes_are_said_before_the_first_frame(
    signs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "talk.mp4")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "theirs.csv").write_text("years of work")
    (tmp_path / "notes.eaf").write_text("no ELAN file")
    (tmp_path / "talk.csv").write_text("video,sign,start,end\ntalk,sign-000,0,1\n")
    done = spot(signs, "talk.mp4", *arguments)
    assert done.exit_code == 1
    assert message in str(done.exception)
    assert estimated() == 0
    assert (tmp_path / "theirs.csv").read_text() == "years of work"
    assert not list(tmp_path.glob("*.run")), "nothing is left of a run that did not begin"


def test_a_file_of_somebody_else_is_replaced_by_force_alone(signs: Path, tmp_path: Path) -> None:
    film(tmp_path / "talk.mp4")
    (tmp_path / "found.csv").write_text("years of work")
    assert spot(signs, tmp_path / "talk.mp4", "-o", tmp_path / "found.csv", "--force").exit_code == 0
    assert "talk" in read_segments(tmp_path / "found.csv")
    assert spot(signs, tmp_path / "talk.mp4", "-o", tmp_path / "found.csv").exit_code == 0, "it is the run's own now"


USERS = b"""<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="anna" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="100"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="900"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="mine" TIER_ID="My glosses"><!-- years of work -->
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE>HOUSE?</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="mine" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""


def test_an_elan_file_gets_our_tiers_and_keeps_every_other_byte(signs: Path, tmp_path: Path) -> None:
    from spotter.formats.elan_merge import without_own

    film(tmp_path / "talk.mp4")
    path = tmp_path / "talk.eaf"
    path.write_bytes(USERS)
    assert spot(signs, tmp_path / "talk.mp4", "-o", path).exit_code == 0
    assert without_own(path.read_bytes()) == USERS
    rows = read_segments(path, tiers=["Spotter"])["talk"]
    assert len(rows) >= 2
    assert all(row.score is not None and 0 < row.score <= 1 for row in rows)
    first = path.read_bytes()
    assert spot(signs, tmp_path / "talk.mp4", "-o", path, "--threshold", "0.9").exit_code == 0
    assert without_own(path.read_bytes()) == USERS
    assert path.read_bytes() != first
    assert len(read_segments(path, tiers=["Spotter"]).get("talk", [])) < len(rows)


def test_what_somebody_corrected_on_our_tiers_is_not_replaced(signs: Path, tmp_path: Path) -> None:
    film(tmp_path / "talk.mp4")
    path = tmp_path / "talk.eaf"
    command = (tmp_path / "talk.mp4", "-o", path)
    assert spot(signs, *command).exit_code == 0
    corrected = path.read_bytes().replace(b"sign-001</ANNOTATION_VALUE>", b"HOUSE</ANNOTATION_VALUE>")
    assert corrected != path.read_bytes()
    path.write_bytes(corrected)
    again = spot(signs, *command)  # nothing new is to be written
    assert again.exit_code == 0
    assert "left as they were edited" in again.stdout
    assert path.read_bytes() == corrected
    refused = spot(signs, *command, "--threshold", "0.9")
    assert "was edited" in str(refused.exception)
    assert path.read_bytes() == corrected
    assert spot(signs, *command, "--threshold", "0.9", "--force").exit_code == 0
    assert b"HOUSE" not in path.read_bytes()


def test_names_of_any_length_and_bytes_have_their_files(signs: Path, tmp_path: Path) -> None:
    import os

    talks = tmp_path / "talks"
    film(talks / ("n" * 240 + ".mp4"))
    film(talks / "x.mp4", first=3)
    os.rename(talks / "x.mp4", os.fsencode(talks) + b"/caf\xe9.mp4")
    done = spot(signs, talks, "-o", tmp_path / "found.csv", "-o", tmp_path / "found.eaf", "--json")
    assert done.exit_code == 0, done.output
    assert set(read_segments(tmp_path / "found.csv")) == {"n" * 240, "café"}
    assert len(list(tmp_path.glob("found.*.eaf"))) == 2
    assert (tmp_path / "found.café.eaf").exists()
