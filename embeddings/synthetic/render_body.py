"""The rendered body: trunk, neck, arms with sleeves and legs as tubes that follow the joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .figure import figure_index
from .kinematics import unit
from .render_surface import loft_quads, outward, ring_points

__all__ = ["SLEEVES", "Tubes", "body_tubes"]

Array = NDArray[np.floating]

SLEEVES: dict[str, float] = {"none": 0.1, "short": 0.62, "three-quarter": 1.55, "long": 1.93}
"""How far sleeves reach: 1 is the elbow, 2 the wrist."""
_SIDES = 28

# Height as a share of the trunk (0 at the shoulders, -1 at the hips), half width as a share of half the
# shoulders' width, half depth and shift forward in metres.
_TRUNK = np.array([
    [0.16, 0.30, 0.046, -0.022], [0.13, 0.40, 0.058, -0.020], [0.105, 0.58, 0.068, -0.018], [0.085, 0.80, 0.070, -0.015],
    [0.055, 1.02, 0.074, -0.010], [0.0, 1.10, 0.090, -0.005], [-0.10, 1.06, 0.101, 0.0], [-0.18, 1.02, 0.106, 0.002],
    [-0.28, 0.99, 0.108, 0.002], [-0.40, 0.94, 0.106, 0.0], [-0.52, 0.90, 0.102, 0.0], [-0.64, 0.89, 0.100, 0.0],
    [-0.76, 0.93, 0.102, 0.0], [-0.88, 1.00, 0.106, 0.0], [-1.0, 1.05, 0.110, 0.0], [-1.15, 1.05, 0.112, 0.0],
])  # fmt: skip
# Along the arm (0 shoulder, 1 elbow, 2 wrist): half widths (m) across the hand and through it.
_ARM = np.array([
    [-0.13, 0.012, 0.012], [-0.115, 0.030, 0.030], [-0.07, 0.044, 0.044], [0.0, 0.051, 0.051], [0.15, 0.052, 0.052],
    [0.35, 0.048, 0.048], [0.55, 0.045, 0.045], [0.75, 0.042, 0.042], [0.92, 0.040, 0.040], [1.0, 0.041, 0.041],
    [1.08, 0.042, 0.042], [1.25, 0.044, 0.042], [1.45, 0.041, 0.037], [1.65, 0.036, 0.030], [1.8, 0.031, 0.025],
    [1.92, 0.027, 0.019],
])  # fmt: skip


def _finer(table: Array, rings: int) -> Array:
    """The table's columns interpolated smoothly to `rings` rows."""
    from scipy.interpolate import PchipInterpolator

    rows = np.arange(len(table))
    return np.asarray(PchipInterpolator(rows, table)(np.linspace(0, len(table) - 1, rings)))


_TRUNK, _ARM = _finer(_TRUNK, 40), _finer(_ARM, 40)


@dataclass(frozen=True, eq=False)
class Tubes:
    """Meshes of N frames: vertices (N, V, 3), quads (Q, 4), and what each quad is: "skin", "cloth" or "legs"."""

    vertices: Array
    quads: NDArray[np.int32]
    stuff: NDArray[np.str_]


def body_tubes(xyz: Array, sleeve: float, neckline: float) -> Tubes:
    """The body without head and hands.

    Args:
        xyz: (N, 64, 3) joints.
        sleeve: as the values of `SLEEVES`.
        neckline: metres by which the neck opening reaches below the neck in front.
    """
    parts = [_trunk(xyz, neckline), _neck(xyz)]
    for side in ("left", "right"):
        parts += [_arm(xyz, side), _sleeve(xyz, side, sleeve), _leg(xyz, side)]
    first = np.cumsum([0, *(part.vertices.shape[1] for part in parts)])
    return Tubes(
        np.concatenate([part.vertices for part in parts], axis=1),
        np.concatenate(
            [outward(part.vertices[0], part.quads) + start for part, start in zip(parts, first, strict=False)]
        ).astype(np.int32),
        np.concatenate([part.stuff for part in parts]),
    )


def _at(xyz: Array, name: str) -> Array:
    return xyz[:, figure_index(name)]


def _rings(middle: Array, across: Array, ahead: Array, squareness: float = 2.0) -> Array:
    """Vertices (N, R × sides, 3) of tubes through (N, R, 3)."""
    shape = middle.shape
    flat = ring_points(*(a.reshape(-1, 3) for a in (middle, across, ahead)), _SIDES, squareness)
    return flat.reshape(shape[0], shape[1] * _SIDES, 3)


def _trunk(xyz: Array, neckline: float) -> Tubes:
    left, right = _at(xyz, "left_shoulder"), _at(xyz, "right_shoulder")
    hips = (_at(xyz, "left_hip") + _at(xyz, "right_hip")) / 2
    neck = _at(xyz, "neck")
    up = unit(neck - hips)
    hip_line = unit(_at(xyz, "left_hip") - _at(xyz, "right_hip"))
    across = unit(hip_line - np.einsum("ni,ni->n", hip_line, up)[:, None] * up)
    ahead = np.cross(across, up)
    half = np.linalg.norm(_at(xyz, "left_hip") - _at(xyz, "right_hip"), axis=1) / 1.28
    length = np.linalg.norm(neck - hips, axis=1)
    y, w, d, z = (_TRUNK[:, i] for i in range(4))
    middle = neck[:, None] + (length[:, None] * y)[..., None] * up[:, None] + z[:, None] * ahead[:, None]
    # Shoulders that are drawn up or forward take the trunk's upper rings with them.
    drawn = ((left + right) / 2 - neck)[:, None] * np.exp(-(((y + 0.02) / 0.12) ** 2))[:, None]
    vertices = _rings(middle + drawn, (half[:, None] * w)[..., None] * across[:, None],
                      np.broadcast_to(d[:, None] * ahead[:, None], middle.shape), 2.3)  # fmt: skip
    quads = loft_quads(len(y), _SIDES)
    ring, side = np.divmod(np.arange(len(quads)), _SIDES)
    height = (length[0] * (y[ring] + y[ring + 1]) / 2).astype(float)
    front = np.sin((side + 0.5) * 2 * np.pi / _SIDES)
    width = np.abs(np.cos((side + 0.5) * 2 * np.pi / _SIDES)) * w[ring]
    bare = (height > 0.030 + 0.02 * (1 - front)) | ((front > 0) & (height > -neckline * (1 - width / 0.42)))
    return Tubes(vertices, quads, np.where(bare & (width < 0.55), "skin", "cloth"))


