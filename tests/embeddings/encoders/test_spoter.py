"""SPOTER and its variants: published sizes, what each variant adds, learning, export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from embeddings.clip import Clip, Pose
from embeddings.encoders.spoter import SPOTER_VARIANTS, Spoter, SpoterConfig, landmark_names
from embeddings.skeletons import SKELETONS
from tests.embeddings.encoders.exporting import export_error, onnx_error
from tests.embeddings.encoders.overfitting import accuracy_after, eight_clips, signing_windows


def small(name: str, **changes: object) -> SpoterConfig:
    return replace(SPOTER_VARIANTS[name], **{"layers": 1, "inner": 64, "dropout": 0.0, "classes": 8, **changes})  # type: ignore[arg-type]


def test_published_sizes() -> None:
    with torch.device("meta"):
        encoder = Spoter(SpoterConfig(classes=100))
    assert round(sum(p.numel() for p in encoder.parameters()) / 1e6, 2) == 5.92
    assert encoder.dim == 108
    assert encoder.encoder[0].attention.heads == 9  # type: ignore[union-attr]
    assert len(encoder.encoder) == len(encoder.decoder) == 6
    for landmarks, d, heads in (("mediapipe-75", 150, 10), ("hand-21", 42, 7)):
        with torch.device("meta"):
            other = Spoter(SpoterConfig(landmarks=landmarks))  # type: ignore[arg-type]
        assert (other.dim, other.encoder[0].attention.heads) == (d, heads)  # type: ignore[union-attr]


def test_the_decoder_has_one_query_and_no_self_attention() -> None:
    encoder = Spoter(small("spoter")).eval()
    assert encoder.class_query is not None
    assert encoder.class_query.shape == (1, 108)
    assert [n for n, _ in encoder.decoder[0].named_children()].count("attention") == 1
    memory = torch.randn(2, 5, 108)
    # with a single query, attention over the memory is a convex mixture: equal memory rows give their own value
    equal = memory[:, :1].expand(-1, 5, -1)
    torch.testing.assert_close(encoder._decoded(memory, equal), encoder._decoded(memory, memory[:, :1]))


def test_one_learned_vector_cannot_order_frames_and_sinusoids_can() -> None:
    torch.manual_seed(0)
    values = torch.randn(1, 9, 108)
    for name, ordered in (("spoter", False), ("spoter-no-position", False), ("encoder-only", True)):
        encoder = Spoter(small(name)).eval()
        given, turned = (encoder({"pose": v}).embedding for v in (values, values.flip(1)))
        assert torch.allclose(given, turned, atol=1e-5) is not ordered


def test_input_weights_start_at_one_and_multiply() -> None:
    torch.manual_seed(0)
    weighted, plain = Spoter(small("class-query")).eval(), Spoter(small("spoter-no-position")).eval()
    plain.load_state_dict({k: v for k, v in weighted.state_dict().items() if k != "input_weights"})
    values = torch.randn(2, 6, 108)
    assert weighted.input_weights is not None
    torch.testing.assert_close(weighted({"pose": values}).embedding, plain({"pose": values}).embedding)
    w = torch.rand(108) * 2
    with torch.no_grad():
        weighted.input_weights.copy_(w)
    torch.testing.assert_close(weighted({"pose": values}).embedding, plain({"pose": values * w}).embedding)


def test_weights_on_both_sides_read_out_by_the_mean() -> None:
    encoder = Spoter(small("weights-both-sides")).eval()
    assert encoder.class_query is None
    assert encoder.decoder_weights is not None
    values = torch.randn(2, 6, 108)
    before = encoder({"pose": values})
    assert encoder.classifier is not None
    assert before.logits is not None
    with torch.no_grad():
        encoder.decoder_weights.mul_(0.5)
    assert not torch.allclose(encoder({"pose": values}).embedding, before.embedding)
    memory = torch.randn(2, 6, 108)
    assert encoder._decoded(values, memory).shape == (2, 6, 108)


def test_encoder_only_is_the_mean_over_time() -> None:
    encoder = Spoter(small("encoder-only")).eval()
    assert not len(encoder.decoder)
    seen: list[torch.Tensor] = []
    encoder.encoder_norm.register_forward_hook(lambda *given: seen.append(given[2]))
    out = encoder({"pose": torch.randn(2, 6, 108)})
    torch.testing.assert_close(out.embedding, F.normalize(seen[0].mean(1), dim=-1))


def test_impossible_variants_are_refused() -> None:
    with pytest.raises(ValueError, match="needs a decoder"):
        Spoter(SpoterConfig(decoder=False))
    with pytest.raises(ValueError, match="weights='both'"):
        Spoter(SpoterConfig(decoder=False, readout="mean", weights="both"))
    with pytest.raises(ValueError, match="landmarks is 'feet'"):
        Spoter(SpoterConfig(landmarks="feet"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a pose"):
        Spoter(small("spoter")).prepare(Clip("c", 25.0))


@pytest.mark.parametrize("name", list(SPOTER_VARIANTS))
def test_every_variant_learns_eight_clips(name: str) -> None:
    torch.manual_seed(0)
    encoder = Spoter(small(name))
    assert accuracy_after(encoder, signing_windows(encoder, eight_clips()), steps=60, rate=3e-3) == 1.0


@pytest.mark.parametrize("landmarks", ["mediapipe-75", "hand-21"])
def test_other_landmarks_learn_eight_clips(landmarks: str) -> None:
    torch.manual_seed(0)
    encoder = Spoter(small("class-query", landmarks=landmarks))
    inputs = signing_windows(encoder, eight_clips())
    assert inputs["pose"].shape == (8, 32, 2 * len(landmark_names(landmarks)))
    assert accuracy_after(encoder, inputs, steps=60, rate=3e-3) == 1.0


def test_one_hand_is_the_hand_that_is_seen_and_a_left_one_is_mirrored() -> None:
    joints = SKELETONS["mediapipe-holistic"]
    rng = np.random.default_rng(0)
    xy = rng.uniform(50, 200, (4, 75, 2)).astype(np.float32)
    confidence = np.ones((4, 75), np.float32)
    xy[:, joints.hand("right")] = np.nan
    confidence[:, joints.hand("right")] = 0
    pose = Pose(xy, confidence, "mediapipe-holistic", 25.0, (300, 300))
    encoder = Spoter(small("spoter", landmarks="hand-21"))
    left = encoder.prepare(Clip("left", 25.0, pose))["pose"]
    right = encoder.prepare(Clip("right", 25.0, pose.mirrored()))["pose"]
    np.testing.assert_allclose(left, right, atol=1e-5)
    assert np.abs(left).max() <= 0.5
    missing = Spoter(small("spoter", landmarks="hand-21", hand="right")).prepare(Clip("l", 25.0, pose))["pose"]
    assert (missing == -0.5).all()


@pytest.mark.parametrize("name", ["spoter", "weights-both-sides", "encoder-only"])
def test_export_round_trips(name: str, tmp_path: Path) -> None:
    encoder = Spoter(small(name))
    values = torch.randn(2, 12, 108)
    assert export_error(encoder, values) <= 1e-4
    if name != "encoder-only":
        assert onnx_error(encoder, values, tmp_path) <= 1e-4
