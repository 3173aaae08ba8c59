"""The report is one safe file that shows what was found, whatever the labels and however many detections."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.video import write_video
from gallery import Gallery
from spotter import Detection
from spotter.report.data import packed_track
from spotter.report.facts import clock
from spotter.report.page import write_report
from spotter.report.pictures import FRAMES, HEIGHT, strips
from spotter.results import SpottingResult
from spotter.search.track import SimilarityTrack

HOSTILE = '<script>alert("1")</script>'
VOID = {"meta", "img", "input", "br", "link"}


class Page(HTMLParser):
    """Elements with their attributes; complains about tags that do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [
            a for t, a in self.elements if t == tag and all(a.get(k.strip("_")) == v for k, v in attributes.items())
        ]


def data_of(path: Path) -> dict[str, Any]:
    """What the page's program draws from."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.S)
    return json.loads(text)


def film(path: Path, seconds: float = 4.0) -> Path:
    """Grey that grows lighter with time: 10 levels per 0.1 s, so that a picture says when it was taken."""
    frames = (np.full((90, 120, 3), min(250, 20 + 5 * k), np.uint8) for k in range(round(seconds * 10)))
    return write_video(path, frames, fps=10)


def result(name: str, detections: list[Detection], signs: tuple[str, ...] = ("A", "B")) -> SpottingResult:
    centres = np.arange(0, 100, 2.0)
    values = np.random.default_rng(0).random((len(centres), len(signs)), np.float32)
    track = SimilarityTrack(name, 25.0, centres, signs, values, np.full_like(values, 16))
    return SpottingResult(name, detections, track, duration=4.0)


def test_shows_detections_exemplars_truth_and_scores(tmp_path: Path) -> None:
    query, example = film(tmp_path / "videos" / "my talk.mp4"), film(tmp_path / "dictionary" / "A.mp4")
    gallery = Gallery(2, "x")
    gallery.add(np.array([[1, 0]], np.float32), ["A"], facts=[{"source": "A.mp4", "start": 1.0, "end": 2.0}])
    found = [Detection("my talk", "A", 1.0, 2.0, 0.9), Detection("my talk", "B", 2.5, 3.0, 0.6)]
    truth = {"my talk": [("A", 1.1, 2.1), ("B", 0.0, 0.5)]}
    path = write_report(
        tmp_path / "report.html", [result("my talk", found)], {"my talk": query}, gallery, truth, {"A": example}
    )
    data = data_of(path)
    (video,) = data["videos"]
    assert video["src"] == "./videos/my%20talk.mp4"
    assert video["fps"] == 10
    assert data["hits"] == [[0, 0, 1.0, 2.0, 0.9, 1], [0, 1, 2.5, 3.0, 0.6, 2]]  # the first agrees, the second does not
    assert video["truth"] == [[0, 1.1, 2.1, 0], [1, 0.0, 0.5, 1]]
    assert sorted(data["pictures"]) == ["1", "2"]
    assert list(data["examples"]) == ["0"]
    assert video["track"]["signs"] == [0, 1]
    words = " ".join(Page(path).words)
    assert "0.500" in words
    assert "1 right, 1 false, 1 missed" in words


def test_a_packed_track_keeps_its_peaks_and_times() -> None:
    values = np.full((1000, 2), 0.2, np.float32)
    values[537, 1] = 0.9
    values[::2, 0] = np.nan
    track = SimilarityTrack("v", 25.0, np.arange(10, 3010, 3.0), ("A", "B"), values, np.full_like(values, 16))
    packed = packed_track(track, {"A": 4, "B": 7}, 100)
    levels = np.frombuffer(base64.b64decode(packed["values"]), np.uint8).reshape(2, packed["bins"])
    assert packed["signs"] == [4, 7]
    assert packed["bins"] == 100
    assert levels[1].argmax() == 53
    assert (levels[1] == 255).sum() == 1
    assert levels[0].max() == 0
    peak = packed["start"] + 53 * packed["step"]
    assert peak <= track.seconds[537] < peak + packed["step"]


def test_pictures_are_of_the_right_moments(tmp_path: Path) -> None:
    import base64
    import io

    from PIL import Image

    video = film(tmp_path / "v.mp4", 4.0)
    urls = strips(video, [(3.0, 4.0), (0.5, 1.0), (90.0, 91.0)])
    for url, (start, end) in zip(urls[:2], [(3.0, 4.0), (0.5, 1.0)], strict=True):
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L"), float)
        assert image.shape[0] == HEIGHT
        wide = (image.shape[1] + 2) // FRAMES
        shown = [image[:, k * wide + 5 : (k + 1) * wide - 7].mean() for k in range(FRAMES)]
        when = [(level - 20) / 50 for level in shown]
        assert when == sorted(when)
        assert start - 0.15 <= when[0] < start + 0.3 * (end - start) + 0.1
        assert end - 0.35 * (end - start) - 0.15 < when[-1] <= end + 0.15
    assert urls[2] == ""


def test_hostile_and_foreign_labels_stay_text(tmp_path: Path) -> None:
    names = [HOSTILE, '" onload="x', "手話 🤟", "a&b;</style>", "$title ${x}"]
    found = [Detection(HOSTILE, sign, i, i + 0.5, 0.5) for i, sign in enumerate(names)]
    path = write_report(tmp_path / "r.html", found, truth={HOSTILE: [(HOSTILE, 0, 0.5)]}, title=HOSTILE)
    page = Page(path)
    assert len(page.all("script")) == 2
    assert not [a for _, a in page.elements if any(k.startswith("on") for k in a)]
    data = data_of(path)
    assert sorted(data["signs"]) == sorted({*names, HOSTILE})
    assert data["videos"][0]["name"] == HOSTILE


def test_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = write_report(tmp_path / "r.html", [result("v", [Detection("v", "A", 0, 1, 0.5)])]).read_text("utf-8")
    assert not re.findall(r"(?:https?:)?//[a-z]", re.sub(r"http://www\.w3\.org/\S+", "", text))
    assert "@import" not in text
    assert "<link" not in text


@pytest.mark.parametrize("truth", [None, {"v": []}, {"v": [("A", 1.0, 2.0)]}])
def test_nothing_found(tmp_path: Path, truth: dict[str, list[tuple[str, float, float]]] | None) -> None:
    path = write_report(tmp_path / "r.html", [result("v", [])], truth=truth)
    assert "No sign of the gallery was found." in " ".join(Page(path).words)
    (video,) = data_of(path)["videos"]
    assert (video["name"], video["duration"]) == ("v", 4.0)


def test_no_results_at_all_and_a_failed_video(tmp_path: Path) -> None:
    Page(write_report(tmp_path / "r.html", []))
    page = Page(write_report(tmp_path / "r.html", [SpottingResult("broken", error="broken.mp4: the file is empty")]))
    assert "broken.mp4: the file is empty" in " ".join(page.words)


def test_five_hundred_detections_stay_small(tmp_path: Path) -> None:
    video = film(tmp_path / "v.mp4", 60.0)
    found = [Detection("v", f"sign {i % 70}", 0.115 * i, 0.115 * i + 0.4, (i * 37 % 500) / 500) for i in range(500)]
    path = write_report(tmp_path / "r.html", found, {"v": video})
    data = data_of(path)
    assert len(data["hits"]) == 500
    assert len(data["pictures"]) == 150
    best = {sign: max(d.score for d in found if d.sign == sign) for sign in {d.sign for d in found}}
    pictured = {(found[int(n) - 1].sign, found[int(n) - 1].score) for n in data["pictures"]}
    assert set(best.items()) <= pictured  # the best detection of every sign
    assert path.stat().st_size < 5e6


def test_pictures_and_tracks_stay_within_five_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotter.report.pictures.strips", lambda video, spans: ["x" * 40_000 for _ in spans])
    video = film(tmp_path / "v.mp4", 1.0)
    signs = tuple(f"sign {i}" for i in range(300))
    centres = np.arange(0, 9000, 3.0)
    values = np.random.default_rng(0).random((len(centres), len(signs)), np.float32)
    results = [
        SpottingResult(name, [Detection(name, s, i, i + 0.5, 0.5) for i, s in enumerate(signs)],
                       SimilarityTrack(name, 25.0, centres, signs, values, values), duration=360.0)
        for name in "abcd"
    ]  # fmt: skip
    path = write_report(
        tmp_path / "r.html", results, dict.fromkeys("abcd", video), exemplars=dict.fromkeys(signs, video)
    )
    assert 3e6 < path.stat().st_size < 5e6


def test_a_video_that_is_gone_or_damaged_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    found = [Detection("gone", "A", 0, 1, 0.5), Detection("bad", "A", 0, 1, 0.5)]
    with pytest.warns(UserWarning, match=r"bad\.mp4"):
        path = write_report(tmp_path / "r.html", found, {"gone": tmp_path / "gone.mp4", "bad": tmp_path / "bad.mp4"})
    assert data_of(path)["pictures"] == {}


def test_clock() -> None:
    assert [clock(x) for x in (0, 59.96, 61.24, 3661.5)] == ["0:00.0", "1:00.0", "1:01.2", "1:01:01.5"]
