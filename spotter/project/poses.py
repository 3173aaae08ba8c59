"""Which pose file belongs to a project's video or example clip."""

from __future__ import annotations

import glob
from pathlib import Path

from .endings import holds_pictures
from .folder import Project

__all__ = ["kept_pose"]


def kept_pose(project: Project, path: Path, exemplar: bool = False) -> Path | None:
    """The pose file of a linked file: itself, or the one in the project's folders of poses; None where there is none.

    Of several files of that name (poses of two clips that are called alike lie beside each other) it is the one that
    was made from this very file.
    """
    if not holds_pictures(path):
        return path
    folders = [project.at.poses, project.at.corpus / "poses"]
    folders = [project.at.poses / "exemplars", *folders] if exemplar else folders
    stem = glob.escape(path.stem)
    found = [
        Path(file)
        for folder in folders
        for name in (stem, f"{stem}.????????")
        for ending in (".pose", ".h5")
        for file in sorted(glob.glob(f"{glob.escape(str(folder))}/{name}{ending}"))
    ]
    if len(found) < 2:
        return found[0] if found else None
    return next((file for file in found if _made_from(file, path)), found[0])


def _made_from(pose: Path, video: Path) -> bool:
    from embeddings.pose.files import source_stamp
    from embeddings.pose.formats.dot_pose import read_header

    try:
        stamp = source_stamp(video, None)
        return bool(read_header(pose).get("stamp", "").startswith(stamp))
    except (OSError, ValueError):
        return False
