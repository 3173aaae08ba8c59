"""Places in videos as small videos of their own: each with a margin, its pose beside it, a table, a page to look at.

::

    clips/
      HOUSE/HOUSE~lecture~12.34.mp4    the place with a margin on both sides
      HOUSE/HOUSE~lecture~12.34.pose   its pose, where the recording's is at hand
      index.csv                        file, label, start, end (of the sign in the clip), and where it is from
      index.html                       all of them in a browser

`spotter enroll clips/index.csv` makes a gallery of it: the table has the columns that enrolment reads.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _sign_spotter import module_name
from embeddings.recordings import Recording, read_recording
from safe_files import WriteError, open_whole, write_text

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from eval.segments import Segment

__all__ = ["COLUMNS", "MARGIN", "ClipsMade", "Cut", "cuts_of", "file_name", "write_cuts"]

MARGIN = 0.2
"""Seconds before and after the sign."""
COLUMNS = ("file", "label", "start", "end", "pose", "video", "from", "to", "score", "who", "hit")


@dataclass(frozen=True)
class Cut:
    """One place to cut out.

    Attributes:
        segment: the sign, its video and seconds.
        name: unique among the cuts of a sign; part of the file's name.
        film: the video; None where there is only a pose.
        pose: recording of the pose; None where there is none.
        who: who decided that it is the sign, "" where nobody did.
    """

    segment: Segment
    name: str
    film: Path | None = None
    pose: Recording | None = None
    who: str = ""


@dataclass
class ClipsMade:
    """What was written: rows of the table, how many clips were there already, and those that failed with the reason."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    kept: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def cuts_of(segments: Iterable[Segment], recordings: dict[str, Recording]) -> list[Cut]:
    """A cut for every segment; of one whose video has no recording, one that will fail."""
    cuts = []
    for s in segments:
        recording = recordings.get(s.video)
        cuts.append(
            Cut(s, f"{s.video}~{s.start:.2f}", None if recording is None else recording.media, _pose_of(recording))
        )
    return cuts


def _pose_of(recording: Recording | None) -> Recording | None:
    from embeddings.recordings import one_recording

    if recording is None or "pose" in recording.holds:
        return recording
    return None if recording.pose_file is None else one_recording(recording.pose_file)


def file_name(text: str) -> str:
    """A video's or sign's name as a file's on any system."""
    return "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in text)


def write_cuts(
    folder: Path,
    cuts: Sequence[Cut],
    title: str,
    margin: float = MARGIN,
    progress: Callable[[int, int], None] | None = None,
) -> ClipsMade:
    """Cuts places out of their videos. A clip that is there already, with the same span, is kept.

    Args:
        title: of the page.
        margin: seconds on both sides.
        progress: called with (done, all).

    Raises:
        ValueError: the margin is negative, or the folder cannot be written.
    """
    if margin < 0:
        raise ValueError(f"margin is {margin} s; expected 0 or more")
    cutting = _Cutting(folder, margin, _rows_there(folder / "index.csv"))
    made = ClipsMade()
    ordered = sorted(cuts, key=lambda c: (c.segment.sign, c.segment.video, c.segment.start))
    for number, cut in enumerate(ordered, start=1):
        try:
            row, again = cutting.cut(cut)
            made.rows.append(row)
            made.kept += again
        except WriteError:
            raise
        except (ValueError, OSError) as error:
            s = cut.segment
            made.failed.append((f"{s.sign} in {s.video} at {s.start:.2f} s", str(error)))
        if progress is not None:
            progress(number, len(ordered))
    with open_whole(folder / "index.csv") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(made.rows)
    write_text(folder / "index.html", _page(title, made.rows))
    return made


def _rows_there(table: Path) -> dict[tuple[str, str], dict[str, str]]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            return {(row["label"], row["hit"]): row for row in csv.DictReader(file)}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError):
        return {}


@dataclass
class _Cutting:
    """What is the same for all clips of a call; the last pose stays in memory for the next clip of its video."""

    folder: Path
    margin: float
    before: dict[tuple[str, str], dict[str, str]]
    _latest: tuple[Recording, Pose] | None = None

    def cut(self, cut: Cut) -> tuple[dict[str, Any], bool]:
        """(row of the table, whether the clip was there)."""
        s = cut.segment
        if cut.film is None and cut.pose is None:
            raise ValueError("its video is not there; name the folder of the videos")
        first = max(0.0, s.start - self.margin)
        name = f"{file_name(s.sign)}/{file_name(s.sign)}~{file_name(cut.name)}"
        video, pose = self.folder / f"{name}.mp4", self.folder / f"{name}.pose"
        row: dict[str, Any] = {
            "file": f"{name}.mp4", "label": s.sign, "start": f"{s.start - first:.3f}", "end": f"{s.end - first:.3f}",
            "pose": "", "video": s.video, "from": f"{s.start:.3f}", "to": f"{s.end:.3f}",
            "score": "" if s.score is None else f"{s.score:.4f}", "who": cut.who, "hit": cut.name,
        }  # fmt: skip
        span = (first, s.end + self.margin)
        before = self.before.get((s.sign, cut.name))
        same = before is not None and all(before.get(k) == str(row[k]) for k in ("start", "end", "from", "to"))
        again = same and (pose if cut.film is None else video).is_file()
        if cut.film is not None and not again:
            _cut_video(cut.film, video, *span)
        if cut.pose is not None:
            if not (again and pose.is_file()):
                self._cut_pose(cut.pose, pose, *span)
            row["pose"] = f"{name}.pose"
        if cut.film is None:
            row["file"] = row["pose"]
        return row, again

    def _cut_pose(self, source: Recording, target: Path, start: float, end: float) -> None:
        from embeddings.pose import write_pose

        if self._latest is None or self._latest[0] != source:
            pose = read_recording(source, ("pose",)).pose
            if pose is None or len(pose) == 0:
                raise ValueError(f"{source}: holds no pose")
            self._latest = source, pose
        pose = self._latest[1]
        first = min(len(pose) - 1, max(0, round(start * pose.fps)))
        target.parent.mkdir(parents=True, exist_ok=True)
        write_pose(target, pose[first : max(first + 1, round(end * pose.fps))])


def _cut_video(source: Path, target: Path, start: float, end: float) -> None:
    from embeddings.video import probe, read_frames, write_video

    fps = probe(source).fps
    write_video(target, (frame for _, frame in read_frames(source, fps, start, end)), fps)


def _page(title: str, rows: Sequence[dict[str, Any]]) -> str:
    from importlib.resources import files

    from jinja2 import Environment

    text = (files(module_name("spotter")) / "templates" / "clips.html").read_text(encoding="utf-8")
    signs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        signs.setdefault(str(row["label"]), []).append(row)
    return Environment(autoescape=True).from_string(text).render(name=title, signs=signs)
