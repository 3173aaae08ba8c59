"""The rendered body: trunk, neck, arms with sleeves and legs as tubes that follow the joints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..signing.figure import figure_index
from ..signing.kinematics import unit
from .surface import loft_quads, outward, ring_points

__all__ = ["SLEEVES", "Tubes", "body_tubes"]

Array = NDArray[np.floating]

SLEEVES: dict[str, float] = {"none": 0.1, "short": 0.62, "three-quarter": 1.55, "long": 1.93}
"""How far sleeves reach: 1 is the elbow, 2 the wrist."""

# Height as a share of the trunk (0 at the shoulders, -1 at the hips), half width as a share of half the
# shoulders' width, half depth and shift forward in metres.
_TRUNK = np.array([
    [0.19, 0.30, 0.048, -0.020], [0.17, 0.35, 0.056, -0.020], [0.15, 0.46, 0.064, -0.018], [0.125, 0.66, 0.070, -0.016],
    [0.10, 0.86, 0.074, -0.012], [0.06, 1.02, 0.080, -0.010], [0.0, 1.08, 0.090, -0.005], [-0.10, 1.06, 0.101, 0.0],
    [-0.18, 1.02, 0.106, 0.002], [-0.28, 0.99, 0.108, 0.002], [-0.40, 0.94, 0.106, 0.0], [-0.52, 0.90, 0.102, 0.0],
    [-0.64, 0.89, 0.100, 0.0], [-0.76, 0.93, 0.102, 0.0], [-0.88, 1.00, 0.106, 0.0], [-1.0, 1.05, 0.110, 0.0],
    [-1.15, 1.05, 0.112, 0.0],
])  # fmt: skip
_COLLAR = 0.135
# Along the arm (0 shoulder, 1 elbow, 2 wrist): half widths (m) across the hand and through it.
_ARM = np.array([
    [-0.105, 0.010, 0.010], [-0.095, 0.024, 0.024], [-0.06, 0.037, 0.037], [0.0, 0.045, 0.045], [0.15, 0.049, 0.049],
    [0.35, 0.048, 0.048], [0.55, 0.045, 0.045], [0.75, 0.042, 0.042], [0.92, 0.040, 0.040], [1.0, 0.041, 0.041],
    [1.08, 0.042, 0.042], [1.25, 0.044, 0.042], [1.45, 0.041, 0.037], [1.65, 0.036, 0.030], [1.8, 0.031, 0.025],
    [1.92, 0.027, 0.019],
])  # fmt: skip


def _finer(table: Array, rings: int) -> Array:
    """The table's columns interpolated smoothly to `rings` rows."""
    from scipy.interpolate import PchipInterpolator

    rows = np.arange(len(table))
    return np.asarray(PchipInterpolator(rows, table)(np.linspace(0, len(table) - 1, rings)))


@dataclass(frozen=True, eq=False)
class _Grain:
    """The tables at the fineness wanted, and how many vertices a ring has."""

    trunk: Array
    arm: Array
    sides: int
    trunk_sides: int


@lru_cache(maxsize=2)
def _grain(fine: bool) -> _Grain:
    rings = 46 if fine else 30
    return _Grain(_finer(_TRUNK, rings), _finer(_ARM, rings), 34 if fine else 20, 64 if fine else 40)


@dataclass(frozen=True, eq=False)
class Tubes:
    """Meshes of N frames: vertices (N, V, 3), quads (Q, 4), and what each quad is: "skin", "cloth", "legs" or
    bare skin that is painted before ("collar") or after ("neck") what lies where it is."""

    vertices: Array
    quads: NDArray[np.int32]
    stuff: NDArray[np.str_]


def body_tubes(xyz: Array, sleeve: float, neckline: float, fine: bool = True) -> Tubes:
    """The body without head and hands.

    Args:
        xyz: (N, 64, 3) joints.
        sleeve: as the values of `SLEEVES`.
        neckline: metres by which the neck opening reaches below the neck in front.
        fine: with narrower quads.
    """
    grain = _grain(fine)
    parts = [_trunk(xyz, neckline, grain), _neck(xyz, grain)]
    for side in ("left", "right"):
        parts += [_arm(xyz, side, sleeve, grain), _sleeve(xyz, side, sleeve, grain), _leg(xyz, side, grain)]
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


