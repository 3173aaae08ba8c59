"""What goes wrong with pose files."""

from __future__ import annotations

__all__ = ["PoseFileError"]


class PoseFileError(ValueError):
    """A pose file cannot be read or written; the message names it and says why."""
