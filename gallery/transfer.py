"""Top-K transfer: the most similar stretches of the query videos become exemplars of a second search.

The published form (the OSLWL entry of the ECCV 2022 challenge): for each sign take its 5 nearest clips, one window
each, replace the exemplar by the mean of their vectors, and search once more. Its weakness is self-confirmation: a
donated window matches itself in the second search, so a false hit confirms itself. By default a video is therefore
scored without what it donated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Donation", "best_windows", "top_k_transfer", "updated_query"]


@dataclass(frozen=True, eq=False)
class Donation:
    """A window that a video gives for a sign.

    Attributes:
        video: where it is from.
        window: its row among that video's windows.
        score: its similarity to the exemplar.
        vector: (D,), unit length.
    """

    video: str
    window: int
    score: float
    vector: NDArray[np.float32]


def best_windows(
    exemplar: NDArray[np.float32], videos: Mapping[str, NDArray[np.float32]], k: int, minimum: float = -1.0
) -> list[Donation]:
    """The best window of each of the k best videos, best first; equal scores by the video's name.

    Args:
        exemplar: (D,) unit vector.
        videos: name → (W, D) unit rows; a video without windows gives none.
        minimum: least cosine of a donation.
    """
    windows = []
    for name, vectors in videos.items():
        if len(vectors):
            similarity = vectors @ exemplar
            at = int(similarity.argmax())
            if similarity[at] >= minimum:
                windows.append(Donation(name, at, float(similarity[at]), vectors[at]))
    return sorted(windows, key=lambda d: (-d.score, d.video))[:k]


def updated_query(
    exemplar: NDArray[np.float32],
    donations: Sequence[Donation],
    for_video: str | None = None,
    keep: float = 0.0,
    weighted: bool = False,
) -> NDArray[np.float32]:
    """The vector (D,) that a video is searched with after transfer.

    Args:
        for_video: leave out what this video donated (the guard); None is the published form.
        keep: weight of the exemplar beside the mean of the donations, in [0, 1]; 0 replaces it, as published.
        weighted: weight donations by their score.
    """
    used = [d for d in donations if d.video != for_video]
    if not used:
        return exemplar
    weights = np.array([max(d.score, 1e-6) if weighted else 1.0 for d in used], np.float32)
    mean = np.average(np.stack([d.vector for d in used]), axis=0, weights=weights)
    mean = keep * exemplar + (1 - keep) * mean / max(float(np.linalg.norm(mean)), 1e-12)
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


def top_k_transfer(
    exemplar: NDArray[np.float32],
    videos: Mapping[str, NDArray[np.float32]],
    k: int = 5,
    iterations: int = 1,
    guard: bool = True,
    minimum: float = -1.0,
    keep: float = 0.0,
    weighted: bool = False,
) -> dict[str, NDArray[np.float32]]:
    """The query vector (D,) of each video after transfer.

    Args:
        exemplar: (D,) unit vector of one sign.
        videos: name → (W, D) unit rows.
        k, iterations: as published 5 and 1; 0 iterations change nothing.
        guard: a video is never scored with its own donations.
        minimum, keep, weighted: see `best_windows` and `updated_query`.

    Raises:
        ValueError: k < 1, iterations < 0, or keep outside [0, 1].
    """
    if k < 1 or iterations < 0 or not 0 <= keep <= 1:
        raise ValueError(
            f"k={k}, iterations={iterations}, keep={keep}; expected k >= 1, iterations >= 0, keep in [0, 1]"
        )
    queries = dict.fromkeys(videos, exemplar)
    for _ in range(iterations):
        donations = _donations(queries, videos, k, minimum)
        queries = {name: updated_query(exemplar, donations, name if guard else None, keep, weighted) for name in videos}
    return queries


def _donations(
    queries: Mapping[str, NDArray[np.float32]], videos: Mapping[str, NDArray[np.float32]], k: int, minimum: float
) -> list[Donation]:
    """As `best_windows`, each video searched with its own query."""
    best = [d for name, vectors in videos.items() for d in best_windows(queries[name], {name: vectors}, 1, minimum)]
    return sorted(best, key=lambda d: (-d.score, d.video))[:k]
