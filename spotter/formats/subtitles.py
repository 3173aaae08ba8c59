"""Segments as subtitles, WebVTT and SubRip: one cue each, its text the gloss.

WebVTT also names the video in a note, and a cue's score in its identifier; SubRip has room for neither: there the video
goes by the file's name, and scores are left out.
"""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from pathlib import Path

from eval.annotations.subtitles import VIDEO_NOTE
from eval.segments import Segment
from safe_files import write_text

__all__ = ["write_srt", "write_vtt"]


def write_vtt(path: Path, segments: Sequence[Segment], video: str) -> None:
    """Subtitles of one video, times to the millisecond (a cue lasts at least one), in the order of time.

    Line breaks in a gloss become spaces, since a blank line would end the cue.
    """
    import webvtt

    captions = []
    for number, s in enumerate(_by_time(segments), start=1):
        start, end = map(_clock, s.milliseconds())
        identifier = str(number) if s.score is None else f"{number} score {s.score:.6g}"
        captions.append(webvtt.Caption(start, end, html.escape(_one_line(s.sign), quote=False), identifier))
    note = " ".join(video.replace("-->", "→").split())
    document = webvtt.WebVTT(captions=captions, header_comments=[VIDEO_NOTE + note])
    write_text(path, document.content)


def write_srt(path: Path, segments: Sequence[Segment]) -> None:
    """The same as SubRip. `<`, `>` and `&` of a gloss are written as in HTML, as players that know mark-up expect."""
    import webvtt

    captions = []
    for s in _by_time(segments):
        start, end = map(_clock, s.milliseconds())
        captions.append(webvtt.Caption(start, end, html.escape(_one_line(s.sign), quote=False)))
    text = io.StringIO()
    webvtt.WebVTT(captions=captions).write(text, format="srt")
    write_text(path, text.getvalue().rstrip("\n") + "\n" if captions else "")


def _by_time(segments: Sequence[Segment]) -> list[Segment]:
    return sorted(segments, key=lambda s: (s.start, s.end, s.sign))


def _one_line(gloss: str) -> str:
    return " ".join(gloss.split())


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
