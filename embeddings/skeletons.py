"""Named joint layouts and the maps between them.

A layout is a tuple of canonical joint names, so any two layouts map onto each other by name. Left and
right are the signer's own. Joints that a layout lacks but that follow from others (neck, mid-hips, a hand's
wrist) are derived by `DERIVED`.

Sources: COCO-WholeBody (Jin et al. 2020), MediaPipe Holistic, OpenPose BODY-25/135 and hand model
(Cao et al. 2019), SL-GCN's 27 joints (Jiang et al. 2021), SMPL-X (Pavlakos et al. 2019), SPOTER's 54
(Boháček and Hrúz 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["DERIVED", "HAND_EDGES", "HAND_JOINTS", "SKELETONS", "Skeleton", "hand_joints", "map_joints"]

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
HAND_JOINTS: tuple[str, ...] = (
    "wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip",
    *(f"{finger}_{part}" for finger in FINGERS[1:] for part in ("mcp", "pip", "dip", "tip")),
)  # fmt: skip
"""The 21 joints of a hand in the order of OpenPose, MediaPipe and COCO-WholeBody."""

HAND_EDGES: tuple[tuple[int, int], ...] = tuple(
    (0 if k == 0 else 1 + 4 * finger + k - 1, 1 + 4 * finger + k) for finger in range(5) for k in range(4)
)
"""Bones of a hand as (parent, child) indexes into `HAND_JOINTS`."""


def hand_joints(side: str) -> tuple[str, ...]:
    """Canonical names of one hand's 21 joints; side is "left" or "right"."""
    return tuple(f"{side}_hand_{joint}" for joint in HAND_JOINTS)


def _both(*names: str, order: tuple[str, str] = ("left", "right")) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in names for side in order)


_LEFT_HAND, _RIGHT_HAND = hand_joints("left"), hand_joints("right")

