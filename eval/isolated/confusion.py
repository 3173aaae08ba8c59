"""Which signs are taken for which: the matrix, the worst pairs with their clips, a picture that can be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import whole_file

from ..tables import Table

__all__ = ["ConfusedPair", "confused_pairs", "confusion_matrix", "draw_confusion", "pairs_table"]

ALL_LABELS = 50
"""Up to so many classes the picture names every class; beyond, it enlarges the most confused ones."""


def confusion_matrix(
    truth: Mapping[str, str], predictions: Mapping[str, Sequence[str]]
) -> tuple[list[str], NDArray[np.int64]]:
    """Sorted labels and counts (C, C): row the true sign, column the predicted one. Clips without one are left out."""
    pairs = [(label, predictions[clip][0]) for clip, label in truth.items() if predictions.get(clip)]
    labels = sorted({*truth.values(), *(guess for _, guess in pairs)})
    if not pairs:
        return labels, np.zeros((len(labels), len(labels)), np.int64)
    from sklearn.metrics import confusion_matrix as counts

    return labels, np.asarray(counts(*zip(*pairs, strict=True), labels=labels), np.int64)


@dataclass(frozen=True)
class ConfusedPair:
    """Clips of `sign` that were taken for `taken_for`: how many, of how many, and which."""

    sign: str
    taken_for: str
    count: int
    clips_of_sign: int
    clips: tuple[str, ...]


def confused_pairs(
    truth: Mapping[str, str], predictions: Mapping[str, Sequence[str]], most: int = 20
) -> list[ConfusedPair]:
    """The most frequent confusions, the most first; of equal ones the greater share, then the alphabet."""
    clips: dict[tuple[str, str], list[str]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for clip, label in truth.items():
        sizes[label] += 1
        ranked = predictions.get(clip)
        if ranked and ranked[0] != label:
            clips[label, ranked[0]].append(clip)
    pairs = [ConfusedPair(a, b, len(found), sizes[a], tuple(found)) for (a, b), found in clips.items()]
    return sorted(pairs, key=lambda p: (-p.count, -p.count / p.clips_of_sign, p.sign, p.taken_for))[:most]


def pairs_table(pairs: Sequence[ConfusedPair], paths: Mapping[str, str] | None = None, shown: int = 3) -> Table:
    """Confused pairs with the first clips of each; with `paths` (clip id → file) as Markdown links."""
    rows = []
    for pair in pairs:
        names = [f"[{clip}]({paths[clip]})" if paths and clip in paths else clip for clip in pair.clips[:shown]]
        more = f" and {len(pair.clips) - shown} more" if len(pair.clips) > shown else ""
        rows.append([pair.sign, pair.taken_for, pair.count, pair.clips_of_sign, ", ".join(names) + more])
    return Table(["sign", "taken for", "clips", "of", "which"], rows)


def draw_confusion(matrix: NDArray[np.int64], labels: Sequence[str], path: str | Path, title: str = "") -> None:
    """Writes the matrix as a picture (.png, .svg, .pdf by the ending); rows are shares of the true sign's clips.

    Signs that are taken for each other stand beside each other. Beyond 50 classes the left half shows the whole
    matrix and the right half the 30 signs of the most frequent confusions, named.

    Raises:
        ValueError: the matrix does not fit the labels.
    """
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(f"the matrix is {matrix.shape}; expected ({len(labels)}, {len(labels)})")
    from matplotlib.figure import Figure

    order = _neighbours(matrix)
    matrix, names = matrix[np.ix_(order, order)], [labels[i] for i in order]
    right, whole = int(np.trace(matrix)), int(matrix.sum())
    title = title or f"{right} of {whole} clips right ({right / max(whole, 1):.1%})"
    if len(names) <= ALL_LABELS:
        side = max(5.0, 0.24 * len(names) + 2.5)
        figure = Figure(figsize=(side + 0.8, side), layout="constrained")
        _draw(figure, figure.add_subplot(), matrix, names, title)
    else:
        figure = Figure(figsize=(19, 9.5), layout="constrained")
        left, enlarged = figure.subplots(1, 2)
        _draw(figure, left, matrix, None, f"{title}, {len(names)} signs")
        worst = _worst(matrix, 30)
        part = matrix[np.ix_(worst, worst)]
        sizes = matrix.sum(axis=1)[worst]
        _draw(
            figure,
            enlarged,
            part,
            [names[i] for i in worst],
            f"the {len(worst)} signs of the most frequent confusions",
            sizes,
        )
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=110)


def _worst(matrix: NDArray[np.int64], most: int) -> NDArray[np.intp]:
    """Signs of the most frequent confusions, both sides of each, at most `most`; in the order of the matrix."""
    wrong = matrix - np.diag(np.diag(matrix))
    chosen: dict[int, None] = {}
    for flat in np.argsort(-wrong, axis=None, kind="stable"):
        pair = [int(i) for i in np.unravel_index(flat, wrong.shape)]
        if len(chosen | dict.fromkeys(pair)) > most or (chosen and wrong[pair[0], pair[1]] == 0):
            break
        chosen |= dict.fromkeys(pair)
    return np.array(sorted(chosen), np.intp)


def _neighbours(matrix: NDArray[np.int64]) -> NDArray[np.intp]:
    """Order in which signs that are confused stand beside each other (average linkage, leaves in their best order)."""
    if len(matrix) < 3:
        return np.arange(len(matrix))
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    distance = 1.0 - np.clip((shares + shares.T) / 2, 0, 1)
    np.fill_diagonal(distance, 0.0)
    condensed = squareform(distance, checks=False)
    tree = linkage(condensed, "average")
    # Beyond some hundred leaves the best order costs minutes and the eye no longer sees it.
    return leaves_list(optimal_leaf_ordering(tree, condensed) if len(matrix) <= 300 else tree)


def _draw(
    figure: Any,
    axes: Any,
    matrix: NDArray[np.int64],
    names: Sequence[str] | None,
    title: str,
    sizes: NDArray[np.int64] | None = None,
) -> None:
    from matplotlib.colors import PowerNorm

    sizes = matrix.sum(axis=1) if sizes is None else sizes
    shares = matrix / np.maximum(sizes[:, None], 1)
    # The root makes one clip in twenty visible beside a full diagonal.
    image = axes.imshow(
        np.ma.masked_equal(shares, 0), cmap="magma_r", norm=PowerNorm(0.5, 0, 1), interpolation="nearest"
    )
    axes.set(xlabel="predicted", ylabel="true", title=title)
    if names is None:
        axes.set(xticks=[], yticks=[])
        return
    ticks = np.arange(len(names))
    axes.set_xticks(ticks, names, rotation=90, fontsize=8)
    axes.set_yticks(ticks, [f"{name}  ({size})" for name, size in zip(names, sizes, strict=True)], fontsize=8)
    axes.set_xticks(ticks[1:] - 0.5, minor=True)
    axes.set_yticks(ticks[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="0.92", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    for i, j in zip(*np.nonzero(matrix), strict=True):
        colour = "white" if shares[i, j] > 0.35 else "black"
        axes.text(j, i, str(matrix[i, j]), ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(image, ax=axes, fraction=0.04, pad=0.02, label="share of the true sign's clips")
