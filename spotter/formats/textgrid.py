"""Segments as Praat TextGrids: an interval tier per sign, in the long text form; scores have no place there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.annotations.textgrid import VIDEO_COMMENT
from eval.segments import Segment
from safe_files import write_text

__all__ = ["write_textgrid"]


def write_textgrid(path: Path, segments: Sequence[Segment], video: str, duration: float = 0.0) -> None:
    """Writes the segments of one video; signs that overlap themselves go on further tiers of their name.

    Args:
        duration: of the video in seconds; the end of the last segment where that is later.
    """
    end = max([duration, *(d.end for d in segments)], default=0.0) or 1.0
    tiers: list[tuple[str, list[Segment]]] = []
    for d in sorted(segments, key=lambda d: (d.sign, d.start, d.end)):
        free = next((rows for name, rows in tiers if name == d.sign and rows[-1].end <= d.start), None)
        if free is None:
            tiers.append((d.sign, [d]))
        else:
            free.append(d)
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end!r}", "tiers? <exists>",
        f"size = {len(tiers)}", "item []:",
    ]  # fmt: skip
    for number, (name, rows) in enumerate(tiers, start=1):
        intervals = list(_filled(rows, end))
        lines += [
            f"    item [{number}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}",
            "        xmin = 0", f"        xmax = {end!r}", f"        intervals: size = {len(intervals)}",
        ]  # fmt: skip
        for k, (first, last, text) in enumerate(intervals, start=1):
            lines += [
                f"        intervals [{k}]:", f"            xmin = {first!r}", f"            xmax = {last!r}",
                f"            text = {_quoted(text)}",
            ]  # fmt: skip
    lines.append(VIDEO_COMMENT + " ".join(video.split("\n")))
    write_text(path, "\n".join(lines) + "\n")


def _filled(rows: Sequence[Segment], end: float) -> Iterator[tuple[float, float, str]]:
    """Intervals that cover everything from 0 to `end`, as Praat needs them; empty between the segments."""
    at = 0.0
    for d in rows:
        if d.start > at:
            yield at, d.start, ""
        yield d.start, d.end, d.sign
        at = d.end
    if at < end:
        yield at, end, ""


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
