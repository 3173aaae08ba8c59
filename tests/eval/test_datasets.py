"""Readers on small files in the benchmarks' own forms: conventions, round trips, reports."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.datasets import (
    DATASETS,
    DatasetError,
    Published,
    Sample,
    asl_citizen,
    autsl,
    boston104,
    check,
    gsl,
    include,
    ipn,
    lsa64,
    manifest,
    msasl,
    mssl,
    of_split,
    oslwl,
    read_dataset,
    refuse_leaks,
    seconds_of,
    to_segments,
)
from eval.datasets import wlasl as wlasl_reader
from eval.datasets.report import damage_of
from eval.segments import Segment, read_segments
from eval.splits import LeakError

WLASL = [
    {
        "gloss": gloss,
        "instances": [
            {
                "bbox": [385, 37, 885, 720],
                "fps": 25,
                "frame_end": end,
                "frame_start": start,
                "instance_id": 0,
                "signer_id": 118,
                "source": "aslbrick",
                "split": split,
                "url": "http://example.org/a;b.mp4",
                "variation_id": 0,
                "video_id": video,
            }
        ],
    }
    for gloss, video, start, end, split in (("book", "69241", 1, -1, "train"), ("drink", "00012", 11, 35, "val"))
]


def test_autsl(tmp_path: Path) -> None:
    raw = b"signer0_sample1,1\r\nsigner0_sample2,0\r\n"
    (tmp_path / "train_labels.csv").write_bytes(raw)
    (tmp_path / "val_labels.csv").write_bytes(b"signer4_sample1,1\r\n")
    (tmp_path / "SignList_ClassId_TR_EN.csv").write_text("ClassId,TR,EN\n0,abla,sister\n1,acele,hurry\n", "utf-8")
    samples = read_dataset("autsl", tmp_path)
    assert samples[0] == Sample(
        "signer0_sample1", "acele", "train/signer0_sample1_color.mp4", "signer0", "train", "signer0_sample1", number=1
    )
    assert samples[2].split == "validation"
    autsl.write_labels(tmp_path / "again.csv", samples[:2])
    assert (tmp_path / "again.csv").read_bytes() == raw


def test_wlasl_json_csv_and_frames(tmp_path: Path) -> None:
    raw = json.dumps(WLASL, indent=4)
    (tmp_path / "WLASL_v0.3.json").write_text(raw, "utf-8")
    samples = wlasl_reader.read(tmp_path)
    assert [(s.label, s.start, s.end, s.split, s.path) for s in samples] == [
        ("book", 0, None, "train", "69241.mp4"),
        ("drink", 10, 35, "validation", "00012.mp4"),
    ]
    assert seconds_of(samples[1]) == (0.4, 1.4)
    wlasl_reader.write_json(tmp_path / "again.json", samples)
    assert (tmp_path / "again.json").read_text("utf-8") == raw
    wlasl_reader.write_csv(tmp_path / "wlasl.csv", samples)
    assert wlasl_reader.read_csv(tmp_path / "wlasl.csv") == samples
    assert (tmp_path / "wlasl.csv").read_text("utf-8").splitlines()[0] == (
        "gloss_number;gloss_name;instance_id;video_id;split;bbox;signer_id;variation_id;"
        "fps;frame_start;frame_end;source;url"
    )
    assert [s.label for s in wlasl_reader.read(tmp_path, glosses=1)] == ["book"]


def test_wlasl_nslt(tmp_path: Path) -> None:
    raw = json.dumps({"05237": {"subset": "train", "action": [1, 1, 55]}})
    (tmp_path / "nslt.json").write_text(raw, "utf-8")
    (tmp_path / "classes.txt").write_text("0\tbook\n1\tdrink\n", "utf-8")
    samples = wlasl_reader.read_nslt(tmp_path / "nslt.json", tmp_path / "classes.txt")
    assert [(s.id, s.label, s.start, s.end) for s in samples] == [("05237", "drink", 0, 55)]
    wlasl_reader.write_nslt(tmp_path / "again.json", samples)
    assert (tmp_path / "again.json").read_text("utf-8") == raw


def test_ipn_inclusive_ends_and_unlabelled_frames(tmp_path: Path) -> None:
    raw = "./frames/1CM1_4_R_#229 1 1 17\n./frames/1CM1_4_R_#229 2 21 30\n"
    (tmp_path / "trainlistall.txt").write_text(raw, "utf-8")
    samples = read_dataset("ipn", tmp_path)
    assert [(s.label, s.start, s.end) for s in samples] == [("D0X", 0, 17), ("B0A", 20, 30)]
    labels = ipn.frame_labels(samples, "1CM1_4_R_#229", 32)
    assert labels[:20].tolist() == [-1] * 20  # non-gesture and nobody's frames are no class, B0A is class 0
    assert labels[20:].tolist() == [0] * 10 + [-1] * 2
    ipn.write_list(tmp_path / "again.txt", samples)
    assert (tmp_path / "again.txt").read_text("utf-8") == raw
    ipn.write_annotations(tmp_path / "Annot_List.txt", samples)
    assert (tmp_path / "Annot_List.txt").read_text("utf-8").splitlines()[1:] == [
        "1CM1_4_R_#229,D0X,1,1,17,17",
        "1CM1_4_R_#229,B0A,2,21,30,10",
    ]
    again = ipn.read_annotations(tmp_path / "Annot_List.txt", "train")
    assert again == samples


def test_msasl_half_open_frames_and_one_source_for_two_spellings(tmp_path: Path) -> None:
    entry = {"url": "www.youtube.com/watch?v=-kgTBeOw95A", "start": 0, "end": 83, "label": 1, "text": "match"}
    entry |= {"signer_id": 4, "box": [0.1, 0.2, 1.0, 0.7], "fps": 30.0, "end_time": 2.767}
    other = entry | {"url": "https://youtu.be/-kgTBeOw95A", "start": 90, "end": 100, "label": 0, "text": "nice"}
    (tmp_path / "MSASL_train.json").write_text(json.dumps([entry, other]), "utf-8")
    samples = msasl.read(tmp_path)
    assert len({s.source for s in samples}) == 1
    assert seconds_of(samples[0])[1] == pytest.approx(entry["end_time"], abs=0.001)
    assert [s.label for s in msasl.read(tmp_path, classes=1)] == ["nice"]
    msasl.write_split(tmp_path / "again.json", samples)
    assert json.loads((tmp_path / "again.json").read_text("utf-8")) == [entry, other]


def test_lsa64_names_what_ought_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "lsa64_signs.md").write_text("01|Opaque|R|\n02|Red|B|\n", "utf-8")
    assert len(lsa64.read(tmp_path)) == 2 * 10 * 5
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "002_010_005.mp4").touch()
    (sample,) = lsa64.read(tmp_path)
    assert (sample.label, sample.signer, sample.path, sample.extra["hands"]) == (
        "Red",
        "010",
        "all/002_010_005.mp4",
        "B",
    )


def test_asl_citizen(tmp_path: Path) -> None:
    raw = "Participant ID,Video file,Gloss,ASL-LEX Code\nP1,0012-BOOK.mp4,BOOK,A_01_001\n"
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "val.csv").write_text(raw, "utf-8")
    (sample,) = read_dataset("asl-citizen", tmp_path)
    assert (sample.path, sample.signer, sample.split) == ("videos/0012-BOOK.mp4", "P1", "validation")
    asl_citizen.write_split(tmp_path / "again.csv", [sample])
    assert (tmp_path / "again.csv").read_text("utf-8") == raw


def test_mssl_milliseconds_are_frames_of_25_fps(tmp_path: Path) -> None:
    (tmp_path / "p01_n002.txt").write_text("17,640,1200\n8,11000,12000\n", "utf-8")
    samples = mssl.read(tmp_path)
    assert [(s.label, s.start, s.end, s.signer) for s in samples] == [("17", 16, 30, "p01"), ("8", 275, 300, "p01")]
    video = "p01_n002"
    assert to_segments(samples) == {video: [Segment(video, "17", 0.64, 1.2), Segment(video, "8", 11.0, 12.0)]}
    mssl.write(tmp_path / "again", samples)
    assert (tmp_path / "again" / "p01_n002.txt").read_text("utf-8") == (tmp_path / "p01_n002.txt").read_text("utf-8")


def test_oslwl_queries_trims_and_search_clips(tmp_path: Path) -> None:
    for name in ("p00_s20", "p03_s30", "p01_s20_n001", "p04_s30_n012"):
        (tmp_path / f"{name}.mp4").touch()
    raw = "CLASS;SIGN;BEGIN;END\n20;AYUDAR;406;1581\n30;DOLOR;0;900\n"
    (tmp_path / "trims.csv").write_bytes(b"\xef\xbb\xbf" + raw.encode())
    queries = oslwl.read_queries(tmp_path, tmp_path / "trims.csv")
    assert [(s.label, s.start, s.end, s.split) for s in queries] == [
        ("20", 0.406, 1.581, "test"),
        ("30", 0, 0.9, "test"),
    ]
    oslwl.write_trims(tmp_path / "again.csv", oslwl.read_trims(tmp_path / "trims.csv"))
    assert (tmp_path / "again.csv").read_text("utf-8") == raw
    assert [(s.id, s.label, s.signer) for s in oslwl.read_search(tmp_path)] == [
        ("p01_s20_n001", "20", "p01"),
        ("p04_s30_n012", "30", "p04"),
    ]
    (tmp_path / "gt.json").write_text('{"p01_s20_n001": [[20, 1000, 1600]]}', "utf-8")
    (segment,) = oslwl.read_search(tmp_path, tmp_path / "gt.json")
    assert (segment.start, segment.end) == (1.0, 1.6)


def test_a_folder_and_a_manifest_of_ones_own(tmp_path: Path) -> None:
    for name in ("HOUSE/a.mp4", "HOUSE/b.MOV", "TREE/a.mp4", "TREE/.hidden.mp4", "TREE/notes.txt"):
        (tmp_path / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clips" / name).touch()
    samples = read_dataset("folder", tmp_path / "clips")
    assert [(s.id, s.label) for s in samples] == [("HOUSE/a", "HOUSE"), ("HOUSE/b", "HOUSE"), ("TREE/a", "TREE")]
    timed = [
        Sample("x", "A, B", "x.mp4", "Ann", "train", "tape", 0.5, 1.25, "seconds", 29.97, extra={"note": "good"}),
        Sample("y", "B", "y.mp4", source="y", start=3, end=9, unit="frames", extra={"note": ""}),
    ]
    for name in ("m.csv", "m.json"):
        manifest.write(tmp_path / name, timed)
        assert read_dataset("manifest", tmp_path / name) == timed


def test_inclusive_word_ends_and_lists_of_paths(tmp_path: Path) -> None:
    words = "video,speaker,word,startframe,endframe\n2,woman-1,JOHN,7,20\n"
    (tmp_path / "train_words.csv").write_text(words, "utf-8")
    (tmp_path / "test_words.csv").write_text(words, "utf-8")
    (word, _) = boston104.read(tmp_path)
    assert (word.start, word.end) == (7, 21)
    boston104.write_words(tmp_path / "again.csv", [word])
    assert (tmp_path / "again.csv").read_text("utf-8") == words

    (tmp_path / "include_train.txt").write_text("Animals/4. Bird/MVI_2988.MOV\nTime/Second/MVI_1.MOV", "utf-8")
    clips = include.read(tmp_path)
    assert [c.label for c in clips] == ["Animals/4. Bird", "Time/Second"]
    (tmp_path / "gsl.csv").write_text("police1/police1_signer3_rep3_sentences/s0|ΓΕΙΑ ΕΓΩ(1)\n", "utf-8")
    (sentence,) = gsl.read(tmp_path / "gsl.csv")
    assert (sentence.signer, sentence.extra["glosses"]) == ("signer3", ["ΓΕΙΑ", "ΕΓΩ(1)"])


def test_boston_tracks(tmp_path: Path) -> None:
    head = "video,frame,left-x,left-y,right-x,right-y,nose-x,nose-y\n"
    (tmp_path / "h.csv").write_text(head + "98,0,149,181,170,175,161,62\n98,1,149,181,170,175,161,63\n", "utf-8")
    tracks = boston104.read_tracks(tmp_path / "h.csv")
    np.testing.assert_array_equal(tracks["98"][1], [[149, 181], [170, 175], [161, 63]])


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


WHOLE = box(b"ftyp", b"isom0000") + box(b"moov", bytes(40)) + box(b"mdat", bytes(200))


def test_the_report_names_missing_damaged_and_duplicated_files(tmp_path: Path) -> None:
    contents = {
        "a": WHOLE,
        "b": WHOLE,
        "c": WHOLE + box(b"free", b"x"),
        "cut": WHOLE[:-50],
        "empty": b"",
        "text": b"<html>no",
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.mp4").write_bytes(content)
    samples = [Sample(name, "A", f"{name}.mp4", split="train") for name in (*contents, "gone")]
    report = check(samples, Published(samples=8, classes=1, splits={"train": 7}), tmp_path)
    assert report.found == ["a.mp4", "b.mp4", "c.mp4"]
    assert report.missing == ["gone.mp4"]
    assert set(report.damaged) == {"cut.mp4", "empty.mp4", "text.mp4"}
    assert "cut short" in report.damaged["cut.mp4"]
    assert report.duplicated == [["a.mp4", "b.mp4"]]
    assert not report.agrees
    assert "-1" in report.table().text()
    written = report.write_lists(tmp_path / "lists")
    assert (tmp_path / "lists" / "missing.txt").read_text("utf-8") == "gone.mp4\n"
    assert len(written) == 3
    assert check(samples[:1], Published(samples=1, classes=1), tmp_path).agrees
    told = check(samples[:1], None, tmp_path, probe=lambda path: "no picture")
    assert told.damaged == {"a.mp4": "no picture"}


def test_a_file_without_an_index_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(box(b"ftyp", b"isom0000") + box(b"mdat", bytes(20)))
    assert "no index" in damage_of(tmp_path / "a.mp4")
    (tmp_path / "a.avi").write_bytes(b"x")
    assert damage_of(tmp_path / "a.avi") == ""


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="wlasl100"):
        read_dataset("wlassl", tmp_path)
    assert all(benchmark.title for benchmark in DATASETS.values())


def test_leaks_between_samples_are_refused_unless_allowed() -> None:
    train = [Sample("a", "A", signer="Ann", source="tape 1")]
    refuse_leaks(train, [Sample("b", "A", signer="Bo", source="tape 2")])
    with pytest.raises(LeakError, match="signers are on both sides of the split: Ann"):
        refuse_leaks(train, [Sample("b", "A", signer="Ann", source="tape 2")])
    refuse_leaks(train, [Sample("b", "A", signer="Ann", source="tape 2")], signers=False)
    with pytest.raises(LeakError, match="source videos are on both sides of the split: tape 1"):
        refuse_leaks(train, [Sample("b", "A", signer="Bo", source="tape 1")])


@pytest.mark.real
def test_leaks_of_published_splits(real_data: Path) -> None:
    folder = real_data / "annotations"
    samples = read_dataset("autsl", folder / "autsl")
    refuse_leaks(of_split(samples, "train"), [s for s in samples if s.split != "train"])
    samples = read_dataset("ipn", folder / "ipn_hand")
    refuse_leaks(of_split(samples, "train"), of_split(samples, "validation"))
    samples = read_dataset("wlasl100", folder / "wlasl")
    with pytest.raises(LeakError, match="signers are on both sides"):
        refuse_leaks(of_split(samples, "train"), of_split(samples, "test"))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("autsl", "annotations/autsl"),
        ("wlasl100", "annotations/wlasl"),
        ("wlasl300", "annotations/wlasl"),
        ("ipn", "annotations/ipn_hand"),
        ("mssl", "annotations/eccv22_sign_spotting"),
        ("lsa64", "annotations/lsa64"),
        ("include", "annotations/include"),
        ("include50", "annotations/include"),
        ("boston104", "boston104_hands"),
    ],
)
def test_published_files_hold_what_they_publish(real_data: Path, name: str, folder: str) -> None:
    report = check(read_dataset(name, real_data / folder), DATASETS[name].published)
    assert report.agrees, report.table().text()


@pytest.mark.real
def test_msasl_100_as_published_but_for_one_entry_without_a_frame(real_data: Path) -> None:
    report = check(read_dataset("msasl100", real_data / "annotations" / "msasl"), DATASETS["msasl100"].published)
    assert [row for row in report.counts if row[2] is not None and row[1] != row[2]] == [
        ("samples without a frame", 1, 0)
    ]


ROUND_TRIPS: list[tuple[str, Callable[[Path], list[Sample]], Callable[[Path, list[Sample]], None]]] = [
    *(
        (f"autsl/{name}_labels.csv", lambda p: autsl.read_labels(p, "train"), autsl.write_labels)
        for name in ("train", "val", "test")
    ),
    *((f"wlasl/WLASL{n}.json", wlasl_reader.read, wlasl_reader.write_json) for n in (100, 300)),
    *(
        (
            f"wlasl/nslt_{n}.json",
            lambda p: wlasl_reader.read_nslt(p, p.parent / "wlasl_class_list.txt"),
            wlasl_reader.write_nslt,
        )
        for n in (100, 300, 1000, 2000)
    ),
    *(
        (f"ipn_hand/{name}listall.txt", lambda p: ipn.read_list(p, "train"), ipn.write_list)
        for name in ("train", "val")
    ),
    *(
        (f"msasl/MS_ASL_SI_ASL100_{name}.json", lambda p: msasl.read_split(p, "train"), msasl.write_split)
        for name in ("train", "val", "test")
    ),
    *((f"gsl/gsl_split_SI_{name}.csv", gsl.read, gsl.write) for name in ("train", "test")),
    ("eccv22_sign_spotting/MSSL_TRAIN_SET_GT.pkl", mssl.read, mssl.write),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "read", "write"), ROUND_TRIPS, ids=[name for name, *_ in ROUND_TRIPS])
def test_published_files_come_back_to_the_byte(
    real_data: Path, tmp_path: Path, name: str, read: Callable, write: Callable
) -> None:
    source = real_data / "annotations" / name
    again = tmp_path / source.name
    write(again, read(source))
    assert again.read_bytes() == source.read_bytes()


@pytest.mark.real
def test_peruvian_subtitles_are_ground_truth(real_data: Path) -> None:
    folder = real_data / "annotations" / "peruvian_aec_srt"
    files = [*(folder / "SRT_SIGN").glob("*.srt"), *(folder / "PUCP_DGI156").glob("*.srt")]
    assert len(files) == 29
    for file in files:
        text = file.read_text("utf-8-sig")
        cues = re.findall(r"(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})[ \t]*\n(?=[^\n]*\S)", text)
        (segments,) = read_segments(file).values()
        assert len(segments) == sum(start != end for start, end in cues), file
