"""Stretches: windows hold what they should, batches follow from the draw, and what was prepared is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from embeddings.clip import Clip, Span
from embeddings.encoders.base import Encoder
from embeddings.encoders.sign_tcn import SignTCN, SignTCNConfig
from embeddings.training.batches import Draw
from embeddings.training.items import Item
from embeddings.training.signing import utterances
from embeddings.training.stretches import Stretches, StretchSet, collect

FRAMES = {"a": np.arange(100, dtype=np.float32)[:, None], "b": np.arange(100, 160, dtype=np.float32)[:, None]}


class Numbered(Encoder):
    """A network whose inputs are the rows' own numbers."""

    name, required_inputs, window = "numbered", ("pose",), 4

    def prepare(self, clip: Clip) -> dict[str, NDArray[np.float32]]:
        return {"pose": FRAMES[clip.name]}


def item(name: str, spans: list[Span], fps: float = 25.0) -> Item:
    signs = tuple(span.label for span in spans)
    return Item(name, "", lambda: Clip(name, fps, None, spans=tuple(spans)), f"signer-{name}", signs=signs)


ITEMS = [
    item("a", [Span("X", 10, 20), Span("Y", 40, 60), Span("unknown", 70, 80)]),
    item("b", [Span("X", 5, 25), Span("Y", 30, 50)]),
]
"""Two clips whose frame features are their own row numbers: 0–99 and 100–159."""
STRETCHES = collect(ITEMS, ["X", "Y"], Numbered())


def made(**settings: object) -> StretchSet:
    return StretchSet(STRETCHES, ITEMS, Numbered(), ["X", "Y"], {"X": 7, "Y": 3}, **settings)  # type: ignore[arg-type]


def test_spans_are_rows_of_all_material_and_unknown_signs_are_background() -> None:
    assert STRETCHES.spans.tolist() == [[0, 10, 20, 0], [1, 40, 60, 0], [0, 105, 125, 1], [1, 130, 150, 1]]
    assert STRETCHES.clips.tolist() == [[0, 100], [100, 160]]
    assert made().labels.tolist() == [7, 3, 7, 3]


def test_spans_follow_the_frame_rate_of_the_features() -> None:
    assert collect([item("a", [Span("X", 10, 20)], 12.5)], ["X"], Numbered()).spans.tolist() == [[0, 20, 40, 0]]


def test_clips_without_signs_are_refused() -> None:
    with pytest.raises(ValueError, match="none of 2 clips shows a labelled sign"):
        collect(ITEMS, ["Z"], Numbered())


def test_a_window_holds_its_own_frames() -> None:
    inputs, inside = made(context=40).cut(np.array([[40.0, 60.0]]), np.array([0]))
    assert inputs[0, int(inside[0, 0]), 0] == 40
    assert inputs[0, int(inside[0, 1]), 0] == 60


@pytest.mark.parametrize("tempo", [0.5, 1.0, 1.7])
def test_tempo_changes_the_length_of_a_window_and_not_what_it_holds(tempo: float) -> None:
    inputs, inside = made(context=48).cut(np.array([[40.0, 60.0]]), np.array([0]), np.array([tempo]))
    assert inside[0, 1] - inside[0, 0] == pytest.approx(20 / tempo)
    frames = np.arange(48)
    assert np.interp(inside[0], frames, inputs[0, :, 0]) == pytest.approx([40, 60], abs=0.05)


def test_frames_beyond_a_clip_repeat_its_edge_and_never_show_the_next_clip() -> None:
    for tempo in (None, np.array([1.5])):
        inputs, _ = made(context=60).cut(np.array([[90.0, 100.0]]), np.array([0]), tempo)
        assert inputs.max() == 99


def test_a_batch_follows_from_its_draw() -> None:
    data = made(context=40, jitter=(0.0, 0.2), tempo=0.2)
    draw = Draw(4, 9, 0, np.array([0, 2, 1]), background=2)
    one, two = data.batch(draw), data.batch(draw)
    assert torch.equal(one["pose"], two["pose"])
    assert one["label"].tolist() == [7, 7, 3, -1, -1]
    assert one["pose"].shape == (5, 40, 1)
    assert one["positions"].shape == (5, 4)
    for other in (draw._replace(number=8), draw._replace(slot=3), draw._replace(seed=5)):
        assert not torch.equal(one["positions"], data.batch(other)["positions"])


