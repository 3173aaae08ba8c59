"""Inception-I3D: published shapes and normalisation, the head's arithmetic, and published checkpoints."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from embeddings.encoders.backbones import PretrainedError
from embeddings.encoders.convert_i3d import convert_state, load_i3d
from embeddings.encoders.i3d import I3D, I3DConfig, InceptionI3D, SamePool
from tests.embeddings.encoders.overfitting import accuracy_after, eight_films, signing_windows

SMALL = I3DConfig(classes=3, width=1 / 16, hidden=16, embedding=8, size=32)


def published(head: bool, classes: int = 5, width: float = 1 / 16) -> dict[str, torch.Tensor]:
    """A made-up state dict with the keys of the published files."""
    torch.manual_seed(3)
    trunk = InceptionI3D(width)
    state = {
        f"i3d.{k}": torch.rand_like(v) * 0.2 if v.is_floating_point() else v for k, v in trunk.state_dict().items()
    }
    state["i3d.logits.conv3d.weight"] = torch.rand(classes, trunk.channels, 1, 1, 1)
    state["i3d.logits.conv3d.bias"] = torch.rand(classes)
    if head:
        c = trunk.channels
        for name, shape in (
            ("res.0", (c, c)),
            ("adaptor.0", (16, c)),
            ("adaptor.2", (8, 16)),
            ("logits", (classes, 8)),
        ):
            state[f"mlp.{name}.weight"] = torch.randn(*shape) * 0.1
            state[f"mlp.{name}.bias"] = torch.randn(shape[0]) * 0.1
    return state


def frames(batch: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (batch, 16, 32, 32, 3), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def test_published_shapes() -> None:
    with torch.device("meta"):
        trunk = InceptionI3D()
        assert trunk(torch.zeros(1, 3, 16, 224, 224)).shape == (1, 1024, 2, 7, 7)  # strides 8 and 32
        assert trunk(torch.zeros(1, 3, 17, 100, 60)).shape == (1, 1024, 3, 4, 2)
        parameters = sum(p.numel() for p in trunk.parameters())
    assert parameters == 12_287_264  # Inception-I3D without its class layer
    with torch.device("meta"):
        encoder = I3D()
        assert encoder.mlp is not None
        assert encoder.mlp(torch.zeros(1, 1024)).shape == (1, 256)
    assert encoder.dim == 256


def test_values_are_scaled_to_plus_minus_one_half() -> None:
    images = torch.tensor([0, 255]).to(torch.uint8).view(1, 2, 1, 1, 1).expand(1, 2, 1, 1, 3)
    out = I3D(SMALL).normalised(images)
    assert out.shape == (1, 2, 3, 1, 1)
    torch.testing.assert_close(out[0, :, 0, 0, 0], torch.tensor([-0.5, 0.5]))


def test_same_padding_puts_the_odd_zero_at_the_end() -> None:
    x = torch.zeros(1, 1, 1, 1, 4)
    x[..., 3] = 1.0  # kernel 3, stride 2, n = 4: windows [0, 1, 2] and [2, 3, pad]
    assert SamePool((1, 1, 3), (1, 1, 2))(x).flatten().tolist() == [0.0, 1.0]


def test_head_is_residual_leaky_and_normalised() -> None:
    encoder = I3D(SMALL).eval()
    out = encoder({"frames": frames()})
    x = encoder.features(frames())
    state = encoder.state_dict()

    def linear(v: torch.Tensor, name: str) -> torch.Tensor:
        v = v @ state[f"mlp.{name}.weight"].T + state[f"mlp.{name}.bias"]
        return torch.where(v > 0, v, 0.2 * v)

    raw = linear(linear(x + linear(x, "res.0"), "adaptor.0"), "adaptor.2")
    torch.testing.assert_close(out.embedding, F.normalize(raw, dim=1))
    assert out.parts.shape == (2, 1, 8)
    assert out.logits is not None
    assert encoder.classifier is not None
    torch.testing.assert_close(out.logits, encoder.classifier(raw))


@pytest.mark.parametrize("wrapped", [False, True])
def test_published_mlp_layout(tmp_path: Path, wrapped: bool) -> None:
    state = published(head=True)
    torch.save({"state_dict": state} if wrapped else state, tmp_path / "i3d_mlp.pth")
    encoder = load_i3d(tmp_path / "i3d_mlp.pth")
    assert encoder.config.head == "mlp"
    assert (encoder.dim, encoder.config.classes) == (8, 5)
    out = encoder({"frames": frames()})
    features = encoder.features(frames())
    assert out.logits is not None
    kernel = state["i3d.logits.conv3d.weight"]
    expected = F.conv3d(features[:, :, None, None, None], kernel, state["i3d.logits.conv3d.bias"]).flatten(1)
    torch.testing.assert_close(out.logits, expected)
    torch.testing.assert_close(encoder.state_dict()["mlp.res.0.weight"], state["mlp.res.0.weight"])


def test_published_bare_layout_gives_the_same_features(tmp_path: Path) -> None:
    bare = {k.replace("i3d.", "module.", 1): v for k, v in published(head=False).items()}
    torch.save({"epoch": 3, "state_dict": bare}, tmp_path / "bare.pth.tar")
    torch.save(published(head=True), tmp_path / "mlp.pth")
    plain, mlp = load_i3d(tmp_path / "bare.pth.tar"), load_i3d(tmp_path / "mlp.pth")
    assert plain.config.head == "plain"
    torch.testing.assert_close(plain.features(frames()), mlp.features(frames()))
    torch.testing.assert_close(plain({"frames": frames()}).embedding, F.normalize(mlp.features(frames()), dim=1))


def test_foreign_and_dangerous_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not an Inception-I3D.*fc\.weight"):
        convert_state({"fc.weight": torch.zeros(1)})
    torch.save({"a": 1}, tmp_path / "no_state.pth")
    with pytest.raises(ValueError, match="holds no state dict"):
        load_i3d(tmp_path / "no_state.pth")
    lacking = published(head=False)
    del lacking["i3d.Mixed_4c.b0.conv3d.weight"]
    torch.save(lacking, tmp_path / "lacking.pth")
    with pytest.raises(ValueError, match=r"does not fit: lacks .*Mixed_4c"):
        load_i3d(tmp_path / "lacking.pth")

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("executed",))

    with open(tmp_path / "payload.pth", "wb") as file:
        pickle.dump({"state_dict": Payload()}, file, protocol=2)
    with pytest.raises(ValueError, match="holds more than tensors"):
        load_i3d(tmp_path / "payload.pth")


def test_pretrained_weights_are_never_silently_replaced() -> None:
    with pytest.raises(PretrainedError, match="init='random'"):
        I3D(SMALL).initialise("pretrained")
    I3D(SMALL).initialise("random")
    with pytest.raises(ValueError, match="init is 'zeros'"):
        I3D(SMALL).initialise("zeros")  # type: ignore[arg-type]


def test_windows_are_unit_rows_and_exact() -> None:
    encoder = I3D(SMALL)
    clip = frames(1)[0].numpy()
    rows = encoder.embed({"frames": clip}, np.array([[0.0, 16.0], [3.0, 19.0]]))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    shifted = np.concatenate([clip[3:], clip[-1:].repeat(3, axis=0)])  # beyond the end the last frame repeats
    np.testing.assert_allclose(rows[1:], encoder.embed({"frames": shifted}, np.array([[0.0, 16.0]])), atol=1e-5)


@pytest.mark.parametrize("head", ["mlp", "plain"])
def test_learns_eight_clips(head: str) -> None:
    torch.manual_seed(0)
    config = I3DConfig(classes=8, head=head, width=1 / 8, hidden=64, embedding=32, size=48, dropout=0.0)  # type: ignore[arg-type]
    encoder = I3D(config)
    assert accuracy_after(encoder, signing_windows(encoder, eight_films()), steps=25, rate=3e-3) == 1.0
