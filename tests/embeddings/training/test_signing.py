from __future__ import annotations

import numpy as np
import pytest

from embeddings.clip import Clip, Span
from embeddings.training.signing import Stretches, WindowSampler, collect, procedural_clips


def counted(name: str, start: int, frames: int, spans: list[Span], fps: float = 25.0) -> tuple[Clip, np.ndarray]:
    return Clip(name, fps, None, spans=tuple(spans)), np.arange(start, start + frames, dtype=np.float32)[:, None]


@pytest.fixture
def numbered() -> Stretches:
    """Two clips whose frame features are their own row numbers: 0–99 and 100–159."""
    first = counted("a", 0, 100, [Span("X", 10, 20), Span("Y", 40, 60), Span("unknown", 70, 80)])
    second = counted("b", 100, 60, [Span("X", 5, 25), Span("Y", 30, 50)])
    values = {c.name: v for c, v in (first, second)}
    return collect([first[0], second[0]], {"X": 0, "Y": 1}, lambda clip: values[clip.name])


def test_spans_are_rows_of_all_material_and_unknown_signs_are_background(numbered: Stretches) -> None:
    assert numbered.spans.tolist() == [[0, 10, 20, 0], [1, 40, 60, 0], [0, 105, 125, 1], [1, 130, 150, 1]]
    assert numbered.clips.tolist() == [[0, 100], [100, 160]]
    assert numbered.classes() == 2


def test_spans_follow_the_frame_rate_of_the_features() -> None:
    clip, values = counted("slow", 0, 50, [Span("X", 10, 20)], fps=12.5)
    assert collect([clip], {"X": 0}, lambda _: values).spans.tolist() == [[0, 20, 40, 0]]


def test_a_window_holds_its_own_frames(numbered: Stretches) -> None:
    sampler = WindowSampler(numbered, 2, 2, 0, context=40)
    inputs, inside = sampler.cut(np.array([[40.0, 60.0]]), np.array([0]))
    assert inputs[0, int(inside[0, 0]), 0] == 40
    assert inputs[0, int(inside[0, 1]), 0] == 60


@pytest.mark.parametrize("tempo", [0.5, 1.0, 1.7])
def test_tempo_changes_the_length_of_a_window_and_not_what_it_holds(numbered: Stretches, tempo: float) -> None:
    sampler = WindowSampler(numbered, 2, 2, 0, context=48)
    inputs, inside = sampler.cut(np.array([[40.0, 60.0]]), np.array([0]), np.array([tempo]))
    assert inside[0, 1] - inside[0, 0] == pytest.approx(20 / tempo)
    frames = np.arange(48)
    assert np.interp(inside[0], frames, inputs[0, :, 0]) == pytest.approx([40, 60], abs=0.05)


def test_frames_beyond_a_clip_repeat_its_edge_and_never_show_the_next_clip(numbered: Stretches) -> None:
    sampler = WindowSampler(numbered, 2, 2, 0, context=60)
    for tempo in (None, np.array([1.5])):
        inputs, _ = sampler.cut(np.array([[90.0, 100.0]]), np.array([0]), tempo)
        assert inputs.max() == 99


def test_batches_repeat_by_seed_and_hold_the_signs_that_are_asked_for(numbered: Stretches) -> None:
    sampler = WindowSampler(numbered, 2, 3, 4, context=40, jitter=(0.0, 0.2), tempo=0.2)
    one, two = (sampler.batch(np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(one.inputs, two.inputs)
    assert sorted(one.labels.tolist()) == [0, 0, 0, 1, 1, 1, 2, 3, 4, 5]
    only = sampler.batch(np.random.default_rng(4), chosen=np.array([1, 1, 7]))
    assert only.labels[:3].tolist() == [1, 1, 1]
    assert only.labels[3:].min() >= numbered.classes()


def test_the_signer_performs_every_sign_equally_often() -> None:
    clips = list(procedural_clips(3, 5, 8, length=3, isolated=0.5))
    counts: dict[str, int] = {}
    for clip in clips:
        for span in clip.spans:
            counts[span.label] = counts.get(span.label, 0) + 1
    assert len(counts) == 5
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({clip.signer for clip in clips}) == len(clips)
