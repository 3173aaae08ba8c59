"""`Query`: one video, prepared once: its frame features, its window vectors, and vectors of any further spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import prepared

from .options import SpottingOptions
from .track import SimilarityTrack
from .windows import LENGTHS, RATIOS, centres, length_grid, lengths_for, windows_at

if TYPE_CHECKING:
    from embeddings.clip import Clip
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["EXEMPLARS_AT_ONCE", "Plan", "Query", "make_plan", "moved_vectors", "similarity_track"]

SPANS_AT_ONCE = 8192
"""Spans that are embedded together: the memory of a long video does not grow with the number of its candidates."""

EXEMPLARS_AT_ONCE = 16
"""Exemplars that are searched together: the memory does not grow with the gallery."""


STRIDE, STRIDE_BY_LENGTH = 3, 2
"""Frames between window centres: with `LENGTHS`, where alignment finds the exact place; and else."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Which window lengths are embedded, and which of them each exemplar is compared with.

    Attributes:
        lengths: (G,) window lengths in the encoder's frames.
        use: (E, G) whether an exemplar is compared with a length.
        stride: frames between centres.
    """

    lengths: NDArray[np.int64]
    use: NDArray[np.bool_]
    stride: int


def make_plan(gallery: Gallery, options: SpottingOptions, judged: bool, default: int) -> Plan:
    """The plan for a gallery.

    Args:
        judged: the encoder has a judge of its own (`calibrate.shipped_judge`), who was fitted with `LENGTHS`.
        default: length of an exemplar that does not say its own.
    """
    count = len(gallery)
    by_length = not judged or options.ratios is not None
    stride = options.stride if options.stride is not None else STRIDE_BY_LENGTH if by_length else STRIDE
    if options.window is not None:
        return Plan(np.array([options.window]), np.ones((count, 1), bool), stride)
    if not by_length:
        return Plan(np.array(LENGTHS), np.ones((count, len(LENGTHS)), bool), stride)
    ratios = RATIOS if options.ratios is None else options.ratios
    own = [float(facts.get("frames", default)) for facts in gallery.facts]
    lengths = length_grid([frames * ratio for frames in own for ratio in ratios])
    use = np.zeros((count, len(lengths)), bool)
    for row, frames in enumerate(own):
        use[row, lengths_for(frames, lengths, ratios)] = True
    return Plan(lengths, use, stride)


class Query:
    """A query video with everything that is computed once for it.

    Args:
        clip: the video's clip.
        encoder: the network.
        plan: the windows.

    Attributes:
        name, fps, duration: of the video; fps is the encoder's.
        frames: length in the encoder's frames.
        centres: (W,) frames, middles of the windows.
    """

    def __init__(self, clip: Clip, encoder: Encoder, plan: Plan) -> None:
        video = prepared(clip, encoder)
        self.name, self.encoder, self.plan = clip.name, encoder, plan
        self.fps, self.duration = encoder.fps, video.duration
        self.frames = len(video)
        self.inputs = video.staged  # not the clip: its pictures would fill the memory
        self.centres = centres(self.frames, plan.stride)
        self._windows: dict[int, NDArray[np.float16]] = {}

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """(T, F) frame features for alignment."""
        return self.encoder.clip_features(self.inputs)

    def embed(self, spans: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors (N, D), unit rows, of half-open spans (N, 2) in frames."""
        embed_features = getattr(self.encoder, "embed_features", None)
        if embed_features is not None:  # the frame stage has been done
            made: NDArray[np.float32] = embed_features(self.features, spans)
            return made
        return self.encoder.embed(self.inputs, spans)

    def windows(self, length: int) -> NDArray[np.float16]:
        """(W, D) vectors of the windows of one length around every centre; half precision, they stay in memory."""
        if length not in self._windows:
            spans = windows_at(self.centres, float(length))
            parts = [self.embed(spans[i : i + SPANS_AT_ONCE]) for i in range(0, len(spans), SPANS_AT_ONCE)]
            self._windows[length] = np.concatenate([part.astype(np.float16) for part in parts])
        return self._windows[length]

    def cosines(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(G, W, R) of every window of every length with vectors (R, D), unit rows."""
        made = np.empty((len(self.plan.lengths), len(self.centres), len(vectors)), np.float32)
        for of_length, length in zip(made, self.plan.lengths.tolist(), strict=True):
            windows = self.windows(length)
            for i in range(0, len(windows), SPANS_AT_ONCE):
                part = windows[i : i + SPANS_AT_ONCE].astype(np.float32)
                np.matmul(part, vectors.T, out=of_length[i : i + SPANS_AT_ONCE])
        return made

    def best_windows(
        self, cosines: NDArray[np.float32], rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(cosine, length in frames), each (W, R): of the window around each centre that is most like each exemplar.

        Args:
            cosines: (G, W, R), as `cosines` gives them for these rows of the gallery.
        """
        best = np.full(cosines.shape[1:], -np.inf, np.float32)
        chosen = np.zeros_like(best)
        for cosine, length, used in zip(cosines, self.plan.lengths.tolist(), self.plan.use[rows].T, strict=True):
            better = (cosine > best) & used
            np.copyto(best, cosine, where=better)
            np.copyto(chosen, np.float32(length), where=better)
        return best, chosen

    def forget(self) -> None:
        """Frees the window vectors."""
        self._windows.clear()


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
    """Each sign's best cosine over its exemplars and the window lengths, around every centre.

    Args:
        moved: exemplar row → vector (D,) that takes its place (Top-K transfer).
    """
    vectors, signs = moved_vectors(gallery, moved), gallery.labels
    column = {sign: at for at, sign in enumerate(signs)}
    values = np.full((len(query.centres), len(signs)), -np.inf, np.float32)
    lengths = np.zeros_like(values)
    for first in range(0, len(vectors), EXEMPLARS_AT_ONCE):
        rows = np.arange(first, min(first + EXEMPLARS_AT_ONCE, len(vectors)))
        cosine, length = query.best_windows(query.cosines(vectors[rows]), rows)
        for at, label in enumerate(gallery.exemplar_labels[first : first + EXEMPLARS_AT_ONCE]):
            better = cosine[:, at] > values[:, column[label]]
            values[better, column[label]] = cosine[better, at]
            lengths[better, column[label]] = length[better, at]
    return SimilarityTrack(query.name, query.fps, query.centres, signs, values, lengths)
