"""Accepted hits as a dictionary of small videos; `spotter.cutting` says what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from embeddings.recordings import one_recording
from eval.segments import Segment

from ..cutting import MARGIN, ClipsMade, Cut, write_cuts
from .endings import holds_pictures
from .export import hits_of
from .folder import Project
from .poses import kept_pose
from .state import Hit

__all__ = ["ClipsMade", "write_clips"]


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
    hits = [h for h in hits_of(project.state(), statuses) if signs is None or h.sign in signs]
    title = project.settings.name or project.folder.name
    return write_cuts(folder, [_cut(project, hit) for hit in hits], title, margin, progress)


def _cut(project: Project, hit: Hit) -> Cut:
    segment = Segment(hit.video, hit.sign, hit.start, hit.end, hit.score)
    source = project.videos.get(hit.video)
    if source is None or not source.exists():
        return Cut(segment, hit.id, who=hit.who)
    pose = kept_pose(project, source)
    film = source if holds_pictures(source) else None
    return Cut(segment, hit.id, film, None if pose is None else one_recording(pose), hit.who)
