"""What a sign that is not there looks like: a cohort of other signs, and the query's own background.

A cosine of 0.6 or a cost of 0.3 is much for one sign and little for another, in one recording and in another. As in
speaker verification (Auckenthaler et al. 2000; the adaptive s-norm of Matějka et al. 2017) and in spoken-term detection
by example, a score is compared with those that signs get which nobody looks for, and with those that the same exemplar
gets all over the video.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import reader, whole_file

from .alignment import profiles

__all__ = ["Cohort", "chance_tail", "log_chance", "robust_spread"]

TEMPLATES_COUNTED = 4
"""So many of the cohort's templates that fit a place best say what fits there by chance."""

TEMPLATES_AT_ONCE = 8
"""Templates that are aligned together."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Signs that nobody looks for.

    Attributes:
        vectors: (N, D) unit rows.
        templates: frame features (T_i, F) of some of them, for alignment.
        nearest: how many nearest vectors count.
    """

    vectors: NDArray[np.float32]
    templates: tuple[NDArray[np.float32], ...] = ()
    nearest: int = 30

    def save(self, path: Path) -> None:
        """Writes `.safetensors`, half precision."""
        from safetensors.numpy import save_file

        arrays = {f"template-{i:03d}": template for i, template in enumerate(self.templates)}
        with whole_file(path) as partial:
            save_file(
                {name: rows.astype(np.float16) for name, rows in {"cohort": self.vectors, **arrays}.items()}, partial
            )

    @classmethod
    @reader(ValueError)
    def load(cls, path: Path) -> Cohort:
        """A cohort that `save` wrote.

        Raises:
            ValueError: missing or damaged.
        """
        from safetensors.numpy import load_file

        arrays = {name: rows.astype(np.float32) for name, rows in load_file(path).items()}
        vectors = arrays.pop("cohort")
        templates = tuple(arrays[name] for name in sorted(arrays))
        if vectors.ndim != 2 or not len(vectors) or not all(np.isfinite(a).all() for a in (vectors, *templates)):
            raise ValueError(f"{path}: not a cohort; expected finite vectors and templates")
        return cls(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), templates)

    def statistics(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation (N,) of each row's similarity to its nearest cohort members."""
        similarity = vectors @ self.vectors.T
        nearest = min(self.nearest, similarity.shape[1])
        top = np.partition(similarity, -nearest, axis=1)[:, -nearest:]
        return top.mean(axis=1), np.maximum(top.std(axis=1), 0.02)

    def costs(self, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation (T,) of the alignment costs of the templates that fit best up to each frame.

        Args:
            features: (T, F) of the query.
        """
        groups = [self.templates[i : i + TEMPLATES_AT_ONCE] for i in range(0, len(self.templates), TEMPLATES_AT_ONCE)]
        best = np.concatenate([profiles(group, features).cost.min(axis=1) for group in groups])
        counted = min(TEMPLATES_COUNTED, len(best) - 1)
        lowest = np.partition(best, counted, axis=0)[: counted + 1]
        return lowest.mean(axis=0), np.maximum(lowest.std(axis=0), 0.01)


def robust_spread(values: NDArray[np.floating], axis: int, least: float) -> tuple[NDArray[np.float32], ...]:
    """(median, spread) along an axis: what a video gives a sign that is not there, not moved by where it is."""
    median = np.median(values, axis=axis, keepdims=True)
    spread = 1.4826 * np.median(np.abs(values - median), axis=axis)
    return np.squeeze(median, axis).astype(np.float32), np.maximum(spread, least).astype(np.float32)


def chance_tail(values: NDArray[np.floating]) -> tuple[float, float, int]:
    """(median, scale, count) of an exponential tail fitted to the middle half of the peaks of a track.

    Args:
        values: (N,) scores of all peaks of one exemplar in one video, higher is better.
    """
    if len(values) == 0:
        return 0.0, 1.0, 1
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(middle), max(float(high - low) / float(np.log(3)), 1e-3), len(values)


def log_chance(scores: NDArray[np.floating], tail: tuple[float, float, int], share: float = 1.0) -> NDArray[np.float32]:
    """Logarithm (N,) of how many peaks of such a score the video would hold by chance (as the E-value of BLAST).

    Args:
        share: of the video that peaks are counted for, in (0, 1].
    """
    middle, scale, count = tail
    return (np.log(0.5 * share * max(count, 1)) - (scores - middle) / scale).astype(np.float32)
