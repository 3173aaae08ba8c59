"""Similarity tracks of several encoders: each compared with chance, then one weighted mean.

A cosine of .6 is much for one network and little for another, in one recording and in another; cosines of a network
that learned little lie between .99997 and .99999. So each track is measured in standard deviations: from what the same
sign gets all over this video, and from what signs get at this moment that nobody looks for (the s-norm of speaker
verification, Auckenthaler et al. 2000; see `spotter.search.cohort`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.interpolation import rows_at

from ..search.cohort import Cohort, robust_spread
from ..search.query import SPANS_AT_ONCE, Query, similarity_track
from ..search.track import SimilarityTrack
from .weights import checked_weights

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["LEAST_SPREAD", "above_video", "aligned_tracks", "fuse", "normalised_track"]

LEAST_SPREAD = 0.02
"""Cosines: a standard deviation counts as at least this much, so that noise of a network is not blown up."""

OTHERS = 4
"""So many other signs of the gallery stand for a cohort where an encoder has none."""

Floats = NDArray[np.float32]


def normalised_track(
    query: Query, gallery: Gallery, cohort: Cohort | None = None, moved: Mapping[int, Floats] | None = None
) -> SimilarityTrack:
    """An encoder's track in standard deviations above chance.

    The mean of two comparisons: with the same sign over the whole video, and with signs that nobody looks for at the
    same moment: the encoder's cohort, else the gallery's other signs where there are at least four, else this one is
    left out.

    Args:
        moved: exemplar row → vector (D,) that takes its place (Top-K transfer).
    """
    track = similarity_track(query, gallery, moved)
    values: NDArray[np.floating] = above_video(track.values)
    by_chance = _by_cohort(query, track, cohort) if cohort is not None else _by_others(track)
    if by_chance is not None:
        values = (values + (track.values - by_chance[0]) / by_chance[1]) / 2
    return replace(track, values=values.astype(np.float32))


def above_video(cosines: Floats) -> Floats:
    """Cosines (W, …) in standard deviations above what the same sign usually gets in the video."""
    middle, spread = robust_spread(cosines, 0, LEAST_SPREAD)
    return (cosines - middle) / spread


def _by_cohort(query: Query, track: SimilarityTrack, cohort: Cohort) -> tuple[Floats, Floats]:
    """(mean, standard deviation), each (W, L), of what the cohort gets in the windows that were best."""
    mean, deviation = np.zeros_like(track.values), np.ones_like(track.values)
    for length in query.plan.lengths.tolist():
        windows = query.windows(length)
        parts = [
            cohort.statistics(windows[i : i + SPANS_AT_ONCE].astype(np.float32))
            for i in range(0, len(windows), SPANS_AT_ONCE)
        ]
        usual, usual_spread = (np.concatenate(column)[:, None] for column in zip(*parts, strict=True))
        here = track.lengths == length
        mean, deviation = np.where(here, usual, mean), np.where(here, usual_spread, deviation)
    return mean, np.maximum(deviation, LEAST_SPREAD)


def _by_others(track: SimilarityTrack) -> tuple[Floats, Floats] | None:
    """(mean, standard deviation), each (W, L), of what the other signs get at the same moment; None of few signs."""
    values = track.values.astype(np.float64)
    count = values.shape[1] - 1
    if count < OTHERS:
        return None
    mean = (values.sum(axis=1, keepdims=True) - values) / count
    squares = ((values**2).sum(axis=1, keepdims=True) - values**2) / count
    deviation = np.sqrt(np.maximum(squares - mean**2, LEAST_SPREAD**2))
    return mean.astype(np.float32), deviation.astype(np.float32)


def fuse(tracks: Sequence[SimilarityTrack], weights: Sequence[float] | None = None) -> SimilarityTrack:
    """The weighted mean of tracks, at the moments of the first one, for all signs that any of them knows.

    Tracks at other frame rates or strides are interpolated in time. A sign that a track does not know counts by the
    others alone. The window length is that of the track that contributes most at that moment.

    Args:
        weights: one per track, not negative. None weighs all alike; see `weights.published_weights`.

    Raises:
        ValueError: no track, different videos, or bad weights.
    """
    first = _of_one_video(tracks)
    given = checked_weights(len(tracks), [1.0] * len(tracks) if weights is None else weights)
    signs = tuple(dict.fromkeys(sign for track in tracks for sign in track.signs))
    known = np.array([[sign in track.signs for sign in signs] for track in tracks])
    shares = np.where(known, given[:, None], 0.0)  # (tracks, L)
    total = shares.sum(axis=0)
    signs = tuple(sign for sign, weight in zip(signs, total, strict=True) if weight > 0)
    if not signs:
        raise ValueError("no sign is known to a track whose weight is above 0")
    shares = (shares / np.where(total > 0, total, 1))[:, total > 0]
    parts = np.stack([s * _at(t, t.values, first, signs) for s, t in zip(shares, tracks, strict=True)])
    lengths = np.stack([_at(t, t.lengths, first, signs) * first.fps / t.fps for t in tracks])
    most = np.where(shares[:, None] > 0, parts, -np.inf).argmax(axis=0)
    return SimilarityTrack(
        first.video, first.fps, first.centres, signs,
        parts.sum(axis=0).astype(np.float32),
        np.take_along_axis(lengths, most[None], axis=0)[0].astype(np.float32),
    )  # fmt: skip


def _of_one_video(tracks: Sequence[SimilarityTrack]) -> SimilarityTrack:
    """The first track, if they are all of one video."""
    if not tracks:
        raise ValueError("no tracks to fuse")
    names = {t.video for t in tracks}
    if len(names) > 1:
        raise ValueError(f"tracks of different videos cannot be fused: {', '.join(sorted(names))}")
    return tracks[0]


def aligned_tracks(tracks: Sequence[SimilarityTrack]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """(all signs that any track knows; values (tracks, W, L) at the moments of the first, NaN for unknown signs)."""
    first = _of_one_video(tracks)
    signs = tuple(dict.fromkeys(sign for track in tracks for sign in track.signs))
    known = np.array([[sign in track.signs for sign in signs] for track in tracks])
    values = np.stack([_at(t, t.values, first, signs) for t in tracks])
    return signs, np.where(known[:, None], values, np.nan)


def _at(
    track: SimilarityTrack, values: NDArray[np.float32], where: SimilarityTrack, signs: tuple[str, ...]
) -> NDArray[np.float64]:
    """(W, L) values of a track at the moments of another, 0 for signs that it does not know."""
    positions = np.interp(where.seconds, track.seconds, np.arange(len(track.seconds)))
    here = rows_at(values.astype(np.float64), positions)
    column = {sign: at for at, sign in enumerate(track.signs)}
    return np.stack([here[:, column[s]] if s in column else np.zeros(len(here)) for s in signs], axis=1)
