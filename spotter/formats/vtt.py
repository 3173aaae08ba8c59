"""Detections as WebVTT: one cue per detection, its text the gloss, its identifier the score."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safe_files import write_text

from ..detection import Detection
from .challenge import to_ms

__all__ = ["read_vtt", "write_vtt"]


def write_vtt(path: Path, detections: Sequence[Detection], video: str) -> None:
    """Subtitles of one video, times to the millisecond (a cue lasts at least one), in the order of time.

    Line breaks in a gloss become spaces, since a blank line would end the cue.
    """
    import webvtt

    captions = []
    for number, d in enumerate(sorted(detections, key=lambda d: (d.start, d.end, d.sign)), start=1):
        text = html.escape(" ".join(d.sign.split()), quote=False)
        start, end = to_ms(d.start, d.end)
        captions.append(webvtt.Caption(_clock(start), _clock(end), text, f"{number} score {d.score:.6g}"))
    note = " ".join(video.replace("-->", "→").split())
    document = webvtt.WebVTT(captions=captions, header_comments=[f"video {note}"])
    write_text(path, document.content)


def read_vtt(path: Path) -> list[Detection]:
    """Cues of subtitles as detections; the video is named in the first note, else by the file's stem.

    Raises:
        ValueError: no WebVTT, or a cue that ends before it starts.
    """
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    try:
        document: Any = webvtt.read(str(path))
    except (MalformedFileError, MalformedCaptionError, UnicodeDecodeError, OSError) as error:
        raise ValueError(f"{path}: not readable WebVTT ({error})") from None
    notes = [note for note in getattr(document, "header_comments", []) if note.startswith("video ")]
    video = notes[0].removeprefix("video ") if notes else path.stem
    found = []
    for number, cue in enumerate(document, start=1):
        start, end = (stamp.in_milliseconds() / 1000 for stamp in (cue.start_time, cue.end_time))
        try:
            found.append(Detection(video, _text(cue.text), start, end, _score(cue.identifier)))
        except ValueError as error:
            raise ValueError(f"{path}, cue {number}: {error}") from None
    return found


def _text(text: str) -> str:
    return html.unescape(" ".join(text.split()))


def _score(identifier: str | None) -> float:
    """The number after the word score; 1 for cues that were not made by `write_vtt`."""
    _, said, number = (identifier or "").partition(" score ")
    try:
        return float(number) if said else 1.0
    except ValueError:
        return 1.0


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
