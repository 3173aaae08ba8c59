"""Segments as WebVTT: one cue each, its text the gloss, its identifier the score."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from eval.annotations.subtitles import VIDEO_NOTE
from eval.segments import Segment
from safe_files import write_text

__all__ = ["write_vtt"]


def write_vtt(path: Path, segments: Sequence[Segment], video: str) -> None:
    """Subtitles of one video, times to the millisecond (a cue lasts at least one), in the order of time.

    Line breaks in a gloss become spaces, since a blank line would end the cue.
    """
    import webvtt

    captions = []
    for number, s in enumerate(sorted(segments, key=lambda s: (s.start, s.end, s.sign)), start=1):
        text = html.escape(" ".join(s.sign.split()), quote=False)
        start, end = map(_clock, s.milliseconds())
        identifier = str(number) if s.score is None else f"{number} score {s.score:.6g}"
        captions.append(webvtt.Caption(start, end, text, identifier))
    note = " ".join(video.replace("-->", "→").split())
    document = webvtt.WebVTT(captions=captions, header_comments=[VIDEO_NOTE + note])
    write_text(path, document.content)


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
