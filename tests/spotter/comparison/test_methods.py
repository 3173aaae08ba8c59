"""Every named method finds what was planted; the published ones do exactly what their description says."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from embeddings.clip import Clip, Span
from eval.intervals import iou
from eval.segments import Segment
from spotter.comparison.methods import METHODS, AlignmentMethod, NearestWindowMethod
from spotter.enrolment import exemplar_span

from ..worlds import small_world


@lru_cache(maxsize=1)
def planted() -> tuple[list[Clip], Clip]:
    """Three exemplars, and one query in which those very recordings follow each other."""
    exemplars = small_world().exemplars[1:4]
    poses, spans, at = [], [], 0
    for clip in exemplars:
        assert clip.pose is not None
        start, end = exemplar_span(clip)
        spans.append(Span(str(clip.label), at + start, at + end))
        poses.append(clip.pose)
        at += len(clip)
    pose = replace(
        poses[0],
        xy=np.concatenate([p.xy for p in poses]),
        confidence=np.concatenate([p.confidence for p in poses]),
        z=None,
    )
    return exemplars, Clip("planted", poses[0].fps, pose, spans=tuple(spans))


@pytest.mark.parametrize("name", list(METHODS))
def test_the_very_recording_is_found_where_it_is(name: str) -> None:
    exemplars, query = planted()
    method = METHODS[name]
    if isinstance(method, NearestWindowMethod):
        method = replace(method, k=0)  # with one video, transfer moves the exemplar to that video's own best window
    span = query.spans[2]  # 40 frames, about what a dictionary's signs last
    (found,) = method.detections(exemplars, [query], known={"planted": span.label})["planted"]
    here = iou(np.array([[found.start, found.end]]), np.array([[span.start, span.end]]) / query.fps)[0, 0]
    assert found.sign == span.label
    assert here >= 0.35  # what a window of 15 frames within it reaches


@pytest.mark.parametrize("name", ["pose-cosine", "pose-dtw", "sign-spotter"])
def test_a_lower_threshold_only_adds(name: str) -> None:
    exemplars, query = planted()
    method = METHODS[name]
    few, many = (method.detections(exemplars, [query], t)["planted"] for t in (method.threshold, method.least))
    assert set(few) == {d for d in many if d.score >= method.threshold}
    assert all(0 <= d.start < d.end <= query.pose.duration + 1 / query.fps for d in many)
    assert {d.sign for d in many} <= {e.label for e in exemplars}


@pytest.mark.parametrize("name", list(METHODS))
def test_a_clip_is_most_like_itself(name: str) -> None:
    clips = planted()[0]
    similarity = METHODS[name].similarity(clips)
    assert similarity.shape == (3, 3)
    assert (similarity.argmax(axis=1) == np.arange(3)).all()
    np.testing.assert_allclose(similarity, similarity.T, atol=1e-5)


def test_the_published_search_gives_one_window_of_15_frames_a_sign_and_video() -> None:
    exemplars, query = planted()
    again = replace(query, name="again")
    found = METHODS["oslwl-2022-tcn"].detections(exemplars, [query, again], threshold=-1.0)
    for detections in found.values():
        assert sorted(d.sign for d in detections) == sorted(str(e.label) for e in exemplars)
        assert all(round((d.end - d.start) * 25, 6) == 15 for d in detections)


def test_one_answer_a_video_and_sign_has_a_ceiling() -> None:
    truth = {
        "a": [Segment("a", "x", 0, 1), Segment("a", "x", 2, 3), Segment("a", "y", 4, 5)],
        "b": [Segment("b", "x", 0, 1)],
    }
    # three of four can be found, without a false alarm: F1 is 2 · 3 / (3 + 4)
    assert METHODS["oslwl-2022"].ceiling(truth) == pytest.approx(6 / 7)
    assert METHODS["oslwl-2022"].ceiling({"a": []}) is None
    assert METHODS["sign-spotter"].ceiling(truth) is None


def test_transfer_without_a_guard_confirms_itself() -> None:
    """With one video its own best window takes the exemplar's place, and then matches itself perfectly."""
    world = small_world()
    method = METHODS["oslwl-2022-tcn"]
    found = method.detections(world.exemplars, world.queries[:1], threshold=-1.0)["query-1"]
    assert [d.score for d in found] == pytest.approx([1.0] * 8, abs=1e-4)
    plain = replace(method, k=0).detections(world.exemplars, world.queries[:1], threshold=-1.0)["query-1"]
    assert max(d.score for d in plain) < 0.999


def test_the_best_alignments_do_not_overlap_and_stop_at_the_number_asked_for() -> None:
    method = METHODS["tcn-dtw"]
    assert isinstance(method, AlignmentMethod)
    rng = np.random.default_rng(3)
    shown, searched = rng.normal(size=(6, 3)).astype(np.float32), rng.normal(size=(90, 3)).astype(np.float32)
    searched[40:46] = shown
    peaks = method._matches(shown, searched, 5)
    assert len(peaks) == 5
    assert (peaks[0].start, peaks[0].end, round(peaks[0].score, 5)) == (40, 46, 0)
    assert [p.score for p in peaks] == sorted((p.score for p in peaks), reverse=True)
    spans = np.array([[p.start, p.end] for p in peaks])
    assert (iou(spans, spans) - np.eye(5)).max() <= 0.2
