"""Every broken annotation is one line that names the file, the row and the rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import (
    DatasetError,
    asl_citizen,
    autsl,
    boston104,
    folder,
    gsl,
    include,
    ipn,
    ipn_compact,
    landmark_table,
    lsa64,
    manifest,
    msasl,
    mssl,
    oslwl,
    wlasl,
)


def wlasl_json(**changed: Any) -> str:
    instance = {"bbox": [1, 2, 3, 4], "fps": 25, "frame_end": -1, "frame_start": 1, "instance_id": 0, "signer_id": 1}
    instance |= {"source": "x", "split": "train", "url": "u", "variation_id": 0, "video_id": "1"} | changed
    kept = {name: value for name, value in instance.items() if value is not None}
    return json.dumps([{"gloss": "book", "instances": [kept]}])


def msasl_json(**changed: Any) -> str:
    entry = {"url": "u", "start": 0, "end": 9, "label": 0, "text": "a", "signer_id": 1, "box": [0, 0, 1, 1]} | changed
    return json.dumps([{name: value for name, value in entry.items() if value is not None}])


def table_csv(*rows: tuple[str, int, str]) -> str:
    head = ",".join([*landmark_table.COLUMNS, *landmark_table.FACTS])
    lines = [",".join([value] * 225 + [video, "Ann", str(frame), "p.mp4", "A"]) for video, frame, value in rows]
    return "\n".join([head, *lines]) + "\n"


def compact_csv(label: str, place: int, cell: str, last: int) -> str:
    head = ",".join([*ipn_compact.COLUMNS, *ipn_compact.FACTS])
    return head + "\n" + ",".join([f'"{cell}"'] * 42 + ["v", label, str(place), "1", str(last), str(last)]) + "\n"


def train(reader: Callable[[Path, str], Iterable[Any]]) -> Callable[[Path], Iterable[Any]]:
    return lambda path: reader(path, "train")


ASL, TRACKS = (",".join(columns) + "\n" for columns in (asl_citizen.COLUMNS, boston104.TRACKS))
MANIFEST = "path,label,start,end\n"
CASES: list[tuple[str, Callable[[Path], Any], str | bytes, str]] = [
    # AUTSL
    ("a.csv", train(autsl.read_labels), "", "is empty"),
    ("a.csv", train(autsl.read_labels), "signer0_sample1\n", ":1: has 1 columns; expected 2"),
    ("a.csv", train(autsl.read_labels), "signer0_sample1,1\nclip,2\n", ":2: the sample is 'clip'"),
    ("a.csv", train(autsl.read_labels), "signer0_sample1,226\n", ":1: the class is 226"),
    ("a.csv", train(autsl.read_labels), "signer0_sample1,nan\n", ":1: the class is 'nan'; expected a whole number"),
    ("a.csv", train(autsl.read_labels), "signer0_sample1,-1\n", ":1: the class is -1; expected at least 0"),
    ("a.csv", train(autsl.read_labels), "signer0_sample1,1\nsigner0_sample1,2\n", ":2: .*twice .*row 1"),
    ("a.csv", train(autsl.read_labels), b"signer0_sample1,\xff\n", "is not UTF-8"),
    ("SignList.csv", autsl.read_classes, "ClassId,TR\n0,abla\n", ":1: has the columns .*expected also EN"),
    ("SignList.csv", autsl.read_classes, "ClassId,TR,EN\n1,abla,sister\n", ":2: ClassId is 1; expected 0"),
    # WLASL
    ("w.json", wlasl.read, '[{"gloss": "book", "instances": [', ":1: is not valid JSON .*cut short"),
    ("w.json", wlasl.read, "{}", "holds a dict; expected a list"),
    ("w.json", wlasl.read, "[]", "holds nothing"),
    ("w.json", wlasl.read, '[{"gloss": "book"}]', "gloss 0: is no object with gloss and instances"),
    ("w.json", wlasl.read, wlasl_json(fps=None), "video 1: lacks fps"),
    ("w.json", wlasl.read, wlasl_json(split="dev"), "the split is 'dev'"),
    ("w.json", wlasl.read, wlasl_json(frame_start=0), "frame_start is 0; expected at least 1"),
    ("w.json", wlasl.read, wlasl_json(frame_start=9, frame_end=8), "ends at 8, not after its start at 8"),
    ("w.json", wlasl.read, wlasl_json(fps=float("nan")), "holds NaN; JSON has finite numbers only"),
    ("w.json", wlasl.read, wlasl_json(bbox=[1, 2]), "bbox has 2 numbers"),
    ("w.json", lambda p: wlasl.read(p, 100), wlasl_json(), "holds 1 glosses; expected at least 100"),
    ("w.csv", wlasl.read_csv, "gloss_number,gloss_name\n0,book\n", ":1: has the columns"),
    # IPN Hand
    ("l.txt", train(ipn.read_list), "./frames/v 1 1\n", ":1: has 3 columns"),
    ("l.txt", train(ipn.read_list), "./frames/v 15 1 9\n", ":1: the class is 15; expected 1 to 14"),
    ("l.txt", train(ipn.read_list), "./frames/v 1 0 9\n", ":1: the first frame is 0"),
    ("l.txt", train(ipn.read_list), "./frames/v 1 9 7\n", ":1: ends at 7, not after"),
    ("l.txt", train(ipn.read_list), "./frames/v 1 1 9\n./frames/v 2 9 12\n", ":2: starts at frame 9, inside"),
    ("Annot_List.txt", ipn.read_annotations, "v,B0A,2,1,10,9\n", ":1: frames is 9; expected .*10 "),
    ("Annot_List.txt", ipn.read_annotations, "v,B0A,3,1,10,10\n", ":1: label 'B0A' with id 3"),
    # MS-ASL
    ("m.json", train(msasl.read_split), msasl_json(start=-1), "entry 0: start is -1; expected at least 0"),
    ("m.json", train(msasl.read_split), msasl_json(start=9, end=3), "entry 0: ends at 3, not after its start"),
    ("m.json", train(msasl.read_split), msasl_json(signer_id=None), "entry 0: lacks signer_id"),
    (
        "m.json",
        train(msasl.read_split),
        msasl_json(box=[0, float("inf"), 1, 1]),
        "holds Infinity; JSON has finite numbers only",
    ),
    # MSSL and OSLWL
    ("gt.json", mssl.read, '{"p01_n002": [[60, 640, 1200]]}', "row 1: the class is 60"),
    ("gt.json", mssl.read, '{"p01_n002": [[6, 641, 1200]]}', "the time 641 ms; expected a multiple of 40"),
    ("gt.json", mssl.read, '{"lecture": [[6, 640, 1200]]}', "not of the form p##_n###"),
    ("gt.json", mssl.read, '{"p01_n002": [[6, 1200, 640]]}', "row 1: ends at 640, before its start"),
    ("gt.pkl", mssl.read, b"cos\nsystem\n.", "names os.system; only plain data"),
    ("t.csv", oslwl.read_trims, "CLASS;SIGN;BEGIN;END\n20;A;900;406\n", ":2: ends at 406, not after"),
    ("t.csv", oslwl.read_trims, "CLASS;SIGN;BEGIN;END\n20;A;0;9\n20;A;0;9\n", ":3: the class 20 is given twice"),
    # the rest
    ("s.md", lsa64.read_signs, "01|Opaque|R|\n02|Red|\n", ":2: is '02.Red.'; expected number"),
    ("c.csv", train(asl_citizen.read_split), "Participant ID,Gloss\nP1,A\n", ":1: .*expected also Video file"),
    (
        "c.csv",
        train(asl_citizen.read_split),
        f"{','.join(asl_citizen.COLUMNS)}\nP1,a.mp4,,X\n",
        ":2: the gloss is empty",
    ),
    ("m.csv", manifest.read, MANIFEST + "a.mp4,A,2,1\n", ":2: ends at 1, not after its start at 2"),
    ("m.csv", manifest.read, MANIFEST + "a.mp4,A,-2,1\n", ":2: start is -2; expected at least 0"),
    ("m.csv", manifest.read, MANIFEST + "a.mp4,A,nan,1\n", ":2: start is nan; expected a finite"),
    ("m.csv", manifest.read, MANIFEST + "a.mp4,,0,1\n", ":2: the label is empty"),
    ("m.csv", manifest.read, MANIFEST + ",A,0,1\n", ":2: the path is empty"),
    ("m.csv", manifest.read, MANIFEST + "a.mp4,A,0,1\na.mp4,A,2,3\n", ":3: the id 'a' is given twice .*row 2"),
    ("m.csv", manifest.read, MANIFEST + 'a.mp4,"A,0,1\n', "is no CSV row"),
    ("m.csv", manifest.read, "path,label,split\na.mp4,A,dev\n", ":2: the split is 'dev'"),
    ("m.xml", manifest.read, "<x/>", "its ending is '.xml'"),
    ("m.json", manifest.read, '[{"path": "a.mp4"}]', "entry 0: is no object with path and label"),
    ("g.csv", gsl.read, "police1_signer3_rep3_sentences/s0\n", ":1: is 'police1"),
    (
        "h.csv",
        boston104.read_tracks,
        f"{','.join(boston104.TRACKS)}\n9,1,1,1,1,1,1,1\n",
        ":2: the frame is 1; expected 0",
    ),
    ("t.csv", landmark_table.read_table, table_csv(("v", 0, "0.5"), ("v", 2, "0.5")), ":3: the frame is 2; expected 1"),
    ("t.csv", landmark_table.read_table, table_csv(("v", 0, "x")), ":2: right_hand_0_x is 'x'"),
    ("t.csv", landmark_table.read_table, table_csv(("v", 0, "1"), ("w", 0, "1"), ("v", 0, "1")), ":4: .*two places"),
    ("i.csv", ipn_compact.read, compact_csv("B0A", 1, "[0, 1]", 2), ":2: label 'B0A' with id 1"),
    ("i.csv", ipn_compact.read, compact_csv("B0A", 0, "[0, 1]", 3), ":2: holds 2 frames; expected 3"),
    ("i.csv", ipn_compact.read, compact_csv("B0A", 0, "[0, x]", 2), ":2: holds a cell that is no list of numbers"),
]


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 25


@pytest.mark.parametrize(("name", "read", "content", "message"), CASES, ids=[f"{c[0]}-{c[3][:40]}" for c in CASES])
def test_broken_files_name_file_row_and_rule(
    tmp_path: Path, name: str, read: Callable[[Path], Iterable[Any]], content: str | bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError, match=message) as caught:
        list(read(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (autsl.read, "holds no train_labels.csv"),
        (wlasl.read, "holds no WLASL"),
        (ipn.read, "neither trainlistall.txt"),
        (msasl.read, "holds no MSASL_train.json"),
        (lsa64.read, "no list of the signs"),
        (asl_citizen.read, "holds no train.csv"),
        (mssl.read, "holds neither"),
        (oslwl.read_queries, "no query video"),
        (oslwl.read_search, "no search clip"),
        (include.read, "holds no include_train.txt"),
        (folder.read, "holds no clip"),
    ],
)
def test_an_empty_folder_says_what_was_expected(tmp_path: Path, read: Callable[[Path], Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read(tmp_path)


def test_files_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    for name in ("p00_s20.mp4", "p03_s20.mp4", "p01_s20_n001.mp4"):
        (tmp_path / name).touch()
    with pytest.raises(DatasetError, match="second query of sign 20"):
        oslwl.read_queries(tmp_path)
    (tmp_path / "gt.json").write_text('{"p01_s20_n001": [[21, 0, 40]]}', "utf-8")
    with pytest.raises(DatasetError, match="its name says sign 20, the ground truth 21"):
        oslwl.read_search(tmp_path, tmp_path / "gt.json")
    (tmp_path / "A").mkdir()
    for name in ("x.mp4", "x.mov"):
        (tmp_path / "A" / name).touch()
    with pytest.raises(DatasetError, match="the id 'A/x' is given twice"):
        folder.read(tmp_path)
    with pytest.raises(DatasetError, match="cannot be read"):
        manifest.read(tmp_path / "absent.csv")
