"""The noun and its reader: the algebra of segments, every form of file, units, and what damaged files say."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.annotations.challenge import write_submission
from eval.segments import Segment, SegmentError, as_segments, by_video, of_rows, read_segments, read_spans
from eval.spotting import challenge_f1
from safe_files.pickles import read_pickle

TRUTH = by_video(
    [Segment("p01_n001", "20", 1.0, 1.6), Segment("p01_n001", "7", 1.6, 2.0), Segment("p02_n001", "20", 0.08, 0.48)]
)

moments = st.integers(0, 40).map(lambda n: n / 8)
segments = st.tuples(moments, moments).map(lambda t: Segment("v", "A", min(t), max(t)))


def covers(segment: Segment | None, moment: float) -> bool:
    return segment is not None and segment.start <= moment < segment.end


@given(segments, segments)
def test_the_algebra_agrees_with_sets_of_moments(a: Segment, b: Segment) -> None:
    """Eighths of a second between 0 and 5 s stand for time: a segment is the set of the eighths that it covers."""
    time = [n / 8 for n in range(41)]
    first, second = ({t for t in time if covers(s, t)} for s in (a, b))
    assert a.duration == len(first) / 8
    assert a.overlap(b) == b.overlap(a) == len(first & second) / 8
    assert a.iou(b) == pytest.approx(len(first & second) / len(first | second) if first & second else 0.0)
    assert {t for t in time if covers(a.crop(b.start, b.end), t)} == first & second
    if first and second:
        whole = {t for t in time if covers(a.union(b), t)}
        assert whole == {t for t in time if min(first | second) <= t <= max(first | second)}
    assert {t + 2 for t in first} == {t for t in [n / 8 for n in range(80)] if covers(a.shift(2), t)}


def test_segments_of_different_videos_share_nothing() -> None:
    a, b = Segment("a", "X", 0, 1), Segment("b", "X", 0, 1)
    assert (a.overlap(b), a.iou(b)) == (0.0, 0.0)
    with pytest.raises(ValueError, match="'a' and 'b' are different videos"):
        a.union(b)


def test_what_is_derived_keeps_sign_and_score() -> None:
    one = Segment("v", "HOUSE", 1.0, 3.0, 0.7)
    assert one.shift(-0.5) == Segment("v", "HOUSE", 0.5, 2.5, 0.7)
    assert one.crop(2.0, 9.0) == Segment("v", "HOUSE", 2.0, 3.0, 0.7)
    assert one.crop(3.0, 9.0) is None
    assert one.middle == 2.0


@given(
    st.integers(0, 10_000), st.integers(1, 200), st.sampled_from([12.5, 15.0, 23.976, 25.0, 29.97, 30.0, 50.0, 60.0])
)
def test_frames_come_back(start: int, length: int, fps: float) -> None:
    assert Segment.from_frames("v", "A", start, start + length, fps).frames(fps) == (start, start + length)


@given(st.integers(0, 20_000_000), st.integers(0, 10_000))
def test_whole_milliseconds_come_back(start: int, length: int) -> None:
    one = Segment("v", "A", start / 1000, (start + length) / 1000)
    assert one.exact_milliseconds == (start, start + length)
    assert all(isinstance(time, int) for time in one.exact_milliseconds)


def test_milliseconds_on_a_grid_keep_a_step_of_length() -> None:
    assert Segment("v", "A", 1.0211, 1.5999).milliseconds(40) == (1040, 1600)
    assert Segment("v", "A", 1.001, 1.002).milliseconds(40) == (1000, 1040)


@pytest.mark.parametrize("times", [(1.0, 0.5), (0.0, float("inf")), (float("nan"), 1.0)])
def test_times_that_are_none_are_refused(times: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="v: A from"):
        Segment("v", "A", *times)


def test_plain_rows_are_taken_for_segments() -> None:
    assert of_rows([(20, 1, 2), (20.0, 1, 2), ("20", 1, 2, 0.5)], "v") == [
        Segment("v", "20", 1.0, 2.0), Segment("v", "20", 1.0, 2.0), Segment("v", "20", 1.0, 2.0, 0.5),
    ]  # fmt: skip
    assert as_segments({"v": [Segment("v", "A", 0, 1)]}) == {"v": [Segment("v", "A", 0, 1)]}
    with pytest.raises(ValueError, match="has 2 columns"):
        of_rows([("A", 1)])


def test_videos_without_a_segment_are_listed() -> None:
    assert by_video([Segment("b", "A", 0, 1)], ["a", "b"]) == {"a": [], "b": [Segment("b", "A", 0, 1)]}


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", ["truth.pkl", "truth.json", "truth"])
def test_the_challenges_forms_come_back_exactly(tmp_path: Path, name: str) -> None:
    write_submission(tmp_path / name, TRUTH)
    assert read_segments(tmp_path / name) == TRUTH
    assert not list(tmp_path.glob("**/*.partial"))


def test_a_submission_holds_plain_numbers(tmp_path: Path) -> None:
    write_submission(tmp_path / "predictions.pkl", TRUTH)
    assert pickle.loads((tmp_path / "predictions.pkl").read_bytes())["p02_n001"] == [[20, 80, 480]]


ONE = {"v": [Segment("v", "HOUSE", 1.24, 1.8)]}
TABLES = {
    "any order": "end,video,sign,start\n1.8,v,HOUSE,1.24\n",
    "label": "video,label,start,end\nv,HOUSE,1.24,1.8\n",
    "gloss, upper case": "Video,Gloss,Start,End\nv,HOUSE,1.24,1.8\n",
    "seconds by name": "video,sign,start_s,end_s\nv,HOUSE,1.24,1.8\n",
    "milliseconds": "video,sign,start_ms,end_ms\nv,HOUSE,1240,1800\n",
    "frames": "video,sign,start_frame,end_frame,fps\nv,HOUSE,31,45,25\n",
    "set by hand": "video, sign, start, end\nv , HOUSE , 1.24 , 1.8\n",
    "semicolons": "video;sign;start;end\nv;HOUSE;1.24;1.8\n",
    "a manifest": "id,path,label,source,start,end,start_frame,end_frame,fps\nv^1,v.mp4,HOUSE,v,,,31,45,25\n",
    "files": "file,sign,start,end\ntalks/2024/v.MP4,HOUSE,1.24,1.8\n",
    "byte-order mark": "\ufeffvideo,sign,start,end\r\nv,HOUSE,1.24,1.8\r\n",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_tables_of_every_kind(tmp_path: Path, text: str) -> None:
    assert read_segments(written(tmp_path / "t.csv", text)) == ONE
    assert read_segments(written(tmp_path / "t.tsv", text.replace(",", "\t").replace(";", "\t"))) == ONE


def test_json_of_every_kind(tmp_path: Path) -> None:
    record = {"video": "v", "sign": "A", "start": 0.5, "end": 1.0, "score": 0.9}
    expected = {"v": [Segment("v", "A", 0.5, 1.0, 0.9)]}
    for value in (
        [record],
        {"detections": [record]},
        {"format": "sign-spotter detections", "version": 1, "detections": [record]},
        [{"video": "v", "label": "A", "start_ms": 500, "end_ms": 1000, "score": "0.9"}],
        {
            "format": "sign-spotter segments",
            "version": 1,
            "unit": "ms",
            "segments": [{**record, "start": 500, "end": 1e3}],
        },
        {"v": [["A", 500, 1000, 0.9]]},
    ):
        assert read_segments(written(tmp_path / "found.json", json.dumps(value))) == expected
    listed = {"format": "sign-spotter segments", "version": 1, "unit": "s", "videos": ["w", "v"], "segments": [record]}
    assert list(read_segments(written(tmp_path / "found.json", json.dumps(listed)))) == ["w", "v"]


def test_subtitles_by_others(tmp_path: Path) -> None:
    cues = "1\r\n00:00:01,240 --> 00:00:01,800\r\nHOUSE\r\n\r\n2\r\n00:00:03,000 --> 00:00:03,000\r\n\r\n"
    assert read_segments(written(tmp_path / "v.srt", "\ufeff" + cues)) == ONE
    assert read_segments(written(tmp_path / "v.vtt", "WEBVTT\n\n00:01.240 --> 00:01.800\nHOUSE\n")) == ONE


def test_a_folder_of_files_of_one_kind(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written(tmp_path / "cues" / f"{name}.vtt", f"WEBVTT\n\n00:01.000 --> 00:02.000\n{name.upper()}\n")
    assert read_segments(tmp_path / "cues") == {n: [Segment(n, n.upper(), 1.0, 2.0)] for n in ("a", "b")}
    written(tmp_path / "cues" / "a.txt", "20,1000,1600\n")
    with pytest.raises(SegmentError, match=r"holds \.vtt and \.txt files; expected one kind"):
        read_segments(tmp_path / "cues")
    with pytest.raises(SegmentError, match="holds no annotation files"):
        read_segments(written(tmp_path / "empty" / ".hidden", "").parent)


def test_a_byte_order_mark_is_no_part_of_a_sign(tmp_path: Path) -> None:
    written(tmp_path / "gt" / "v.txt", b"\xef\xbb\xbf20, 1000, 1600\r\n")
    assert read_segments(tmp_path / "gt") == {"v": [Segment("v", "20", 1.0, 1.6)]}


def test_forms_mix(tmp_path: Path) -> None:
    write_submission(tmp_path / "truth.pkl", TRUTH)
    rows = "".join(f"{s.video},{s.sign},{s.start!r},{s.end!r}\n" for listed in TRUTH.values() for s in listed)
    found = read_segments(written(tmp_path / "found.csv", "video,sign,start,end\n" + rows))
    assert challenge_f1(read_segments(tmp_path / "truth.pkl"), found).f1 == 1.0


@pytest.mark.parametrize(
    ("text", "unit", "fps"),
    [
        ("video,sign,start,end\nv,HOUSE,1240,1800\n", "ms", None),
        ("video,sign,start,end\nv,HOUSE,31,45\n", "frames", 25.0),
        ("video,sign,start,end\nv,HOUSE,1.24,1.8\n", "s", None),
        ("video,sign,start_frame,end_frame\nv,HOUSE,31,45\n", None, 25.0),
        ("video,sign,start_ms,end_ms\nv,HOUSE,1240,1800\n", "ms", None),
    ],
)
def test_the_unit_can_be_given(tmp_path: Path, text: str, unit: str | None, fps: float | None) -> None:
    assert read_segments(written(tmp_path / "t.csv", text), unit, fps) == ONE


@pytest.mark.parametrize(
    ("name", "text", "likely"),
    [
        ("t.csv", "video,sign,start,end\nv,A,1240,1800\nv,B,2000,2400\n", "milliseconds: unit ms"),
        ("t.csv", "video,sign,start,end\nv,A,31,45\nv,B,50,60\n", "frames: unit frames"),
        ("t.csv", "video,sign,start,end\nv,A,31,39\nv,B,50,57\n", "frames: unit frames"),
        ("t.csv", "video,sign,start,end\nv,A,31000,45000\n", None),
        ("t.json", '{"v": [["A", 1.24, 1.8], ["B", 2, 2.4]]}', "seconds: unit s"),
        ("t.json", '{"v": [["A", 31, 45], ["B", 50, 60]]}', "frames: unit frames"),
        ("t.json", '[{"video": "v", "sign": "A", "start": 1240, "end": 1800}]', "milliseconds: unit ms"),
    ],
)
def test_an_impossible_scale_is_refused_with_the_remedy(
    tmp_path: Path, name: str, text: str, likely: str | None
) -> None:
    path = written(tmp_path / name, text)
    with pytest.raises(SegmentError, match=r"--unit s\|ms\|frames") as caught:
        read_segments(path)
    assert str(path) in str(caught.value)
    assert (f"they look like {likely}" in str(caught.value)) if likely else ("look like" not in str(caught.value))
    if likely is not None:
        unit = likely.partition("unit ")[2].partition(",")[0]
        read_segments(path, unit, 25.0)


def test_what_states_its_unit_is_believed(tmp_path: Path) -> None:
    """A table that `spotter.write` made may hold anything, and contradicting a file's own statement is an error."""
    own = written(tmp_path / "own.csv", "video,sign,start,end,score\nv,A,0,600,.5\n")
    assert read_segments(own)["v"][0].duration == 600
    with pytest.raises(SegmentError, match="states its times in ms, not in s; leave the unit out"):
        read_segments(written(tmp_path / "t.csv", "video,sign,start_ms,end_ms\nv,A,0,600\n"), "s")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"v": [[1, 0, 40]', r"a\.json, line 1: not valid JSON"),
        ("a.json", '{"v": [[1, 0]]}', "video v, row 1: has 2 columns"),
        ("a.json", '{"v": [[1, 80, 40]]}', "video v, row 1: ends at 40, before its start at 80"),
        ("a.json", '{"v": [[1, -40, 40]]}', "video v, row 1: starts at -40"),
        ("a.json", '{"v": [[1, 0, NaN]]}', "JSON has finite numbers only"),
        ("a.json", '{"v": [["", 0, 40]]}', "the sign is empty"),
        ("a.json", '{"v": 3}', "video v: holds a int"),
        ("a.json", '{"v": [3]}', "video v, row 1: is 3"),
        ("a.json", "3", "holds a int"),
        ("a.json", "[3]", r"a\.json, detection 1: is 3"),
        ("a.json", '{"format": "sign-spotter segments", "version": 2}', "version 2 is not known"),
        ("a.csv", "", "the file is empty"),
        ("a.csv", "video,sign,begin,end\nv,A,0,1\n", r"a\.csv, line 1: has the columns .*expected one called start"),
        ("a.csv", "video,sign,start,end\nv,A,0,1\nv,A,zero,1\n", r"a\.csv, line 3: .*expected numbers"),
        ("a.csv", "video,sign,start,end\nv,A,0\n", r"a\.csv, line 2: .*expected numbers"),
        ("a.csv", "video,sign,start_ms,end\nv,A,0,1\n", "different units"),
        ("a.csv", "video,sign,start_frame,end_frame\nv,A,0,10\n", "give the frames per second"),
        ("a.csv", "video,sign,start_frame,end_frame,fps\nv,A,0,10,none\n", "fps is 'none'"),
        ("a.csv", b"video,sign,start,end\nv,\xff,0,1\n", "not UTF-8"),
        ("a.srt", "no subtitles", "not readable SubRip"),
        (
            "a.srt",
            "1\n00:00:01,012 --> 00:00:02,031\nhola\n\n2\n00:00:03,012 -> 00:00:04,031\nadiós\n",
            "cue 1: its text holds times",
        ),
        ("a.vtt", "WEBVTT\n\n00:02.000 --> 00:01.000\nA\n", "cue 1: ends at"),
        ("a.xml", "", r"its ending is '\.xml'"),
    ],
)
def test_broken_files_name_file_row_and_rule(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(SegmentError, match=message) as caught:
        read_segments(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unit": "minutes"}, "unit is 'minutes'"),
        ({"fps": 0.0}, "fps is 0.0"),
        ({"tiers": ["RH"]}, "tiers RH were asked for; only ELAN"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(SegmentError, match=message):
        read_segments(written(tmp_path / "t.csv", TABLES["label"]), **settings)
    for name in ("none.csv", "none"):
        with pytest.raises(SegmentError, match=f"{name}: no such file or folder"):
            read_segments(tmp_path / name)


def test_spans_of_clips_are_read(tmp_path: Path) -> None:
    by_hand = written(tmp_path / "spans.csv", "clip, start, end\nHOUSE,0.5,1.25\n\n  ГОРА 山 , 0 , 2\n")
    assert {clip: (s.start, s.end) for clip, s in read_spans(by_hand).items()} == {
        "HOUSE": (0.5, 1.25), "ГОРА 山": (0.0, 2.0),
    }  # fmt: skip
    bare = written(tmp_path / "bare.csv", "HOUSE,0.5,1.25\n")
    assert (read_spans(bare)["HOUSE"].start, read_spans(bare)["HOUSE"].end) == (0.5, 1.25)
    cues = written(tmp_path / "HOUSE.vtt", "WEBVTT\n\n00:00.500 --> 00:01.250\nHOUSE\n")
    assert read_spans(cues) == {"HOUSE": Segment("HOUSE", "HOUSE", 0.5, 1.25)}


def test_the_organisers_spans_are_read_with_their_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffCLASS;SIGN;BEGIN;END\r\n0;ABUELO(A);1240;1880\r\n17;CASA;40;520\r\n"
    spans = read_spans(written(tmp_path / "spans.csv", text))
    assert spans == {"s00": Segment("s00", "ABUELO(A)", 1.24, 1.88), "s17": Segment("s17", "CASA", 0.04, 0.52)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip,start,end\nA,1\n", "line 2"),
        ("A,1,0.5\n", "line 1.*before its start"),
        ("A,1,1\n", "expected 0 <= start < end"),
        ("A,x,2\n", "start 'x', end '2'; expected numbers"),
        ("A,0,nan\n", "expected finite numbers"),
        ("A,0,1\nA,0,2\n", "clip 'A' has 2 spans"),
        ("clip,start,end\n", "no rows"),
        ("0;A;10\n", "line 1"),
        ("CLASS;SIGN;BEGIN;END\n0;A;10\n", "2: has 3 columns"),
    ],
)
def test_a_wrong_span_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_spans(written(tmp_path / "spans.csv", text))
    with pytest.raises(SegmentError, match="cannot be read"):
        read_spans(tmp_path / "none.csv")


@pytest.mark.real
def test_the_challenges_own_files(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "annotations" / "eccv22_sign_spotting" / "MSSL_TRAIN_SET_GT.pkl"
    truth = read_segments(source)
    assert (len(truth), sum(map(len, truth.values()))) == (112, 2111)
    write_submission(tmp_path / "again.pkl", truth)
    assert (tmp_path / "again.pkl").read_bytes() == source.read_bytes()
    raw = read_pickle(source)
    assert challenge_f1(truth, truth).tp == challenge_f1(raw, raw).tp == 13 * 2111
