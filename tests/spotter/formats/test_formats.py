"""Round trips of detections through every format, and what broken files say."""

import json
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotter import Detection
from spotter.formats import FORMATS, read, write

HOSTILE = ["HOUSE", "NA", "None", "Straße-1", "手話", 'A, "B"', "<b>&amp;</b>", "--> x", "007", "🤟", "=1+1", "WEBVTT"]


def planted() -> list[Detection]:
    return [
        Detection("talk", sign, 1.25 * i, 1.25 * i + 0.5 + i / 1000, 0.9 - i / 64) for i, sign in enumerate(HOSTILE)
    ]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_keeps_signs_and_times(tmp_path: Path, suffix: str) -> None:
    detections = planted()
    (written,) = write(tmp_path / f"found{suffix}", detections)
    back = read(written)
    video = "found" if suffix == ".srt" else "talk"  # SubRip has no room for it
    assert [(d.video, d.sign) for d in back] == [(video, d.sign) for d in detections]
    for a, b in zip(back, detections, strict=True):
        assert abs(a.start - b.start) <= 0.0005 + 1e-12
        assert abs(a.end - b.end) <= 0.0005 + 1e-12
    if suffix not in (".pkl", ".srt", ".textgrid"):
        assert [d.score for d in back] == pytest.approx([d.score for d in detections], rel=1e-5)


times = st.floats(0, 1e5, allow_nan=False).filter(lambda x: x >= 0)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@given(start=times, length=st.floats(1e-6, 1e4), score=st.floats(-1, 1), sign=st.text("aé手\n\r,\"'; ", min_size=1))
def test_tables_keep_every_digit(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, start: float, length: float, score: float, sign: str
) -> None:
    if start + length <= start:
        return
    detection = Detection("v", sign, start, start + length, score)
    path = tmp_path_factory.mktemp("t") / f"x{suffix}"
    write(path, [detection])
    assert read(path) == [detection]


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_found_is_a_valid_file(tmp_path: Path, suffix: str) -> None:
    (written,) = write(tmp_path / f"none{suffix}", [])
    assert read(written) == []


@pytest.mark.parametrize("suffix", [".eaf", ".vtt"])
def test_formats_of_one_video_give_a_file_each(tmp_path: Path, suffix: str) -> None:
    found = [Detection("a", "X", 0, 1, 0.5), Detection("b/c", "Y", 2, 3, 0.6)]
    written = write(tmp_path / f"found{suffix}", found, videos=["a", "b/c", "empty"])
    assert [p.name for p in written] == [f"found.a{suffix}", f"found.b_c{suffix}", f"found.empty{suffix}"]
    assert [d for p in written for d in read(p)] == found


def test_challenge_file_has_integers_on_the_grid(tmp_path: Path) -> None:
    path = tmp_path / "predictions.pkl"
    write(path, [Detection("p01_s20_n001", "20", 1.0211, 1.5999, 0.7)], step_ms=40, videos=["p01_s20_n002"])
    # our own file, so Python's own reader may read it here
    assert pickle.loads(path.read_bytes()) == {"p01_s20_n001": [[20, 1040, 1600]], "p01_s20_n002": []}


def test_challenge_file_keeps_a_step_of_length(tmp_path: Path) -> None:
    path = tmp_path / "predictions.pkl"
    write(path, [Detection("v", "HOUSE", 1.001, 1.002, 0.7)], step_ms=40)
    assert pickle.loads(path.read_bytes()) == {"v": [["HOUSE", 1000, 1040]]}


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "p.pkl").write_bytes(pickle.dumps({"v": [Bomb()]}))
    with pytest.raises(ValueError, match=r"p\.pkl"):
        read(tmp_path / "p.pkl")
    assert not (tmp_path / "ran").exists()


def test_subtitles_have_hours_and_escapes(tmp_path: Path) -> None:
    write(tmp_path / "x.vtt", [Detection("v", "A<B & C", 3661.5, 3662.25, 0.5)])
    text = (tmp_path / "x.vtt").read_text(encoding="utf-8")
    assert "01:01:01.500 --> 01:01:02.250" in text
    assert "A&lt;B &amp; C" in text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "video,sign,start,end,score\nv,X,0,1,.5\nv,Y,zwei,3,.5\n", "line 3.*zwei"),
        ("a.csv", "video,sign,start,end,score\nv,X,2,1,.5\n", "line 2.*start < end"),
        ("a.csv", "video,sign,start\nv,X,2\n", "line 1.*end"),
        ("a.csv", "", "CSV"),
        ("a.json", '{"format":\n oops}', "line 2"),
        ("a.json", '{"format": "other"}', "other"),
        ("a.json", '{"format": "sign-spotter detections", "version": 9}', "version 9"),
        ("a.json", '[{"video": "v", "sign": "X", "start": 1, "end": null}]', "detection 1"),
        ("a.eaf", "<ANNOTATION_DOCUMENT>\n<TIER", "line 2"),
        ("a.eaf", "", "XML"),
        ("a.vtt", "no subtitles", "WebVTT"),
        ("a.pkl", "x", "pickle"),
    ],
)
def test_broken_files_say_where(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=f"(?s)a\\..*{said}"):
        read(tmp_path / name)


def test_unknown_ending_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.xlsx.*\.csv"):
        write(tmp_path / "a.xlsx", [])
    with pytest.raises(ValueError, match="no such file"):
        read(tmp_path / "a.csv")


def test_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for suffix in FORMATS:
        with pytest.raises(ValueError, match="file"):
            write(tmp_path / "file" / f"a{suffix}", planted())


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = write(tmp_path / f"a{suffix}", planted())
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ValueError, match="No space"):
        write(path, planted()[:2])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_json_says_what_it_is(tmp_path: Path) -> None:
    write(tmp_path / "a.json", planted())
    value = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (value["format"], value["version"], len(value["detections"])) == ("sign-spotter detections", 1, len(HOSTILE))
