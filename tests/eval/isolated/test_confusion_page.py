from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from eval.isolated.confusion import ConfusedPair
from eval.isolated.confusion_page import clip_files, write_pairs_page


def test_links_lead_from_the_page_to_the_clips(tmp_path: Path) -> None:
    clips = tmp_path / "clips" / "HÄUS & <hof>"
    clips.mkdir(parents=True)
    (clips / "a 1.mp4").write_bytes(b"video")
    (clips / "b.pose").write_bytes(b"pose")
    pair = ConfusedPair("HÄUS & <hof>", "TREE", 3, 4, ("HÄUS & <hof>/a 1", "b", "lost"))
    page = tmp_path / "out" / "page.html"
    write_pairs_page([pair], clip_files(tmp_path / "clips", pair.clips), page)
    text = page.read_text(encoding="utf-8")
    links = {(page.parent / unquote(link)).resolve() for link in re.findall(r'href="([^"]+)"', text)}
    assert links == {clips / "a 1.mp4", clips / "b.pose"}
    assert text.count("<video ") == 1
    assert "lost (no file)" in text
    assert "<hof>" not in text
    assert "3 of 4 clips" in text


def test_a_video_wins_over_a_pose_of_the_same_name(tmp_path: Path) -> None:
    for name in ("x.mp4", "x.pose", "x.txt"):
        (tmp_path / name).write_bytes(b"")
    assert clip_files(tmp_path, ["x", "y"]) == {"x": tmp_path / "x.mp4"}
    with pytest.raises(ValueError, match="no such folder"):
        clip_files(tmp_path / "none", ["x"])


def test_nothing_confused_is_said(tmp_path: Path) -> None:
    write_pairs_page([], {}, tmp_path / "page.html")
    assert "None: every clip" in (tmp_path / "page.html").read_text(encoding="utf-8")
    many = ConfusedPair("A", "B", 20, 20, tuple(f"c{i}" for i in range(20)))
    write_pairs_page([many], {}, tmp_path / "page.html")
    assert "and 8 more" in (tmp_path / "page.html").read_text(encoding="utf-8")
