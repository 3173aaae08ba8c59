"""One video's timeline as SVG: a row per sign with its similarity track, its ground truth and its detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from eval.segments import Segment

from ..detection import Detection
from ..search.track import SimilarityTrack

__all__ = ["ROW", "Hit", "clock", "timeline"]

ROW = 58
"""Pixels of a sign's row: its track above, ground truth and detections below."""
TRACK, BAR, AXIS = 30, 9, 24
NARROWEST, WIDEST = 826, 9000
PIXELS_PER_SECOND = 14.0
POINTS = 1500


@dataclass(frozen=True)
class Hit:
    """A detection in the report: its number and, with ground truth, whether it is right (None: not known)."""

    number: int
    detection: Detection
    right: bool | None


def clock(seconds: float) -> str:
    """Seconds as m:ss.s, with hours where there are any."""
    tenths = round(seconds * 10)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600 / 10
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def timeline(
    video: str,
    duration: float,
    signs: Sequence[str],
    hits: Sequence[Hit],
    truth: Sequence[Segment] | None,
    missed: Sequence[bool],
    track: SimilarityTrack | None,
) -> str:
    """The SVG element.

    Args:
        signs: the rows, top to bottom.
        truth: None where it is not known; `missed` says which of it were not found.
    """
    width = int(np.clip(duration * PIXELS_PER_SECOND, NARROWEST, WIDEST))
    height = AXIS + ROW * len(signs)
    scale = width / max(duration, 1e-9)
    label = escape(f"Timeline of {video}: {len(hits)} detections in {clock(duration)}", quote=True)
    parts = [
        f'<svg class="timeline" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="group" '
        f'aria-label="{label}" data-scale="{scale:.6f}">',
        _axis(duration, scale, height),
    ]
    rows = {sign: AXIS + ROW * i for i, sign in enumerate(signs)}
    columns = {} if track is None else {sign: track.values[:, i] for i, sign in enumerate(track.signs)}
    low, high = _range(list(columns.values()))
    for sign, y in rows.items():
        parts.append(f'<line class="rule" x1="0" x2="{width}" y1="{y + ROW - 0.5}" y2="{y + ROW - 0.5}"/>')
        if track is not None and sign in columns:
            parts.append(_curve(track.seconds, columns[sign], scale, y + 4, low, high))
    for segment, miss in zip(truth or (), missed, strict=True):
        if segment.sign in rows:
            room = _room(segment, truth or (), duration) * scale
            parts.append(_truth_bar(segment, miss and room > 45, miss, scale, rows[segment.sign] + TRACK + 7))
    detections = [hit.detection for hit in hits]
    for hit in hits:
        room = _room(hit.detection, detections, duration) * scale
        parts.append(_hit_bar(hit, room, scale, rows[hit.detection.sign] + TRACK + 17))
    parts.append(f'<line class="cursor" x1="0" x2="0" y1="0" y2="{height}" hidden="hidden"/></svg>')
    return "".join(parts)


def _axis(duration: float, scale: float, height: int) -> str:
    step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600) if s * scale >= 70), 1800)
    parts = []
    for k in range(int(duration // step) + 1):
        x = k * step * scale
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{AXIS - 5}" y2="{height}"/>')
        if x < duration * scale - 24:
            label = f"{k * step // 60}:{k * step % 60:02}"
            parts.append(f'<text class="time" x="{x + 3:.1f}" y="14">{label}</text>')
    return "".join(parts)


def _range(columns: Sequence[NDArray[np.floating]]) -> tuple[float, float]:
    values = np.concatenate(columns) if columns else np.zeros(0)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(np.quantile(values, 0.3)), float(values.max())
    return low, max(high, low + 0.05)


def _curve(
    seconds: NDArray[np.floating], values: NDArray[np.floating], scale: float, y: float, low: float, high: float
) -> str:
    """The track as an area; of long tracks every bin shows its maximum, so that no peak is lost."""
    bins = max(1, -(-len(values) // POINTS))
    pad = (-len(values)) % bins
    best = np.concatenate([values, np.full(pad, -np.inf)]).reshape(-1, bins).max(axis=1)
    x = seconds[::bins] * scale
    heights = y + TRACK * (1 - np.clip((np.where(np.isfinite(best), best, low) - low) / (high - low), 0, 1))
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, heights, strict=True))
    if not points:
        return ""
    base = y + TRACK
    return (
        f'<polygon class="area" points="{x[0]:.1f},{base} {points} {x[-1]:.1f},{base}"/>'
        f'<polyline class="curve" points="{points}"/>'
    )


def _room(segment: Segment, row: Sequence[Segment], duration: float) -> float:
    """Seconds free behind a bar in its row, for its words."""
    end = segment.end
    return min((s.start for s in row if s.sign == segment.sign and s.start >= end - 1e-9), default=duration) - end


def _truth_bar(segment: Segment, say: bool, missed: bool, scale: float, y: float) -> str:
    words = f"Ground truth: {segment.sign}, {clock(segment.start)} to {clock(segment.end)}"
    label = escape(words + (", not found" if missed else ", found"))
    x, wide = segment.start * scale, max(segment.duration * scale, 3.0)
    kind = "truth missed" if missed else "truth"
    mark = f'<text class="mark" x="{x + wide + 3:.1f}" y="{y + 8}">missed</text>' if say else ""
    box = f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}"/>'
    return f'<g class="{kind}"><title>{label}</title>{box}{mark}</g>'


def _hit_bar(hit: Hit, room: float, scale: float, y: float) -> str:
    d = hit.detection
    kind, verdict, mark = {
        None: ("hit", "", ""),
        True: ("hit right", ", agrees with the ground truth", "✓"),
        False: ("hit wrong", ", not in the ground truth", "✗"),
    }[hit.right]
    label = escape(f"{d.sign}, {clock(d.start)} to {clock(d.end)}, score {d.score:.2f}{verdict}", quote=True)
    x, wide = d.start * scale, max(d.duration * scale, 3.0)
    # words that would run into the next bar are left out; the title and the table say them
    words = f"{mark}{d.score:.2f}" if room > 40 else mark if room > 14 else ""
    return (
        f'<g class="{kind}" role="button" tabindex="0" data-hit="{hit.number}" data-start="{d.start:.3f}" '
        f'data-end="{d.end:.3f}" aria-label="{label}"><title>{label}</title>'
        f'<rect class="reach" x="{x - 2:.1f}" y="{y - 3}" width="{wide + 4:.1f}" height="{BAR + 6}"/>'
        f'<rect class="bar" x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}" rx="2"/>'
        f'<text class="mark" x="{x + wide + 3:.1f}" y="{y + 8}">{words}</text></g>'
    )
