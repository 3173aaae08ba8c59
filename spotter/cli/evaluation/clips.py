"""Clips given to `spotter eval isolated` in place of predictions: compared, or named by a classifier, then scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..console import Failures
    from ..options import Poses

__all__ = ["classified", "compared", "refuse_clips"]


def compared(clips: Path, encoder: str, poses: Poses, failures: Failures) -> tuple[list[str], NDArray[np.float64]]:
    """(N ids, (N, N) how alike the clips' signs are, by vectors and alignment); clips that fail are told and left out.

    Raises:
        ValueError: no clip could be encoded.
    """
    from embeddings.encoders import load_encoder
    from embeddings.recordings import find_recordings

    from ...enrolment import Exemplar, enroll
    from ...search.likeness import likeness

    network = load_encoder(encoder)
    recordings = find_recordings([clips], network.required_inputs, recursive=True)
    source = poses.source(recordings, network.required_inputs)
    waiting = [Exemplar(r.name_in(clips), r) for r in recordings]
    gallery = enroll(waiting, None, network, poses=source, on_error=failures.add)
    return list(gallery.exemplar_labels), likeness(gallery, gallery)


def classified(clips: Path, model: Path, poses: Poses, most: int, failures: Failures) -> dict[str, list[str]]:
    """Id → the likeliest labels; clips that fail are told and left out.

    Raises:
        ValueError: no clip could be classified.
    """
    from embeddings.isolated.classify import Classifier, top_labels

    from ..training import items_to_classify

    classifier = Classifier(model)
    ranked: dict[str, list[str]] = {}
    for item in items_to_classify([str(clips)], classifier, poses, ""):
        try:
            best = top_labels(classifier.probabilities(item.load()), classifier.labels, most)
            ranked[item.id] = [label for label, _ in best]
        except (ValueError, KeyError, OSError) as error:
            failures.add(item.id, error)
    if not ranked:
        raise ValueError(f"{clips}: none of its {len(failures.failed)} clips could be classified")
    return ranked


def refuse_clips(path: Path) -> None:
    """Raises `ValueError` where a recording, or a folder of them, is given as predictions or vectors."""
    from embeddings.recordings.kinds import kind_of

    kind = kind_of(path) if path.exists() else None
    folder = path.is_dir() and not any(path.glob("*.npz"))
    if folder or (kind is not None and kind.name != "arrays (.npz)"):
        raise ValueError(
            f"{path} ({'folder' if kind is None else kind.name}): holds recordings, neither predictions nor vectors; "
            "for clips give --model CHECKPOINT that names them, or --one-shot and --encoder"
        )
