"""Eyes, brows, nose and mouth on the albedo of a rendered head; what hides the head hides them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .figure import figure_index
from .look import Look

__all__ = ["draw_face"]


def draw_face(
    albedo: NDArray[np.uint8], head: NDArray[np.bool_], joints: NDArray[np.float32], scale: float, look: Look
) -> None:
    """Draws the features in place where `head` is visible.

    Args:
        albedo: (H, W, 3) colours of the frame; head: (H, W) where the head's skin is seen.
        joints: (64, 3) pixels; scale: pixels per metre.
    """
    import cv2

    def at(name: str) -> NDArray[np.float32]:
        return joints[figure_index(name), :2]

    left, right, nose = at("left_eye"), at("right_eye"), at("nose")
    corners = at("mouth_left"), at("mouth_right")
    across = left - right
    gap = float(np.linalg.norm(across))
    if gap < 4:
        return  # in profile there is no face to draw
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    x0, y0 = np.floor(np.minimum(left, right) - 1.2 * gap).astype(int)
    x1, y1 = np.ceil(np.maximum(*corners) + 1.5 * gap).astype(int)
    x0, y0 = max(x0, 0), max(y0, 0)
    part = albedo[y0:y1, x0:x1]
    if part.size == 0:
        return
    drawn = part.copy()
    skin = np.array(look.skin, float)
    dark = tuple(int(v) for v in skin * 0.55)
    lip = tuple(int(v) for v in np.clip(skin * 0.72 + np.array([34, -6, 0]), 0, 255))
    cheek = tuple(int(v) for v in np.clip(skin * 0.94 + np.array([14, 0, 0]), 0, 255))
    up = np.array([across[1], -across[0]]) / gap  # towards the forehead
    up = up if up[1] < 0 else -up

    def point(p: NDArray[np.float32]) -> tuple[int, int]:
        return round(float(p[0])) - x0, round(float(p[1])) - y0

    def ellipse(centre: NDArray[np.float32], rx: float, ry: float, color: tuple[int, ...], thick: int = -1) -> None:
        axes = (max(1, round(rx)), max(1, round(ry)))
        cv2.ellipse(drawn, point(centre), axes, angle, 0, 360, color, thick, cv2.LINE_AA)

    line = max(1, round(0.006 * scale))
    for eye in (left, right):
        ellipse(eye - 0.42 * gap * up, 0.22 * gap, 0.16 * gap, cheek)
        ellipse(eye, 0.21 * gap, 0.105 * gap, (248, 248, 246))
        ellipse(eye, 0.095 * gap, 0.098 * gap, look.iris)
        ellipse(eye, 0.045 * gap, 0.05 * gap, (12, 10, 10))
        cv2.ellipse(
            drawn,
            point(eye),
            (max(1, round(0.23 * gap)), max(1, round(0.13 * gap))),
            angle,
            180,
            360,
            dark,
            line,
            cv2.LINE_AA,
        )
        brow = eye + 0.30 * gap * up
        half = 0.26 * across
        cv2.line(
            drawn, point(brow - half), point(brow + half), tuple(int(v * 0.8) for v in look.hair), line + 1, cv2.LINE_AA
        )
    bridge = (left + right) / 2
    side = 0.10 * across
    cv2.line(
        drawn, point(bridge + side), point(nose + 1.1 * side), tuple(int(v) for v in skin * 0.82), line, cv2.LINE_AA
    )
    for sign in (-1, 1):
        ellipse(nose + sign * 0.085 * across - 0.06 * gap * up, 0.045 * gap, 0.03 * gap, dark)
    mouth = (corners[0] + corners[1]) / 2
    wide = 0.5 * float(np.linalg.norm(corners[0] - corners[1]))
    ellipse(mouth, wide, 0.15 * gap, lip)
    cv2.line(drawn, point(corners[0]), point(corners[1]), dark, line, cv2.LINE_AA)
    seen = head[y0:y1, x0:x1]
    part[seen] = drawn[seen]
