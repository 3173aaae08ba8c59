"""Training sets for the visual language embedding: hand images with handshapes, from clusters or from folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import open_hdf5

from .images import SIZE, read_hand_image

__all__ = ["HandImages", "find_pictures", "images_from_clusters", "images_from_folder", "read_picture"]

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


@dataclass(frozen=True, eq=False)
class HandImages:
    """A training set.

    Attributes:
        images: (N, 70, 70, 3) uint8 RGB.
        labels: N handshapes.
        groups: N signers (or videos), which validation keeps apart; "" where unknown.
    """

    images: NDArray[np.uint8]
    labels: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def find_pictures(folder: Path) -> list[tuple[Path, str, str]]:
    """(path, handshape, signer) of a folder per handshape: `label/SIGNER_*.png` or `label/signer/*.png`; the signer is
    "" where the name has no "_".

    Raises:
        ValueError: no such folder, no pictures in it, or deeper folders.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES) if folder.is_dir() else []
    pictures = []
    for path in paths:
        parts = path.relative_to(folder).parts
        if len(parts) not in (2, 3):
            raise ValueError(f"{path}: expected label/picture or label/signer/picture inside {folder}")
        named = path.stem.split("_")[0] if "_" in path.stem else ""
        pictures.append((path, parts[0], parts[1] if len(parts) == 3 else named))
    if not pictures:
        raise ValueError(f"{folder}: expected a folder per handshape with pictures ({' '.join(PICTURES)}) in it")
    return pictures


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(70, 70, 3) RGB.

    Raises:
        ValueError: not a readable picture.
    """
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path}: not a readable picture")
    resized = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB), np.uint8)


def images_from_folder(folder: Path) -> HandImages:
    """The pictures of `find_pictures`.

    Raises:
        ValueError: as `find_pictures` and `read_picture`.
    """
    pictures = find_pictures(folder)
    images = np.stack([read_picture(path) for path, _, _ in pictures])
    return HandImages(images, tuple(label for _, label, _ in pictures), tuple(signer for _, _, signer in pictures))


def images_from_clusters(clusters: Path, hands: Path) -> HandImages:
    """The images of clustered hands: labels are clusters ("cluster-3"), groups are videos.

    Args:
        clusters: of `cluster_files.write_corpus_clusters`.
        hands: of `embeddings.phonology.handshapes.images.write_hand_images`, of the same videos.

    Raises:
        ValueError: a file is not what it should be, or no clustered hand has an image.
    """

    from .cluster_files import read_corpus_clusters

    samples, numbers, _, _ = read_corpus_clusters(clusters)
    images, labels, groups = [], [], []
    with open_hdf5(hands) as file:
        for sample, number in zip(samples, numbers.tolist(), strict=True):
            # the clusters know right hands only: left ones are seen in the mirror
            image = None if number < 0 else read_hand_image(file, sample.video, sample.frame, sample.hand)
            if image is not None:
                images.append(image)
                labels.append(f"cluster-{number}")
                groups.append(sample.video)
    if not images:
        raise ValueError(f"{hands} has no image of a hand clustered in {clusters}; were both made of the same videos?")
    return HandImages(np.stack(images), tuple(labels), tuple(groups))
