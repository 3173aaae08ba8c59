"""The rendered head: skull, face, ears and hair as blended solids; eyes, brows, lips and nostrils painted on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..signing.body import HEAD_POINTS
from ..signing.figure import figure_index
from .surface import Mesh, ellipsoid, round_cone, smooth_union, surface

__all__ = ["HAIR_STYLES", "Patch", "face_patches", "hair_mesh", "head_mesh", "on_head"]

Array = NDArray[np.floating]

HAIR_STYLES: tuple[str, ...] = ("short", "bob", "long", "tied")
_CORNERS = ("nose", "left_ear", "right_ear", "head_top")


def on_head(points: Array, xyz: Array) -> Array:
    """Points (P, 3) of the standard head placed on the heads of joints (N, 64, 3): (N, P, 3)."""
    system = np.vstack([np.array([HEAD_POINTS[c] for c in _CORNERS]).T, np.ones(4)])
    weights = np.linalg.solve(system, np.vstack([points.T, np.ones(len(points))])).T
    return weights @ xyz[:, [figure_index(c) for c in _CORNERS]]


def _skin(points: Array) -> Array:
    p = points.copy()
    p[:, 0] = np.abs(p[:, 0])
    skull = ellipsoid(p, np.array([0, 0.222, -0.006]), np.array([0.0745, 0.086, 0.096]))
    face = ellipsoid(p, np.array([0, 0.172, 0.026]), np.array([0.066, 0.085, 0.069]))
    jaw = round_cone(p, np.array([0.042, 0.135, 0.012]), np.array([0.012, 0.102, 0.060]), 0.024, 0.019)
    cheek = ellipsoid(p, np.array([0.036, 0.172, 0.066]), np.array([0.026, 0.024, 0.024]))
    brow = round_cone(p, np.array([0.0, 0.228, 0.080]), np.array([0.046, 0.226, 0.064]), 0.013, 0.012)
    flesh = smooth_union([skull, face, jaw, cheek, brow], 0.007)
    socket = ellipsoid(p, np.array([0.033, 0.208, 0.102]), np.array([0.019, 0.011, 0.014]))
    flesh = -smooth_union([-flesh, socket], 0.0045)
    bridge = round_cone(p, np.array([0, 0.212, 0.089]), np.array([0, 0.171, 0.107]), 0.0065, 0.0105)
    wing = ellipsoid(p, np.array([0.0115, 0.165, 0.099]), np.array([0.0085, 0.0085, 0.0105]))
    lid = ellipsoid(p, np.array([0.033, 0.206, 0.077]), np.array([0.0145, 0.0125, 0.0125]))
    lips = [
        round_cone(p, np.array([0, y, 0.0985]), np.array([0.020, 0.134, 0.092]), 0.0065, 0.004) for y in (0.1385, 0.129)
    ]
    chin = ellipsoid(p, np.array([0, 0.104, 0.072]), np.array([0.019, 0.015, 0.016]))
    ear = ellipsoid(p, np.array([0.077, 0.190, 0.002]), np.array([0.0085, 0.031, 0.019]))
    return smooth_union([smooth_union([flesh, bridge, wing, chin], 0.0042), lid, *lips, ear], 0.0022)


def _hairline(z: Array) -> Array:
    """Height above which the skull bears hair, by how far forward it is."""
    return np.interp(
        z, [-0.10, -0.045, -0.022, 0.012, 0.035, 0.060, 0.10], [0.11, 0.115, 0.20, 0.208, 0.235, 0.268, 0.275]
    )


def _hair(points: Array, style: str) -> Array:
    p = points.copy()
    p[:, 0] = np.abs(p[:, 0])
    thick = {"short": 0.010, "bob": 0.015, "long": 0.014, "tied": 0.006}[style]
    cap = ellipsoid(p, np.array([0, 0.222, -0.008]), np.array([0.0745, 0.086, 0.096]) + thick)
    bare = 0.6 * (_hairline(p[:, 2]) - p[:, 1])
    cap = np.maximum(cap, bare)
    parts = [cap]
    if style in ("bob", "long"):
        low = 0.115 if style == "bob" else 0.0
        parts.append(
            round_cone(p, np.array([0.070, 0.225, -0.012]), np.array([0.078, low + 0.02, -0.022]), 0.026, 0.022)
        )
        parts.append(round_cone(p, np.array([0.035, 0.20, -0.065]), np.array([0.045, low, -0.055]), 0.05, 0.032))
    if style == "tied":
        parts.append(ellipsoid(p, np.array([0, 0.265, -0.115]), np.array([0.035, 0.035, 0.035])))
    return smooth_union(parts, 0.006)


@lru_cache(maxsize=16)
def head_mesh(style: str, cell: float = 0.0062) -> Mesh:
    """Skin of the standard head, its ears included, without what is under the hair."""
    mesh = surface(_skin, (-0.095, 0.075, -0.115), (0.095, 0.325, 0.13), cell)
    hidden = _hair(mesh.centres, style) < -0.7 * cell
    return Mesh(mesh.vertices, mesh.quads[~hidden])


@lru_cache(maxsize=16)
def hair_mesh(style: str, cell: float = 0.0085) -> Mesh:
    """Hair of one of `HAIR_STYLES`."""
    return surface(lambda p: _hair(p, style), (-0.125, -0.06, -0.165), (0.125, 0.345, 0.12), cell)


@dataclass(frozen=True, eq=False)
class Patch:
    """A flat polygon on the face: points (K, 3) on the standard head, seen from the front counter-clockwise, what
    colour it has, and by how many metres it is painted before what lies there."""

    points: Array
    stuff: str
    lift: float


def face_patches() -> list[Patch]:
    """Eyes, brows, nostrils and lips, painted in this order."""
    face = np.array([FACE_POINTS[f"face_{i}"] for i in range(70)])
    patches = []
    for eye, pupil in ((face[36:42], face[68]), (face[42:48], face[69])):
        patches += _eye(eye, pupil)
    for brow in (face[17:22], face[22:27]):
        patches += _brow(brow)
    for x in (-0.0065, 0.0065):
        patches.append(Patch(_disc(np.array([x, 0.1600, 0.108]), 0.0042, 0.0022), "nostril", 0.0090))
    patches += _lips(face)
    return patches


def _disc(centre: Array, width: float, height: float, points: int = 12) -> Array:
    angle = np.arange(points) * 2 * np.pi / points
    return centre + np.stack([width * np.cos(angle), height * np.sin(angle), np.zeros(points)], axis=1)


def _eye(rim: Array, pupil: Array) -> list[Patch]:
    middle = rim.mean(axis=0)
    angle = np.arange(16) * 2 * np.pi / 16
    wide, high = np.ptp(rim[:, 0]) / 2, np.ptp(rim[:, 1]) / 2
    shape = np.stack([np.cos(angle), np.sin(angle) * (1 - 0.25 * np.abs(np.cos(angle)))], axis=1)

    def almond(grow_x: float, grow_y: float, rise: float) -> Array:
        flat = shape * (wide * grow_x, high * grow_y) + middle[:2] + (0, rise)
        depth = middle[2] - 0.006 * np.abs(shape[:, 0]) ** 2 - 0.1 * np.abs(flat[:, 0] - pupil[0])
        return np.column_stack([flat, depth])

    iris = np.clip(_disc(pupil - (0, 0, 0.001), 0.0062, 0.0062), [-1, pupil[1] - 0.0047, -1], [1, pupil[1] + 0.0047, 1])
    return [
        Patch(almond(1.15, 1.40, 0.0012), "lash", 0.0080), Patch(almond(1.0, 1.0, 0.0), "white", 0.0085),
        Patch(iris, "iris", 0.0090), Patch(_disc(pupil, 0.0028, 0.0028), "pupil", 0.0095),
        Patch(_disc(np.add(pupil, [0.002, 0.002, 0]), 0.0012, 0.0012, 6), "glint", 0.0100),
    ]  # fmt: skip


def _brow(line: Array) -> list[Patch]:
    thick = np.array([0.0015, 0.0034, 0.004, 0.0038, 0.0028])
    if line[0, 0] > 0:
        thick = thick[::-1]
    rise = np.zeros((5, 3))
    rise[:, 1] = thick
    above, below = line + rise, line - rise
    return [Patch(np.stack([below[i], below[i + 1], above[i + 1], above[i]]), "brow", 0.0080) for i in range(4)]


def _lips(face: Array) -> list[Patch]:
    outer, inner = face[48:60], face[60:68]
    pairs = [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (6, 4), (7, 4), (8, 5), (9, 6), (10, 7), (11, 0), (12, 0)]
    patches = []
    for (a, i), (b, j) in pairwise(pairs):
        points = np.stack([outer[a % 12], inner[i], inner[j], outer[b % 12]])
        patches.append(Patch(points, "upper lip" if a < 6 else "lower lip", 0.0080))
    patches.append(
        Patch(np.stack([inner[0], inner[6] - (0, 0.0006, 0), inner[4], inner[2] + (0, 0.0006, 0)]), "gap", 0.0085)
    )
    return patches


Point = tuple[float, float, float]


def _jaw() -> list[Point]:
    """0 to 16: from the right ear along the jaw over the chin (8) to the left ear."""
    angle = np.linspace(-1, 1, 17) * np.pi / 2
    x = 0.070 * np.sign(angle) * np.abs(np.sin(angle)) ** 0.9
    y = 0.090 + 0.100 * (1 - np.cos(angle)) ** 1.15
    z = 0.082 - 0.070 * (1 - np.cos(angle)) ** 1.1
    return [(float(a), float(b), float(c)) for a, b, c in zip(x, y, z, strict=True)]


def _mirrored(points: list[Point]) -> list[Point]:
    return [(-x, y, z) for x, y, z in points]


# The signer's right side has negative x; numbers grow from the signer's right to left.
_BROW: list[Point] = [
    (-0.056, 0.222, 0.074), (-0.047, 0.230, 0.087), (-0.036, 0.232, 0.095), (-0.025, 0.230, 0.100),
    (-0.014, 0.226, 0.103),
]  # fmt: skip

_EYE: list[Point] = [
    (-0.046, 0.206, 0.083), (-0.038, 0.211, 0.090), (-0.028, 0.211, 0.091), (-0.019, 0.205, 0.088),
    (-0.028, 0.201, 0.091), (-0.038, 0.201, 0.089),
]  # fmt: skip

_NOSE: list[Point] = [
    (0, 0.209, 0.098), (0, 0.197, 0.105), (0, 0.185, 0.112), (0, 0.172, 0.118), (-0.014, 0.162, 0.100),
    (-0.007, 0.160, 0.105), (0, 0.158, 0.107), (0.007, 0.160, 0.105), (0.014, 0.162, 0.100),
]  # fmt: skip

_MOUTH: list[Point] = [
    (-0.026, 0.134, 0.096), (-0.017, 0.140, 0.102), (-0.007, 0.143, 0.106), (0, 0.142, 0.107), (0.007, 0.143, 0.106),
    (0.017, 0.140, 0.102), (0.026, 0.134, 0.096), (0.016, 0.127, 0.101), (0.007, 0.124, 0.104), (0, 0.123, 0.105),
    (-0.007, 0.124, 0.104), (-0.016, 0.127, 0.101), (-0.022, 0.134, 0.098), (-0.007, 0.136, 0.105),
    (0, 0.136, 0.106), (0.007, 0.136, 0.105), (0.022, 0.134, 0.098), (0.007, 0.132, 0.105), (0, 0.131, 0.106),
    (-0.007, 0.132, 0.105),
]  # fmt: skip

_LEFT_EYE = [_mirrored(_EYE)[i] for i in (3, 2, 1, 0, 5, 4)]

_PUPILS: list[Point] = [(-0.033, 0.206, 0.090), (0.033, 0.206, 0.090)]

_ALL = [*_jaw(), *_BROW, *_mirrored(_BROW)[::-1], *_NOSE, *_EYE, *_LEFT_EYE, *_MOUTH, *_PUPILS]

FACE_POINTS: dict[str, Point] = {
    **{f"face_{i}": point for i, point in enumerate(_ALL)},
    "right_eye_inner": _EYE[3],
    "right_eye_outer": _EYE[0],
    "left_eye_inner": _LEFT_EYE[0],
    "left_eye_outer": _LEFT_EYE[3],
}
"""Joint name → (x to the signer's left, y up, z forward), the origin at the neck."""
