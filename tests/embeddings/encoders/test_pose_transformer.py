"""The pose and semantic transformers: the 84 values by hand, the class token, settings, learning, export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.clip import Clip, Pose
from embeddings.encoders.pose_transformer import (
    VLE_SETTINGS,
    PoseTransformer,
    PoseTransformerConfig,
    SemanticTransformer,
    SemanticTransformerConfig,
    hand_values,
)
from embeddings.skeletons import SKELETONS
from tests.embeddings.encoders.exporting import export_error, onnx_error
from tests.embeddings.encoders.overfitting import accuracy_after, eight_clips, signing_windows

SMALL = PoseTransformerConfig(classes=8, width=32, inner=64, window=16, steps=20, dropout=0.0, input_dropout=0.0)


def some_pose(frames: int = 3) -> Pose:
    xy = np.random.default_rng(0).uniform(0, 400, (frames, 75, 2)).astype(np.float32)
    joints = SKELETONS["mediapipe-holistic"]
    xy[:, joints.index("left_shoulder")] = (300, 200)
    xy[:, joints.index("right_shoulder")] = (200, 200)
    return Pose(xy, np.ones((frames, 75), np.float32), "mediapipe-holistic", 25.0, (400, 400))


def test_published_sizes() -> None:
    with torch.device("meta"):
        encoder = PoseTransformer(PoseTransformerConfig(classes=226))
    assert (len(encoder.layers), encoder.dim, encoder.config.inner) == (2, 1024, 2048)
    assert encoder.layers[0].attention.heads == 2  # type: ignore[union-attr]
    assert encoder.fps == 12.5  # every second frame of 25
    sizes = {name: (c.layers, c.width, c.positions, c.values, c.window) for name, c in VLE_SETTINGS.items()}
    assert sizes == {
        "large": (6, 1024, True, 2590, 16),
        "small": (2, 512, True, 2590, 16),
        "small-no-position": (2, 512, False, 2590, 16),
    }


def test_values_by_hand() -> None:
    pose = some_pose()
    joints = SKELETONS["mediapipe-holistic"]
    right = joints.hand("right")
    values = hand_values(pose).reshape(3, 2, 21, 2)
    assert hand_values(pose).shape == (3, 84)
    # the neck is (250, 200), the shoulders are 100 px apart
    np.testing.assert_allclose(values[1, 1, 0], (pose.xy[1, right[0]] - (250, 200)) / 100, atol=1e-6)
    np.testing.assert_allclose(values[2, 1, 8], (pose.xy[2, right[8]] - pose.xy[2, right[0]]) / 100, atol=1e-6)


def test_values_do_not_depend_on_place_and_size_of_the_signer() -> None:
    pose = some_pose()
    moved = replace(pose, xy=pose.xy * 0.5 + np.array((30, 70), np.float32))
    np.testing.assert_allclose(hand_values(moved), hand_values(pose), atol=1e-5)


def test_missing_hands_are_zero_and_missing_shoulders_are_said() -> None:
    pose = some_pose()
    joints = SKELETONS["mediapipe-holistic"]
    pose.xy[1, joints.hand("left")] = np.nan
    assert (hand_values(pose)[1, :42] == 0).all()
    pose.xy[:, joints.index("left_shoulder")] = np.nan
    with pytest.raises(ValueError, match="both shoulders are never seen"):
        hand_values(pose)


def test_only_the_token_is_read_and_positions_order_it() -> None:
    torch.manual_seed(0)
    values = torch.randn(1, 8, 84)
    for positions in (True, False):
        encoder = PoseTransformer(replace(SMALL, positions=positions)).eval()
        given, turned = (encoder({"pose": v}).embedding for v in (values, values.flip(1)))
        assert torch.allclose(given, turned, atol=1e-5) is not positions
    with pytest.raises(ValueError, match="22 positions, but only 21"):
        PoseTransformer(SMALL)({"pose": torch.zeros(1, 21, 84)})
    with pytest.raises(ValueError, match="exceeds steps"):
        PoseTransformer(PoseTransformerConfig(window=121))


def test_learns_eight_clips() -> None:
    torch.manual_seed(0)
    encoder = PoseTransformer(SMALL)
    assert accuracy_after(encoder, signing_windows(encoder, eight_clips()), steps=60, rate=3e-3) == 1.0


def test_semantic_vectors_learn_eight_clips() -> None:
    """Semantic vectors built from the clips: histogram-like locations and a fixed projection of the hands."""
    torch.manual_seed(0)
    config = SemanticTransformerConfig(classes=8, width=32, layers=1, inner=64, dropout=0.0, input_dropout=0.0)
    encoder = SemanticTransformer(config)
    projection = np.random.default_rng(1).normal(size=(84, 2590)).astype(np.float32) / 9
    clips = []
    for clip in eight_clips():
        assert clip.pose is not None
        clips.append(replace(clip, extra={"semantic": hand_values(clip.pose) @ projection}))
    assert accuracy_after(encoder, signing_windows(encoder, tuple(clips)), steps=40, rate=2e-3) == 1.0
    with pytest.raises(ValueError, match=r"needs clip\.extra"):
        encoder.prepare(eight_clips()[0])
    with pytest.raises(ValueError, match=r"shape \(4, 7\)"):
        encoder.prepare(Clip("c", 25.0, extra={"semantic": np.zeros((4, 7), np.float32)}))


def test_export_round_trips(tmp_path: Path) -> None:
    encoder = PoseTransformer(SMALL)
    values = torch.randn(2, 12, 84)
    assert export_error(encoder, values) <= 1e-4
    assert onnx_error(encoder, values, tmp_path) <= 1e-4
