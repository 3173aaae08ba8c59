"""Explanations: heat where a planted network looks, masks that are the network's own, pictures that exist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from embeddings.clip import Clip
from embeddings.encoders.base import Encoder
from embeddings.encoders.i3d import I3D, I3DConfig
from embeddings.encoders.pose_transformer import PoseTransformer, PoseTransformerConfig
from embeddings.encoders.spoter import SPOTER_VARIANTS, Spoter
from embeddings.encoders.vtn import VTN, VTNHC, VTNConfig
from embeddings.isolated.explain import attention_mask, explain, input_weights, saliency
from embeddings.isolated.explain_pictures import draw_saliency, overlay

PLAIN = VTNConfig(classes=2, backbone="mobilenet_v3_small", layers=0, window=4, size=32, positions="none")


class Brightness(nn.Module):
    """A "CNN" of 576 channels on a 4 × 4 grid: channel 0 is how bright a cell is, channel 1 how dark."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        bright = nn.functional.adaptive_avg_pool2d(images.mean(1, keepdim=True), 4)
        return torch.cat(
            [bright - bright.min(), bright.max() - bright, bright.new_zeros(len(images), 574, 4, 4)], dim=1
        )


def planted(network: type[VTN]) -> VTN:
    """Class 0 scores brightness, class 1 darkness; nothing else counts."""
    encoder = network(PLAIN)
    encoder.cnn = Brightness()  # type: ignore[assignment]
    assert encoder.classifier is not None
    with torch.no_grad():
        encoder.classifier.weight.zero_()
        for first in range(0, encoder.dim, 576):
            encoder.classifier.weight[0, first] = encoder.classifier.weight[1, first + 1] = 1.0
    return encoder


def pictures(rows: int, column: int) -> torch.Tensor:
    """(1, 4, 32, 32, 3): dark, with one bright cell of the 4 × 4 grid, brighter with every frame."""
    images = torch.full((1, 4, 32, 32, 3), 40.0)
    for t in range(4):
        images[0, t, 8 * rows : 8 * rows + 8, 8 * column : 8 * column + 8] = 100 + 50 * t
    return images


def test_heat_lies_where_the_class_looks_and_is_scaled_over_the_clip() -> None:
    encoder = planted(VTNHC)
    inputs = {"left_hand": pictures(1, 2), "right_hand": pictures(3, 0)}
    heat = saliency(encoder, inputs, label=0)
    assert set(heat) == {"left_hand", "right_hand"}
    for name, cell in (("left_hand", (1, 2)), ("right_hand", (3, 0))):
        assert heat[name].shape == (4, 4, 4)
        assert np.unravel_index(heat[name][3].argmax(), (4, 4)) == cell
        np.testing.assert_allclose(heat[name][:, cell[0], cell[1]], np.array([60, 110, 160, 210]) / 210, atol=1e-5)
        assert heat[name].sum() == pytest.approx(heat[name][:, cell[0], cell[1]].sum(), abs=1e-4)
    dark = saliency(encoder, inputs, label=1)["left_hand"][3]
    assert dark[1, 2] == pytest.approx(0, abs=1e-6)
    assert dark[0, 0] == pytest.approx(1)


def test_activation_is_the_mean_magnitude_of_the_last_map_whatever_the_class() -> None:
    encoder = planted(VTN)
    inputs = {"frames": pictures(1, 2)}
    by_gradient = saliency(encoder, inputs, label=1)["frames"]
    heat = saliency(encoder, inputs, label=1, method="activation")["frames"]
    # |bright| + |dark| is the same in every cell of a frame: the range of its brightness, 576 channels share it
    np.testing.assert_allclose(heat[3], 1, atol=1e-5)
    assert by_gradient[3].min() < 0.1


def test_a_map_that_is_zero_throughout_is_told(tmp_path: Path) -> None:
    encoder = planted(VTNHC)
    assert encoder.classifier is not None
    with torch.no_grad():
        encoder.classifier.weight[0, :576] *= -1  # the left hand speaks against class 0
    inputs = {"left_hand": pictures(1, 2), "right_hand": pictures(3, 0)}
    clip, lines = Clip("a", 25.0), []
    explain(encoder, clip, tmp_path, 0, window=lambda _: inputs, tell=lines.append)
    (line,) = lines
    assert line.startswith("a: no part of left hand speaks for this sign")
    explain(encoder, clip, tmp_path, 0, "activation", lambda _: inputs, lines.append)
    assert len(lines) == 1


def test_labels_by_name_and_without_a_classifier() -> None:
    encoder = planted(VTN)
    encoder.label_set = ("bright", "dark")
    inputs = {"frames": pictures(0, 0)}
    np.testing.assert_array_equal(saliency(encoder, inputs, "dark")["frames"], saliency(encoder, inputs, 1)["frames"])
    with pytest.raises(ValueError, match="no label 'loud'"):
        saliency(encoder, inputs, "loud")
    with pytest.raises(ValueError, match="class 2 does not exist"):
        saliency(encoder, inputs, 2)
    encoder.classifier = None
    assert saliency(encoder, inputs)["frames"].max() == 1
    with pytest.raises(ValueError, match="has no classifier"):
        saliency(encoder, inputs, method="gradient")
    with pytest.raises(ValueError, match="has no CNN"):
        saliency(Spoter(replace(SPOTER_VARIANTS["spoter"], layers=1)), {"pose": torch.zeros(1, 4, 108)})


