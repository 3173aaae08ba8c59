"""Subtitles as annotations, WebVTT (`.vtt`) and SubRip (`.srt`): one cue a segment, its text the gloss."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from typing import Any

from safe_files import reader

from . import Annotations, Row, SegmentError, read_text

__all__ = ["VIDEO_NOTE", "read_subtitles"]

VIDEO_NOTE = "video "
"""How the note begins in which `spotter.write` names the video."""


OTHER_BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What Python takes for the end of a line and subtitles do not."""
TIMES = re.compile(r"\d\d:\d\d[.,]\d{3}\s*-+>")


@reader(SegmentError)
def read_subtitles(path: Path) -> Annotations:
    """Cues in the order of the file; ones without text or length are left out.

    The video is named in the first note `video …`, else by the file's stem; a score by the cue's identifier `… score
    0.87`, as `spotter.write` writes it.

    Raises:
        SegmentError: neither WebVTT nor SubRip.
    """
    if path.suffix.lower() == ".srt" and path.is_file() and not read_text(path).strip():
        return Annotations([], [path.stem])  # nothing is found in the video; the library wants a cue
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    try:
        text = OTHER_BREAKS.sub(" ", read_text(path)).replace("\r\n", "\n").replace("\r", "\n")
        kind = "srt" if path.suffix.lower() == ".srt" else "vtt"
        document: Any = webvtt.from_buffer(io.StringIO(text), format=kind)
    except (MalformedFileError, MalformedCaptionError) as error:
        kind = "SubRip" if path.suffix.lower() == ".srt" else "WebVTT"
        raise SegmentError(f"{path}: not readable {kind} ({error})") from None
    notes = [note for note in getattr(document, "header_comments", []) if note.startswith(VIDEO_NOTE)]
    video = notes[0].removeprefix(VIDEO_NOTE) if notes else path.stem
    rows = []
    for number, cue in enumerate(document, start=1):
        start, end = (stamp.in_milliseconds() for stamp in (cue.start_time, cue.end_time))
        text = html.unescape(" ".join(cue.text.split()))
        if TIMES.search(text):  # a line of times with a slip in it, which the library takes for text
            raise SegmentError(f"{path}, cue {number}: its text holds times ({text[:60]!r}); is the next cue damaged?")
        if text and start != end:
            rows.append(Row(f"{path}, cue {number}", video, text, start, end, _score(cue.identifier), "ms"))
    return Annotations(rows, [video])


def _score(identifier: str | None) -> float | None:
    """The number after the word score; None for cues that `spotter.write` did not make."""
    _, word, number = (identifier or "").partition(" score ")
    try:
        return float(number) if word else None
    except ValueError:
        return None
