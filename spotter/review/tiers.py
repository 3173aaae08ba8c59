"""What lies beside the hits on a video's timeline: the user's own ELAN tiers, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..formats.elan_merge import user_tiers
from ..project.elan import elan_of

if TYPE_CHECKING:
    from .desk import Desk

__all__ = ["tiers_of"]

MOST = 20_000
"""Annotations that are sent for one video."""


def tiers_of(desk: Desk, video: str) -> dict[str, Any]:
    """The user's tiers of a video, each with its annotations (start, end, value) in seconds of the video."""
    tiers: list[dict[str, Any]] = []
    problems: list[str] = []
    left = MOST
    for path, origin in elan_of(desk.project, video):
        try:
            read = user_tiers(path)
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        for name, rows in read.items():
            if rows and left > 0:
                kept = [[a.start + origin, a.end + origin, a.sign] for a in rows[:left]]
                left -= len(kept)
                tiers.append({"file": path.stem, "tier": name, "rows": kept})
    return {"tiers": tiers, "problems": problems}
