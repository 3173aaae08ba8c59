"""The semantic vector of a frame: where the hands are, and what they look like (UWB ChaLearn-SLR, 2021).

`semantic_vectors` joins location vectors with handshape embeddings: 15 + 15 + E + E numbers, 2590 with the published
1280-d embedding; it is what the pose and VLE transformers read. A hand that is missing keeps its last known value,
zeros before its first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from .keyframes import keyframes
from .location_boxes import location_vectors
from .locations import LOCATIONS

__all__ = ["semantic_track", "semantic_vectors"]


def semantic_vectors(places: NDArray[np.float32], embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, 30 + 2E) rows [places left | places right | embedding left | embedding right].

    Args:
        places: (T, 2, 15) of `location_vectors`; NaN rows are missing hands.
        embeddings: (T, 2, E) handshape embeddings, NaN rows where the hand was not seen.

    Raises:
        ValueError: the shapes do not agree.
    """
    if places.shape[1:] != (2, len(LOCATIONS)) or embeddings.ndim != 3 or embeddings.shape[:2] != places.shape[:2]:
        raise ValueError(f"places {places.shape} and embeddings {embeddings.shape}; expected (T, 2, 15) and (T, 2, E)")
    parts = [_held(values[:, hand]) for values in (places, embeddings) for hand in (0, 1)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def semantic_track(
    pose: Pose, embeddings: Path, video: str, count: int = 16
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Frame numbers (n,) and semantic vectors (n, 30 + 2E) of a video's key-frames.

    Args:
        embeddings: HDF5 file of `vle.predict_store` that holds `video`.
        count: key-frames; 0 takes every frame.

    Raises:
        ValueError: the file does not hold the video, or the pose has no shoulders.
    """
    from .handshapes.network import embedding_tracks

    hands = embedding_tracks(embeddings, video, len(pose))
    # gaps are filled over all frames first: a key-frame without a hand takes the hand last seen, not the last key-frame
    values = semantic_vectors(location_vectors(pose), hands)
    frames = np.arange(len(pose)) if count == 0 else keyframes(pose, count)
    return frames, values[frames]


def _held(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Missing rows take the last known one, zeros before the first."""
    known = np.isfinite(values).all(axis=1)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last[:, None] >= 0, values[np.maximum(last, 0)], 0.0).astype(np.float32)
