"""`Segment`: the toolkit's one noun for a labelled stretch of time; and the one reader of files that hold such.

A segment is `[start, end)` of a video, in seconds, with the sign that is there. Ground truth is segments; a detection
(`spotter.Detection`) is a segment with a score. The type lives here because `eval` imports nothing of the toolkit, so
that every other package can use it; this module loads nothing but the standard library. Two things are not segments:
`embeddings.clip.Span`, frames inside a clip that knows its frame rate (`spotter.detection` has the conversion both
ways), and `eval.datasets.Sample`, a benchmark's record of a clip (`eval.datasets.to_segments`). Milliseconds exist in
files alone: `exact_milliseconds` and `milliseconds` are the way there, `read_segments` is the way back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from safe_files import reader

from .annotations import READABLE, Row, SegmentError, read_text

__all__ = [
    "READABLE", "Segment", "SegmentError", "Segments", "as_segments", "by_video", "of_rows", "read_segments",
    "read_spans", "segment_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """A labelled stretch of a video, half-open.

    Attributes:
        video: the video's name (its file's stem).
        sign: the gloss, or a class number as text.
        start, end: seconds; one that ends where it starts is empty and overlaps nothing.
        score: how sure a system is of it; None in ground truth.

    Raises:
        ValueError: a number is not finite, or the end lies before the start.
    """

    video: str
    sign: str
    start: float
    end: float
    score: float | None = None

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.start, self.end, 0.0 if self.score is None else self.score))):
            values = f"{self.video}: {self.sign} from {self.start} s to {self.end} s, score {self.score}"
            raise ValueError(f"{values}; expected a finite number for each")
        if self.end < self.start:
            raise ValueError(f"{self.video}: {self.sign} from {self.start} s to {self.end} s; expected start <= end")

    @classmethod
    def from_frames(cls, video: str, sign: str, start: int, end: int, fps: float) -> Segment:
        """The segment of the frames [start, end)."""
        return cls(video, sign, start / fps, end / fps)

    def frames(self, fps: float) -> tuple[int, int]:
        """The frames [start, end) nearest to it."""
        return round(self.start * fps), round(self.end * fps)

    @property
    def exact_milliseconds(self) -> tuple[float, float]:
        """Start and end in milliseconds, as integers where they are whole: what was read from such a file."""
        first, last = (round(1000 * seconds, 6) for seconds in (self.start, self.end))
        return int(first) if first.is_integer() else first, int(last) if last.is_integer() else last

    def milliseconds(self, step: int = 1) -> tuple[int, int]:
        """Start and end in whole milliseconds, the nearest multiples of `step`; at least one step long."""
        first, last = (round(seconds * 1000 / step) * step for seconds in (self.start, self.end))
        return first, max(last, first + step)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """Seconds."""
        return (self.start + self.end) / 2

    def overlap(self, other: Segment) -> float:
        """Seconds that both share; none in different videos."""
        if self.video != other.video:
            return 0.0
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))

    def iou(self, other: Segment) -> float:
        """Intersection over union in [0, 1]; 0 of two empty ones."""
        inner = self.overlap(other)
        return inner / (max(self.end, other.end) - min(self.start, other.start)) if inner else 0.0

    def union(self, other: Segment) -> Self:
        """From where the first of two begins to where the last ends, what lies between them included.

        Raises:
            ValueError: they are of different videos.
        """
        if self.video != other.video:
            raise ValueError(f"{self.video!r} and {other.video!r} are different videos; their segments have no union")
        return replace(self, start=min(self.start, other.start), end=max(self.end, other.end))

    def crop(self, start: float, end: float) -> Self | None:
        """What of it lies within [start, end) seconds; None where nothing does."""
        inside = max(self.start, start), min(self.end, end)
        return replace(self, start=inside[0], end=inside[1]) if inside[0] < inside[1] else None

    def shift(self, seconds: float) -> Self:
        """The same, so much later (earlier below 0)."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


AnySegment = TypeVar("AnySegment", bound=Segment)

Segments = Mapping[str, Sequence[Segment | Sequence[Any]]]
"""Video → its segments, as scoring takes them; a video without any is listed with none. Plain rows (sign, start, end),
with a score in fourth place where there is one, will do in place of segments."""


def by_video(segments: Iterable[AnySegment], videos: Iterable[str] = ()) -> dict[str, list[AnySegment]]:
    """Video → its segments in the order given; `videos` come first and are listed without any too."""
    grouped: dict[str, list[AnySegment]] = {video: [] for video in videos}
    for segment in segments:
        grouped.setdefault(segment.video, []).append(segment)
    return grouped


def as_segments(segments: Segments) -> dict[str, list[Segment]]:
    """The same with every plain row as a `Segment`.

    Raises:
        ValueError: a row with fewer than three columns, or times that no segment can have.
    """
    return {str(video): of_rows(rows, str(video)) for video, rows in segments.items()}


def of_rows(rows: Iterable[Segment | Sequence[Any]], video: str = "") -> list[Segment]:
    """The segments of one video, see `as_segments`."""
    return [row if isinstance(row, Segment) else _of_row(row, video) for row in rows]


