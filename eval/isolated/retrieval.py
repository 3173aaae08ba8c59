"""One-shot retrieval: with one exemplar per sign, at which place does a clip by another signer find its sign?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..significance import Interval
from ..tables import Table

__all__ = ["RetrievalScore", "cosine_similarity", "exemplar_ranks", "one_shot_retrieval"]


@dataclass(frozen=True)
class RetrievalScore:
    """Figures of repeated draws of the exemplars.

    Attributes:
        mrr: (R,) mean reciprocal rank of each draw.
        recall: k → (R,) share of queries with their sign among the first k.
        queries: (R,) number of queries of each draw.
        signs: size of the gallery; chance recall@1 is 1 / signs.
    """

    mrr: NDArray[np.float64]
    recall: dict[int, NDArray[np.float64]]
    queries: NDArray[np.int64]
    signs: int

    def table(self) -> Table:
        """Mean over the draws with the middle 95 % of them, and chance."""
        rows = []
        chance = float(np.mean(1 / np.arange(1, self.signs + 1)))
        for name, values, luck in (
            ("MRR", self.mrr, chance),
            *((f"recall@{k}", values, min(1.0, k / self.signs)) for k, values in self.recall.items()),
        ):
            spread = _spread(values)
            rows.append([name, spread.value, f"[{spread.low:.4f}, {spread.high:.4f}]", luck, int(self.queries.mean())])
        return Table(["figure", "mean", f"95 % of {len(self.mrr)} draws", "chance", "queries a draw"], rows)


def _spread(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def cosine_similarity(vectors: ArrayLike) -> NDArray[np.float64]:
    """(N, N) cosine of every two rows of (N, D).

    Raises:
        ValueError: a row is zero or holds NaN.
    """
    rows = np.asarray(vectors, np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = np.flatnonzero(~(norms[:, 0] > 0))
    if len(bad):
        raise ValueError(f"vector {bad[0]} is zero or holds NaN; expected a direction")
    return (rows / norms) @ (rows / norms).T


def exemplar_ranks(similarity: ArrayLike, labels: Sequence[str], exemplar_labels: Sequence[str]) -> NDArray[np.int64]:
    """Rank (N,) of each clip's own sign among the signs of given exemplars, from 1; of equal ones the worst.

    A sign with several exemplars counts by the most similar one.

    Args:
        similarity: (N, E), higher is nearer.
        labels: of the clips; exemplar_labels: of the exemplars.

    Raises:
        ValueError: shapes that do not fit, NaN, or a clip whose sign has no exemplar.
    """
    matrix = np.asarray(similarity, np.float64)
    if matrix.shape != (len(labels), len(exemplar_labels)):
        raise ValueError(f"similarity is {matrix.shape}; expected ({len(labels)}, {len(exemplar_labels)})")
    if np.isnan(matrix).any():
        raise ValueError("similarity holds NaN; expected numbers")
    names, column = np.unique(np.asarray(exemplar_labels), return_inverse=True)
    unknown = sorted(set(labels) - set(names.tolist()))
    if unknown:
        raise ValueError(f"sign {unknown[0]!r} has no exemplar; expected one for each clip's sign")
    best = np.full((len(labels), len(names)), -np.inf)
    np.maximum.at(best.T, column, matrix.T)
    own = best[np.arange(len(labels)), np.searchsorted(names, np.asarray(labels))]
    return (best >= own[:, None]).sum(axis=1)


def one_shot_retrieval(
    similarity: ArrayLike,
    labels: Sequence[str],
    signers: Sequence[str] | None = None,
    draws: int = 50,
    ks: Sequence[int] = (1, 5, 10),
    seed: int = 0,
) -> RetrievalScore:
    """Draws one clip per sign as its exemplar, ranks all exemplars for every other clip, `draws` times.

    With signers, a clip is a query only where its sign's exemplar is by somebody else. A rank counts every other
    exemplar that is at least as similar (ties go against the system), so constant similarities score as the worst.

    Args:
        similarity: (N, N), higher is nearer: `cosine_similarity(vectors)` or minus a DTW cost.
        signers: (N,) signer of each clip; without them every other clip is a query.

    Raises:
        ValueError: shapes that do not fit, NaN, fewer than two signs, or no query.
    """
    matrix = np.asarray(similarity, np.float64)
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(f"similarity is {matrix.shape}; expected ({len(labels)}, {len(labels)}) for the labels")
    if np.isnan(matrix).any():
        raise ValueError("similarity holds NaN; expected finite numbers")
    names, sign = np.unique(np.asarray(labels), return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"{len(names)} sign(s); retrieval needs at least 2 to choose from")
    people = np.asarray(signers) if signers is not None else None
    generator = np.random.default_rng(seed)
    clips_of = [np.flatnonzero(sign == i) for i in range(len(names))]
    reciprocal, recall, queries = np.zeros(draws), np.zeros((len(ks), draws)), np.zeros(draws, np.int64)
    for draw in range(draws):
        exemplars = np.array([generator.choice(clips) for clips in clips_of])
        other = np.ones(len(sign), bool)
        other[exemplars] = False
        if people is not None:
            other &= people != people[exemplars[sign]]
        asked = np.flatnonzero(other)
        if not len(asked):
            raise ValueError("no query is left: every sign has one clip only, or clips of one signer only")
        scores = matrix[asked][:, exemplars]
        own = scores[np.arange(len(asked)), sign[asked]]
        rank = (scores >= own[:, None]).sum(axis=1)
        reciprocal[draw], queries[draw] = float(np.mean(1 / rank)), len(asked)
        recall[:, draw] = [np.mean(rank <= k) for k in ks]
    return RetrievalScore(reciprocal, dict(zip(ks, recall, strict=True)), queries, len(names))
