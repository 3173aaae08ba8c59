"""ELAN and a project: which file belongs to which video, hits into files, corrections made in ELAN as decisions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import unquote

from ..formats.elan_merge import media_links, new_document, with_own
from ..formats.elan_own import OwnAnnotation, own_annotations
from .endings import holds_pictures
from .folder import Project
from .log import Line
from .state import Hit, State, checked

__all__ = ["Corrections", "EafOf", "eaf_of", "elan_of", "import_elan"]

SAME_TIME = 1.1e-3
"""Seconds: ELAN counts milliseconds."""
ACTION_OF = {"accepted": "accept", "rejected": "reject", "unsure": "unsure", "new": "clear"}


def elan_of(project: Project, video: str) -> list[tuple[Path, float]]:
    """ELAN files of the project that belong to a video, with the moment of the video that is their zero (seconds).

    A file belongs to a video when it links a file of that name, or is called like it.
    """
    target = project.videos.get(video)
    names = {video} | ({target.resolve().stem} if target is not None else set())
    found = []
    for name, path in project.elan_files.items():
        try:
            links = media_links(path.read_bytes(), str(path))
        except (OSError, ValueError):
            links = []
        origin = next((link.origin for link in links if _stem(link.url) in names), None)
        if origin is not None or name in names:
            found.append((path, origin if origin is not None else 0.0))
    return found


def _stem(url: str) -> str:
    """The name of a linked file, whichever system wrote the address."""
    text = unquote(url)
    return (PureWindowsPath(text) if "\\" in text else PurePosixPath(text)).stem


@dataclass(frozen=True)
class EafOf:
    """An ELAN file to be written.

    Attributes:
        data: its bytes.
        noted: hit → (sign, start, end, status) as they stand in it, in seconds of the video: what corrections are
            compared with. ELAN counts whole milliseconds and knows nothing before its zero.
    """

    data: bytes
    noted: dict[str, tuple[str, float, float, str]]


def eaf_of(project: Project, video: str, hits: Sequence[Hit], signs: Sequence[str], at: Path) -> EafOf:
    """An ELAN file with hits of a video: the user's own with our tiers in it, or a new one.

    Args:
        signs: glosses of the controlled vocabulary.
        at: where the file will lie.

    Raises:
        ValueError: the user's file cannot be read, or a gloss cannot stand in XML.
    """
    files = elan_of(project, video)
    if files:
        path, origin = files[0]
        data = path.read_bytes()
    else:
        target = project.videos.get(video)
        shown = target is not None and holds_pictures(target)
        path, origin, data = at, 0.0, new_document(project.annotator, target if shown else None, at)
    own, noted = [], {}
    for h in hits:
        start, end = max(0, round(1000 * (h.start - origin))), round(1000 * (h.end - origin))
        if end > 0:
            end = max(end, start + 1)
            score = "" if h.score is None else f"{h.score:.3f}"
            own.append(OwnAnnotation(h.sign, start / 1000, end / 1000, score, h.who, h.status, h.id))
            noted[h.id] = (h.sign, start / 1000 + origin, end / 1000 + origin, h.status)
    return EafOf(with_own(data, own, signs, name=str(path)), noted)


@dataclass(frozen=True)
class Corrections:
    """What a file's corrections were: so many of each action, and what could not be taken in."""

    video: str
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def import_elan(project: Project, path: Path, who: str = "") -> Corrections:
    """Reads a file that was exported and corrected in ELAN; every difference becomes a decision.

    Moved edges, another gloss, another status, annotations that were deleted (the hit is rejected), and new ones on our
    tier of signs (an accepted hit). Other tiers are the user's own business.

    Args:
        who: took the decisions; the project's annotator if nobody is named.

    Raises:
        ValueError: no ELAN file, or nothing says which video of the project it is about.
    """
    data = path.read_bytes() if path.is_file() else b""
    if not data:
        raise ValueError(f"{path}: no such file, or it is empty")
    state = project.state()
    rows = own_annotations(data, str(path))
    video, origin = _video_of(project, state, rows, data, path)
    written: Mapping[str, Any] = _last_export(state, video)
    lines: list[Line] = []
    seen: set[str] = set()
    problems: list[str] = []
    for row in rows:
        start, end = max(0.0, row.start + origin), row.end + origin
        hit = state.hits.get(row.hit) if row.hit not in seen else None
        if row.hit and hit is None and row.hit not in seen:
            problems.append(f"{row.sign} at {start:.2f} s: the project has no hit {row.hit!r}; taken as new")
        if hit is None:
            detail = {"video": video, "sign": row.sign, "start": start, "end": end}
            lines.append(_line("add", f"e{uuid.uuid5(uuid.NAMESPACE_OID, repr((video, row))).hex[:14]}", detail, row))
            continue
        seen.add(hit.id)
        lines += _differences(hit, row, start, end, written.get(hit.id))
    gone = [state.hits[name] for name in written if name in state.hits and name not in seen]
    lines += [_line("reject", h.id, {"reason": "deleted in ELAN"}, None) for h in gone if h.status == "accepted"]
    return _taken_in(project, state, video, lines, who or project.annotator, problems)


