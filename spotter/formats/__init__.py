"""`write` and `read`: detections to and from files, the format by the file's ending.

| ending | what | several videos |
|---|---|---|
| `.csv` | columns video, sign, start, end, score; full precision | one file |
| `.json` | the same, with a header that names format and version | one file |
| `.eaf` | ELAN, see `elan` | one file per video |
| `.vtt` | WebVTT subtitles, see `export_vtt` | one file per video |
| `.pkl` | the ECCV 2022 challenge's submission ``{video: [[sign, start ms, end ms], …]}`` | one file |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..detection import Detection
from .challenge import read_challenge, write_challenge
from .elan import read_detections, write_eaf
from .table import read_csv, read_json, write_csv, write_json_table
from .vtt import read_vtt, write_vtt

__all__ = ["FORMATS", "ExportError", "Media", "read", "write"]

FORMATS: tuple[str, ...] = (".csv", ".json", ".eaf", ".vtt", ".pkl")
ONE_VIDEO_EACH = (".eaf", ".vtt")

Media = str | Path | Mapping[str, str | Path]
"""A video file, or a mapping from video names to files."""


class ExportError(ValueError):
    """A file of detections cannot be written or read: one line with file, place and rule."""


def write(
    path: str | Path,
    detections: Iterable[Detection],
    media: Media | None = None,
    *,
    tiers: str = "sign",
    step_ms: int = 1,
    videos: Sequence[str] | None = None,
) -> list[Path]:
    """Writes detections in the format of the file's ending, whole or not at all.

    Args:
        path: ends in one of `FORMATS`. Formats that describe one video (ELAN, WebVTT) give one file per video when
            there are several: ``found.eaf`` becomes ``found.lecture-1.eaf``, ``found.lecture-2.eaf``.
        media: the video file, or video name → file; linked from ELAN files.
        tiers: ELAN only: "sign" for a tier per sign, "gloss" for one tier with all glosses.
        step_ms: `.pkl` only: times are rounded to multiples of this many milliseconds (40 is a frame of the challenge).
        videos: names of all videos searched, so that those without a detection appear too; media's names otherwise.

    Returns:
        The files written.

    Raises:
        ValueError: unknown ending, a folder that cannot be written, a label the format cannot hold.
    """
    path, found = Path(path), sorted(detections, key=lambda d: (d.video, d.start, d.end, d.sign))
    suffix = _suffix(path)
    searched = _videos(found, media, videos)
    if suffix == ".csv":
        write_csv(path, found)
    elif suffix == ".json":
        write_json_table(path, found)
    elif suffix == ".pkl":
        write_challenge(path, found, step_ms, searched)
    else:
        return _write_each(path, suffix, found, searched, media, tiers)
    return [path]


def read(path: str | Path) -> list[Detection]:
    """Detections of a file that `write` made, or of one in the same form.

    A file without scores (the challenge's, subtitles and ELAN files made by hand) gives score 1.

    Raises:
        ValueError: unknown ending, a missing or damaged file; the message names the line where there is one.
    """
    path = Path(path)
    readers = {
        ".csv": read_csv, ".json": read_json, ".eaf": read_detections, ".vtt": read_vtt, ".pkl": read_challenge,
    }  # fmt: skip
    suffix = _suffix(path)
    if not path.is_file():
        raise ExportError(f"{path}: no such file")
    return readers[suffix](path)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ExportError(f"{path}: ending {suffix!r} is not known; expected one of {', '.join(FORMATS)}")
    return suffix


def _videos(found: Sequence[Detection], media: Media | None, videos: Sequence[str] | None) -> list[str]:
    names = {d.video for d in found}
    if videos is not None:
        names |= set(videos)
    elif isinstance(media, Mapping):
        names |= set(media)
    elif media is not None and not names:
        names = {Path(media).stem}
    return sorted(names)


def _write_each(
    path: Path, suffix: str, found: Sequence[Detection], videos: Sequence[str], media: Media | None, tiers: str
) -> list[Path]:
    if media is not None and not isinstance(media, Mapping) and len(videos) > 1:
        raise ExportError(f"{path}: one media file for {len(videos)} videos; give a mapping from video name to file")
    written: list[Path] = []
    for video in videos if videos else [path.stem]:
        target = path if len(videos) <= 1 else path.with_name(f"{path.stem}.{_file_name(video)}{path.suffix}")
        if target in written:
            raise ExportError(f"{target}: two videos would be written to it; rename one of them")
        own = [d for d in found if d.video == video]
        if suffix == ".eaf":
            file = media.get(video) if isinstance(media, Mapping) else media
            write_eaf(target, own, video, None if file is None else Path(file), tiers)
        else:
            write_vtt(target, own, video)
        written.append(target)
    return written


def _file_name(video: str) -> str:
    """A video's name as part of a file name: separators and control characters become `_`."""
    return "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in video)
