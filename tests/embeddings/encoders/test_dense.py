"""Dense mode, and that sharing work over windows changes nothing where it is said to change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from embeddings.encoders import load_encoder, sign_tcn
from embeddings.encoders.base import Encoder
from embeddings.encoders.dense import Dense, _InceptionPass, dense
from embeddings.encoders.i3d import I3D, I3DConfig
from embeddings.encoders.sign_tcn import SignTCN
from embeddings.encoders.sl_gcn import SLGCN, SLGCNConfig
from embeddings.encoders.table import encoder_class
from embeddings.encoders.vtn import VTNConfig

SMALL = SLGCNConfig(widths=(16, 16, 32), head_units=2, part_dim=8)


def randomised(network: Encoder, seed: int) -> Encoder:
    """Every parameter and running statistic drawn anew: what starts at zero would hide a mistake."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean = 0.1 * torch.randn(module.num_features, generator=generator)
            module.running_var = 0.5 + torch.rand(module.num_features, generator=generator)
    for parameter in network.parameters():
        if parameter.abs().sum() == 0:
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return network.eval().requires_grad_(False)


def joints(frames: int) -> dict[str, np.ndarray]:
    steps = np.random.default_rng(0).normal(0, 0.05, (frames, 27, 3)).astype(np.float32)
    return {"joints": np.cumsum(steps, axis=0)}


def pictures(frames: int, side: int = 32) -> dict[str, np.ndarray]:
    return {"frames": np.random.default_rng(0).integers(0, 255, (frames, side, side, 3)).astype(np.uint8)}


@pytest.mark.parametrize("length", [16.0, 11.0])
def test_one_window_alone_is_exact_for_sl_gcn(length: float) -> None:
    network = randomised(SLGCN(SMALL), 1)
    window = np.array([[3.0, 3.0 + length]])
    np.testing.assert_allclose(dense(network).embed(joints(40), window), network.embed(joints(40), window), atol=1e-5)


def test_sl_gcn_in_blocks_is_sl_gcn_at_once() -> None:
    network = randomised(SLGCN(SMALL), 2)
    starts = np.arange(0, 380, 2.0)
    windows = np.stack([starts, starts + 16], axis=1)
    whole, parts = dense(network), dense(network)
    parts.block = 100
    np.testing.assert_allclose(parts.embed(joints(400), windows), whole.embed(joints(400), windows), atol=1e-5)


def test_dense_vectors_are_near_the_exact_ones() -> None:
    network = randomised(SLGCN(SMALL), 3)
    starts = np.arange(0, 60, 2.0)
    windows = np.stack([starts, starts + 16], axis=1)
    exact, near = network.embed(joints(80), windows), dense(network).embed(joints(80), windows)
    np.testing.assert_allclose(np.linalg.norm(near, axis=1), 1, atol=1e-5)
    cosine = (exact * near).sum(axis=1)
    # nearer to its own window than to the others'
    assert cosine.mean() > (exact @ near.T).mean() + 0.5 * (1 - (exact @ exact.T).mean())


def test_every_eighth_output_of_i3d_is_the_networks_own() -> None:
    network = randomised(I3D(I3DConfig(width=0.125, size=32, embedding=16, hidden=16)), 4)
    assert isinstance(network, I3D)
    frames = torch.from_numpy(pictures(40)["frames"])
    own = network.i3d(network.normalised(frames[None]).transpose(1, 2)).mean(dim=(3, 4))[0].T
    np.testing.assert_allclose(_InceptionPass(network).features(frames)[::8], own, atol=1e-5)


def test_one_window_alone_is_exact_for_i3d() -> None:
    network = randomised(I3D(I3DConfig(width=0.125, size=32, embedding=16, hidden=16)), 5)
    window = np.array([[2.0, 18.0]])
    np.testing.assert_allclose(
        dense(network).embed(pictures(30), window), network.embed(pictures(30), window), atol=1e-5
    )


def test_dense_mode_by_name() -> None:
    encoder = load_encoder("sl-gcn:dense")
    assert isinstance(encoder, Dense)
    assert encoder.id == load_encoder("sl-gcn").id


def test_without_a_dense_mode_it_says_so() -> None:
    with pytest.raises(ValueError, match="no dense mode"):
        dense(SignTCN())
    with pytest.raises(ValueError, match="stride 1"):
        dense(SLGCN(SLGCNConfig(widths=(16,) * 10, strided=True, window=150)))


def test_a_long_clip_in_pieces_is_the_clip_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = SignTCN().eval()
    inputs = {"pose": np.random.default_rng(0).random((100, 100), np.float32)}
    whole = network.clip_features(inputs)
    monkeypatch.setattr(sign_tcn, "FRAMES_AT_ONCE", 17)
    np.testing.assert_allclose(network.clip_features(inputs), whole, atol=1e-5)


@pytest.mark.parametrize("name", ["vtn", "vtn-hc", "vtn-pf"])
def test_shared_frames_give_the_vectors_of_windows_one_by_one(name: str) -> None:
    config = VTNConfig(backbone="mobilenet_v3_small", layers=1, heads=4, size=32)
    network = randomised(encoder_class(name)(config), 6)  # type: ignore[call-arg]
    inputs = {key: pictures(30)["frames"] for key in network.required_inputs if key != "flow"}
    if "flow" in network.required_inputs:
        inputs["flow"] = np.random.default_rng(1).random((30, 106), np.float32)
    windows = np.array([[0, 16], [1, 17], [5.5, 14.5], [-3, 20]], float)
    np.testing.assert_allclose(network.embed(inputs, windows), Encoder.embed(network, inputs, windows), atol=1e-5)
