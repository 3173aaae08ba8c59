"""Video Transformer Networks: published sizes, the published arithmetic, and windows that share frame features."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from embeddings.clip import Clip
from embeddings.encoders.backbones import cnn
from embeddings.encoders.base import Encoder
from embeddings.encoders.image_encoder import nearest_frames
from embeddings.encoders.transformer_blocks import Attention, EncoderLayer, sinusoidal
from embeddings.encoders.vtn import VTN, VTNHC, VTNPF, VTNConfig, VTNPFDepth
from tests.embeddings.encoders.overfitting import accuracy_after, eight_films, signing_windows

SMALL = VTNConfig(classes=4, backbone="mobilenet_v3_small", layers=1, heads=4, window=4, size=32)


def small_inputs(frames: int = 12, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    pictures = {n: rng.integers(0, 255, (frames, 32, 32, 3)).astype(np.uint8) for n in VTNHC.required_inputs}
    depth = rng.integers(0, 255, (frames, 2, 32, 32)).astype(np.uint8)
    flow = rng.normal(size=(frames, 106)).astype(np.float32)
    return {**pictures, "frames": pictures["left_hand"], "depth": depth, "flow": flow}


@pytest.mark.parametrize(("network", "published"), [(VTN, 28.8), (VTNHC, 50.9), (VTNPF, 52.1)])
def test_published_parameter_counts(network: type[VTN], published: float) -> None:
    with torch.device("meta"):
        encoder = network(VTNConfig(classes=226))
    millions = sum(p.numel() for p in encoder.parameters()) / 1e6
    assert round(millions, 1) == published
    assert encoder.dim == (512 if network is VTN else 1024)


@pytest.mark.parametrize("backbone", ["resnet18", "vgg16", "mobilenet_v2", "densenet121", "efficientnet_b0"])
def test_any_torchvision_cnn_is_a_backbone(backbone: str) -> None:
    with torch.device("meta"):
        encoder = VTN(VTNConfig(backbone=backbone, heads=4, layers=2))
        frames = torch.zeros(1, 3, 64, 64, 3)
        assert encoder({"frames": frames}).embedding.shape == (1, encoder.dim)


@pytest.mark.parametrize("backbone", ["regnet_y_400mf", "squeezenet1_1"])
def test_the_width_is_that_of_the_last_map(backbone: str) -> None:
    network, width = cnn(backbone)
    network.eval()
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, width, 1, 1)


def test_unknown_backbones_and_settings_are_named() -> None:
    with pytest.raises(ValueError, match="no network 'resnet33'"):
        VTN(VTNConfig(backbone="resnet33"))
    with pytest.raises(ValueError, match="not a plain convolutional network"):
        VTN(VTNConfig(backbone="vit_b_32"))
    with pytest.raises(ValueError, match="positions is 'learnt'"):
        VTN(VTNConfig(backbone="mobilenet_v3_small", positions="learnt"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="7 heads do not divide"):
        VTN(VTNConfig(backbone="mobilenet_v3_small", heads=7))


@pytest.mark.parametrize("network", [VTN, VTNHC, VTNPF, VTNPFDepth])
def test_windows_over_shared_features_equal_windows_computed_alone(network: type[VTN]) -> None:
    torch.manual_seed(0)
    encoder = network(SMALL).eval()
    given = small_inputs()
    inputs = {name: given[name] for name in network.required_inputs}
    windows = np.array([(i, i + 4) for i in range(-1, 10)] + [(0, 9), (2, 10)], float)
    shared = encoder.embed(inputs, windows, batch=3)
    alone = Encoder.embed(encoder, inputs, windows, batch=5)
    np.testing.assert_allclose(shared, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(shared, axis=1), 1, atol=1e-5)
    assert encoder.embed(inputs, np.zeros((0, 2))).shape == (0, encoder.dim)


def test_the_cnn_sees_each_frame_once() -> None:
    encoder = VTN(SMALL).eval()
    seen: list[int] = []
    encoder.cnn.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    encoder.embed({"frames": small_inputs()["frames"]}, np.array([(i, i + 4) for i in range(9)], float))
    assert sum(seen) == 12


def test_a_window_takes_the_nearest_frame_and_the_earlier_of_two() -> None:
    assert nearest_frames(np.array([[3.0, 7.0]]), 4, 20).tolist() == [[3, 4, 5, 6]]
    # stride 2: positions 0.5, 2.5, 4.5, 6.5
    assert nearest_frames(np.array([[0.0, 8.0]]), 4, 20).tolist() == [[0, 2, 4, 6]]
    assert nearest_frames(np.array([[-2.0, 2.0]]), 4, 20).tolist() == [[0, 0, 0, 1]]


def test_attention_is_the_formula() -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 5, 8)
    for scale, root in (("head", math.sqrt(4)), ("model", math.sqrt(8))):
        attention = Attention(8, 2, project=False, scale=scale)  # type: ignore[arg-type]
        out, weights = attention(x, x)
        q, k, v = attention.query(x), attention.key(x), attention.value(x)
        for head in range(2):
            part = slice(4 * head, 4 * head + 4)
            expected = torch.softmax(q[..., part] @ k[..., part].transpose(1, 2) / root, dim=-1)
            torch.testing.assert_close(weights[:, head], expected)
            torch.testing.assert_close(out[..., part], expected @ v[..., part])
    assert Attention(8, 2, project=False).output(x) is x


def test_the_encoder_layer_is_torchs_own() -> None:
    """The same weights in torch's post-norm layer give the same numbers."""
    torch.manual_seed(2)
    ours = EncoderLayer(12, 3, 20, dropout=0.1).eval()
    theirs = torch.nn.TransformerEncoderLayer(12, 3, 20, batch_first=True).eval()
    attention = (ours.attention.query, ours.attention.key, ours.attention.value)
    state = {
        "self_attn.in_proj_weight": torch.cat([layer.weight for layer in attention]),
        "self_attn.in_proj_bias": torch.cat([layer.bias for layer in attention]),
        "self_attn.out_proj.weight": ours.attention.output.weight,
        "self_attn.out_proj.bias": ours.attention.output.bias,
        **{f"linear1.{k}": v for k, v in ours.feed_forward[0].state_dict().items()},
        **{f"linear2.{k}": v for k, v in ours.feed_forward[3].state_dict().items()},
        **{f"norm1.{k}": v for k, v in ours.norm1.state_dict().items()},
        **{f"norm2.{k}": v for k, v in ours.norm2.state_dict().items()},
    }
    theirs.load_state_dict(state)
    x = torch.randn(2, 7, 12)
    torch.testing.assert_close(ours(x)[0], theirs(x), atol=1e-5, rtol=1e-4)