def _rings(middle: Array, across: Array, ahead: Array, sides: int) -> Array:
    """Vertices (N, R × sides, 3) of elliptic tubes through (N, R, 3), with half axes of the same shape."""
    frames, rings = middle.shape[:2]
    return ring_points(middle.reshape(-1, 3), across.reshape(-1, 3), ahead.reshape(-1, 3), sides).reshape(
        frames, rings * sides, 3
    )


def _trunk(xyz: Array, neckline: float, grain: _Grain) -> Tubes:
    """The trunk in its shirt, and the bare skin at the neck as a patch laid on it."""
    rings = len(grain.trunk)
    angle = np.arange(grain.trunk_sides) * (2 * np.pi / grain.trunk_sides)
    height = np.repeat(grain.trunk[:, 0], grain.trunk_sides)
    shirt = _on_trunk(xyz, height, np.tile(angle, rings), 0.0)
    rows, columns = 6, 25
    across = np.linspace(-1, 1, columns)
    low = _COLLAR - (neckline / 0.5 + 0.02) * np.clip(1 - across**2, 0, None) ** 0.7
    down = np.linspace(0, 1, rows)[:, None]
    bare = _on_trunk(
        xyz,
        (0.2 + down * (low - 0.2)).ravel(),
        np.broadcast_to(np.pi / 2 + 1.25 * across, (rows, columns)).ravel(),
        0.0015,
    )
    quads = outward(shirt[0], loft_quads(rings, grain.trunk_sides))
    stuff = np.where(grain.trunk[np.arange(len(quads)) // grain.trunk_sides, 0] > _COLLAR, "skin", "cloth")
    row, column = (a.ravel() for a in np.mgrid[0 : rows - 1, 0 : columns - 1])
    corner = row * columns + column
    patch = np.stack([corner, corner + columns, corner + columns + 1, corner + 1], axis=1)
    facing = np.cross(bare[0][patch[:, 2]] - bare[0][patch[:, 0]], bare[0][patch[:, 3]] - bare[0][patch[:, 1]])
    if facing[:, 2].sum() < 0:
        patch = patch[:, ::-1]
    return Tubes(
        np.concatenate([shirt, bare], axis=1),
        np.concatenate([quads, patch + shirt.shape[1]]).astype(np.int32),
        np.concatenate([stuff, np.full(len(patch), "collar")]),
    )


def _on_trunk(xyz: Array, height: Array, angle: Array, lift: float) -> Array:
    """Points (N, P, 3) on the trunk at heights and angles (P,), `lift` metres above its surface."""
    left, right = _at(xyz, "left_shoulder"), _at(xyz, "right_shoulder")
    hip_line = _at(xyz, "left_hip") - _at(xyz, "right_hip")
    hips = (_at(xyz, "left_hip") + _at(xyz, "right_hip")) / 2
    neck = _at(xyz, "neck")
    up = unit(neck - hips)
    across = unit(hip_line - np.einsum("ni,ni->n", hip_line, up)[:, None] * up)
    ahead = np.cross(across, up)
    half = np.linalg.norm(hip_line, axis=1) / 1.28
    table = _grain(True).trunk[::-1]
    w, d, z = (np.interp(height, table[:, 0], table[:, i]) for i in (1, 2, 3))
    # Shoulders that are drawn up or forward take the trunk's upper rings with them.
    drawn = ((left + right) / 2 - neck)[:, None] * np.exp(-(((height + 0.02) / 0.12) ** 2))[:, None]
    length = np.linalg.norm(neck - hips, axis=1)
    middle = neck[:, None] + (length[:, None] * height)[..., None] * up[:, None] + z[:, None] * ahead[:, None] + drawn
    cos, sin = (np.sign(v) * np.abs(v) ** (2 / 2.3) for v in (np.cos(angle), np.sin(angle)))
    x = half[:, None] * w * cos + lift * cos
    return middle + x[..., None] * across[:, None] + (d * sin + lift * sin)[:, None] * ahead[:, None]


def _neck(xyz: Array, grain: _Grain) -> Tubes:
    neck, ears = _at(xyz, "neck"), (_at(xyz, "left_ear") + _at(xyz, "right_ear")) / 2
    across = unit(_at(xyz, "left_ear") - _at(xyz, "right_ear"))
    axis = ears - neck
    ahead = unit(np.cross(across, axis))
    share = np.array([-0.02, 0.15, 0.3, 0.45, 0.6, 0.75])
    radius = np.array([0.066, 0.058, 0.054, 0.053, 0.054, 0.055])
    middle = neck[:, None] + share[:, None] * axis[:, None] - 0.014 * ahead[:, None]
    vertices = _rings(middle, radius[:, None] * across[:, None], radius[:, None] * ahead[:, None], grain.sides)
    quads = loft_quads(len(share), grain.sides)
    return Tubes(vertices, quads, np.full(len(quads), "neck"))


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
    along = unit(fore)[:, None]
    flat = unit(np.cross(fore, np.cross(index - pinky, fore)))[:, None]
    # The shortest turn from the forearm's direction to each ring's, so that no ring is twisted against the next.
    lean = np.einsum("nri,nri->nr", np.broadcast_to(flat, axis.shape), axis) / (
        1.001 + np.einsum("nri,nri->nr", np.broadcast_to(along, axis.shape), axis)
    )
    across = unit(flat - lean[..., None] * (axis + along))
    scale = np.linalg.norm(upper, axis=1) / 0.30
    return middle, across, np.cross(axis, across), np.clip(scale, 0.85, 1.15)


def _arm(xyz: Array, side: str, sleeve: float, grain: _Grain) -> Tubes:
    """The bare arm, from a little inside the sleeve."""
    table = grain.arm[grain.arm[:, 0] > sleeve - 0.2]
    middle, across, ahead, scale = _arm_axes(xyz, side, table[:, 0])
    size = scale[:, None, None] * table[None, :, 1:]
    quads = loft_quads(len(table), grain.sides)
    vertices = _rings(middle, across * size[..., :1], ahead * size[..., 1:], grain.sides)
    return Tubes(vertices, quads, np.full(len(quads), "skin"))


def _sleeve(xyz: Array, side: str, reach: float, grain: _Grain) -> Tubes:
    """Cloth a little wider than the arm, wider still at its end, with an inside."""
    stations = np.concatenate(
        [grain.arm[grain.arm[:, 0] < reach - 0.04, 0], [reach - 0.03, reach, reach - 0.01, reach - 0.08]]
    )
    wide = np.interp(stations, grain.arm[:, 0], grain.arm[:, 1]), np.interp(stations, grain.arm[:, 0], grain.arm[:, 2])
    loose = np.interp(stations, [-0.2, 0.2, reach], [0.006, 0.008, 0.011 if reach > 1.7 else 0.015])
    loose[-2:] = [loose[-3] * 0.6, 0.0]
    middle, across, ahead, scale = _arm_axes(xyz, side, stations)
    size = [scale[:, None, None] * (w + loose)[None, :, None] for w in wide]
    quads = loft_quads(len(stations), grain.sides)
    vertices = _rings(middle, across * size[0], ahead * size[1], grain.sides)
    return Tubes(vertices, quads, np.full(len(quads), "cloth"))


def _leg(xyz: Array, side: str, grain: _Grain) -> Tubes:
    hip, knee, ankle = (_at(xyz, f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
    stations = np.array([0.02, 0.1, 0.3, 0.7, 1.0, 1.35, 2.0])
    radius = np.array([0.068, 0.074, 0.078, 0.070, 0.060, 0.058, 0.042])
    s = stations[:, None]
    middle = np.where(
        s < 1, hip[:, None] + s * (knee - hip)[:, None], knee[:, None] + (s - 1) * (ankle - knee)[:, None]
    )
    inwards = _at(xyz, "left_hip") - _at(xyz, "right_hip")
    across = unit(inwards)
    ahead = unit(np.cross(across, hip - ankle))
    middle = middle + (-0.11 if side == "left" else 0.11) * np.clip(1 - s, 0, 1) * inwards[:, None]
    vertices = _rings(middle, radius[:, None] * across[:, None], radius[:, None] * ahead[:, None], grain.sides)
    quads = loft_quads(len(stations), grain.sides)
    return Tubes(vertices, quads, np.full(len(quads), "legs"))
