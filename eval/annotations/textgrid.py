"""Praat TextGrids (`.TextGrid`), both text forms: the intervals with a text, of every interval tier.

The form is free: what counts are the quoted strings, the numbers that stand by themselves, and the flag `<exists>`, in
their order; all else is there for people (Praat's manual, "TextGrid file formats").
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from safe_files import reader

from . import Annotations, Row, SegmentError

__all__ = ["VIDEO_COMMENT", "read_textgrid"]

VIDEO_COMMENT = "! video "
"""How the comment at the end begins in which `spotter.write` names the video; Praat passes over comments."""

TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)|(<exists>|<absent>)')


@reader(SegmentError)
def read_textgrid(path: Path) -> Annotations:
    """Intervals with a text, by time; the video is named by the file's last line `! video …`, else by its stem.

    Raises:
        SegmentError: no TextGrid in text form, or it is damaged.
    """
    text = _text(path)
    last = text.rstrip("\r\n").rpartition("\n")[2]
    video = last.removeprefix(VIDEO_COMMENT) if last.startswith(VIDEO_COMMENT) else path.stem
    tokens = _tokens(text)
    try:
        if next(tokens) != "ooTextFile" or next(tokens) != "TextGrid":
            raise ValueError("expected a TextGrid in Praat's text form")
        _numbers(tokens, 2)
        tiers = _count(tokens) if next(tokens) == "<exists>" else 0
        rows = [row for _ in range(tiers) for row in _tier(path, video, tokens)]
    except (StopIteration, ValueError) as error:
        reason = "it ends too early" if not isinstance(error, ValueError) else str(error)
        raise SegmentError(f"{path}: not readable as a TextGrid ({reason})") from None
    return Annotations(sorted(rows, key=lambda row: (row.start, row.end, row.sign)), [video])


def _tier(path: Path, video: str, tokens: Iterator[str | float]) -> list[Row]:
    kind, name = next(tokens), next(tokens)
    if kind not in ("IntervalTier", "TextTier"):
        raise ValueError(f"a tier of the class {kind!r}")
    _numbers(tokens, 2)
    rows = []
    for number in range(1, _count(tokens) + 1):
        times = _numbers(tokens, 2 if kind == "IntervalTier" else 1)
        text = next(tokens)
        if not isinstance(text, str):
            raise ValueError(f"tier {name!r}: {text} where a text should be")
        if kind == "IntervalTier" and text.strip():
            if not 0 <= times[0] < times[1]:
                raise ValueError(f"tier {name!r}, interval {number}: from {times[0]} s to {times[1]} s")
            rows.append(Row(f"{path}, tier {name}, interval {number}", video, text, times[0], times[1]))
    return rows


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return data.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SegmentError(f"{path}: not readable as a TextGrid ({error})") from None


def _tokens(text: str) -> Iterator[str | float]:
    for quoted, number, flag in TOKEN.findall(text):
        if number:
            yield float(number)
        else:
            yield flag or quoted.replace('""', '"')


def _numbers(tokens: Iterator[str | float], count: int) -> list[float]:
    values = [next(tokens) for _ in range(count)]
    wrong = [x for x in values if not isinstance(x, float)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} where a number should be")
    return [float(x) for x in values]


def _count(tokens: Iterator[str | float]) -> int:
    (number,) = _numbers(tokens, 1)
    if number != int(number) or not 0 <= number <= 10_000_000:
        raise ValueError(f"{number} where a count should be")
    return int(number)
