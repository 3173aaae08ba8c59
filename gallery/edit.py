"""Changes to a gallery as a whole: a sign gets another name, exemplars of another gallery are taken in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from .gallery import Gallery, GalleryError, check_printable

__all__ = ["Merged", "merge", "rename_sign", "same_exemplar"]

SAME = 0.9999
"""Cosine from which two vectors of one span of one file are the same exemplar, estimated twice."""


@dataclass(frozen=True)
class Merged:
    """Exemplars that were taken in, by their ids here, and those that were there already, by the other's ids."""

    added: tuple[str, ...]
    there: tuple[str, ...]


def same_exemplar(
    gallery: Gallery, label: str, vector: NDArray[np.float32], source: str, start: float, end: float
) -> str | None:
    """The id of the exemplar that this one is: same label, file name (a video's and its pose's are one) and span
    (to the millisecond), same vector.

    Args:
        vector: (D,), of length 1.
        start, end: seconds.
    """
    wanted = (PurePath(source).stem, round(1000 * start), round(1000 * end))
    for row, own in enumerate(gallery.exemplar_labels):
        if own != label:  # nearly all: what their facts say is not looked at
            continue
        facts = gallery.facts[row]
        span = (round(1000 * float(facts.get(key) or 0)) for key in ("start", "end"))
        same = (PurePath(str(facts.get("source", ""))).stem, *span) == wanted
        if same and float(gallery.vectors[row] @ vector) >= SAME:
            return gallery.ids[row]
    return None


def merge(gallery: Gallery, other: Gallery) -> Merged:
    """Takes another gallery's exemplars in, without those that are there already.

    Raises:
        GalleryError: it was made by another encoder.
    """
    gallery.check_encoder(other.encoder)
    added, there = [], []
    for row, label in enumerate(other.exemplar_labels):
        facts, vector = other.facts[row], other.vectors[row]
        span = float(facts.get("start") or 0), float(facts.get("end") or 0)
        if same_exemplar(gallery, label, vector, str(facts.get("source", "")), *span):
            there.append(other.ids[row])
            continue
        (name,) = gallery.add(vector[None], [label], facts=[facts], features=[other.features[row]])
        picture = other.thumbnail(other.ids[row])
        if picture is not None:
            gallery.set_thumbnail(name, picture)
        added.append(name)
    return Merged(tuple(added), tuple(there))


def rename_sign(gallery: Gallery, sign: str, new: str) -> list[str]:
    """Gives a sign another gloss; one that is there already gets its exemplars as further ones.

    Returns:
        The exemplars' new ids: the new gloss, with ~2, ~3 … where that is taken.

    Raises:
        GalleryError: no such sign, or a blank gloss.
    """
    if sign not in gallery:
        raise GalleryError(f"the gallery has no sign {sign!r}; it has {', '.join(gallery.labels[:8])}")
    if not new.strip():
        raise GalleryError("the new gloss is blank; expected text")
    check_printable(new)
    rows = [row for row, label in enumerate(gallery.exemplar_labels) if label == sign]
    if new == sign:
        return [gallery.ids[row] for row in rows]
    return gallery.relabel(rows, new)