def test_without_jitter_the_window_is_the_sign() -> None:
    batch = made(context=40, jitter=0.0).batch(Draw(0, 0, 0, np.array([1])))
    values = np.interp(batch["positions"][0], np.arange(40), batch["pose"][0, :, 0])
    np.testing.assert_allclose(values, [42, 47, 52, 57])  # four samples of [40, 60)


def windows_of(batch: dict[str, torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """(start, end) of each window in rows of the material, from the places of its four samples."""
    places = batch["positions"].numpy().astype(float)
    length = (places[:, 3] - places[:, 0]) / 0.75
    frames = np.arange(batch["pose"].shape[1])
    centre = places.mean(axis=1) + 0.5
    rows = np.array([np.interp(c, frames, v) for c, v in zip(centre, batch["pose"][..., 0].numpy(), strict=True)])
    return rows - length / 2, rows + length / 2


def test_windows_between_signs_lie_on_their_edges() -> None:
    start, end = windows_of(made(context=40).batch(Draw(0, 0, 0, np.zeros(0, np.int64), 300)))
    centre, length = (start + end) / 2, end - start
    edges = np.array([10, 20, 40, 60, 105, 125, 130, 150])
    apart = np.abs(centre[:, None] - edges)
    assert apart.min(axis=1).max() < 0.05
    assert set(apart.argmin(axis=1).tolist()) == set(range(8))
    signs = np.where(np.isin(edges[apart.argmin(axis=1)], (10, 20)), 10, 20)
    assert 0.69 < (length / signs).min() < 0.8
    assert 1.2 < (length / signs).max() < 1.31


def test_jitter_moves_either_end_for_itself() -> None:
    start, end = windows_of(made(context=60, jitter=0.1).batch(Draw(0, 0, 0, np.full(2000, 1))))
    assert start.mean() == pytest.approx(40, abs=0.2)
    assert end.mean() == pytest.approx(60, abs=0.2)
    np.testing.assert_allclose([start.std(), end.std()], 2.0, atol=0.15)  # a tenth of twenty frames
    assert abs(np.corrcoef(start, end)[0, 1]) < 0.08


def test_stretches_are_kept_until_something_changes(tmp_path: Path) -> None:
    STRETCHES.save(tmp_path / "s.safetensors", "one")
    again = Stretches.load(tmp_path / "s.safetensors", "one")
    assert again is not None
    for name in ("features", "clips", "spans"):
        np.testing.assert_array_equal(getattr(again, name), getattr(STRETCHES, name))
    assert Stretches.load(tmp_path / "s.safetensors", "two") is None
    assert Stretches.load(tmp_path / "none.safetensors", "one") is None
    (tmp_path / "s.safetensors").write_bytes(b"\x00" * 30)
    assert Stretches.load(tmp_path / "s.safetensors", "one") is None


def test_one_shot_accuracy_is_of_the_stretches_own_signs() -> None:
    torch.manual_seed(0)
    encoder = SignTCN(SignTCNConfig(hand_width=8, width=16, dim=16))
    items = utterances(5, 4, 12, length=3)
    signs = sorted({sign for it in items for sign in it.labels()})
    data = StretchSet(collect(items, signs, encoder), items, encoder, signs, {})
    figures = data.figures(encoder)
    assert np.isnan(figures.loss)
    assert 0 < figures.one_shot < 1
    assert figures.clips == len(data) == sum(len(it.labels()) for it in items)


def test_the_signer_performs_every_sign_equally_often() -> None:
    items = utterances(3, 5, 8, length=3, isolated=0.5)
    counts: dict[str, int] = {}
    for it in items:
        clip = it.load()
        assert tuple(span.label for span in clip.spans) == it.labels()
        for span in clip.spans:
            counts[span.label] = counts.get(span.label, 0) + 1
    assert len(counts) == 5
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({it.signer for it in items}) == len(items)
    assert {name.partition("/")[0] for name in counts} == {"3"}  # signs of another seed have other names
