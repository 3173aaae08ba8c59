"""One-to-one scores of parts of a set: per video, per sign, per signer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..segments import Segments, as_segments
from .f1 import SpottingScore, match

__all__ = ["counts_per_video", "grouped_scores", "per_sign", "per_signer", "signer_of_name"]


def counts_per_video(truth: Segments, predictions: Segments, threshold: float = 0.5) -> NDArray[np.int64]:
    """(V, 3) TP, FP, FN of each video of the ground truth, in its order; the rows to draw bootstrap samples from."""
    counts, predicted = np.zeros((len(truth), 3), np.int64), as_segments(predictions)
    for row, (video, references) in enumerate(as_segments(truth).items()):
        detections = predicted.get(video, [])
        hits = len(match(references, detections, threshold))
        counts[row] = hits, len(detections) - hits, len(references) - hits
    return counts


def grouped_scores(
    truth: Segments, predictions: Segments, group: Callable[[str, str], str], threshold: float = 0.5
) -> dict[str, SpottingScore]:
    """One-to-one scores by `group(video, sign)`, sorted by the group's name. The groups' counts sum to the total."""
    counts: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, np.int64))
    predicted = as_segments(predictions)
    for video, references in as_segments(truth).items():
        detections = predicted.get(video, [])
        for sign in {s.sign for s in (*references, *detections)}:
            own, other = ([s for s in side if s.sign == sign] for side in (references, detections))
            hits = len(match(own, other, threshold))
            counts[group(video, sign)] += (hits, len(other) - hits, len(own) - hits)
    kind = f"one-to-one@{threshold:g}"
    return {name: SpottingScore(kind, *map(int, counts[name])) for name in sorted(counts, key=_natural)}


def per_sign(truth: Segments, predictions: Segments, threshold: float = 0.5) -> dict[str, SpottingScore]:
    """One-to-one score of each sign."""
    return grouped_scores(truth, predictions, lambda _, sign: sign, threshold)


def per_signer(
    truth: Segments, predictions: Segments, signers: Mapping[str, str] | None = None, threshold: float = 0.5
) -> dict[str, SpottingScore]:
    """One-to-one score of each signer.

    Args:
        signers: video → signer; by default read from the name (`signer_of_name`).

    Raises:
        ValueError: a video has no signer.
    """

    def signer(video: str, _: str) -> str:
        if signers is None:
            return signer_of_name(video)
        if video not in signers:
            raise ValueError(f"video {video!r} has no signer; add it to the table of signers")
        return signers[video]

    return grouped_scores(truth, predictions, signer, threshold)


def signer_of_name(video: str) -> str:
    """The signer in a name such as `p03_n012` (challenge) or `signer3_sample12` (AUTSL).

    Raises:
        ValueError: the name follows neither form.
    """
    prefix = re.match(r"(p\d+|signer\d+)_", video)
    if prefix is None:
        raise ValueError(f"video {video!r}: no signer in its name; expected p##_… or signer#_…, or give a table")
    return prefix[1]


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]
