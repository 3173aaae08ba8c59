"""Render a figure: shaded body, face and fingered hands, good enough for a pose estimator to follow.

figure + camera → joints in pixels → capsules and ellipsoids → depth buffer → one shading pass → face features
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..skeletons import HAND_EDGES, hand_joints
from ..video import write_video
from .camera import Camera
from .face_drawing import draw_face
from .figure import Figure, figure_index
from .look import Look
from .raster import Canvas

__all__ = ["render_frames", "render_video"]

WALL, SKIN, PALM, CLOTHES, HAIR, NAIL, HEAD = range(7)
"""Materials of the canvas."""

# Radii in metres along each finger: knuckle, middle joint, end joint, tip (anthropometric means, Greiner 1991).
FINGER_RADII = {
    "thumb": (0.0135, 0.0115, 0.0105, 0.0088),
    "index": (0.0105, 0.0092, 0.0082, 0.0070),
    "middle": (0.0105, 0.0094, 0.0084, 0.0072),
    "ring": (0.0100, 0.0088, 0.0079, 0.0068),
    "pinky": (0.0092, 0.0076, 0.0068, 0.0060),
}
WRIST_RADIUS = 0.021


def render_frames(
    figure: Figure, look: Look | None = None, camera: Camera | None = None, seed: int = 0
) -> Iterator[NDArray[np.uint8]]:
    """Frames (H, W, 3) uint8 RGB of the figure, one at a time.

    Args:
        seed: of the picture's grain.
    """
    look = Look() if look is None else look
    camera = Camera() if camera is None else camera
    width, height = camera.size
    canvas = Canvas(width, height)
    rng = np.random.default_rng(seed)
    # four pictures of grain in turn are as good as new ones, and the empty wall need not be drawn again
    grain = np.round(rng.normal(0, look.grain, (4, height, width, 1))).astype(np.int16)
    walls = np.clip(_wall(width, height, look) + grain, 0, 255).astype(np.uint8)
    palette = _palette(look)
    light = np.array(look.light, np.float32)
    light /= np.linalg.norm(light)
    for t, xyz in enumerate(figure.xyz):
        joints, scale = _in_pixels(xyz, camera)
        canvas.clear()
        _draw_body(canvas, joints, scale, look)
        for side in ("left", "right"):
            _draw_hand(canvas, joints, scale, side, xyz, camera)
        picture = walls[t % len(walls)].copy()
        box = canvas.drawn
        if box is not None:
            material = canvas.material[box]
            albedo = np.take(palette, material, axis=0)
            draw_face(albedo, material == HEAD, joints - [box[1].start, box[0].start, 0], scale, look)
            lit = canvas.shade(box, albedo, light, CLOTHES) + grain[t % len(grain)][box]
            np.copyto(picture[box], np.clip(lit, 0, 255), where=(material != WALL)[..., None], casting="unsafe")
        yield picture


def render_video(
    path: str | Path, figure: Figure, look: Look | None = None, camera: Camera | None = None, seed: int = 0
) -> Path:
    """Writes the rendered figure as H.264, streaming."""
    return write_video(path, render_frames(figure, look, camera, seed), figure.fps)


def _in_pixels(xyz: NDArray[np.float32], camera: Camera) -> tuple[NDArray[np.float32], float]:
    """Joints (64, 3) as x, y, z in pixels (z away from the camera), and pixels per metre at the body."""
    seen = camera.points(xyz)
    scale = camera.focal / float(seen[figure_index("neck"), 2])
    seen[:, 2] *= scale
    return seen.astype(np.float32), scale


def _palette(look: Look) -> NDArray[np.uint8]:
    skin = np.array(look.skin, np.float32)
    palm = np.clip(skin * 0.82 + np.array([58, 38, 34]), 0, 255)  # palms are lighter and pinker than backs of hands
    nail = np.clip(skin * 0.8 + np.array([60, 44, 42]), 0, 255)
    return np.array([look.wall, skin, palm, look.clothes, look.hair, nail, skin], np.uint8)


def _wall(width: int, height: int, look: Look) -> NDArray[np.float64]:
    """A wall that is a little darker towards its lower corners."""
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    level = 1.02 - 0.10 * (x * x + np.maximum(y, -0.5) ** 2)
    return np.array(look.wall) * level[..., None]


def _draw_body(canvas: Canvas, joints: NDArray[np.float32], scale: float, look: Look) -> None:
    def at(name: str) -> NDArray[np.float32]:
        return joints[figure_index(name)]

    neck, hips = at("neck"), (at("left_hip") + at("right_hip")) / 2
    down = hips - neck
    for side in ("left", "right"):
        shoulder, hip = at(f"{side}_shoulder"), at(f"{side}_hip")
        # the flank lies inside the shoulder; its capsules make chest, belly and the slope of the shoulder
        chest = shoulder + 0.36 * (neck - shoulder) + 0.16 * down
        waist = hip + 0.18 * (hips - hip)
        canvas.capsule(chest, waist, 0.100 * scale, 0.098 * scale, CLOTHES)
        canvas.capsule(waist, at(f"{side}_knee"), 0.095 * scale, 0.07 * scale, CLOTHES)
        canvas.capsule(neck + 0.10 * down, shoulder + 0.04 * down, 0.066 * scale, 0.058 * scale, CLOTHES)
        elbow, wrist = at(f"{side}_elbow"), at(f"{side}_wrist")
        canvas.capsule(shoulder + 0.03 * down, elbow, 0.054 * scale, 0.043 * scale, CLOTHES)
        cuff = elbow + look.sleeve * (wrist - elbow)
        if look.sleeve > 0:
            canvas.capsule(elbow, cuff, 0.044 * scale, (0.044 - 0.012 * look.sleeve) * scale, CLOTHES)
        canvas.capsule(elbow + 0.02 * (wrist - elbow), wrist, 0.039 * scale, 0.0235 * scale, SKIN)
    middle = neck + 0.22 * down
    canvas.capsule(middle, hips, 0.104 * scale, 0.10 * scale, CLOTHES)
    _draw_head(canvas, joints, scale)


def _draw_head(canvas: Canvas, joints: NDArray[np.float32], scale: float) -> None:
    def at(name: str) -> NDArray[np.float32]:
        return joints[figure_index(name)]

    chin, top, neck = at("chin"), at("head_top"), at("neck")
    ears = (at("left_ear") + at("right_ear")) / 2
    height = float(np.linalg.norm((top - chin)[:2]))
    tilt = float(np.arctan2((chin - top)[0], (chin - top)[1])) * -1
    middle = (chin + top) / 2 + 0.25 * (ears - (chin + top) / 2)
    canvas.capsule(neck + (neck - ears) * 0.12, ears + 0.35 * (neck - ears), 0.056 * scale, 0.054 * scale, SKIN)
    canvas.ellipsoid(middle, (0.40 * height, 0.53 * height, 0.44 * height), tilt, HEAD)
    for side in ("left", "right"):
        ear = at(f"{side}_ear")
        canvas.ellipsoid(ear, (0.016 * scale, 0.030 * scale, 0.012 * scale), tilt, SKIN)
    crown = middle + 0.16 * (top - middle)
    crown = crown + np.array([0, 0, 0.20 * height], np.float32)
    canvas.ellipsoid(crown, (0.45 * height, 0.52 * height, 0.48 * height), tilt, HAIR)
    fringe = top + 0.10 * (chin - top)
    canvas.ellipsoid(fringe, (0.36 * height, 0.13 * height, 0.40 * height), tilt, HAIR)


def _draw_hand(
    canvas: Canvas, joints: NDArray[np.float32], scale: float, side: str, xyz: NDArray[np.float32], camera: Camera
) -> None:
    first = figure_index(f"{side}_hand_wrist")
    hand = joints[first : first + len(hand_joints(side))]
    if not -60 < hand[0, 0] < canvas.width + 60 or not -60 < hand[0, 1] < canvas.height + 60:
        return
    # hands nearer to the camera are larger
    depth = float(camera.points(xyz[first])[2])
    near = camera.focal / max(depth, 0.2)
    skin = PALM if _shows_palm(hand, side) else SKIN
    canvas.capsule(hand[0] + 0.25 * (joints[figure_index(f"{side}_elbow")] - hand[0]), hand[0],
                   0.026 * near, WRIST_RADIUS * near, SKIN)  # fmt: skip
    for k, (finger, radii) in enumerate(FINGER_RADII.items()):
        knuckle = 1 + 4 * k
        if finger != "thumb":
            # metacarpals, close enough to make one palm
            canvas.capsule(
                hand[0] + 0.12 * (hand[knuckle] - hand[0]), hand[knuckle], 0.0155 * near, 0.0118 * near, skin
            )
    # flesh between the knuckles and at the ball of the thumb
    for a, b in ((5, 9), (9, 13), (13, 17)):
        canvas.capsule(
            (hand[a] + hand[b]) / 2,
            hand[0] + 0.3 * ((hand[a] + hand[b]) / 2 - hand[0]),
            0.0105 * near,
            0.0150 * near,
            skin,
        )
    canvas.capsule(hand[0] + 0.2 * (hand[1] - hand[0]), hand[2], 0.0165 * near, 0.0135 * near, skin)
    canvas.capsule(hand[1], (hand[5] + hand[2]) / 2, 0.0145 * near, 0.0100 * near, skin)
    for a, b in HAND_EDGES:
        finger, joint = list(FINGER_RADII.values())[(b - 1) // 4], (b - 1) % 4
        if joint:
            canvas.capsule(hand[a], hand[b], finger[joint - 1] * near, finger[joint] * near, skin)
    if skin == SKIN:
        _draw_nails(canvas, hand, near)


def _shows_palm(hand: NDArray[np.float32], side: str) -> bool:
    """Whether the viewer sees the palm: the turn from index to little finger about the wrist, in the picture."""
    index, pinky = hand[5, :2] - hand[0, :2], hand[17, :2] - hand[0, :2]
    turn = float(index[0] * pinky[1] - index[1] * pinky[0])
    return turn < 0 if side == "left" else turn > 0


def _draw_nails(canvas: Canvas, hand: NDArray[np.float32], near: float) -> None:
    for k, radii in enumerate(FINGER_RADII.values()):
        end, tip = hand[3 + 4 * k], hand[4 + 4 * k]
        bone = tip - end
        # on the back of the end joint, just in front of its surface
        place = end + 0.78 * bone + np.array([0, 0, -0.45 * radii[3] * near], np.float32)
        tilt = float(-np.arctan2(bone[0], bone[1]))
        canvas.ellipsoid(place, (0.62 * radii[3] * near, 0.85 * radii[3] * near, 0.62 * radii[3] * near), tilt, NAIL)
