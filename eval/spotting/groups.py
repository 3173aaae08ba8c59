"""One-to-one scores of parts of a set: per video, per sign, per signer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .f1 import Segments, SpottingScore, match

__all__ = ["counts_per_video", "grouped_scores", "per_sign", "per_signer", "signer_of_name"]


def counts_per_video(truth: Segments, predictions: Segments, threshold: float = 0.5) -> NDArray[np.int64]:
    """(V, 3) TP, FP, FN of each video of the ground truth, in its order; the rows to draw bootstrap samples from."""
    counts = np.zeros((len(truth), 3), np.int64)
    for row, (video, references) in enumerate(truth.items()):
        predicted = predictions.get(video, ())
        found = len(match(references, predicted, threshold))
        counts[row] = found, len(predicted) - found, len(references) - found
    return counts


def grouped_scores(
    truth: Segments, predictions: Segments, group: Callable[[str, Any], str], threshold: float = 0.5
) -> dict[str, SpottingScore]:
    """One-to-one scores by `group(video, sign)`, sorted by the group's name. The groups' counts sum to the total."""
    counts: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(3, np.int64))
    for video, references in truth.items():
        predicted = predictions.get(video, ())
        for sign in {row[0] for row in (*references, *predicted)}:
            wanted = [row for row in references if row[0] == sign]
            given = [row for row in predicted if row[0] == sign]
            found = len(match(wanted, given, threshold))
            counts[group(video, sign)] += (found, len(given) - found, len(wanted) - found)
    kind = f"one-to-one@{threshold:g}"
    return {name: SpottingScore(kind, *map(int, counts[name])) for name in sorted(counts, key=_natural)}


def per_sign(truth: Segments, predictions: Segments, threshold: float = 0.5) -> dict[str, SpottingScore]:
    """One-to-one score of each sign."""
    return grouped_scores(truth, predictions, lambda _, sign: str(sign), threshold)


def per_signer(
    truth: Segments, predictions: Segments, signers: Mapping[str, str] | None = None, threshold: float = 0.5
) -> dict[str, SpottingScore]:
    """One-to-one score of each signer.

    Args:
        signers: video → signer; by default read from the name (`signer_of_name`).

    Raises:
        ValueError: a video has no signer.
    """

    def signer(video: str, _: Any) -> str:
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
    found = re.match(r"(p\d+|signer\d+)_", video)
    if found is None:
        raise ValueError(f"video {video!r}: no signer in its name; expected p##_… or signer#_…, or give a table")
    return found[1]


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]
