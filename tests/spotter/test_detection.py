"""Detections are segments; segments and a clip's spans turn into each other; both are scored from any form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import spotter
from eval.segments import Segment
from spotter import Detection
from spotter.detection import segments_of, spans_of

from .worlds import said, small_world


def test_a_detection_is_a_segment_with_a_score() -> None:
    one = Detection("talk", "HOUSE", 1.0, 2.0, 0.7)
    assert isinstance(one, Segment)
    assert one.overlap(Segment("talk", "HOUSE", 1.5, 9.0)) == 0.5
    assert one.shift(1.0) == Detection("talk", "HOUSE", 2.0, 3.0, 0.7)
    assert type(one.crop(0.0, 1.5)) is Detection
    with pytest.raises(TypeError, match="score"):
        Detection("talk", "HOUSE", 1.0, 2.0)  # type: ignore[call-arg]


@pytest.mark.parametrize("times", [(1.0, 1.0), (2.0, 1.0), (-0.1, 1.0), (0.0, float("nan"))])
def test_a_detection_has_a_place_in_its_video(times: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="talk: HOUSE from"):
        Detection("talk", "HOUSE", *times, 0.7)
    with pytest.raises(ValueError, match="score nan; expected a finite number"):
        Detection("talk", "HOUSE", 0.0, 1.0, float("nan"))


def test_spans_of_a_clip_come_back() -> None:
    world = small_world().world
    clip = said(world, [0, 1, 2, 1], 1)
    segments = segments_of(clip)
    assert [(s.video, s.sign, s.start) for s in segments] == [
        (clip.name, span.label, span.start / clip.fps) for span in clip.spans
    ]
    assert spans_of(segments, clip.fps) == clip.spans
    only = clip.spans[0].label
    assert [s.sign for s in segments_of(clip, {only})] == [span.label for span in clip.spans if span.label == only]


def test_score_takes_files_lists_and_mappings(tmp_path: Path) -> None:
    truth = [Segment("talk", "HOUSE", 1.0, 2.0), Segment("talk", "TREE", 3.0, 4.0)]
    found = [Detection("talk", "HOUSE", 1.1, 2.0, 0.9), Detection("talk", "HOUSE", 8.0, 9.0, 0.4)]
    spotter.write(tmp_path / "truth.eaf", truth)
    spotter.write(tmp_path / "found.csv", found)
    sides = (
        (truth, found),
        (tmp_path / "truth.eaf", tmp_path / "found.csv"),
        ({"talk": [("HOUSE", 1.0, 2.0), ("TREE", 3.0, 4.0)]}, {"talk": found}),
    )
    figures = [spotter.score(*side).as_dict() for side in sides]
    assert (figures[0]["one_to_one"]["tp"], figures[0]["one_to_one"]["fp"], figures[0]["one_to_one"]["fn"]) == (1, 1, 1)
    assert figures[0] == figures[1] == figures[2]
    with pytest.raises(ValueError, match="no video in common"):
        spotter.score(truth, [replace(d, video="lecture") for d in found])


@pytest.mark.parametrize("ending", [".csv", ".json", ".eaf", ".vtt", ".pkl"])
def test_ground_truth_is_written_without_scores(tmp_path: Path, ending: str) -> None:
    truth = [Segment("talk", "HOUSE", 1.0, 2.0), Segment("talk", "TREE", 3.0, 4.5)]
    (path,) = spotter.write(tmp_path / f"truth{ending}", truth)
    assert spotter.read_segments(path) == {"talk": truth}
    assert [d.score for d in spotter.read(path)] == [1.0, 1.0]
    if ending != ".pkl":
        assert "score" not in path.read_text(encoding="utf-8")


def test_ground_truth_as_json_lists_the_videos_that_hold_nothing(tmp_path: Path) -> None:
    truth, found = [Segment("a", "HOUSE", 1.0, 2.0)], [Detection("a", "HOUSE", 1.0, 2.0, 0.5)]
    spotter.write(tmp_path / "truth.json", truth, videos=["b", "a"])
    assert spotter.read_segments(tmp_path / "truth.json") == {"a": truth, "b": []}
    spotter.write(tmp_path / "found.json", found, videos=["b", "a"])
    assert list(json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))) == [
        "format",
        "version",
        "detections",
    ]


def test_an_empty_segment_is_no_detection(tmp_path: Path) -> None:
    (tmp_path / "found.csv").write_text("video,sign,start,end\nv,A,1,1\n", encoding="utf-8")
    assert spotter.read_segments(tmp_path / "found.csv") == {"v": [Segment("v", "A", 1.0, 1.0)]}
    with pytest.raises(ValueError, match=r"found\.csv: v: A from 1.0 s to 1.0 s; expected 0 <= start < end"):
        spotter.read(tmp_path / "found.csv")