def test_sinusoids_by_hand() -> None:
    table = sinusoidal(3, 4)
    expected = [[math.sin(p), math.cos(p), math.sin(p / 100), math.cos(p / 100)] for p in range(3)]
    torch.testing.assert_close(table, torch.tensor(expected))
    assert sinusoidal(2, 5).shape == (2, 5)


def test_the_order_of_frames_matters_only_through_positions() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 4, 576)
    turned = features.flip(1)
    for positions, same in (("sinusoidal", False), ("learned", False), ("none", True)):
        config = VTNConfig(backbone="mobilenet_v3_small", layers=1, heads=4, window=4, positions=positions)  # type: ignore[arg-type]
        encoder = VTN(config).eval()
        a, b = encoder.forward_features(features), encoder.forward_features(turned)
        assert torch.allclose(a.embedding, b.embedding, atol=1e-5) is same


def test_logits_are_averaged_over_time_and_features_are_normalised() -> None:
    encoder = VTNPF(SMALL).eval()
    features = torch.randn(2, 4, encoder.dim + 106)
    out = encoder.forward_features(features)
    assert encoder.classifier is not None
    assert out.logits is not None
    x, attention = encoder.frame_sequence(features)
    torch.testing.assert_close(out.logits, torch.stack([encoder.classifier(x[:, t]) for t in range(4)]).mean(0))
    torch.testing.assert_close(out.embedding, F.normalize(x.mean(1), dim=-1))
    assert attention[0].shape == (2, 4, 4, 4)
    # each frame's features are brought to mean 0 and variance 1: their scale and shift do not matter
    torch.testing.assert_close(encoder.forward_features(features * 7 + 3).embedding, out.embedding, atol=1e-4, rtol=0)


@pytest.mark.parametrize("over", ["frame", "batch"])
def test_features_are_normalised_over_frames_or_over_the_batch(over: Literal["frame", "batch"]) -> None:
    """Hand computed: two frames of features (1, 3) and (5, 11), padded by what has no weight. Over the frame each row
    becomes (-1, 1); over the batch the columns become (-1, 1) and (-1, 1)."""
    encoder = VTNPF(VTNConfig(backbone="resnet18", layers=0, normalise=over, size=32)).train()
    width = encoder.bottleneck.in_features  # type: ignore[union-attr]
    features = torch.tensor([[1.0, 3.0], [5.0, 11.0]]).repeat(1, width // 2)[None]
    encoder.bottleneck = nn.Identity()  # type: ignore[assignment]
    values = encoder._narrowed(features)[0, :, :2]
    expected = [[0.0, 1.0], [0.0, 1.0]] if over == "frame" else [[0.0, 0.0], [1.0, 1.0]]  # after ReLU
    np.testing.assert_allclose(values, expected, atol=1e-4)
    assert sum(p.numel() for p in encoder.parameters()) == sum(p.numel() for p in encoder.cnn.parameters())


def test_missing_inputs_are_named() -> None:
    with pytest.raises(ValueError, match="missing right_hand"):
        VTNHC(SMALL)({"left_hand": torch.zeros(1, 4, 32, 32, 3)})
    with pytest.raises(ValueError, match="neither frames nor a path"):
        VTN(SMALL).prepare(Clip("empty", 25.0))


def test_prepare_resamples_and_cuts_the_centre() -> None:
    frames = np.zeros((10, 40, 60, 3), np.uint8)
    frames[:, 10:30, 20:40] = 200
    frames[..., 0] = np.arange(10)[:, None, None]
    inputs = VTN(SMALL).prepare(Clip("c", 50.0, frames=frames))["frames"]
    assert inputs.shape == (5, 32, 32, 3)
    assert inputs[:, 0, 0, 0].tolist() == [0, 2, 4, 6, 8]
    assert inputs[0, 16, 16, 1] == 200


@pytest.mark.parametrize("network", [VTN, VTNHC, VTNPF])
def test_learns_eight_clips(network: type[VTN]) -> None:
    torch.manual_seed(0)
    config = VTNConfig(8, "mobilenet_v3_small", layers=1, heads=4, dropout=0.0, window=6, size=48)
    encoder = network(config)
    assert accuracy_after(encoder, signing_windows(encoder, eight_films()), steps=40, rate=1e-3) == 1.0
