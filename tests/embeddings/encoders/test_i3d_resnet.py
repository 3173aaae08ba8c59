"""Inflated ResNet-50: a still video must be answered as the 2D network answers the picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models import resnet50
from torchvision.models.resnet import Bottleneck, ResNet

from embeddings.encoders import backbones
from embeddings.encoders.backbones import PretrainedError
from embeddings.encoders.i3d_resnet import I3DResNet50, I3DResNetConfig, TimeConv, inflate
from tests.embeddings.encoders.overfitting import accuracy_after, eight_films, signing_windows

SMALL = I3DResNetConfig(classes=3, blocks=(1, 2, 2, 2), base=8, size=32)


def test_published_layout() -> None:
    with torch.device("meta"):
        encoder = I3DResNet50(I3DResNetConfig(classes=226))
        out = encoder({"frames": torch.zeros(1, 16, 224, 224, 3)})
    assert out.embedding.shape == (1, 2048)
    lengths = [m.kernel_size[0] for m in encoder.modules() if isinstance(m, TimeConv)]
    assert (lengths.count(5), lengths.count(3)) == (1, 3 + 2 + 3 + 1)
    extra = sum(p.numel() for p in encoder.parameters()) - (2048 * 226 + 226)
    flat = 25_557_032 - (2048 * 1000 + 1000)
    stages = (64 * 64 + 2 * 256 * 64, 256 * 128 + 512 * 128, 512 * 256 + 2 * 1024 * 256, 2048 * 512)
    assert extra == flat + 4 * 3 * 64 * 49 + 2 * sum(stages)


@pytest.mark.parametrize("frames", [4, 9, 16])
def test_a_still_video_gives_the_flat_networks_features(frames: int) -> None:
    torch.manual_seed(0)
    flat = ResNet(Bottleneck, [1, 2, 2, 2], width_per_group=8)
    flat(torch.randn(4, 3, 64, 64))  # batch statistics that are not 0 and 1
    flat.eval()
    flat.fc = torch.nn.Identity()
    picture = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = flat(picture)
        deep = inflate(flat).eval()
        still = picture[:, :, None].expand(-1, -1, frames, -1, -1)
        torch.testing.assert_close(deep(still), expected, atol=1e-4, rtol=1e-4)


def test_it_sees_movement() -> None:
    torch.manual_seed(0)
    encoder = I3DResNet50(SMALL).eval()
    with torch.no_grad():  # unlike frames of one kernel, as training makes them
        for module in encoder.modules():
            if isinstance(module, TimeConv) and module.kernel_size[0] > 1:
                module.weight.add_(torch.randn_like(module.weight) * 0.05)
    frames = torch.randint(0, 255, (1, 16, 32, 32, 3)).to(torch.uint8)
    forwards, backwards = (encoder({"frames": f}).embedding for f in (frames, frames.flip(1)))
    assert (forwards - backwards).abs().max() > 1e-3


def test_imagenet_weights_are_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    state = resnet50(weights=None).state_dict()
    monkeypatch.setattr("embeddings.encoders.i3d_resnet.imagenet_state", lambda name: state)
    encoder = I3DResNet50()
    encoder.initialise("pretrained")
    stem = encoder.trunk.state_dict()["conv1.weight"]
    assert stem.shape == (64, 3, 5, 7, 7)
    torch.testing.assert_close(stem.sum(2), state["conv1.weight"])
    torch.testing.assert_close(stem[:, :, 0], stem[:, :, 4])
    torch.testing.assert_close(
        encoder.trunk.state_dict()["layer3.1.conv2.weight"].squeeze(2), state["layer3.1.conv2.weight"]
    )
    with pytest.raises(ValueError, match="is not ResNet-50"):
        I3DResNet50(SMALL).initialise("pretrained")


def test_without_weights_it_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from urllib.error import URLError

    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(PretrainedError, match="init='random'") as caught:
        backbones.imagenet_state("resnet18")
    assert "\n" not in str(caught.value)
    assert "resnet18-" in str(caught.value)


def test_random_start_is_announced(caplog: pytest.LogCaptureFixture) -> None:
    I3DResNet50(SMALL).initialise("random")
    assert "i3d-resnet50 starts from random weights" in caplog.text


def test_rows_are_unit() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (20, 32, 32, 3)).astype(np.uint8)
    rows = I3DResNet50(SMALL).embed({"frames": frames}, np.array([[0, 16], [2, 18], [-4, 30]], float))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_learns_eight_clips() -> None:
    torch.manual_seed(0)
    encoder = I3DResNet50(I3DResNetConfig(classes=8, blocks=(1, 1, 1, 1), base=8, size=48, dropout=0.0))
    assert accuracy_after(encoder, signing_windows(encoder, eight_films()), steps=15, rate=1e-3) == 1.0
