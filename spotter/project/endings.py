"""Which files a project links: videos, and files with the pose of one video."""

from __future__ import annotations

from pathlib import Path

from embeddings.recordings.kinds import VIDEO_ENDINGS

__all__ = ["LINKED", "POSE_ENDINGS", "VIDEO_ENDINGS", "holds_pictures"]

POSE_ENDINGS = (".pose", ".h5", ".hdf5")
LINKED = (*VIDEO_ENDINGS, *POSE_ENDINGS)


def holds_pictures(path: Path) -> bool:
    """Whether a linked file is a video (a pose file holds no pictures)."""
    return path.suffix.lower() not in POSE_ENDINGS
