from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from eval.pickles import read_pickle
from eval.segments import TruthError, read_segments, write_segments
from eval.spotting import challenge_f1

TRUTH = {"p01_n001": [("20", 1000, 1600), ("7", 1600, 2000)], "p02_n001": [("20", 80, 480)]}


@pytest.mark.parametrize("name", ["truth.pkl", "truth.json", "truth.csv", "truth"])
def test_every_form_comes_back_exactly(tmp_path: Path, name: str) -> None:
    write_segments(tmp_path / name, TRUTH)
    assert read_segments(tmp_path / name) == TRUTH
    assert not list(tmp_path.glob("*.partial"))


def test_a_submission_holds_plain_numbers(tmp_path: Path) -> None:
    write_segments(tmp_path / "predictions.pkl", TRUTH)
    assert pickle.loads((tmp_path / "predictions.pkl").read_bytes())["p02_n001"] == [[20, 80, 480]]


def test_seconds_become_milliseconds(tmp_path: Path) -> None:
    (tmp_path / "found.csv").write_text("score,video,sign,start,end\n0.5,v,HOUSE,1.24,1.8\n", encoding="utf-8")
    assert read_segments(tmp_path / "found.csv") == {"v": [("HOUSE", 1240.0, 1800.0, 0.5)]}
    write_segments(tmp_path / "again.csv", read_segments(tmp_path / "found.csv"), unit="s")
    assert read_segments(tmp_path / "again.csv") == read_segments(tmp_path / "found.csv")


def test_no_millisecond_is_lost_between_seconds_and_milliseconds(tmp_path: Path) -> None:
    rows = {"v": [("A", n, n + 1) for n in range(0, 3_600_000, 997)]}
    write_segments(tmp_path / "found.csv", rows, unit="s")
    assert read_segments(tmp_path / "found.csv") == rows


def test_a_list_of_detections_is_read(tmp_path: Path) -> None:
    records = [{"video": "v", "sign": "A", "start": 0.5, "end": 1.0, "score": 0.9}]
    (tmp_path / "found.json").write_text(json.dumps(records), encoding="utf-8")
    assert read_segments(tmp_path / "found.json") == {"v": [("A", 500.0, 1000.0, 0.9)]}
    (tmp_path / "wrapped.json").write_text(json.dumps({"detections": records}), encoding="utf-8")
    assert read_segments(tmp_path / "wrapped.json") == {"v": [("A", 500.0, 1000.0, 0.9)]}


def test_forms_mix(tmp_path: Path) -> None:
    write_segments(tmp_path / "truth.pkl", TRUTH)
    write_segments(tmp_path / "found.csv", TRUTH, unit="s")
    assert challenge_f1(read_segments(tmp_path / "truth.pkl"), read_segments(tmp_path / "found.csv")).f1 == 1.0


def test_a_byte_order_mark_is_no_part_of_a_sign(tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "v.txt").write_bytes(b"\xef\xbb\xbf20,1000,1600\r\n")
    assert read_segments(tmp_path / "gt") == {"v": [("20", 1000, 1600)]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"v": [[1, 0, 40]', r"a\.json:1: not valid JSON"),
        ("a.json", '{"v": [[1, 0]]}', "video v, row 1: has 2 columns"),
        ("a.json", '{"v": [[1, 80, 40]]}', "video v, row 1: ends at 40, before its start at 80"),
        ("a.json", '{"v": [[1, -40, 40]]}', "video v, row 1: starts at -40"),
        ("a.json", '{"v": [[1, 0, NaN]]}', "video v, row 1: .*expected finite"),
        ("a.json", '{"v": [["", 0, 40]]}', "the sign is empty"),
        ("a.json", '{"v": 3}', "video v: holds a int"),
        ("a.json", '{"v": [3]}', "video v, row 1: is 3"),
        ("a.json", "3", "holds a int"),
        ("a.json", "[3]", r"a\.json:1: is 3"),
        ("a.csv", "", "the file is empty"),
        ("a.csv", "video,sign,begin,end\nv,A,0,1\n", r"a\.csv:2: has the columns .*expected one called start"),
        ("a.csv", "video,sign,start,end\nv,A,0,1\nv,A,zero,1\n", r"a\.csv:3: .*expected numbers"),
        ("a.csv", b"video,sign,start,end\nv,\xff,0,1\n", "not UTF-8"),
        ("a.xml", "", r"its ending is '\.xml'"),
    ],
)
def test_broken_files_name_file_row_and_rule(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TruthError, match=message) as caught:
        read_segments(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.real
def test_the_challenges_own_files(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "annotations" / "eccv22_sign_spotting" / "MSSL_TRAIN_SET_GT.pkl"
    truth = read_segments(source)
    assert (len(truth), sum(map(len, truth.values()))) == (112, 2111)
    write_segments(tmp_path / "again.pkl", truth)
    assert (tmp_path / "again.pkl").read_bytes() == source.read_bytes()
    raw = read_pickle(source)
    assert challenge_f1(truth, truth).tp == challenge_f1(raw, raw).tp == 13 * 2111