def _video_of(
    project: Project, state: State, rows: Sequence[OwnAnnotation], data: bytes, path: Path
) -> tuple[str, float]:
    """(video, the moment of it that is the file's zero)."""
    videos = {state.hits[row.hit].video for row in rows if row.hit in state.hits}
    links = media_links(data, str(path))
    if not videos:
        stems = {_stem(link.url) for link in links} | {path.stem}
        videos = {name for name, file in project.videos.items() if {name, file.resolve().stem} & stems}
    if len(videos) != 1:
        listed = ", ".join(sorted(videos)) or "none"
        raise ValueError(f"{path}: which video of the project is it about? (found: {listed}); it should link its video")
    (video,) = videos
    target = project.videos.get(video)
    names = {video} | ({target.resolve().stem} if target is not None else set())
    return video, next((link.origin for link in links if _stem(link.url) in names), 0.0)


def _last_export(state: State, video: str) -> Mapping[str, Any]:
    """Hit → (sign, start, end, status) as they were last written into a file for this video."""
    lines = [line for line in state.lines_about("") if line.action == "export" and line.detail.get("video") == video]
    return lines[-1].detail["hits"] if lines else {}


def _differences(hit: Hit, row: OwnAnnotation, start: float, end: float, written: Any) -> list[Line]:
    """What was changed in the file since it was written; what was changed in the project since stays."""
    sign, first, last, status = written if written else (hit.sign, hit.start, hit.end, hit.status)
    lines = []
    if abs(start - first) > SAME_TIME or abs(end - last) > SAME_TIME:
        # an edge that was not touched keeps all its digits
        start = start if abs(start - first) > SAME_TIME else hit.start
        end = end if abs(end - last) > SAME_TIME else hit.end
        lines.append(_line("span", hit.id, {"start": start, "end": end}, row))
    if row.sign != sign:
        lines.append(_line("relabel", hit.id, {"sign": row.sign}, row))
    if row.status in ACTION_OF and row.status != status:
        lines.append(_line(ACTION_OF[row.status], hit.id, {}, row))
    return lines


def _line(action: str, hit: str, detail: dict[str, Any], row: OwnAnnotation | None) -> Line:
    token = uuid.uuid5(uuid.NAMESPACE_OID, repr((action, hit, sorted(detail.items()), row))).hex
    return Line(action, hit, "", token, detail=detail)


def _taken_in(
    project: Project, state: State, video: str, lines: Sequence[Line], who: str, problems: list[str]
) -> Corrections:
    client = f"elan-{uuid.uuid4().hex[:8]}"
    counts: dict[str, int] = {}
    for line in lines:
        said = Line(line.action, line.hit, who, line.token, client, state.last, detail=line.detail)
        try:
            (written,) = project.log.append([checked(state, said)])
        except ValueError as error:
            problems.append(str(error))
            continue
        if written.n > state.last:
            state.take([written])
            counts[line.action] = counts.get(line.action, 0) + 1
    return Corrections(video, counts, problems)
