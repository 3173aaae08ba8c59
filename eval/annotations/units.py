"""Times as files have them into seconds, the one place; and whether their scale can be right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from . import Row, SegmentError

__all__ = ["UNITS", "check_scale", "check_settings", "in_seconds"]

UNITS = ("s", "ms", "frames")
SHORTEST, LONGEST = 0.02, 30.0
"""Seconds: where the median length of a file's segments lies outside, its unit is another than the one assumed."""
LONGEST_WHOLE = 4.0
"""The same where all times are whole numbers, which may be frames."""


def check_settings(unit: str | None, fps: float | None) -> None:
    """Refuses a unit or a frame rate that there is not.

    Raises:
        SegmentError: names what is expected.
    """
    if unit is not None and unit not in UNITS:
        raise SegmentError(f"unit is {unit!r}; expected one of {', '.join(UNITS)}")
    if fps is not None and not 0 < fps < math.inf:
        raise SegmentError(f"fps is {fps}; expected a positive number of frames per second")


def in_seconds(row: Row, unit: str | None, fps: float | None) -> tuple[float, float]:
    """Start and end of a row in seconds.

    Args:
        unit: of the times, where the row does not state it.
        fps: frames per second, where the row does not state it.

    Raises:
        SegmentError: no numbers, a start below 0, an end before the start, a unit that contradicts the file, or frames
            without a rate.
    """
    if unit is not None and row.stated and row.unit != unit:
        raise SegmentError(f"{row.where}: the file states its times in {row.unit}, not in {unit}; leave the unit out")
    try:
        start, end = float(row.start), float(row.end)
    except (TypeError, ValueError):
        raise SegmentError(f"{row.where}: start {row.start!r}, end {row.end!r}; expected numbers") from None
    if not math.isfinite(start) or not math.isfinite(end):
        raise SegmentError(f"{row.where}: start {row.start!r}, end {row.end!r}; expected finite numbers")
    if start < 0:
        raise SegmentError(f"{row.where}: starts at {start:g}; expected a time of at least 0")
    if end < start:
        raise SegmentError(f"{row.where}: ends at {end:g}, before its start at {start:g}; expected start < end")
    unit = row.unit if unit is None else unit
    per_second = _rate(row, fps) if unit == "frames" else {"s": 1.0, "ms": 1000.0}[unit]
    return start / per_second, end / per_second


def _rate(row: Row, fps: float | None) -> float:
    """Frames per second of a row whose times are frames."""
    stated = row.fps not in (None, "")
    if not stated and fps is None:
        raise SegmentError(f"{row.where}: its times are frames; give the frames per second (--fps, or a column fps)")
    try:
        rate = float(row.fps if stated else fps)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        rate = math.nan
    if not 0 < rate < math.inf:
        raise SegmentError(f"{row.where}: fps is {row.fps!r}; expected a positive number")
    return rate


def check_scale(path: Path, rows: Sequence[Row], lengths: Sequence[float]) -> None:
    """Refuses times that cannot be in the unit that their form usually has.

    Args:
        rows: those whose unit was assumed.
        lengths: their seconds.

    Raises:
        SegmentError: names what the unit may be instead.
    """
    length, unit = median(lengths) if rows else 0.0, rows[0].unit if rows else "s"
    whole = all(float(time).is_integer() for row in rows for time in (row.start, row.end))
    if length == 0 or SHORTEST <= length <= (LONGEST_WHOLE if whole and unit == "s" else LONGEST):
        return
    raw = length * (1000 if unit == "ms" else 1)
    others = {"s": ("seconds: unit s", raw), "ms": ("milliseconds: unit ms", raw / 1000)}
    if whole:
        others["frames"] = ("frames: unit frames, with the video's fps", raw / 25)
    likely = [name for other, (name, seconds) in others.items() if other != unit and 0.1 <= seconds <= 10]
    raise SegmentError(
        f"{path}: read as {unit}, its {len(rows)} segments last {length:.3g} s at the median; a sign lasts some "
        f"0.1 to 5 s. Say what the times are in (--unit {'|'.join(UNITS)})"
        + (f"; they look like {likely[0]}" if likely else "")
    )
