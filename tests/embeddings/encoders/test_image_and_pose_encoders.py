"""What holds for every network here: found by name, rebuilt from its checkpoint, unit rows, inputs checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from embeddings.encoders.checkpoint import load_checkpoint, save_checkpoint
from embeddings.encoders.table import encoder_class

IMAGE = {"backbone": "mobilenet_v3_small", "layers": 1, "heads": 4, "window": 4, "size": 32, "classes": 3}
SMALL: dict[str, dict[str, Any]] = {
    "i3d": {"width": 1 / 16, "hidden": 8, "embedding": 4, "window": 8, "size": 32, "classes": 3},
    "i3d-resnet50": {"blocks": (1, 1, 1, 1), "base": 4, "window": 8, "size": 32, "classes": 3},
    "vtn": IMAGE,
    "vtn-hc": IMAGE,
    "vtn-pf": IMAGE,
    "vtn-pf-depth": IMAGE,
    "spoter": {"layers": 1, "inner": 16, "window": 6, "weights": "input", "classes": 3},
    "pose-transformer": {"width": 16, "layers": 1, "inner": 16, "window": 6, "steps": 8, "classes": 3},
    "vle-transformer": {"width": 16, "layers": 1, "inner": 16, "window": 6, "steps": 8, "classes": 3},
    "handshape": {"backbone": "mobilenet_v3_small", "size": 32, "classes": 3},
}


def some_inputs(frames: int = 12) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    names = ("frames", "left_hand", "right_hand", "hand")
    pictures = {name: rng.integers(0, 255, (frames, 32, 32, 3)).astype(np.uint8) for name in names}
    floats = {n: rng.normal(size=(frames, d)).astype(np.float32) for n, d in (("flow", 106), ("semantic", 2590))}
    return {**pictures, **floats, "depth": rng.integers(0, 255, (frames, 2, 32, 32)).astype(np.uint8)}


@pytest.mark.parametrize("name", list(SMALL))
def test_a_checkpoint_rebuilds_the_network(name: str, tmp_path: Path) -> None:
    network = encoder_class(name)
    encoder = network(network.config_class()(**SMALL[name]))  # type: ignore[call-arg]
    encoder.label_set = ("a", "b", "c")
    loaded = load_checkpoint(save_checkpoint(tmp_path / "encoder.safetensors", encoder))
    assert type(loaded) is network
    assert loaded.config == encoder.config
    assert loaded.label_set == ("a", "b", "c")
    inputs = some_inputs()
    width = {"spoter": 108, "pose-transformer": 84}.get(name)
    if width is not None:
        inputs["pose"] = np.random.default_rng(1).normal(size=(12, width)).astype(np.float32)
    windows = np.array([[0, encoder.window], [2.5, 9], [-3, 4]], float)
    rows = encoder.embed(inputs, windows)
    assert rows.shape == (3, encoder.dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(loaded.embed(inputs, windows), rows, atol=1e-6)
    frames = encoder.clip_features({key: inputs[key] for key in encoder.required_inputs})
    assert len(frames) == 12
    np.testing.assert_allclose(np.linalg.norm(frames, axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match=f"encoder '{name}' needs .*missing {encoder.required_inputs[0]}"):
        encoder.embed({}, windows)


def test_without_classes_there_are_no_logits() -> None:
    for name in ("vtn", "spoter", "pose-transformer", "i3d"):
        network = encoder_class(name)
        encoder = network(network.config_class()(**{**SMALL[name], "classes": 0}))  # type: ignore[call-arg]
        given = torch.randn(1, 8, 108 if name == "spoter" else 84) if "pose" in encoder.required_inputs else None
        inputs = {"frames": torch.zeros(1, 8, 32, 32, 3)} if given is None else {"pose": given}
        assert encoder.eval()(inputs).logits is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU in this machine")
@pytest.mark.parametrize("name", list(SMALL))
def test_cpu_and_gpu_agree(name: str) -> None:
    network = encoder_class(name)
    encoder = network(network.config_class()(**SMALL[name]))  # type: ignore[call-arg]
    inputs = some_inputs()
    inputs["pose"] = np.random.default_rng(1).normal(size=(12, 108 if name == "spoter" else 84)).astype(np.float32)
    windows = np.array([[0, encoder.window], [2, 9]], float)
    rows = encoder.embed(inputs, windows)
    np.testing.assert_allclose(encoder.to("cuda").embed(inputs, windows), rows, atol=1e-4)