def test_video_networks_give_a_heat_map_a_frame() -> None:
    encoder = I3D(I3DConfig(classes=3, width=1 / 16, hidden=8, embedding=4, size=32)).eval()
    for parameter in encoder.parameters():
        parameter.requires_grad_(False)
    frames = torch.randint(0, 255, (1, 16, 64, 64, 3)).to(torch.uint8)
    assert saliency(encoder, {"frames": frames})["frames"].shape == (16, 2, 2)


def test_the_mask_is_the_last_layers_attention_over_queries() -> None:
    torch.manual_seed(0)
    encoder = VTN(replace(PLAIN, layers=2, heads=4)).eval()
    inputs = {"frames": pictures(2, 2)}
    features = encoder.frame_features({"frames": inputs["frames"][0]})[None]
    expected = encoder.frame_sequence(features)[1][-1][0].mean(1)
    mask = attention_mask(encoder, inputs)
    np.testing.assert_allclose(mask, expected.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(mask.sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["token", "query"])
def test_masks_of_pose_networks_are_over_frames(kind: str) -> None:
    torch.manual_seed(0)
    encoder: Encoder
    if kind == "token":
        encoder = PoseTransformer(PoseTransformerConfig(width=32, inner=32, window=6, steps=8))
        mask = attention_mask(encoder, {"pose": torch.randn(1, 6, 84)})
    else:
        encoder = Spoter(replace(SPOTER_VARIANTS["class-query"], layers=1, inner=32))
        mask = attention_mask(encoder, {"pose": torch.randn(1, 6, 108)})
    assert mask.shape == (2 if kind == "token" else 9, 6)
    np.testing.assert_allclose(mask.sum(1), 1, atol=1e-6)


def test_input_weights_are_reported_by_landmark() -> None:
    encoder = Spoter(replace(SPOTER_VARIANTS["class-query"], layers=1, inner=32))
    assert encoder.input_weights is not None
    index = 13  # the left index finger's tip in the 54 joints
    with torch.no_grad():
        encoder.input_weights[2 * index], encoder.input_weights[2 * index + 1] = 1.8, 1.4
        encoder.input_weights[0:2] = 0.5
    table = input_weights(encoder)
    first, last = table.iloc[0], table.iloc[-1]
    assert (first["landmark"], first["part"]) == ("left_hand_index_tip", "left hand")
    assert (first["x"], first["y"], first["mean"]) == pytest.approx((1.8, 1.4, 1.6))
    assert (last["landmark"], last["part"], last["mean"]) == ("nose", "body", 0.5)
    assert table["part"].value_counts().to_dict() == {"left hand": 21, "right hand": 21, "body": 12}
    with pytest.raises(ValueError, match="no weights on its decoder's input"):
        input_weights(encoder, "decoder")
    with pytest.raises(ValueError, match="no weights on its encoder's input"):
        input_weights(Spoter(replace(SPOTER_VARIANTS["spoter"], layers=1)))


def test_everything_that_applies_is_written(tmp_path: Path) -> None:
    from tests.embeddings.encoders.overfitting import eight_clips

    clip = eight_clips()[0]
    spoter = Spoter(replace(SPOTER_VARIANTS["class-query"], layers=1, inner=32))
    written = [path.name for path in explain(spoter, clip, tmp_path / "spoter")]
    assert written == ["attention.png", "input_weights.csv", "input_weights.png"]
    assert len(pd.read_csv(tmp_path / "spoter" / "input_weights.csv")) == 54
    both = Spoter(replace(SPOTER_VARIANTS["weights-both-sides"], layers=1, inner=32))
    assert both.decoder_weights is not None
    with torch.no_grad():
        both.decoder_weights[2 * 13 : 2 * 13 + 2] = torch.tensor([1.6, 1.2])
    written = [path.name for path in explain(both, clip, tmp_path / "both")]
    assert written[1:] == ["input_weights.csv", "input_weights.png", "decoder_weights.csv", "decoder_weights.png"]
    decoder = pd.read_csv(tmp_path / "both" / "decoder_weights.csv")
    assert decoder.iloc[0].to_dict() == {
        "landmark": "left_hand_index_tip", "part": "left hand", "x": 1.6, "y": 1.2, "mean": 1.4,
    }  # fmt: skip
    assert set(pd.read_csv(tmp_path / "both" / "input_weights.csv")["mean"]) == {1.0}
    frames = np.random.default_rng(0).integers(0, 255, (6, 40, 40, 3)).astype(np.uint8)
    vtn = VTN(replace(PLAIN, layers=1, heads=4))
    written = [path.name for path in explain(vtn, Clip("noise", 25.0, frames=frames), tmp_path / "vtn")]
    assert written == ["saliency.png", "attention.png"]
    for path in tmp_path.rglob("*.png"):
        image = cv2.imread(str(path))
        assert image is not None
        assert min(image.shape[:2]) > 100
        assert image.std() > 10  # not blank
    assert not list(tmp_path.rglob(".*"))


def test_a_sheet_glows_where_the_heat_is(tmp_path: Path) -> None:
    image = np.full((16, 16, 3), 60, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[0, 3] = 1
    glowing = overlay(image, heat).astype(int)
    assert glowing[0, 15, 0] - glowing[0, 15, 2] > 60  # yellow-red
    assert np.ptp(glowing[12, 2]) == 0  # cold: grey
    draw_saliency(tmp_path / "sheet.png", {"frames": image[None].repeat(3, 0)}, {"frames": heat[None].repeat(3, 0)})
    assert (tmp_path / "sheet.png").stat().st_size > 3000
