"""`write` and `read`: detections, and ground truth too, to and from files, the format by the file's ending.

| ending | what | several videos |
|---|---|---|
| `.csv` | columns video, sign, start, end, score; full precision | one file |
| `.json` | the same with a header (format, version); without scores, as ground truth, also all videos | one file |
| `.eaf` | ELAN, see `elan` | one file per video |
| `.vtt`, `.srt` | subtitles, see `subtitles`; `.srt` holds no scores | one file per video |
| `.TextGrid` | Praat, see `textgrid`; holds no scores | one file per video |
| `.pkl` | the ECCV 2022 challenge's submission ``{video: [[sign, start ms, end ms], …]}`` | one file |

`eval.segments.read_segments` reads all of them and more; `read` gives what it reads as detections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.segments import Segment, by_video, read_segments
from safe_files import reader

from ..detection import Detection

__all__ = ["FORMATS", "ExportError", "Media", "read", "write"]

FORMATS: tuple[str, ...] = (".csv", ".json", ".eaf", ".vtt", ".srt", ".textgrid", ".pkl")

Media = str | Path | Mapping[str, str | Path]
"""A video file, or a mapping from video names to files."""


class ExportError(ValueError):
    """A file of detections cannot be written or read: one line with file, place and rule."""


def write(
    path: str | Path,
    detections: Iterable[Segment],
    media: Media | None = None,
    *,
    tiers: str = "sign",
    step_ms: int = 1,
    videos: Sequence[str] | None = None,
    glosses: Sequence[str] | None = None,
    notes: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Writes detections, or other segments, in the format of the file's ending, whole or not at all.

    Args:
        path: ends in one of `FORMATS`. Formats that describe one video (ELAN, WebVTT) give one file per video when
            there are several: ``found.eaf`` becomes ``found.lecture-1.eaf``, ``found.lecture-2.eaf``.
        media: the video file, or video name → file; linked from ELAN files.
        tiers: ELAN only: "sign" for a tier per sign, "gloss" for one tier with all glosses.
        step_ms: `.pkl` only: times are rounded to multiples of this many milliseconds (40 is a frame of the challenge).
        glosses: ELAN only: the controlled vocabulary from which ELAN offers signs; by default those that occur.
        videos: names of all videos searched, so that those without a segment appear too; media's names otherwise.
        notes: `.json` only: further facts for its head, such as videos that failed.

    Returns:
        The files written.

    Raises:
        ValueError: unknown ending, a folder that cannot be written, a label the format cannot hold.
    """
    path, segments = Path(path), sorted(detections, key=lambda s: (s.video, s.start, s.end, s.sign))
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ExportError(f"{path}: ending {suffix!r} is not known; expected one of {', '.join(FORMATS)}")
    searched = _videos(segments, media, videos)
    if suffix == ".csv":
        from .table import write_csv

        write_csv(path, segments)
    elif suffix == ".json":
        from .table import write_json_table

        write_json_table(path, segments, searched, notes)
    elif suffix == ".pkl":
        from eval.annotations.challenge import write_submission

        write_submission(path, by_video(segments, searched), step_ms)
    else:
        return _write_each(path, suffix, by_video(segments, searched), media, tiers, glosses)
    return [path]


@reader(ValueError)
def read(
    path: str | Path, unit: str | None = None, fps: float | None = None, tiers: Sequence[str] | None = None
) -> list[Detection]:
    """Detections of a file that `write` made, or of any that `read_segments` reads.

    A segment without a score (ground truth, subtitles and ELAN files made by hand) gets score 1.

    Args:
        unit, fps, tiers: see `read_segments`.

    Raises:
        ValueError: unknown ending, a missing or damaged file; the message names the line where there is one.
    """
    segments = [s for listed in read_segments(path, unit, fps, tiers).values() for s in listed]
    try:
        return [Detection(s.video, s.sign, s.start, s.end, 1.0 if s.score is None else s.score) for s in segments]
    except ValueError as error:  # an empty segment
        raise ExportError(f"{path}: {error}") from None


def _videos(segments: Sequence[Segment], media: Media | None, videos: Sequence[str] | None) -> list[str]:
    names = {s.video for s in segments}
    if videos is not None:
        names |= set(videos)
    elif isinstance(media, Mapping):
        names |= set(media)
    elif media is not None and not names:
        names = {Path(media).stem}
    return sorted(names)


def _write_each(
    path: Path, suffix: str, segments: Mapping[str, Sequence[Segment]], media: Media | None, tiers: str,
    glosses: Sequence[str] | None,
) -> list[Path]:  # fmt: skip
    signs = sorted({s.sign for listed in segments.values() for s in listed}) if glosses is None else list(glosses)
    from .elan import write_eaf
    from .subtitles import write_srt, write_vtt
    from .textgrid import write_textgrid

    if media is not None and not isinstance(media, Mapping) and len(segments) > 1:
        raise ExportError(f"{path}: one media file for {len(segments)} videos; give a mapping from video name to file")
    written: list[Path] = []
    for video in segments if segments else [path.stem]:
        target = path if len(segments) <= 1 else path.with_name(f"{path.stem}.{_file_name(video)}{path.suffix}")
        if target in written:
            raise ExportError(f"{target}: two videos would be written to it; rename one of them")
        own = segments.get(video, ())
        if suffix == ".eaf":
            file = media.get(video) if isinstance(media, Mapping) else media
            write_eaf(target, own, video, None if file is None else Path(file), tiers, signs)
        elif suffix == ".srt":
            write_srt(target, own)
        elif suffix == ".textgrid":
            write_textgrid(target, own, video)
        else:
            write_vtt(target, own, video)
        written.append(target)
    return written


def _file_name(video: str) -> str:
    """A video's name as part of a file name: separators and control characters become `_`."""
    return "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in video)
