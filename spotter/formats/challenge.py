"""The ECCV 2022 sign spotting challenge's `predictions.pkl`: ``{video: [[sign, start ms, end ms], …]}``."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

from safe_files import write_bytes

from ..detection import Detection

__all__ = ["read_challenge", "to_ms", "write_challenge"]


def to_ms(start: float, end: float, step: int = 1) -> tuple[int, int]:
    """Seconds as whole milliseconds, the nearest multiples of `step`; a span keeps at least one step."""
    first, last = round(start * 1000 / step) * step, round(end * 1000 / step) * step
    return first, max(last, first + step)


def write_challenge(path: Path, detections: Sequence[Detection], step_ms: int = 1, videos: Sequence[str] = ()) -> None:
    """A submission; signs that are whole numbers are written as integers, as the challenge has them.

    Args:
        step_ms: times are rounded to multiples of it (40: the frames of the challenge's 25 fps videos).
        videos: listed even when nothing was found in them.
    """
    if step_ms < 1:
        raise ValueError(f"step_ms is {step_ms}; expected at least 1")
    rows: dict[str, list[list[int | str]]] = {video: [] for video in videos}
    for d in detections:
        # a plain number only: "007" and "²" are glosses
        sign: int | str = (
            int(d.sign) if d.sign.isascii() and d.sign.isdigit() and str(int(d.sign)) == d.sign else d.sign
        )
        rows.setdefault(d.video, []).append([sign, *to_ms(d.start, d.end, step_ms)])
    write_bytes(path, pickle.dumps(rows, protocol=4))  # protocol 4 is what every Python 3 reads


def read_challenge(path: Path) -> list[Detection]:
    """Detections of a submission or of the challenge's ground truth, score 1 where there is none.

    Only plain data is read: a pickle that names anything else is refused, so that it cannot run code.
    """
    from eval.pickles import read_pickle

    value = read_pickle(path)
    if not isinstance(value, dict):
        raise ValueError(f"{path}: holds a {type(value).__name__}; expected {{video: [[sign, start ms, end ms], …]}}")
    found = []
    for video, rows in value.items():
        for number, row in enumerate(rows, start=1):
            try:
                score = float(row[3]) if len(row) > 3 else 1.0
                found.append(Detection(str(video), str(row[0]), float(row[1]) / 1000, float(row[2]) / 1000, score))
            except (TypeError, ValueError, IndexError, KeyError) as error:
                raise ValueError(f"{path}: {video!r}, row {number}: {error}") from None
    return found
