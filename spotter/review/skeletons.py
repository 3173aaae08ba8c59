"""Skeletons for the page: which pose belongs to a video, its joints as a compact file, and pieces of that."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.skeletons import SKELETONS
from safe_files import read_json

from ..project.poses import kept_pose
from .media import MediaFile

if TYPE_CHECKING:
    from .desk import Desk

__all__ = ["bones", "piece", "pose_file"]

JOINTS = "mediapipe-upper-67"
FURTHEST = 60.0
"""Seconds in one piece."""


def bones() -> dict[str, Any]:
    """What the page draws: pairs of joints, and which part of the body each belongs to (body, left, right)."""
    skeleton = SKELETONS[JOINTS]
    parts = [
        "left" if n.startswith("left_hand") else "right" if n.startswith("right_hand") else "body"
        for n in skeleton.joints
    ]
    edges = [[a, b, parts[b] if parts[a] == parts[b] else "body"] for a, b in skeleton.edges]
    return {"joints": len(skeleton.joints), "edges": edges}


def pose_file(desk: Desk, file: MediaFile) -> Path | None:
    """The pose file of a video or clip: itself, or the one in the project's folders of poses."""
    return kept_pose(desk.project, file.path, file.kind == "exemplar")


async def piece(desk: Desk, file: MediaFile, start: float, end: float) -> bytes | None:
    """Joints between two seconds: 4 bytes length, a JSON header (fps, first, joints, aspect), then uint16 (T, J, 2).

    None where there is no pose.

    Raises:
        ValueError: the pose file is damaged.
    """
    source = pose_file(desk, file)
    if source is None:
        return None
    facts = source.stat()
    target = desk.project.at.cache / "skeletons" / f"{file.id}-{facts.st_size}-{facts.st_mtime_ns}.npy"
    head = target.with_suffix(".json")
    if not (target.is_file() and head.is_file()):
        await desk.remembered(("skeleton", str(target)), "skeleton", path=str(source), target=str(target))
    said = read_json(head)
    values = np.load(target, mmap_mode="r")
    fps = float(said["fps"])
    end = min(end, start + FURTHEST)
    first, last = max(0, int(start * fps)), min(len(values), int(end * fps) + 2)
    part = np.ascontiguousarray(values[first : max(first, last)])
    header = json.dumps({"fps": fps, "first": first, "joints": int(values.shape[1]), "aspect": said["aspect"]}).encode()
    header += b" " * (-len(header) % 4)  # the array behind it must begin at an even byte
    return struct.pack("<I", len(header)) + header + part.astype("<u2").tobytes()
