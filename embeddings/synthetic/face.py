"""A generic face: the 68 landmarks (iBUG 300-W) and the eye corners on the standard head, metres."""

from __future__ import annotations

import numpy as np

__all__ = ["FACE_POINTS"]

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
