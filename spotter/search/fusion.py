"""Fuse the tracks of several encoders: a weighted mean of what each says about the same signs and moments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.interpolation import rows_at

from .track import SimilarityTrack

__all__ = ["PUBLISHED_PARTS", "fuse", "published_weights"]

PUBLISHED_PARTS: dict[str, int] = {"sl-gcn": 81, "sl-gcn-3d": 39}
"""Parts of the pose networks of the OSLWL entry (ECCV 2022): its distance is the mean over all 120 parts of
(1 − cosine), plus (1 − cosine) of the network over pictures."""


def published_weights(encoders: Sequence[str]) -> list[float]:
    """Weights for `fuse`, as the OSLWL entry weighs its networks: a pose network by its share of their parts, any other
    by 1.

    >>> published_weights(["sl-gcn", "sl-gcn-3d", "i3d"])
    [0.675, 0.325, 1.0]
    """
    parts = sum(PUBLISHED_PARTS.get(name, 0) for name in encoders)
    return [PUBLISHED_PARTS[name] / parts if name in PUBLISHED_PARTS else 1.0 for name in encoders]


def fuse(tracks: Sequence[SimilarityTrack], weights: Sequence[float] | None = None) -> SimilarityTrack:
    """One track of the first one's moments, for the signs that all tracks know, in the first one's order.

    Tracks at other frame rates or strides are interpolated in time. The window length is that of the track that
    contributes most at that moment.

    Args:
        weights: one per track, not negative; they are scaled to sum 1. None weighs all alike; see `published_weights`.

    Raises:
        ValueError: no track, different videos, no common sign, or bad weights.
    """
    if not tracks:
        raise ValueError("no tracks to fuse")
    first = tracks[0]
    names = {t.video for t in tracks}
    if len(names) > 1:
        raise ValueError(f"tracks of different videos cannot be fused: {', '.join(sorted(names))}")
    signs = tuple(s for s in first.signs if all(s in t.signs for t in tracks))
    if not signs:
        raise ValueError("the tracks have no sign in common")
    shares = _shares(len(tracks), weights)
    parts = np.stack([share * _at(t, t.values, first, signs) for share, t in zip(shares, tracks, strict=True)])
    lengths = np.stack([_at(t, t.lengths, first, signs) * first.fps / t.fps for t in tracks])
    most = parts.argmax(axis=0)
    return SimilarityTrack(
        first.video, first.fps, first.centres, signs,
        parts.sum(axis=0).astype(np.float32),
        np.take_along_axis(lengths, most[None], axis=0)[0].astype(np.float32),
    )  # fmt: skip


def _shares(count: int, weights: Sequence[float] | None) -> NDArray[np.float64]:
    given = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    if len(given) != count or not np.isfinite(given).all() or (given < 0).any() or given.sum() == 0:
        raise ValueError(f"weights {list(given)} for {count} tracks; expected one each, not negative, not all 0")
    return given / given.sum()


def _at(
    track: SimilarityTrack, values: NDArray[np.float32], where: SimilarityTrack, signs: tuple[str, ...]
) -> NDArray[np.float64]:
    columns = [track.signs.index(sign) for sign in signs]
    positions = np.interp(where.seconds, track.seconds, np.arange(len(track.seconds)))
    return rows_at(values[:, columns].astype(np.float64), positions)
