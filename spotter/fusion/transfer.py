"""Top-K transfer of several encoders: places are chosen by the fused similarity, and every encoder's exemplar moves.

Per encoder alone, each would take its own five places, of different signs where it is wrong; together they move to the
same five stretches of signing, as in the published entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery import Gallery
from gallery.transfer import Donation, updated_query

from ..search.options import TransferOptions
from ..search.query import Query
from .tracks import above_video

__all__ = ["Moved", "fused_transfer"]

Vector = NDArray[np.float32]
Moved = list[dict[int, Vector]]
"""For each encoder: exemplar row → the vector that takes its place."""


@dataclass(frozen=True)
class _Found:
    """The best place of a sign in a video: the fused similarity there, its mean cosine, the span in seconds."""

    score: float
    cosine: float
    start: float
    end: float


def fused_transfer(
    videos: Mapping[int, Sequence[Query | None]],
    names: Mapping[int, str],
    galleries: Sequence[Gallery],
    weights: Sequence[float],
    options: TransferOptions,
    normalise: bool,
    known: Mapping[str, str] | None = None,
) -> dict[int, Moved]:
    """Number of a video → what takes the exemplars' places there.

    A sign's first exemplars of all encoders move together, its second ones together, and so on.

    Args:
        videos: number → the video for each encoder, None where it cannot see it.
        names: number → the video's name.
        known: video's name → the one sign in it; only such videos can give an example of a sign.
    """
    moved: dict[int, Moved] = {at: [{} for _ in galleries] for at in videos}
    for label, rows in _exemplars(galleries):
        among = [at for at in videos if known is None or known.get(names[at], label) == label]
        now: dict[int, list[Vector | None]] = {at: _vectors(galleries, rows) for at in among}
        for _ in range(options.iterations):
            donations = _donations(videos, among, now, rows, weights, options, normalise)
            now = {
                at: [
                    None if exemplar is None
                    else updated_query(
                        exemplar, donations[m], str(at) if options.guard else None, options.keep,
                    )
                    for m, exemplar in enumerate(_vectors(galleries, rows))
                ]
                for at in among
            }  # fmt: skip
        for at in among:
            for m, vector in enumerate(now[at]):
                row = rows[m]
                if row is not None and vector is not None and options.iterations:
                    moved[at][m][row] = vector
    return moved


def _exemplars(galleries: Sequence[Gallery]) -> list[tuple[str, list[int | None]]]:
    """(sign, row in each gallery) of the exemplars that belong together."""
    rows: dict[tuple[str, int], list[int | None]] = {}
    for m, gallery in enumerate(galleries):
        count: dict[str, int] = {}
        for row, label in enumerate(gallery.exemplar_labels):
            number = count[label] = count.get(label, -1) + 1
            rows.setdefault((label, number), [None] * len(galleries))[m] = row
    return [(label, own) for (label, _), own in rows.items()]


def _vectors(galleries: Sequence[Gallery], rows: Sequence[int | None]) -> list[Vector | None]:
    return [None if row is None else g.vectors[row] for g, row in zip(galleries, rows, strict=True)]


def _donations(
    videos: Mapping[int, Sequence[Query | None]],
    among: Sequence[int],
    now: Mapping[int, Sequence[Vector | None]],
    rows: Sequence[int | None],
    weights: Sequence[float],
    options: TransferOptions,
    normalise: bool,
) -> list[list[Donation]]:
    """For each encoder the k best videos' places; equal scores by the video's number."""
    best = [(at, _best_place(videos[at], now[at], rows, weights, normalise)) for at in among]
    able = [(at, place) for at, place in best if place is not None and place.cosine >= options.minimum]
    able = sorted(able, key=lambda one: (-one[1].score, one[0]))[: options.k]
    donations: list[list[Donation]] = [[] for _ in rows]
    for at, place in able:
        for m, query in enumerate(videos[at]):
            if query is not None and rows[m] is not None:
                span = np.array([[place.start * query.fps, place.end * query.fps]])
                donations[m].append(Donation(str(at), 0, place.score, query.embed(span)[0]))
    return donations


def _best_place(
    queries: Sequence[Query | None], vectors: Sequence[Vector | None], rows: Sequence[int | None],
    weights: Sequence[float], normalise: bool,
) -> _Found | None:  # fmt: skip
    """Where the weighted similarity of all encoders is highest, the window being that of the first one."""
    seen: list[tuple[Query, float, NDArray[np.float32], NDArray[np.float32]]] = []
    for query, vector, row, weight in zip(queries, vectors, rows, weights, strict=True):
        if query is None or vector is None or row is None or weight == 0 or len(query.centres) == 0:
            continue
        found = query.best_windows(query.cosines(vector[None].astype(np.float32)), np.array([row]))
        cosine, window = (values[:, 0] for values in found)
        seen.append((query, weight, cosine, window))
    if not seen:
        return None
    first, _, _, length = seen[0]
    total, cosines = np.zeros(len(first.centres)), np.zeros(len(first.centres))
    for query, weight, cosine, _ in seen:
        at = np.interp(first.centres / first.fps, query.centres / query.fps, np.arange(len(cosine)))
        value = above_video(cosine) if normalise else cosine
        total += weight * np.interp(at, np.arange(len(value)), value)
        cosines += weight * np.interp(at, np.arange(len(cosine)), cosine)
    share = sum(weight for _, weight, _, _ in seen)
    top = int(total.argmax())
    middle, half = first.centres[top] / first.fps, float(length[top]) / 2 / first.fps
    return _Found(float(total[top] / share), float(cosines[top] / share), middle - half, middle + half)
