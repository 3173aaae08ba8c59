"""Training sets for the visual language embedding: hand images with handshapes, from clusters or from folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .images import SIZE

__all__ = ["HandImages", "images_from_clusters", "images_from_folder", "split_by_group"]

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


@dataclass(frozen=True, eq=False)
class HandImages:
    """A training set.

    Attributes:
        images: (N, 70, 70, 3) uint8 RGB.
        labels: N handshapes.
        groups: N signers (or videos), which validation keeps apart.
    """

    images: NDArray[np.uint8]
    labels: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, chosen: NDArray[np.bool_]) -> HandImages:
        """The chosen ones."""
        where = np.flatnonzero(chosen)
        return HandImages(
            self.images[where], tuple(self.labels[k] for k in where), tuple(self.groups[k] for k in where)
        )


def images_from_folder(folder: Path) -> HandImages:
    """A folder per handshape; the signer is what stands before the first "_" of a file's name.

    Raises:
        ValueError: no such folder, no pictures in it, or one cannot be read.
    """
    import cv2

    shapes = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    files = [(shape.name, f) for shape in shapes for f in sorted(shape.iterdir()) if f.suffix.lower() in PICTURES]
    if not files:
        raise ValueError(f"{folder}: expected a folder per handshape with pictures ({' '.join(PICTURES)}) in it")
    images = []
    for _, file in files:
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{file}: not a readable picture")
        resized = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        images.append(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB))
    labels = tuple(label for label, _ in files)
    return HandImages(np.stack(images).astype(np.uint8), labels, tuple(f.stem.split("_")[0] for _, f in files))


def images_from_clusters(clusters: Path, hands: Path) -> HandImages:
    """The images of clustered hands: labels are clusters ("cluster-3"), groups are videos.

    Args:
        clusters: of `hand_corpus.write_corpus_clusters`.
        hands: of `embeddings.phonology.handshapes.images.write_hand_images`, of the same videos.

    Raises:
        ValueError: a file is not what it should be, or no clustered hand has an image.
    """
    import h5py

    from .corpus import read_corpus_clusters

    samples, numbers = read_corpus_clusters(clusters)
    images, labels, groups = [], [], []
    with h5py.File(hands, "r") as file:
        for sample, number in zip(samples, numbers.tolist(), strict=True):
            group = file.get(f"{sample.video}/{sample.hand}_hand")
            if number < 0 or group is None:
                continue
            where = np.flatnonzero(group["frames"][:] == sample.frame)
            if len(where):
                image = group["images"][int(where[0])]
                # the clusters know right hands only: left ones are seen in the mirror
                images.append(image[:, ::-1] if sample.hand == "left" else image)
                labels.append(f"cluster-{number}")
                groups.append(sample.video)
    if not images:
        raise ValueError(f"{hands} has no image of a hand clustered in {clusters}; were both made of the same videos?")
    return HandImages(np.stack(images), tuple(labels), tuple(groups))


def split_by_group(data: HandImages, share: float = 0.25, seed: int = 0) -> tuple[HandImages, HandImages]:
    """Training and validation sets with no group in both; every label stays in training.

    Raises:
        ValueError: there is but one group, or no group can be spared.
    """
    groups = sorted(set(data.groups))
    if len(groups) < 2:
        raise ValueError(f"all images are of one signer ({groups[0]!r}); validation needs others")
    order = np.random.default_rng(seed).permutation(len(groups))
    held: set[str] = set()
    wanted = max(1, round(share * len(groups)))
    for k in order:
        rest = {label for label, g in zip(data.labels, data.groups, strict=True) if g not in held | {groups[k]}}
        if len(held) < wanted and rest == set(data.labels):
            held.add(groups[k])
    if not held:
        raise ValueError("each signer alone shows some handshape; no signer can be kept for validation")
    inside = np.array([g in held for g in data.groups])
    return data.rows(~inside), data.rows(inside)
