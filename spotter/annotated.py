"""Signs that an annotation file places in videos, with the recordings of those videos.

annotations (.eaf, detections, decisions, a project) ── read_annotated ──► segments + video → Recording
                                                             ├──► exemplars (`spotter enroll`)
                                                             └──► small videos (`spotter clips`)
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from embeddings.recordings import Recording, find_recordings
from embeddings.recordings.kinds import kind_of
from eval.annotations.tables import SIGNS, VIDEOS
from eval.segments import READABLE, Segment, read_segments
from safe_files import read_json

__all__ = ["Annotated", "is_annotation_file", "read_annotated"]

NAMED = 3
"""Most videos that a message lists."""


@dataclass(frozen=True)
class Annotated:
    """Labelled stretches and where to see them.

    Attributes:
        segments: by video, then as the file has them.
        recordings: video → its recording; videos without one are not in it.
    """

    segments: list[Segment] = field(default_factory=list)
    recordings: Mapping[str, Recording] = field(default_factory=dict)

    @property
    def absent(self) -> list[str]:
        """Videos that no recording was found for."""
        return list(dict.fromkeys(s.video for s in self.segments if s.video not in self.recordings))


def is_annotation_file(path: Path) -> bool:
    """Whether a path is annotations of videos, rather than recordings or a list of clips: a project's folder; ELAN,
    TextGrid, subtitles; decisions; a table with the columns of `read_segments` and none called file, clip or path."""
    if path.is_dir():
        return (path / "spotter.toml").is_file()
    ending = path.suffix.lower()
    if not path.is_file() or ending not in READABLE or ending == ".pkl":
        return False
    if ending == ".json":
        return kind_of(path) is None
    if ending not in (".csv", ".tsv"):
        return True
    columns = _columns(path)
    listed = columns & {"file", "clip", "path"}
    return not listed and bool(columns & set(VIDEOS)) and bool(columns & set(SIGNS))


def _columns(path: Path) -> set[str]:
    try:
        header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return set()
    delimiter = max("\t;,", key=header.count)
    return {name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])}


def read_annotated(
    path: Path,
    media: Iterable[Path] = (),
    needs: Sequence[str] = ("pose",),
    unit: str | None = None,
    fps: float | None = None,
    tiers: Sequence[str] | None = None,
) -> Annotated:
    """Labelled stretches of a file, and the recordings of their videos.

    A video is looked for in `media`, then among the files that an ELAN file links, then beside the annotation file. Of
    a project its accepted hits and its own videos are taken. Of decisions (`spotter decisions export`, or the report's
    download) those that are accepted, as they were corrected.

    Args:
        media: recordings or folders of them, folders in folders included.
        needs: of a video and its pose file, the one that has them is taken.
        unit, fps, tiers: see `read_segments`.

    Raises:
        ValueError: the file cannot be read, holds no segment, or none of its videos can be found.
    """
    if path.is_dir():
        return _of_project(path, needs)
    if _holds_decisions(path):
        segments = _accepted_in(path)
    else:
        segments = [s for listed in read_segments(path, unit, fps, tiers).values() for s in listed if s.duration > 0]
    if not segments:
        raise ValueError(f"{path}: holds no sign" + (f" on the tier {', '.join(tiers)}" if tiers else ""))
    read = Annotated(segments, _recordings_of(dict.fromkeys(s.video for s in segments), path, list(media), needs))
    if not read.recordings:
        names = ", ".join(read.absent[:NAMED]) + (", …" if len(read.absent) > NAMED else "")
        raise ValueError(f"{path}: no recording of {names} is found; name the folder of the videos with --media")
    return read


def _recordings_of(
    videos: Iterable[str], path: Path, media: Sequence[Path], needs: Sequence[str]
) -> dict[str, Recording]:
    linked: list[Path] = []
    if path.suffix.lower() == ".eaf":
        from eval.annotations.elan import media_of

        linked = media_of(path)
    wanted, found = list(videos), dict[str, Recording]()
    # the video an ELAN file links may be called otherwise than the property in it says
    if linked and len(wanted) == 1 and not media:
        found[wanted[0]] = find_recordings(linked[:1], needs)[0]
    for place in [*media, *linked, path.parent]:
        if all(name in found for name in wanted):
            break
        try:
            inside = find_recordings([place], needs, recursive=place in media)
        except ValueError:
            if place in media:
                raise
            continue
        for recording in inside:
            for name in (recording.name, recording.name_in(place)):
                if name in wanted:
                    found.setdefault(name, recording)
    return found


def _of_project(folder: Path, needs: Sequence[str]) -> Annotated:
    from .project.export import hits_of
    from .project.folder import Project
    from .project.poses import kept_pose

    project = Project.open(folder)
    hits = hits_of(project.state())
    recordings = {}
    for name in dict.fromkeys(hit.video for hit in hits):
        video = project.videos.get(name)
        if video is not None and video.exists():
            pose = kept_pose(project, video) if "frames" not in needs else None
            (recording,) = find_recordings([pose if pose is not None else video], needs)[:1]
            recordings[name] = recording if pose is None else _seen_in(recording, name, video)
    if not hits:
        raise ValueError(f"{folder}: no accepted hit in this project yet; judge some with `spotter review`")
    return Annotated([Segment(h.video, h.sign, h.start, h.end, h.score) for h in hits], recordings)


def _seen_in(recording: Recording, name: str, video: Path) -> Recording:
    from dataclasses import replace

    return replace(recording, name=name, media=video if video != recording.path else recording.media)


def _holds_decisions(path: Path) -> bool:
    if path.suffix.lower() == ".csv":
        return {"action", "token", "video"} <= _columns(path)
    if path.suffix.lower() != ".json":
        return False
    from .project.exchange import FORMAT

    try:
        read = read_json(path)
    except (OSError, ValueError):
        return False  # whoever reads it says what is wrong
    return isinstance(read, dict) and read.get("format") == FORMAT


def _accepted_in(path: Path) -> list[Segment]:
    """A project that exists only while the file is read gives the hits as they stand after all lines."""
    from .project.exchange import import_log
    from .project.export import hits_of
    from .project.folder import Project

    with TemporaryDirectory(prefix="spotter-decisions-") as folder:
        project = Project.create(Path(folder) / "decisions")
        done = import_log(project, path)
        hits = hits_of(project.state())
    if not hits:
        why = f" ({done.refused[0]})" if done.refused else ""
        raise ValueError(f"{path}: no accepted hit in these decisions{why}")
    return [Segment(h.video, h.sign, h.start, h.end, h.score) for h in hits]
