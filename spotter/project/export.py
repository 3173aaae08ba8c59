"""What a project has decided, as files of the forms that other programs read."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from safe_files import write_bytes

from ..detection import Detection
from .elan import eaf_of, elan_of
from .exchange import export_log
from .folder import Project
from .log import Line
from .state import Hit, State

__all__ = ["KINDS", "export_project", "file_name", "hits_of"]

KINDS: tuple[str, ...] = ("eaf", "vtt", "textgrid", "csv", "json", "decisions.csv", "decisions.json")
STATUSES = ("accepted", "unsure", "rejected", "new")


def hits_of(state: State, statuses: Sequence[str] = ("accepted",)) -> list[Hit]:
    """Current hits with one of the statuses, by video and time."""
    found = [h for h in state.hits.values() if h.status in statuses and state.current(h)]
    return sorted(found, key=lambda h: (h.video, h.start, h.end, h.sign))


def export_project(
    project: Project,
    kinds: Sequence[str],
    statuses: Sequence[str] = ("accepted",),
    who: str = "",
    folder: Path | None = None,
    videos: Sequence[str] | None = None,
) -> list[Path]:
    """Writes files into the project's folder of exports; returns them.

    ELAN: one file a video that has hits or a file of the user's; the user's own file with our tiers in it where there
    is one. Subtitles and TextGrids: one a video. Tables and the log: one for all.

    Args:
        kinds: of `KINDS`.
        statuses: which hits.
        who: noted in the log.
        folder: another folder.
        videos: only these.

    Raises:
        ValueError: a kind, status or video is not known, or a file cannot be written; the message names it.
    """
    for given, known in ((kinds, KINDS), (statuses, STATUSES)):
        for word in given:
            if word not in known:
                raise ValueError(f"{word!r} is not known; expected {', '.join(known)}")
    state, folder = project.state(), project.at.exports if folder is None else folder
    chosen = [h for h in hits_of(state, statuses) if videos is None or h.video in videos]
    listed = sorted({h.video for h in chosen} | {v for v in project.videos if videos is None or v in videos})
    writers: dict[str, Callable[[], list[Path]]] = {
        "eaf": lambda: _eaf_files(project, state, chosen, listed, folder, who or project.annotator),
        "decisions.csv": lambda: _log(project, folder / "decisions.csv"),
        "decisions.json": lambda: _log(project, folder / "decisions.json"),
    }
    written: list[Path] = []
    for kind in dict.fromkeys(kinds):
        written += writers[kind]() if kind in writers else _detections(chosen, folder, kind)
    return written


def _log(project: Project, path: Path) -> list[Path]:
    export_log(project, path)
    return [path]


def _eaf_files(
    project: Project, state: State, hits: Sequence[Hit], videos: Sequence[str], folder: Path, who: str
) -> list[Path]:
    glosses = sorted({h.sign for h in state.hits.values() if state.current(h)})
    written = []
    for video in videos:
        own = [h for h in hits if h.video == video]
        files = elan_of(project, video)
        if not own and not files:
            continue
        path = folder / f"{files[0][0].stem if files else file_name(video)}.eaf"
        made = eaf_of(project, video, own, glosses, path)
        write_bytes(path, made.data)
        detail = {"video": video, "file": path.name, "hits": made.noted}
        project.log.append([Line("export", "", who, uuid.uuid4().hex, base=state.last, detail=detail)])
        written.append(path)
    return written


def _detections(hits: Sequence[Hit], folder: Path, kind: str) -> list[Path]:
    from ..formats import write

    rows = [Detection(h.video, h.sign, h.start, h.end, 1.0 if h.score is None else h.score) for h in hits]
    ending = {"textgrid": ".TextGrid"}.get(kind, f".{kind}")
    if ending in (".csv", ".json"):
        return write(folder / f"annotations{ending}", rows)
    written: list[Path] = []
    for video in sorted({h.video for h in hits}):
        written += write(folder / f"{file_name(video)}{ending}", [d for d in rows if d.video == video])
    return written


def file_name(video: str) -> str:
    """A video's name as a file's on any system."""
    return "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in video)
