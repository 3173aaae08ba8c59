"""`Query`: one video, prepared once: its inputs, its window vectors per length, its frame features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import prepared

from .track import SimilarityTrack
from .windows import centres, length_grid, lengths_for, windows_at

if TYPE_CHECKING:
    from embeddings.clip import Clip
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["Plan", "Query", "make_plan", "moved_vectors", "similarity_track"]


class Plan:
    """Which window lengths are embedded, and which of them each exemplar is compared with.

    Attributes:
        grid: (G,) window lengths in the encoder's frames.
        use: (E, G) bool, exemplar × length.
        stride: frames between centres.
    """

    def __init__(self, grid: NDArray[np.int64], use: NDArray[np.bool_], stride: int) -> None:
        self.grid, self.use, self.stride = grid, use, stride


def make_plan(gallery: Gallery, ratios: Sequence[float], stride: int, fixed: int | None, default: int) -> Plan:
    """The plan for a gallery: lengths from each exemplar's own, or one fixed length for all.

    Args:
        fixed: window length in frames for all signs (as published systems do), or None.
        default: length of an exemplar that does not say its own.
    """
    count = len(gallery)
    if fixed is not None:
        return Plan(np.array([fixed]), np.ones((count, 1), bool), stride)
    own = [float(facts.get("frames", default)) for facts in gallery.facts]
    grid = length_grid([frames * ratio for frames in own for ratio in ratios])
    use = np.zeros((count, len(grid)), bool)
    for row, frames in enumerate(own):
        use[row, lengths_for(frames, grid, ratios)] = True
    return Plan(grid, use, stride)


class Query:
    """A query video with everything that is computed once for it.

    Args:
        clip: the video's clip.
        encoder: the network.
        plan: the windows.
    """

    def __init__(self, clip: Clip, encoder: Encoder, plan: Plan) -> None:
        video = prepared(clip, encoder)
        self.name, self.encoder, self.plan = clip.name, encoder, plan
        self.fps, self.duration = encoder.fps, video.duration
        self.inputs, self.frames = video.inputs, len(video)  # not the clip: its pictures would fill the memory
        self.centres = centres(self.frames, plan.stride)
        self._vectors: dict[int, NDArray[np.float32]] = {}

    def vectors(self, length: int) -> NDArray[np.float32]:
        """(W, D) vectors of the windows of one length around every centre."""
        if length not in self._vectors:
            self._vectors[length] = self.encoder.embed(self.inputs, windows_at(self.centres, float(length)))
        return self._vectors[length]

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """(T, F) frame features for alignment."""
        return self.encoder.clip_features(self.inputs)

    def forget(self) -> None:
        """Frees the window vectors."""
        self._vectors.clear()


def moved_vectors(gallery: Gallery, moved: Mapping[int, NDArray[np.float32]] | None) -> NDArray[np.float32]:
    """The gallery's vectors (E, D), some replaced: exemplar row → the vector (D,) that takes its place."""
    if not moved:
        return gallery.vectors
    vectors = gallery.vectors.copy()
    for row, vector in moved.items():
        vectors[row] = vector
    return vectors


def similarity_track(
    query: Query, gallery: Gallery, moved: Mapping[int, NDArray[np.float32]] | None = None
) -> SimilarityTrack:
    """Each sign's best cosine over its exemplars and window lengths, around every centre.

    Args:
        moved: exemplar row → vector (D,) that takes its place (Top-K transfer).
    """
    vectors = moved_vectors(gallery, moved)
    signs = gallery.labels
    column = np.array([signs.index(label) for label in gallery.exemplar_labels])
    values = np.full((len(query.centres), len(signs)), -np.inf, np.float32)
    lengths = np.zeros_like(values)
    for g, length in enumerate(query.plan.grid):
        rows = np.flatnonzero(query.plan.use[:, g])
        if len(rows) == 0:
            continue
        similarity = query.vectors(int(length)) @ vectors[rows].T
        for r, row in enumerate(rows):
            better = similarity[:, r] > values[:, column[row]]
            values[better, column[row]] = similarity[better, r]
            lengths[better, column[row]] = length
    return SimilarityTrack(query.name, query.fps, query.centres, signs, values, lengths)
