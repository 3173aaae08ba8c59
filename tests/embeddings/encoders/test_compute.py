"""Where an encoder computes and how exactly: batches change nothing, 16 bits little, a GPU hardly anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.encoders import load_encoder
from embeddings.encoders.base import Encoder
from embeddings.encoders.checkpoint import save_checkpoint
from embeddings.encoders.i3d import I3D, I3DConfig
from embeddings.encoders.vtn import VTN, VTNConfig

WINDOWS = np.array([[0, 16], [3, 20], [10, 26], [15, 40], [30, 46.0]])


def small(name: str, folder: Path) -> tuple[str, dict[str, np.ndarray]]:
    """A network by name or file, and inputs of 50 frames."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    if name in ("i3d", "vtn"):
        vtn = VTNConfig(backbone="mobilenet_v3_small", layers=1, heads=2, size=32)
        network: Encoder = I3D(I3DConfig(width=0.125, size=32)) if name == "i3d" else VTN(vtn)
        return str(save_checkpoint(folder / f"{name}.safetensors", network)), {
            "frames": rng.integers(0, 255, (50, 32, 32, 3), np.uint8)
        }
    values = {"default": ("pose", (50, 100)), "sl-gcn": ("joints", (50, 27, 3)), "pose-cosine": ("pose", (50, 98))}
    input_name, shape = values[name]
    return name, {input_name: rng.normal(size=shape).astype(np.float32)}


@pytest.mark.parametrize("name", ["default", "sl-gcn", "pose-cosine", "i3d", "vtn"])
def test_batches_change_nothing_and_16_bits_little(name: str, tmp_path: Path) -> None:
    which, inputs = small(name, tmp_path)
    usual = load_encoder(which)
    vectors = usual.embed(usual.staged(inputs), WINDOWS)
    some = load_encoder(which, batch=2)
    assert some.at_once == 2
    np.testing.assert_allclose(some.embed(some.staged(inputs), WINDOWS), vectors, atol=1e-5)
    half = load_encoder(which, precision="bfloat16")
    rows = half.embed(half.staged(inputs), WINDOWS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert (rows * vectors).sum(axis=1).min() > 0.99


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["default", "sl-gcn", "pose-cosine", "i3d", "vtn"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_gpu_agrees_with_the_cpu(name: str, precision: str, tmp_path: Path) -> None:
    which, inputs = small(name, tmp_path)
    here, there = load_encoder(which), load_encoder(which, "cuda", precision=precision)  # type: ignore[arg-type]
    ours, theirs = (network.embed(network.staged(inputs), WINDOWS) for network in (here, there))
    assert (ours * theirs).sum(axis=1).min() > (0.9999 if precision == "float32" else 0.99)
    ours, theirs = (network.clip_features(network.staged(inputs)) for network in (here, there))
    ours, theirs = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs))
    assert (ours * theirs).sum(axis=1).min() > (0.999 if precision == "float32" else 0.98)


def test_what_cannot_be_had_is_said() -> None:
    with pytest.raises(ValueError, match=r"device 'gpu' is not known; expected auto, cpu, cuda, cuda:1 or mps"):
        load_encoder(device="gpu")
    with pytest.raises(ValueError, match="precision is 'half'; expected one of float32, bfloat16, float16"):
        load_encoder(precision="half")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="float16 is for GPUs; on a CPU choose float32 or bfloat16"):
        load_encoder(device="cpu", precision="float16")
    with pytest.raises(ValueError, match="batch is 0; expected at least 1 window"):
        load_encoder(batch=0)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="device 'cuda': PyTorch sees 0 GPUs here; choose cpu, or auto"):
            load_encoder(device="cuda")


def test_the_folder_of_a_training_names_its_checkpoint(tmp_path: Path) -> None:
    which, _ = small("i3d", tmp_path)
    (tmp_path / "run").mkdir()
    with pytest.raises(ValueError, match=r"run: a folder without best\.safetensors"):
        load_encoder(tmp_path / "run")
    Path(which).rename(tmp_path / "run" / "best.safetensors")
    assert load_encoder(tmp_path / "run").name == "i3d"