def _neck(xyz: Array) -> Tubes:
    neck, ears = _at(xyz, "neck"), (_at(xyz, "left_ear") + _at(xyz, "right_ear")) / 2
    across = unit(_at(xyz, "left_ear") - _at(xyz, "right_ear"))
    axis = ears - neck
    ahead = unit(np.cross(across, axis))
    share = np.array([-0.02, 0.15, 0.3, 0.45, 0.6, 0.75])
    radius = np.array([0.066, 0.058, 0.054, 0.053, 0.054, 0.055])
    middle = neck[:, None] + share[:, None] * axis[:, None] - 0.014 * ahead[:, None]
    vertices = _rings(middle, radius[:, None] * across[:, None], radius[:, None] * ahead[:, None])
    quads = loft_quads(len(share), _SIDES)
    return Tubes(vertices, quads, np.full(len(quads), "skin"))


def _arm_axes(xyz: Array, side: str, stations: Array) -> tuple[Array, Array, Array, Array]:
    """Middle, across, ahead (N, R, 3) and scale (N,) of the arm at stations along it."""
    shoulder, elbow, wrist = (_at(xyz, f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist"))
    index, pinky = _at(xyz, f"{side}_hand_index_mcp"), _at(xyz, f"{side}_hand_pinky_mcp")
    upper, fore = elbow - shoulder, wrist - elbow
    s = stations[:, None]
    middle = np.where(s < 1, shoulder[:, None] + s * upper[:, None], elbow[:, None] + (s - 1) * fore[:, None])
    bend = np.clip((stations - 0.8) / 0.4, 0, 1)[:, None]
    axis = unit((1 - bend) * unit(upper)[:, None] + bend * unit(fore)[:, None])
    # Round the elbow off: the skin cuts its corner.
    corner = np.exp(-(((stations - 1) / 0.12) ** 2))[:, None] * 0.10
    middle = middle + corner * ((shoulder + wrist) / 2 - elbow)[:, None] * 0.35
    across = unit(np.cross(axis, unit(np.cross(index - pinky, fore))[:, None]))
    scale = np.linalg.norm(upper, axis=1) / 0.30
    return middle, across, np.cross(axis, across), np.clip(scale, 0.85, 1.15)


def _arm(xyz: Array, side: str) -> Tubes:
    middle, across, ahead, scale = _arm_axes(xyz, side, _ARM[:, 0])
    size = scale[:, None, None] * _ARM[None, :, 1:]
    quads = loft_quads(len(_ARM), _SIDES)
    return Tubes(_rings(middle, across * size[..., :1], ahead * size[..., 1:]), quads, np.full(len(quads), "skin"))


def _sleeve(xyz: Array, side: str, reach: float) -> Tubes:
    """Cloth a little wider than the arm, wider still at its end, with an inside."""
    stations = np.concatenate([_ARM[_ARM[:, 0] < reach - 0.04, 0], [reach - 0.03, reach, reach - 0.01, reach - 0.08]])
    wide = np.interp(stations, _ARM[:, 0], _ARM[:, 1]), np.interp(stations, _ARM[:, 0], _ARM[:, 2])
    loose = np.interp(stations, [-0.2, 0.2, reach], [0.006, 0.008, 0.011 if reach > 1.7 else 0.015])
    loose[-2:] = [loose[-3] * 0.6, 0.0]
    middle, across, ahead, scale = _arm_axes(xyz, side, stations)
    size = [scale[:, None, None] * (w + loose)[None, :, None] for w in wide]
    quads = loft_quads(len(stations), _SIDES)
    return Tubes(_rings(middle, across * size[0], ahead * size[1]), quads, np.full(len(quads), "cloth"))


def _leg(xyz: Array, side: str) -> Tubes:
    hip, knee, ankle = (_at(xyz, f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
    stations = np.array([0.02, 0.1, 0.3, 0.7, 1.0, 1.35, 2.0])
    radius = np.array([0.068, 0.074, 0.078, 0.070, 0.060, 0.058, 0.042])
    s = stations[:, None]
    middle = np.where(
        s < 1, hip[:, None] + s * (knee - hip)[:, None], knee[:, None] + (s - 1) * (ankle - knee)[:, None]
    )
    across = unit(_at(xyz, "left_hip") - _at(xyz, "right_hip"))
    ahead = unit(np.cross(across, hip - ankle))
    vertices = _rings(middle, radius[:, None] * across[:, None], radius[:, None] * ahead[:, None])
    quads = loft_quads(len(stations), _SIDES)
    return Tubes(vertices, quads, np.full(len(quads), "legs"))
