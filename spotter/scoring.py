"""The toolkit's own `eval`, found even where a user's own `eval.py` stands in the way, and ground truth from files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from .detection import Detection

__all__ = ["as_segments", "read_truth", "scorer"]

Truth = dict[str, list[tuple[str, float, float]]]
"""Video → (sign, start s, end s)."""


def scorer(module: str = "eval.spotting") -> ModuleType:
    """A module of this toolkit's package `eval`.

    Raises:
        ImportError: another module called `eval` comes first; the message says which.
    """
    try:
        return import_module(module)
    except ImportError as error:
        import sys

        other = getattr(sys.modules.get("eval"), "__file__", None)
        where = f" ({other} comes first)" if other else ""
        raise ImportError(f"the toolkit's scoring cannot be loaded{where}: {error}; run from another folder") from None


def as_segments(detections: Iterable[Detection]) -> dict[str, list[tuple[str, float, float, float]]]:
    """Detections in the form that `eval` scores: video → (sign, start s, end s, score)."""
    segments: dict[str, list[tuple[str, float, float, float]]] = {}
    for d in detections:
        segments.setdefault(d.video, []).append((d.sign, d.start, d.end, d.score))
    return segments


def read_truth(path: str | Path) -> Truth:
    """Ground truth in seconds from what `spotter.read` reads (`.csv .json .eaf .vtt`).

    Raises:
        ValueError: the file cannot be read.
    """
    from .formats import read

    truth: Truth = {}
    for row in read(path):
        truth.setdefault(row.video, []).append((row.sign, row.start, row.end))
    return truth


def score_lines(
    truth: Mapping[str, Sequence[Sequence[Any]]], found: Mapping[str, Sequence[Sequence[Any]]]
) -> list[str]:
    """Both F1 scores of detections in seconds, with their counts, as lines."""
    spotting = scorer()
    return [str(spotting.one_to_one_f1(truth, found)), str(spotting.challenge_f1(truth, found))]
