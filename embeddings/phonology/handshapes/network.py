"""Visual language embedding (VLE): train a handshape classifier, test it, and embed a corpus of hand images.

Rows A10 to A13. The network is `embeddings.encoders.handshape.Handshape`; its penultimate layer is the embedding.
Training sets come from hand clusters with the images of their frames, or from a folder per handshape. Validation is
by signers (or videos) that training does not see. The recipe is the published one: SGD 1e-3, momentum .9,
cross-entropy, batches of 32, 10 epochs; the best epoch on validation is kept, not the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from safe_files import GroupedHDF5

from ...encoders.backbones import Init
from ...encoders.handshape import Handshape, HandshapeConfig, augment_hands
from .images import SIDES
from .network_data import HandImages

__all__ = [
    "PREDICT_CONFIDENCE",
    "Recipe",
    "TrainedVle",
    "embedding_tracks",
    "evaluate_vle",
    "predict_store",
    "train_vle",
]

PREDICT_CONFIDENCE = 0.55
"""Published least confidence of the hands that are embedded."""


@dataclass(frozen=True)
class Recipe:
    """The published training recipe; `init` "pretrained" begins from ImageNet weights."""

    epochs: int = 10
    batch: int = 32
    rate: float = 1e-3
    momentum: float = 0.9
    seed: int = 0
    init: Init = "random"


@dataclass(frozen=True, eq=False)
class TrainedVle:
    """The network with the weights of its best epoch, and (loss, validation accuracy) of each epoch."""

    network: Handshape
    history: tuple[tuple[float, float], ...]

    @property
    def accuracy(self) -> float:
        """Of the best epoch on validation."""
        return max(accuracy for _, accuracy in self.history)


def train_vle(
    training: HandImages,
    validation: HandImages,
    config: HandshapeConfig | None = None,
    recipe: Recipe | None = None,
    tell: Callable[[int, float, float], None] = lambda epoch, loss, accuracy: None,
) -> TrainedVle:
    """Trains a handshape network.

    Args:
        config: its `classes` is replaced by the number of labels.
        tell: called after each epoch with its number, mean loss and validation accuracy.

    Raises:
        ValueError: validation has a label that training lacks.
    """
    from dataclasses import replace

    recipe = Recipe() if recipe is None else recipe
    names = tuple(sorted(set(training.labels)))
    unknown = set(validation.labels) - set(names)
    if unknown:
        raise ValueError(f"validation has handshapes that training lacks: {', '.join(sorted(unknown))}")
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = Handshape(replace(HandshapeConfig() if config is None else config, classes=len(names)))
    network.label_set = names
    network.initialise(recipe.init)
    truth = np.array([names.index(label) for label in training.labels])
    optimiser = torch.optim.SGD(network.parameters(), recipe.rate, recipe.momentum)
    history: list[tuple[float, float]] = []
    best: dict[str, torch.Tensor] = {}
    for epoch in range(recipe.epochs):
        loss = _epoch(network, optimiser, training.images, truth, recipe.batch, rng)
        accuracy = evaluate_vle(network, validation)[0]
        if not history or accuracy > max(a for _, a in history):
            best = {key: value.detach().clone() for key, value in network.state_dict().items()}
        history.append((loss, accuracy))
        tell(epoch + 1, loss, accuracy)
    network.load_state_dict(best)
    return TrainedVle(network.eval(), tuple(history))


def _epoch(
    network: Handshape,
    optimiser: torch.optim.Optimizer,
    images: NDArray[np.uint8],
    truth: NDArray[np.int64],
    batch: int,
    rng: np.random.Generator,
) -> float:
    """One pass over augmented images; the mean loss."""
    network.train()
    order, total = rng.permutation(len(images)), 0.0
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        if len(rows) == 1 and len(order) > 1:
            continue  # batch normalisation has nothing to normalise one image by
        x = torch.from_numpy(augment_hands(images[rows], rng))
        logits = network({"hand": x.unsqueeze(1)}).logits
        if logits is None:
            raise ValueError("the network has no classifier; give it classes")
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(truth[rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += float(loss.detach()) * len(rows)
    return total / len(order)


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
    import h5py

    from ...encoders.checkpoint import _digest

    mark = network.id if network.id else f"handshape-{_digest(network.state_dict())}"
    with h5py.File(hands, "r") as source, GroupedHDF5(output, {"encoder": mark}) as target:
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
    import h5py

    with h5py.File(store, "r") as file:
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
