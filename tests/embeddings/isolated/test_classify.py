"""Isolated recognition from a checkpoint: windows as in training, ranked labels, what is wrong is named."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.clip import Clip
from embeddings.encoders.checkpoint import save_checkpoint
from embeddings.encoders.spoter import Spoter, SpoterConfig
from embeddings.isolated.classify import Classifier, top_labels, write_labels
from embeddings.synthetic import SignWorld


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    encoder = Spoter(SpoterConfig(classes=3, layers=1, inner=8, window=8))
    encoder.label_set = ("A", "B", "C")
    facts = {"sampling": {"cut": "span", "sampling": "contiguous", "stride": 2, "jitter": 0.1, "warp": 0.0}}
    return save_checkpoint(tmp_path_factory.mktemp("c") / "x.safetensors", encoder, facts)


def test_probabilities_are_the_networks_on_the_window_of_training(checkpoint: Path) -> None:
    classifier = Classifier(checkpoint)
    assert classifier.labels == ("A", "B", "C")
    assert (classifier.sampling.sampling, classifier.sampling.cut) == ("contiguous", "span")
    clip = SignWorld(3, signs=2).clip(0)
    span = clip.spans[0]
    rows = classifier.encoder.prepare(clip)["pose"]
    first = span.start + (span.end - span.start - 15) // 2
    window = torch.from_numpy(rows[first : first + 16 : 2])[None]
    with torch.inference_mode():
        logits = classifier.encoder({"pose": window}).logits
    assert logits is not None
    found = classifier.probabilities(clip)
    np.testing.assert_allclose(found, torch.softmax(logits[0].double(), 0).numpy(), atol=1e-6)
    assert found.sum() == pytest.approx(1)
    assert classifier.parameters() == sum(p.numel() for p in classifier.encoder.parameters())


def test_ranks_are_by_probability_and_ties_by_order() -> None:
    assert top_labels(np.array([0.2, 0.5, 0.2, 0.1]), ("a", "b", "c", "d"), 3) == [("b", 0.5), ("a", 0.2), ("c", 0.2)]


def test_labels_are_written_by_rank(tmp_path: Path) -> None:
    write_labels(tmp_path / "deep" / "l.csv", {"x": [("b, or B", 0.5), ("a", 0.25)], "y": [("a", 1.0)]})
    with (tmp_path / "deep" / "l.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["sample", "rank", "label", "probability"], ["x", "1", "b, or B", "0.500000"], ["x", "2", "a", "0.250000"],
        ["y", "1", "a", "1.000000"],
    ]  # fmt: skip
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["l.csv"]


def test_what_is_wrong_is_named(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a pose"):
        Classifier(checkpoint).probabilities(Clip("x", 25.0, frames=np.zeros((3, 4, 4, 3), np.uint8)))
    plain = save_checkpoint(tmp_path / "plain.safetensors", Spoter(SpoterConfig(layers=1, inner=8)))
    with pytest.raises(ValueError, match="trained without classes"):
        Classifier(plain)
