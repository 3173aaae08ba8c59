"""Detections as Praat TextGrids: an interval tier per sign, written in the long text form; both text forms are read.

The form is free: what counts are the quoted strings, the numbers that stand by themselves, and the flag `<exists>`, in
their order; all else is there for people (Praat's manual, "TextGrid file formats").
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from embeddings.files import write_text

from ..detection import Detection

__all__ = ["read_textgrid", "write_textgrid"]

TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)|(<exists>|<absent>)')


def write_textgrid(path: Path, detections: Sequence[Detection], duration: float = 0.0) -> None:
    """Writes the detections of one video; signs that overlap themselves go on further tiers of their name.

    Args:
        duration: of the video in seconds; the end of the last detection where that is later.
    """
    end = max([duration, *(d.end for d in detections)], default=0.0) or 1.0
    tiers: list[tuple[str, list[Detection]]] = []
    for d in sorted(detections, key=lambda d: (d.sign, d.start, d.end)):
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
    write_text(path, "\n".join(lines) + "\n")


def _filled(rows: Sequence[Detection], end: float) -> Iterator[tuple[float, float, str]]:
    """Intervals that cover everything from 0 to `end`, as Praat needs them; empty between the detections."""
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


def read_textgrid(path: Path) -> list[Detection]:
    """Intervals with a text, of every interval tier, by time; the video is called like the file, the score is 1.

    Raises:
        ValueError: no TextGrid in text form, or an interval that ends before it starts.
    """
    tokens = _tokens(path)
    try:
        if next(tokens) != "ooTextFile" or next(tokens) != "TextGrid":
            raise ValueError("expected a TextGrid in Praat's text form")
        _numbers(tokens, 2)
        tiers = _count(tokens) if next(tokens) == "<exists>" else 0
        found = [d for _ in range(tiers) for d in _tier(path, tokens)]
    except (StopIteration, ValueError) as error:
        reason = str(error) or "it ends too early"
        raise ValueError(f"{path}: not readable as a TextGrid ({reason})") from None
    return sorted(found, key=lambda d: (d.start, d.end, d.sign))


def _tier(path: Path, tokens: Iterator[str | float]) -> list[Detection]:
    kind, name = next(tokens), next(tokens)
    if kind not in ("IntervalTier", "TextTier"):
        raise ValueError(f"a tier of the class {kind!r}")
    _numbers(tokens, 2)
    rows = []
    for _ in range(_count(tokens)):
        times = _numbers(tokens, 2 if kind == "IntervalTier" else 1)
        text = next(tokens)
        if not isinstance(text, str):
            raise ValueError(f"tier {name!r}: {text} where a text should be")
        if kind == "IntervalTier" and text.strip():
            rows.append(Detection(path.stem, text, times[0], times[1], 1.0))
    return rows


def _tokens(path: Path) -> Iterator[str | float]:
    try:
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    for quoted, number, flag in TOKEN.findall(text):
        if number:
            yield float(number)
        else:
            yield flag or quoted.replace('""', '"')


def _numbers(tokens: Iterator[str | float], count: int) -> list[float]:
    found = [next(tokens) for _ in range(count)]
    wrong = [x for x in found if not isinstance(x, float)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} where a number should be")
    return [float(x) for x in found]


def _count(tokens: Iterator[str | float]) -> int:
    (number,) = _numbers(tokens, 1)
    if number != int(number) or not 0 <= number <= 10_000_000:
        raise ValueError(f"{number} where a count should be")
    return int(number)
