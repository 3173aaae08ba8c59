"""`SimilarityTrack`: how similar each sign is around each moment of a query."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import parse_json, read_npz, reader, write_npz

__all__ = ["SimilarityTrack"]


@dataclass(frozen=True, eq=False)
class SimilarityTrack:
    """Similarity of L signs around W moments of one query.

    Attributes:
        video: the query's name.
        fps: frames per second of `centres` and `lengths`.
        centres: (W,) frames.
        signs: L glosses.
        values: (W, L) float32, the best cosine over the sign's exemplars and window lengths.
        lengths: (W, L) float32, frames of the window that was best.
    """

    video: str
    fps: float
    centres: NDArray[np.float64]
    signs: tuple[str, ...]
    values: NDArray[np.float32]
    lengths: NDArray[np.float32]

    def __post_init__(self) -> None:
        expected = (len(self.centres), len(self.signs))
        if self.values.shape != expected or self.lengths.shape != expected:
            raise ValueError(f"track of {self.values.shape} and {self.lengths.shape}; expected {expected} for both")
        if not 0 < self.fps < math.inf:
            raise ValueError(f"fps is {self.fps}; expected a positive number of frames per second")
        if self.centres.dtype.kind not in "iuf" or not np.isfinite(self.centres).all():
            raise ValueError("the centres of the windows are not finite")

    @property
    def seconds(self) -> NDArray[np.float64]:
        """(W,) times of the centres."""
        return self.centres / self.fps

    def save(self, path: str | Path) -> None:
        """Writes `.npz` (no pickles inside), whole or not at all."""
        write_npz(
            path, video=np.array(self.video), fps=self.fps, centres=self.centres,
            signs=np.array(json.dumps(self.signs)), values=self.values, lengths=self.lengths,
        )  # fmt: skip

    @classmethod
    @reader(ValueError)
    def load(cls, path: str | Path) -> SimilarityTrack:
        """A track that `save` wrote.

        Raises:
            ValueError: the file is missing, damaged, or no track.
        """
        try:
            data = read_npz(path)
            signs = tuple(map(str, parse_json(str(data["signs"]))))
            return cls(str(data["video"]), float(data["fps"]), data["centres"], signs, data["values"], data["lengths"])
        except (OSError, KeyError, ValueError, EOFError) as error:
            raise ValueError(f"{path}: not a readable similarity track ({error})") from None
