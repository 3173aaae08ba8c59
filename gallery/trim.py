"""Trim an exemplar to the sign itself: from hands up to hands down, automatically or as told.

A dictionary clip starts and ends with the hands at rest. The published one-shot entry used a hand-typed table of
spans; here the span follows from the wrists' heights, and a table overrides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["TrimOptions", "read_spans", "signing_span"]


@dataclass(frozen=True)
class TrimOptions:
    """When a hand counts as up. Heights are shares of the way from its rest to where it signs.

    Attributes:
        enter: the sign starts when a hand has come up this far; leave: it ends when it is below that for good.
        least_rise: a hand that rises less than this (shoulder widths) stays at rest.
        least_share: a hand that rises less than this share of the other's rise does not set the span.
        least_seconds: a shorter span is taken for a mistake; the whole clip is used.
        rest: a hand less than this far below the shoulders (shoulder widths) is not at rest. A clip that begins or
            ends with such a hand was cut to the sign already and stays as it is on that side.
    """

    enter: float = 0.9
    leave: float = 0.94
    least_rise: float = 0.35
    least_share: float = 0.4
    least_seconds: float = 0.12
    rest: float = 0.9


def signing_span(
    wrists: NDArray[np.floating],
    shoulders: NDArray[np.floating],
    fps: float,
    options: TrimOptions | None = None,
) -> tuple[int, int]:
    """Frames [start, end) in which the hands are up.

    Args:
        wrists: (T, 2, 2) left and right wrist, x and y in pixels, y downwards, NaN where missing.
        shoulders: (T, 2, 2) likewise.
        fps: frames per second.

    A clip that is already tight (hands up throughout), shows no rise, or has no wrists is returned whole.

    Raises:
        ValueError: shapes are wrong or there is no frame.
    """
    options = TrimOptions() if options is None else options
    wrists, shoulders = np.asarray(wrists, np.float64), np.asarray(shoulders, np.float64)
    frames = len(wrists)
    if frames == 0 or wrists.shape != (frames, 2, 2) or shoulders.shape != (frames, 2, 2):
        raise ValueError(f"wrists {wrists.shape} and shoulders {shoulders.shape}; expected (T, 2, 2) each with T > 0")
    whole = (0, frames)
    widths = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=-1)
    if np.isnan(widths).all():
        return whole
    width = max(float(np.nanmedian(widths)), 1e-6)
    level = np.nanmedian(shoulders[..., 1])
    depths = (wrists[..., 1] - level) / width
    shares = [_share_of_rise(depths[:, hand], fps, options) for hand in (0, 1)]
    risen = [found for found in shares if found is not None]
    if not risen:
        return whole
    most = max(rise for rise, _ in risen)
    spans = [_up(share, options) for rise, share in risen if rise >= options.least_share * most]
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    at_rest = _resting_edges(depths, options)
    start, end = start if at_rest[0] else 0, end if at_rest[1] else frames
    return (start, end) if end - start >= options.least_seconds * fps else whole


def _resting_edges(depths: NDArray[np.float64], options: TrimOptions) -> tuple[bool, bool]:
    """Whether the higher hand rests at the clip's begin and at its end; a hand that is out of sight does.

    depths: (T, 2) how far the wrists are below the shoulders.
    """
    edge = max(2, round(0.1 * len(depths)))
    sides = []
    for side in (depths[:edge], depths[-edge:]):
        seen = [hand[~np.isnan(hand)] for hand in side.T]
        sides.append(all(len(hand) == 0 or float(np.median(hand)) >= options.rest for hand in seen))
    return sides[0], sides[1]


def _share_of_rise(
    depth: NDArray[np.float64], fps: float, options: TrimOptions
) -> tuple[float, NDArray[np.float64]] | None:
    """(rise in shoulder widths, share of it (T,)) of one hand; None when it stays down or was never seen.

    depth: (T,) how far the wrist is below the shoulders.
    """
    seen = np.flatnonzero(~np.isnan(depth))
    if len(seen) < 3:
        return None
    depth = np.interp(np.arange(len(depth)), seen, depth[seen])
    smooth = _moving_mean(depth, max(1, round(0.08 * fps)))
    edge = max(2, round(0.1 * len(smooth)))
    # at rest before and after; when the clip is cut on one side, the lower side is the rest
    ends = np.array([np.median(smooth[:edge]), np.median(smooth[-edge:])])
    rest = float(ends.max())
    risen = smooth < rest - options.least_rise
    if not risen.any():
        return None
    # where it signs: most of the time that it is up, not its highest moment
    place = float(np.percentile(smooth[risen], 60))
    rise = rest - place
    if rise < options.least_rise:
        return None
    return rise, (rest - smooth) / rise


def _up(share: NDArray[np.float64], options: TrimOptions) -> tuple[int, int]:
    entered, left = np.flatnonzero(share >= options.enter), np.flatnonzero(share >= options.leave)
    if len(entered) == 0 or len(left) == 0:
        return 0, len(share)
    return int(entered[0]), int(left[-1]) + 1


def _moving_mean(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    if length <= 1:
        return values
    padded = np.pad(values, (length // 2, length - 1 - length // 2), mode="edge")
    return np.convolve(padded, np.full(length, 1 / length), mode="valid")


def read_spans(path: str | Path) -> dict[str, tuple[float, float]]:
    """Spans told by hand: clip → (start s, end s).

    Reads a CSV with the columns clip, start, end (seconds), or the challenge organisers' rows ``CLASS;SIGN;BEGIN;END``
    in milliseconds (clip is then ``s`` and the sign's number, as in their file names); a byte-order mark is fine.

    Raises:
        ValueError: a row is wrong; the message names file, line and rule.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    spans: dict[str, tuple[float, float]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lower().replace(" ", "").startswith(("clip,", "class;")):
            continue
        clip, start, end = _span_row(path, number, line)
        if clip in spans:
            raise ValueError(f"{path}, line {number}: clip {clip!r} has a span already; one row per clip")
        spans[clip] = (start, end)
    if not spans:
        raise ValueError(f"{path}: no rows; expected clip,start,end in seconds")
    return spans


def _span_row(path: Path, number: int, line: str) -> tuple[str, float, float]:
    organisers = line.count(";") == 3
    cells = [cell.strip() for cell in line.split(";" if organisers else ",")]
    if len(cells) != (4 if organisers else 3):
        raise ValueError(f"{path}, line {number}: {line!r}; expected clip,start,end or CLASS;SIGN;BEGIN;END")
    try:
        start, end = (float(cell) * (0.001 if organisers else 1.0) for cell in cells[-2:])
    except ValueError:
        raise ValueError(
            f"{path}, line {number}: start and end are {cells[-2]!r} and {cells[-1]!r}; expected numbers"
        ) from None
    if not 0 <= start < end < float("inf"):
        raise ValueError(f"{path}, line {number}: span {start} to {end} s; expected 0 <= start < end")
    if organisers:
        return f"s{int(cells[0]):02d}" if cells[0].isdigit() else cells[0], start, end
    return cells[0], start, end