_COCO_17 = ("nose", *_both("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
_COCO_WHOLEBODY = (
    *_COCO_17,
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
    *(f"face_{i}" for i in range(68)),
    *_LEFT_HAND, *_RIGHT_HAND,
)  # fmt: skip

_MEDIAPIPE_POSE = (
    "nose",
    "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right",
    *_both("shoulder", "elbow", "wrist", "pinky_knuckle", "index_knuckle", "thumb_knuckle"),
    *_both("hip", "knee", "ankle", "heel", "foot_index"),
)  # fmt: skip

# 50 joints: the head is the nose of OpenPose's BODY-25, its wrists stand beside the hands' own.
_OPENPOSE_50 = (
    "head", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    *_LEFT_HAND, *_RIGHT_HAND,
)  # fmt: skip

_OPENPOSE_135 = (
    *_COCO_17,
    "neck", "head_top",
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
    *_LEFT_HAND[1:], *_RIGHT_HAND[1:],
    *(f"face_{i}" for i in range(70)),
)  # fmt: skip

_SL_GCN_INDEXES = (
    0, 5, 6, 7, 8, 9, 10,
    91, 95, 96, 99, 100, 103, 104, 107, 108, 111,
    112, 116, 117, 120, 121, 124, 125, 128, 129, 132,
)  # fmt: skip

_SMPLX_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_SMPLX_39 = (
    "spine3", "left_collar", "left_shoulder", "left_elbow", "left_wrist",
    "right_collar", "right_shoulder", "right_elbow", "right_wrist",
    *(f"{side}_hand_{finger}{k}" for side in ("left", "right") for finger in _SMPLX_FINGERS for k in (1, 2, 3)),
)  # fmt: skip

_SPOTER_FINGER_PARTS = (
    *(f"{finger}_{part}" for finger in FINGERS[1:] for part in ("tip", "dip", "pip", "mcp")),
    "thumb_tip", "thumb_ip", "thumb_mcp", "thumb_cmc",
)  # fmt: skip
_SPOTER_54 = (
    "nose", "neck", "right_eye", "left_eye", "right_ear", "left_ear",
    "right_shoulder", "left_shoulder", "right_elbow", "left_elbow", "right_wrist", "left_wrist",
    *(f"{side}_hand_{part}" for side in ("left", "right") for part in ("wrist", *_SPOTER_FINGER_PARTS)),
)  # fmt: skip

DERIVED: dict[str, tuple[tuple[str, ...], ...]] = {
    "neck": (("left_shoulder", "right_shoulder"),),
    "head": (("nose",),),
    "nose": (("head",), ("face_30",)),
    "mid_hip": (("left_hip", "right_hip"),),
    "mouth_left": (("face_54",),),
    "mouth_right": (("face_48",),),
    "chin": (("face_8",),),
    "left_wrist": (("left_hand_wrist",),),
    "right_wrist": (("right_hand_wrist",),),
    "left_hand_wrist": (("left_wrist",),),
    "right_hand_wrist": (("right_wrist",),),
    "left_index_knuckle": (("left_hand_index_mcp",),),
    "right_index_knuckle": (("right_hand_index_mcp",),),
    "left_pinky_knuckle": (("left_hand_pinky_mcp",),),
    "right_pinky_knuckle": (("right_hand_pinky_mcp",),),
    "left_big_toe": (("left_foot_index",),),
    "right_big_toe": (("right_foot_index",),),
    "left_foot_index": (("left_big_toe",),),
    "right_foot_index": (("right_big_toe",),),
    "face_30": (("nose",),),
    "face_48": (("mouth_right",),),
    "face_54": (("mouth_left",),),
}
"""Ways to get a joint that a layout lacks, best first: the mean of the named joints."""

# The 68-point face (iBUG 300-W), mirrored; 68 and 69 are OpenPose's pupils (right, left).
_FACE_MIRROR = (
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65, 69, 68,
)  # fmt: skip


def _mirror_name(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name[5:]
    if name.startswith("right_"):
        return "left_" + name[6:]
    if name.startswith("face_"):
        return f"face_{_FACE_MIRROR[int(name[5:])]}"
    return {"mouth_left": "mouth_right", "mouth_right": "mouth_left"}.get(name, name)


_BODY_EDGES = (
    ("nose", "left_shoulder"), ("nose", "right_shoulder"), ("head", "neck"), ("nose", "neck"),
    ("spine3", "left_collar"), ("spine3", "right_collar"),
    ("left_collar", "left_shoulder"), ("right_collar", "right_shoulder"),
    ("neck", "left_shoulder"), ("neck", "right_shoulder"), ("nose", "left_eye"), ("nose", "right_eye"),
    ("left_eye", "left_ear"), ("right_eye", "right_ear"), ("mouth_left", "mouth_right"),
    *((f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand_wrist"),
        ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))),
)  # fmt: skip


def _named_edges(joints: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """(parent, child) indexes of the bones whose both ends the layout has."""
    where = {name: i for i, name in enumerate(joints)}
    pairs = [(a, b) for a, b in _BODY_EDGES if not (a == "nose" and b.endswith("shoulder") and "neck" in where)]
    for side in ("left", "right"):
        names = hand_joints(side)
        root = names[0] if names[0] in where else f"{side}_wrist"
        pairs += [(root if a == 0 else names[a], names[b]) for a, b in HAND_EDGES]
    return tuple((where[a], where[b]) for a, b in pairs if a in where and b in where)


_SL_GCN_EDGES = (
    (0, 1), (0, 2), (1, 3), (3, 5), (2, 4), (4, 6), (5, 7), (6, 17),
    *((7, k) for k in (8, 9, 11, 13, 15)), (9, 10), (11, 12), (13, 14), (15, 16),
    *((17, k) for k in (18, 19, 21, 23, 25)), (19, 20), (21, 22), (23, 24), (25, 26),
)  # fmt: skip

# chest -> collars -> shoulders -> elbows -> wrists -> five three-joint finger chains per hand
_SMPLX_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8),
    *((root if k == 0 else first + 3 * f + k - 1, first + 3 * f + k)
      for root, first in ((4, 9), (8, 24)) for f in range(5) for k in range(3)),
)  # fmt: skip


@dataclass(frozen=True)
class Skeleton:
    """A named joint layout.

    Attributes:
        name: its key in `SKELETONS`.
        joints: canonical names, in the order of the arrays.
        edges: bones as (parent, child) index pairs.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    def index(self, name: str) -> int:
        try:
            return self._where[name]
        except KeyError:
            raise KeyError(f"{self.name} has no joint {name!r}; it has {', '.join(self.joints)}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._where

    @cached_property
    def _where(self) -> dict[str, int]:
        return {joint: i for i, joint in enumerate(self.joints)}

    @cached_property
    def mirror_order(self) -> NDArray[np.intp]:
        """(J,) permutation: row ``order[i]`` of the old array becomes row i in the mirror."""
        return np.array([self._where[_mirror_name(joint)] for joint in self.joints])

    def hand(self, side: str) -> NDArray[np.intp]:
        """(21,) indexes of one hand in the order of `HAND_JOINTS`; the body's wrist where the hand has none."""
        names = hand_joints(side)
        root = names[0] if names[0] in self else f"{side}_wrist"
        return np.array([self.index(root), *(self.index(name) for name in names[1:])])


def _skeleton(name: str, joints: tuple[str, ...], edges: tuple[tuple[int, int], ...] | None = None) -> Skeleton:
    return Skeleton(name, joints, _named_edges(joints) if edges is None else edges)


SKELETONS: dict[str, Skeleton] = {
    s.name: s
    for s in (
        _skeleton("coco-wholebody-133", _COCO_WHOLEBODY),
        _skeleton("mediapipe-holistic", (*_MEDIAPIPE_POSE, *_LEFT_HAND, *_RIGHT_HAND)),
        # the upper body only, as several published .pose collections keep it (25 + 21 + 21)
        _skeleton("mediapipe-upper-67", (*_MEDIAPIPE_POSE[:25], *_LEFT_HAND, *_RIGHT_HAND)),
        _skeleton("openpose-body135", _OPENPOSE_135),
        _skeleton("openpose-50", _OPENPOSE_50),
        _skeleton("sl-gcn-27", tuple(_COCO_WHOLEBODY[i] for i in _SL_GCN_INDEXES), _SL_GCN_EDGES),
        _skeleton("smplx-39", _SMPLX_39, _SMPLX_EDGES),
        _skeleton("spoter-54", _SPOTER_54),
    )
}


@lru_cache(maxsize=256)
def _sources(source: str, target: str) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """For each joint of the target that the source can give: (target index, source indexes to average)."""
    have, want = SKELETONS[source], SKELETONS[target]
    rows = []
    for i, name in enumerate(want.joints):
        ways = ((name,), *DERIVED.get(name, ()))
        way = next((w for w in ways if all(n in have for n in w)), None)
        if way is not None:
            rows.append((i, tuple(have.index(n) for n in way)))
    return tuple(rows)


def map_joints(
    xy: NDArray[np.float32],
    confidence: NDArray[np.float32],
    z: NDArray[np.float32] | None,
    source: str,
    target: str,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None]:
    """Arrays (T, J, 2), (T, J), (T, J) or None of one layout on another; see `Pose.to`."""
    frames, joints = len(xy), len(SKELETONS[target].joints)
    out_xy = np.full((frames, joints, 2), np.nan, np.float32)
    out_confidence = np.zeros((frames, joints), np.float32)
    out_z = None if z is None else np.full((frames, joints), np.nan, np.float32)
    for i, sources in _sources(source, target):
        index = list(sources)
        out_xy[:, i] = xy[:, index].mean(axis=1)
        out_confidence[:, i] = confidence[:, index].min(axis=1)
        if out_z is not None and z is not None:
            out_z[:, i] = z[:, index].mean(axis=1)
    out_confidence[np.isnan(out_xy[..., 0])] = 0
    return out_xy, out_confidence, out_z
