"""The shipped weights of the small networks that judge single frames, applied with NumPy alone.

`embeddings.training.frame_network` trains them: two hidden layers over features that are centred and scaled first.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from _sign_spotter import module_name

__all__ = ["frame_values"]


def frame_values(network: str, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """What a network ("depth", "locations") says of features (…, F): (…, K), of a classifier logits."""
    weights = _weights(network)
    x = (features.astype(np.float32) - weights["mean"]) / weights["scale"]
    for layer in ("0", "1"):
        x = np.maximum(x @ weights[f"weight{layer}"].T + weights[f"bias{layer}"], 0)
    return np.asarray(x @ weights["weight2"].T + weights["bias2"], np.float32)


@lru_cache(maxsize=2)
def _weights(network: str) -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load

    return load((files(module_name("embeddings")) / "weights" / f"{network}.safetensors").read_bytes())
