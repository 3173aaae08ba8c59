"""Visual language embedding (VLE): test a handshape network, and embed a corpus of hand images with it.

The network is `embeddings.encoders.handshape.Handshape`; its penultimate layer is the embedding (Hrúz et al., Sensors
2022). `spotter train handshape-uwb` trains it, on hand clusters with the images of their frames or on a folder per
handshape.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from safe_files import GroupedHDF5, open_hdf5

from ...encoders.handshape import Handshape
from .images import SIDES
from .network_data import HandImages

__all__ = ["PREDICT_CONFIDENCE", "embedding_tracks", "evaluate_vle", "predict_store"]

PREDICT_CONFIDENCE = 0.55
"""Published least confidence of the hands that are embedded."""


@torch.inference_mode()
def evaluate_vle(network: Handshape, data: HandImages, batch: int = 64) -> tuple[float, NDArray[np.int64]]:
    """Accuracy, and confusion counts (K, K) with true handshapes in rows, in the order of `network.label_set`.

    Raises:
        ValueError: a label that the network does not know.
    """
    names = network.label_set
    unknown = set(data.labels) - set(names)
    if unknown:
        raise ValueError(f"the network does not know the handshapes {', '.join(sorted(unknown))}")
    network.eval()
    counts = np.zeros((len(names), len(names)), np.int64)
    for start in range(0, len(data), batch):
        logits = network({"hand": torch.from_numpy(data.images[start : start + batch]).unsqueeze(1)}).logits
        if logits is None:
            raise ValueError("the network has no classifier; give it classes")
        for label, said in zip(data.labels[start : start + batch], logits.argmax(1).tolist(), strict=True):
            counts[names.index(label), said] += 1
    return float(np.trace(counts) / max(counts.sum(), 1)), counts


def predict_store(
    network: Handshape,
    hands: Path,
    output: Path,
    least: float = PREDICT_CONFIDENCE,
    tell: Callable[[str, int], None] = lambda video, count: None,
) -> int:
    """Embeds every hand image of a corpus: `[video]/{left,right}_hand/{frames (n,), embeddings (n, D)}`.

    Videos that `output` holds already are skipped, so that a stopped run goes on; which weights made a file is
    remembered, and others are refused. Left hands are mirrored to right ones.

    Args:
        least: hands below this confidence are left out.
        tell: called with each video done and its number of hands.

    Returns:
        Videos added.

    Raises:
        ValueError: `output` was made by other weights.
    """

    from ...encoders.checkpoint import _digest

    mark = network.id if network.id else f"handshape-{_digest(network.state_dict())}"
    with open_hdf5(hands) as source, GroupedHDF5(output, {"encoder": mark}) as target:
        videos = [video for video in source if video not in target.names()]
        for video in videos:
            count = 0
            with target.add(video) as group:
                for side in SIDES:
                    images = source[f"{video}/{side}_hand"]
                    count += _predict_hand(network, images, group.create_group(f"{side}_hand"), side == "left", least)
                group.attrs.update(dict(source[video].attrs))
            tell(video, count)
    return len(videos)


def _predict_hand(network: Handshape, source: Any, target: Any, left: bool, least: float, batch: int = 256) -> int:
    rows = np.flatnonzero(source["confidences"][:] >= least)
    target["frames"] = source["frames"][:][rows]
    data = target.create_dataset("embeddings", (len(rows), network.dim), np.float32)
    for start in range(0, len(rows), batch):
        block = source["images"][rows[start : start + batch]]
        data[start : start + batch] = network.embed_images(np.ascontiguousarray(block[:, :, ::-1]) if left else block)
    return len(rows)


def embedding_tracks(store: Path, video: str, length: int) -> NDArray[np.float32]:
    """(T, 2, D) embeddings (left, right) of a video from a file of `predict_store`; NaN where a hand has none.

    Raises:
        ValueError: the file does not hold the video, or has frames beyond `length`.
    """

    with open_hdf5(store) as file:
        if video not in file:
            raise ValueError(f"{store}: does not hold {video!r}; embed its hands first (spotter phonology vle predict)")
        groups = [file[f"{video}/{side}_hand"] for side in SIDES]
        parts = [(g["frames"][:], g["embeddings"][:]) for g in groups]
    width = parts[0][1].shape[1]
    result = np.full((length, 2, width), np.nan, np.float32)
    for hand, (frames, values) in enumerate(parts):
        if len(frames) and frames.max() >= length:
            raise ValueError(f"{store}: {video!r} has a hand in frame {frames.max()}, but only {length} frames")
        result[frames, hand] = values
    return result
