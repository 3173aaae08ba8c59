"""Files of labelled stretches, one form a module, as `eval.segments.read_segments` reads them.

A module turns a file into `Row`s: texts and numbers as they stand there, with the unit that the form states; `units`
checks them and turns them into seconds; `files` knows which module is for which file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["READABLE", "Annotations", "Row", "SegmentError", "read_text"]

READABLE = (".csv", ".tsv", ".json", ".pkl", ".eaf", ".vtt", ".srt", ".textgrid")
"""Endings of files that are read; folders are too."""


class SegmentError(ValueError):
    """A file of segments cannot be used: one line with file, place, rule and remedy."""


class Row(NamedTuple):
    """A labelled stretch as its file holds it.

    Attributes:
        where: file and place, for messages.
        score: None or "" where there is none.
        unit: of start and end: "s", "ms" or "frames".
        stated: the file says so; False where it is the form's usual unit.
        fps: frames per second, where the file says it.
    """

    where: str
    video: str
    sign: Any
    start: Any
    end: Any
    score: Any = None
    unit: str = "s"
    stated: bool = True
    fps: Any = None


class Annotations(NamedTuple):
    """What a file holds; `videos` are those it lists, also the ones without a row."""

    rows: list[Row]
    videos: list[str]


def read_text(path: Path) -> str:
    """UTF-8 text without a byte-order mark, line ends as they are.

    Raises:
        SegmentError: unreadable, or other bytes than UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SegmentError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise SegmentError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
