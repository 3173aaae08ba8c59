"""Round trips of a pose encoder through torch.export and ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from embeddings.encoders.base import Encoder


class Embedding(nn.Module):
    """An encoder as a plain function of one tensor."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder, self.key = encoder, encoder.required_inputs[0]

    def forward(self, values: Tensor) -> Tensor:
        return self.encoder({self.key: values}).embedding


def export_error(encoder: Encoder, values: Tensor) -> float:
    """Largest difference after saving and loading through torch.export."""
    plain = Embedding(encoder).eval()
    program = torch.export.export(plain, (values,))
    with torch.inference_mode():
        return float((program.module()(values) - plain(values)).abs().max())


def onnx_error(encoder: Encoder, values: Tensor, folder: Path) -> float:
    """Largest difference of ONNX Runtime's output; skips where ONNX is not installed."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    import onnxruntime

    plain = Embedding(encoder).eval()
    path = folder / "encoder.onnx"
    torch.onnx.export(plain, (values,), path, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {session.get_inputs()[0].name: values.numpy()})
    with torch.inference_mode():
        return float(np.abs(given - plain(values).numpy()).max())
