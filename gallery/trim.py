"""Trim an exemplar to the sign itself: from the hands' arrival to their departure.

A dictionary clip starts and ends with the hands at rest. The published one-shot entry used a hand-typed table of
spans; here the span follows from how far the wrists are from their rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TrimOptions", "signing_span"]


@dataclass(frozen=True)
class TrimOptions:
    """When a hand counts as away from its rest. Distances are in shoulder widths, from where the hand rests.

    Attributes:
        enter: the sign starts when a hand has come this share of the way from its rest to where it signs; leave: it
            ends when the hand is nearer to its rest than that for good.
        least_way: a hand that goes less far from its rest stays at rest.
        least_share: a hand that goes less than this share of the other hand's way does not set the span.
        stop_share: a sign may begin or end in another place than where it mostly is, such as one from the head to the
            belly: a hand that comes to a stop at this share of the way or beyond has begun.
        stop_speed: what a stop is, as a share of the fastest moment since the hand left its rest.
        least_seconds: a shorter span is taken for a mistake; the whole clip is used.
        rest: a hand less than this far below the shoulders is not at rest. A clip that begins or ends with such a hand
            was cut to the sign already and stays as it is on that side.
    """

    enter: float = 0.96
    leave: float = 0.98
    least_way: float = 0.25
    least_share: float = 0.4
    stop_share: float = 0.3
    stop_speed: float = 0.2
    least_seconds: float = 0.12
    rest: float = 0.9


def signing_span(
    wrists: NDArray[np.floating],
    shoulders: NDArray[np.floating],
    fps: float,
    options: TrimOptions | None = None,
) -> tuple[int, int]:
    """Frames [start, end) in which the hands sign: from their arrival to their departure.

    Args:
        wrists: (T, 2, 2) left and right wrist, x and y in pixels, y downwards, NaN where missing.
        shoulders: (T, 2, 2) likewise.
        fps: frames per second.

    A clip that is already tight (hands up throughout), in which no hand leaves its rest, or that has no wrists is
    returned whole.

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
    places = (wrists - np.nanmedian(shoulders, axis=(0, 1))) / width
    trips = [trip for hand in (0, 1) if (trip := _trip(places[:, hand], fps, options)) is not None]
    if not trips:
        return whole
    most = max(trip.way for trip in trips)
    spans = [trip.span for trip in trips if trip.way >= options.least_share * most]
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    at_rest = _resting_edges(places[..., 1], options)
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


@dataclass(frozen=True)
class _Trip:
    """One hand's way from rest and back: how far it goes (shoulder widths) and the frames in which it signs."""

    way: float
    span: tuple[int, int]


def _trip(path: NDArray[np.float64], fps: float, options: TrimOptions) -> _Trip | None:
    """None when the hand stays at rest or was never seen; path: (T, 2) in shoulder widths."""
    frames = len(path)
    seen = np.flatnonzero(~np.isnan(path[:, 0]))
    if len(seen) < 3:
        return None
    path = np.stack([np.interp(np.arange(frames), seen, axis[seen]) for axis in path.T], axis=1)
    edge = max(2, round(0.1 * frames))
    before, after = np.median(path[:edge], axis=0), np.median(path[-edge:], axis=0)
    if abs(before[1] - after[1]) > 0.35:  # the clip is cut on one side: the lower side is the rest
        before = after = max(before, after, key=lambda place: float(place[1]))
    steps = np.gradient(_smooth(path, 0.12, fps), axis=0)
    speed = np.linalg.norm(steps, axis=1)
    arrival = _arrival(path, before, speed, options.enter, fps, options)
    departure = _arrival(path[::-1], after, speed[::-1], options.leave, fps, options)
    if arrival is None or departure is None:
        return None
    return _Trip(min(arrival[0], departure[0]), (arrival[1], frames - departure[1]))


def _arrival(
    path: NDArray[np.float64],
    rest: NDArray[np.float64],
    speed: NDArray[np.float64],
    enter: float,
    fps: float,
    options: TrimOptions,
) -> tuple[float, int] | None:
    """(way from rest in shoulder widths, first frame at the sign) or None when the hand stays at rest."""
    distance = _smooth(np.linalg.norm(path - rest, axis=1)[:, None], 0.08, fps)[:, 0]
    away = distance > options.least_way
    if not away.any():
        return None
    # where it signs: most of the time that it is away, not its furthest moment
    way = float(np.percentile(distance[away], 40))
    share = distance / way
    entered = np.flatnonzero(share >= enter)
    first = int(entered[0]) if len(entered) else 0
    stop = _first_stop(share, speed, options)
    return way, first if stop is None else min(first, stop)


def _first_stop(share: NDArray[np.float64], speed: NDArray[np.float64], options: TrimOptions) -> int | None:
    """Where the hand first comes to a stop on its way, away from its rest."""
    from scipy.signal import argrelextrema

    beyond = np.flatnonzero(share >= options.stop_share)
    if len(beyond) == 0:
        return None
    setting_out = int(beyond[0])
    while setting_out > 0 and share[setting_out - 1] > 0.05:
        setting_out -= 1
    fastest = np.maximum.accumulate(speed[setting_out:])[beyond[0] - setting_out :]
    now = speed[beyond[0] :]
    (slowest,) = argrelextrema(now, np.less_equal)
    slowest = slowest[slowest < len(now) - 1]  # the clip's last frame is no stop
    stops = slowest[now[slowest] <= options.stop_speed * fastest[slowest]]
    return int(beyond[0] + stops[0]) if len(stops) else None


def _smooth(values: NDArray[np.float64], seconds: float, fps: float) -> NDArray[np.float64]:
    """Moving mean of (T, C) over time."""
    from scipy.ndimage import correlate1d

    length = max(1, round(seconds * fps))
    return np.asarray(correlate1d(values, np.full(length, 1 / length), axis=0, mode="nearest"))
