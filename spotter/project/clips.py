"""Accepted hits as a dictionary: a small video and its pose for each, a table, and a page to look at them.

::

    clips/
      HOUSE/HOUSE~h1f….mp4    the hit with a margin on both sides
      HOUSE/HOUSE~h1f….pose   its pose, where the project has the video's
      index.csv               file, label, start, end (of the sign in the clip), and where it is from
      index.html              all of them in a browser

`spotter enroll clips/index.csv` makes a gallery of it: the table has the columns that enrolment reads.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _sign_spotter import module_name
from safe_files import WriteError, open_whole, write_text

from .endings import holds_pictures
from .export import file_name, hits_of
from .folder import Project
from .poses import kept_pose
from .state import Hit

__all__ = ["COLUMNS", "MARGIN", "ClipsMade", "write_clips"]

MARGIN = 0.2
"""Seconds before and after the sign."""
COLUMNS = ("file", "label", "start", "end", "pose", "video", "from", "to", "score", "who", "hit")


@dataclass
class ClipsMade:
    """What was written: rows of the table, and hits that could not be cut out with the reason."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    kept: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def write_clips(
    project: Project,
    folder: Path,
    statuses: Sequence[str] = ("accepted",),
    signs: Sequence[str] | None = None,
    margin: float = MARGIN,
    progress: Callable[[int, int], None] | None = None,
) -> ClipsMade:
    """Cuts hits out of their videos. A clip that is there already, with the same span, is kept.

    Args:
        statuses, signs: which hits; None is every sign.
        margin: seconds on both sides.

    Raises:
        ValueError: the margin is negative, or the folder cannot be written.
    """
    if margin < 0:
        raise ValueError(f"margin is {margin} s; expected 0 or more")
    hits = [h for h in hits_of(project.state(), statuses) if signs is None or h.sign in signs]
    before = _rows_there(folder / "index.csv")
    made = ClipsMade()
    for number, hit in enumerate(sorted(hits, key=lambda h: (h.sign, h.video, h.start)), start=1):
        try:
            row, again = _clip(project, folder, hit, margin, before.get(hit.id))
            made.rows.append(row)
            made.kept += again
        except WriteError:
            raise
        except (ValueError, OSError) as error:
            made.failed.append((f"{hit.sign} in {hit.video} at {hit.start:.2f} s", str(error)))
        if progress is not None:
            progress(number, len(hits))
    with open_whole(folder / "index.csv") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(made.rows)
    write_text(folder / "index.html", _page(project, made.rows))
    return made


def _rows_there(table: Path) -> dict[str, dict[str, str]]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            return {row["hit"]: row for row in csv.DictReader(file)}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError):
        return {}


def _clip(
    project: Project, folder: Path, hit: Hit, margin: float, before: dict[str, str] | None
) -> tuple[dict[str, Any], bool]:
    """(row of the table, whether the clip was there)."""
    source = project.videos.get(hit.video)
    if source is None or not source.exists():
        raise ValueError(f"the video is not in {project.at.videos} (any more)")
    first = max(0.0, hit.start - margin)
    name = f"{file_name(hit.sign)}/{file_name(hit.sign)}~{hit.id}"
    video, pose = folder / f"{name}.mp4", folder / f"{name}.pose"
    row: dict[str, Any] = {
        "file": f"{name}.mp4", "label": hit.sign, "start": f"{hit.start - first:.3f}", "end": f"{hit.end - first:.3f}",
        "pose": "", "video": hit.video, "from": f"{hit.start:.3f}", "to": f"{hit.end:.3f}",
        "score": "" if hit.score is None else f"{hit.score:.4f}", "who": hit.who, "hit": hit.id,
    }  # fmt: skip
    span = (first, hit.end + margin)
    pictures = holds_pictures(source)
    same = before is not None and all(
        before.get(key) == str(row[key]) for key in ("label", "start", "end", "from", "to")
    )
    again = same and (video.is_file() if pictures else pose.is_file())
    if pictures and not again:
        _cut_video(source, video, *span)
    poses = kept_pose(project, source)
    if poses is not None:
        if not (again and pose.is_file()):
            _cut_pose(poses, pose, *span)
        row["pose"] = f"{name}.pose"
    if not pictures:
        row["file"] = row["pose"]
    return row, again


def _cut_video(source: Path, target: Path, start: float, end: float) -> None:
    from embeddings.video import probe, read_frames, write_video

    fps = probe(source).fps
    write_video(target, (frame for _, frame in read_frames(source, fps, start, end)), fps)


def _cut_pose(source: Path, target: Path, start: float, end: float) -> None:
    from embeddings.pose import read_pose, write_pose

    pose = read_pose(source)
    first = min(len(pose) - 1, max(0, round(start * pose.fps)))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_pose(target, pose[first : max(first + 1, round(end * pose.fps))])


def _page(project: Project, rows: Sequence[dict[str, Any]]) -> str:
    from importlib.resources import files

    from jinja2 import Environment

    text = (files(module_name("spotter")) / "templates" / "clips.html").read_text(encoding="utf-8")
    signs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        signs.setdefault(str(row["label"]), []).append(row)
    name = project.settings.name or project.folder.name
    return Environment(autoescape=True).from_string(text).render(name=name, signs=signs)