def _of_row(row: Sequence[Any], video: str) -> Segment:
    if len(row) < 3:
        raise ValueError(f"{video}: the row {row!r} has {len(row)} columns; expected sign, start, end")
    return Segment(video, _gloss(row[0]), *map(float, row[1:4]))


def _gloss(value: Any) -> str:
    """Class numbers as text: 20 and 20.0 are "20"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@reader(SegmentError)
def read_segments(
    path: str | Path, unit: str | None = None, fps: float | None = None, tiers: Sequence[str] | None = None
) -> dict[str, list[Segment]]:
    """The segments of a file, or of a folder of files, whoever wrote it.

    | form | content | unit |
    |---|---|---|
    | `.csv`, `.tsv` | a table with a header, see `annotations.tables` | s, or as the columns' names state |
    | `.json` | what `spotter.write` writes, or a list of such objects | s, or as the names state |
    | `.json`, `.pkl` | ``{video: [[sign, start, end(, score)], …]}``: the challenge's form | ms |
    | `.eaf` | ELAN, see `annotations.elan` | its own |
    | `.vtt`, `.srt` | subtitles, see `annotations.subtitles` | their own |
    | `.TextGrid` | Praat, see `annotations.textgrid` | s |
    | folder | files of one of the last kinds, or the challenge's `video.txt` with rows `sign,start,end` | ms |

    Args:
        unit: "s", "ms" or "frames" (with `fps`): of the times, where the file does not state it.
        fps: frames per second, where times are frames and the file does not say it.
        tiers: of ELAN files: the tiers to read; None reads every tier without a parent.

    Returns:
        Video → its segments in the order of the file; a video that the file lists without any has none.

    Raises:
        SegmentError: unreadable, wrong columns or numbers, a unit that contradicts the file; or times on a scale that
            no signing has in the unit assumed, as when seconds are read as milliseconds.
    """
    from .annotations.files import read_annotations

    annotations = read_annotations(Path(path), tiers)
    return by_video(_segments(Path(path), annotations.rows, unit, fps), annotations.videos)


@reader(SegmentError)
def read_spans(
    path: str | Path, unit: str | None = None, fps: float | None = None, tiers: Sequence[str] | None = None
) -> dict[str, Segment]:
    """Where the sign is in each clip, one segment a clip.

    Args:
        path: what `read_segments` reads. A table may do without a column for the sign (`clip,start,end`), and these
            three also without a header; and the challenge organisers' table `CLASS;SIGN;BEGIN;END` (milliseconds) is
            read, its clips called `s` and the class in two digits, as in the names of the query videos.
        unit, fps, tiers: as there.

    Raises:
        SegmentError: as `read_segments`; or a clip with two segments, an empty one, or no clip at all.
    """
    path = Path(path)
    if path.suffix.lower() in (".csv", ".tsv", ".txt") and not path.is_dir():
        from .annotations.tables import read_table

        if read_text(path).upper().startswith("CLASS;"):
            return _organisers_spans(path)
        spans = by_video(_segments(path, read_table(path, labelled=False).rows, unit, fps))
    else:
        spans = read_segments(path, unit, fps, tiers)
    for clip, segments in spans.items():
        if len(segments) > 1:
            raise SegmentError(f"{path}: clip {clip!r} has {len(segments)} spans; expected one for each clip")
        if any(segment.duration == 0 for segment in segments):
            raise SegmentError(f"{path}: the span of clip {clip!r} is empty; expected 0 <= start < end")
    if not any(spans.values()):
        raise SegmentError(f"{path}: no rows; expected clip,start,end")
    return {clip: segments[0] for clip, segments in spans.items() if segments}


def _organisers_spans(path: Path) -> dict[str, Segment]:
    from .datasets.oslwl import read_trims

    rows = {f"s{number:02d}": row for number, row in read_trims(path).items()}
    return {clip: Segment(clip, sign, begin / 1000, end / 1000) for clip, (sign, begin, end) in rows.items()}


def segment_of(record: Mapping[str, Any], where: str) -> Segment | None:
    """One row {column: cell} of a table as `read_segments` takes it; None where its times are empty.

    Args:
        where: file and place, for messages.

    Raises:
        SegmentError: a column is missing, or the times are none that a segment can have.
    """
    from .annotations.tables import has_times, read_records

    if not has_times(record):
        return None
    return _segments(Path(where), read_records([(where, record)], unit="s").rows, None, None)[0]


def _segments(path: Path, rows: Sequence[Row], unit: str | None, fps: float | None) -> list[Segment]:
    """Rows of a file with their times in seconds."""
    from .annotations.units import check_scale, check_settings, in_seconds

    check_settings(unit, fps)
    segments = [_segment(row, *in_seconds(row, unit, fps)) for row in rows]
    if unit is None:
        assumed = [(row, s.duration) for row, s in zip(rows, segments, strict=True) if not row.stated]
        check_scale(path, [row for row, _ in assumed], [length for _, length in assumed])
    return segments


def _segment(row: Row, start: float, end: float) -> Segment:
    sign = _gloss(row.sign)
    if not sign:
        raise SegmentError(f"{row.where}: the sign is empty; expected a gloss or a class number")
    try:
        return Segment(row.video, sign, start, end, None if row.score in (None, "") else float(row.score))
    except (TypeError, ValueError):
        raise SegmentError(f"{row.where}: score {row.score!r}; expected a finite number or none") from None
