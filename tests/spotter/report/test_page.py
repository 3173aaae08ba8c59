"""The report is one safe file that shows what was found, whatever the labels and however many detections."""

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from embeddings.video import write_video
from gallery import Gallery
from spotter import Detection
from spotter.report.page import write_report
from spotter.report.pictures import FRAMES, HEIGHT, strips
from spotter.report.timeline import clock
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
    page = Page(path)
    assert [v["src"] for v in page.all("video")] == ["./videos/my%20talk.mp4"]
    assert [g["class"] for g in page.all("g", role="button")] == ["hit right", "hit wrong"]
    assert [g["class"] for g in page.all("g") if "truth" in str(g.get("class")) and "tabindex" not in g][-2:] == [
        "truth", "truth missed",
    ]  # fmt: skip
    assert len(page.all("img", class_="strip")) == 2
    assert len(page.all("span", role="img")) == 1
    assert len(page.all("polyline")) == 2
    words = " ".join(page.words)
    assert "0.500" in words
    assert "1 right, 1 false, 1 missed" in words


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
    assert len(page.all("script")) == 1
    assert not [a for _, a in page.elements if any(k.startswith("on") for k in a)]
    shown = [a["data-sign"] for a in page.all("tr") if "data-sign" in a]
    assert sorted(map(str, shown)) == sorted(names)


def test_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = write_report(tmp_path / "r.html", [result("v", [Detection("v", "A", 0, 1, 0.5)])]).read_text("utf-8")
    assert not re.findall(r"(?:https?:)?//[a-z]", re.sub(r"http://www\.w3\.org/\S+", "", text))
    assert "@import" not in text
    assert "<link" not in text


@pytest.mark.parametrize("truth", [None, {"v": []}, {"v": [("A", 1.0, 2.0)]}])
def test_nothing_found(tmp_path: Path, truth: dict[str, list[tuple[str, float, float]]] | None) -> None:
    page = Page(write_report(tmp_path / "r.html", [result("v", [])], truth=truth))
    assert "Nothing was found in this video." in " ".join(page.words)
    assert page.all("svg", role="group")


def test_no_results_at_all_and_a_failed_video(tmp_path: Path) -> None:
    Page(write_report(tmp_path / "r.html", []))
    page = Page(write_report(tmp_path / "r.html", [SpottingResult("broken", error="broken.mp4: the file is empty")]))
    assert "broken.mp4: the file is empty" in " ".join(page.words)


def test_five_hundred_detections_stay_small_and_quick(tmp_path: Path) -> None:
    video = film(tmp_path / "v.mp4", 60.0)
    found = [Detection("v", f"sign {i % 70}", 0.115 * i, 0.115 * i + 0.4, (i * 37 % 500) / 500) for i in range(500)]
    start = time.perf_counter()
    path = write_report(tmp_path / "r.html", found, {"v": video})
    assert time.perf_counter() - start < 20
    page = Page(path)
    assert len([a for a in page.all("tr") if "data-hit" in a]) == 500
    assert len(page.all("img")) == 240
    assert path.stat().st_size < 6e6


def test_a_video_that_is_gone_or_damaged_is_no_end(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    found = [Detection("gone", "A", 0, 1, 0.5), Detection("bad", "A", 0, 1, 0.5)]
    with pytest.warns(UserWarning, match=r"bad\.mp4"):
        path = write_report(tmp_path / "r.html", found, {"gone": tmp_path / "gone.mp4", "bad": tmp_path / "bad.mp4"})
    assert Page(path).all("img") == []


def test_clock() -> None:
    assert [clock(x) for x in (0, 59.96, 61.24, 3661.5)] == ["0:00.0", "1:00.0", "1:01.2", "1:01:01.5"]
