"""One picture: light, cull, sort and paint the quads of a placed `Puppet`, then lens and sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .look import Look
from .mesh import Puppet

__all__ = ["Backdrop", "paint"]

Array = NDArray[np.floating]
_BITS = 3
"""Fractional bits of the painted coordinates."""


class Backdrop:
    """Wall and noise of a recording, made once.

    Attributes:
        scale: how many painted pixels make one of the frame, along each side.
        wall: uint8 picture at the painted resolution.
    """

    def __init__(self, look: Look, size: tuple[int, int]) -> None:
        width, height = size
        self.size = size
        self.scale = 2 if width * height < 800 * 800 else 1.5
        rng = np.random.default_rng([look.seed, 1])
        full = (round(width * self.scale), round(height * self.scale))
        y, x = np.mgrid[0 : full[1], 0 : full[0]].astype(np.float32)
        x, y = x / full[0] - 0.5, y / full[1] - 0.5
        shade = 1.04 - 0.35 * (x * x + y * y) + 0.10 * x * np.sign(look.light[0]) - 0.06 * y
        cloudy = cv2.resize(rng.normal(0, 1, (7, 9)).astype(np.float32), full, interpolation=cv2.INTER_CUBIC)
        wall = np.array(look.background, np.float32) * look.gain * (shade + 0.03 * look.texture * cloudy)[..., None]
        self.wall = np.clip(wall, 0, 255).astype(np.uint8)
        # A tile of noise larger than the frame; every frame looks at another part of it.
        tile = rng.normal(0, look.noise, (height + 64, width + 64, 3)).astype(np.float32)
        self.noise = np.round(tile).astype(np.int8)

    def recorded(self, picture: NDArray[np.uint8], look: Look, frame: int) -> NDArray[np.uint8]:
        """The painted picture through lens and sensor, at the frame's size."""
        small = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        if look.blur > 0:
            small = cv2.GaussianBlur(small, (3, 3) if look.blur < 0.8 else (5, 5), look.blur)
        if look.noise > 0:
            y, x = np.random.default_rng([look.seed, 2, frame]).integers(0, 64, 2)
            tile = self.noise[y : y + self.size[1], x : x + self.size[0]]
            small = cv2.add(small, tile, dtype=cv2.CV_8U)
        return np.asarray(small, np.uint8)


def paint(
    puppet: Puppet, vertices: Array, look: Look, camera: Camera, backdrop: Backdrop, frame: int
) -> NDArray[np.uint8]:
    """The picture (height, width, 3) of vertices (V, 3) in world space."""
    scale = backdrop.scale
    seen = camera.points(vertices)
    flat = (seen[:, :2] + 0.5) * scale - 0.5
    shown = _facing(puppet, flat, seen[:, 2], backdrop.wall.shape)
    quads = puppet.quads[shown]
    colour = _lit(puppet, vertices, shown, look, camera)
    depth = seen[quads, 2].mean(axis=1) - puppet.lift[shown]
    corners = np.round(flat * (1 << _BITS)).astype(np.int32)
    shapes, colours, depths = list(corners[quads]), colour, depth.tolist()
    extra, extra_colours, extra_depths = _face(puppet, vertices, corners, seen[:, 2], look, camera)
    shapes, depths = shapes + extra, depths + extra_depths
    colours = np.concatenate([colours, extra_colours]) if extra else colours
    tones = np.clip(colours * (255 * look.gain), 0, 255).tolist()
    picture = backdrop.wall.copy()
    fill = cv2.fillConvexPoly
    for i in np.argsort(-np.array(depths), kind="stable").tolist():
        fill(picture, shapes[i], tones[i], 8, _BITS)
    return backdrop.recorded(picture, look, frame)


def _facing(puppet: Puppet, flat: Array, depth: Array, shape: tuple[int, ...]) -> NDArray[np.int_]:
    """Rows of the quads that face the camera and touch the picture."""
    a, b, c, d = (flat[puppet.quads[:, i]] for i in range(4))
    p, q = c - a, d - b
    front = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0] < 0  # y points down
    low, high = np.minimum(a, c), np.maximum(a, c)
    inside = (high[:, 0] > -40) & (high[:, 1] > -40) & (low[:, 0] < shape[1] + 40) & (low[:, 1] < shape[0] + 40)
    return np.flatnonzero(front & inside & (depth[puppet.quads[:, 0]] > 0.1))


def _lit(puppet: Puppet, vertices: Array, shown: NDArray[np.int_], look: Look, camera: Camera) -> Array:
    """Colours (S, 3) of the shown quads under a main light, light from all sides and some from the camera."""
    quads = puppet.quads
    points = vertices[: puppet.gather.shape[0]].astype(np.float32)
    faces = np.cross(points[quads[:, 2]] - points[quads[:, 0]], points[quads[:, 3]] - points[quads[:, 1]])
    smooth = puppet.gather @ faces
    normal = smooth[quads[shown]].sum(axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    middle = points[quads[shown, 0]]
    view = camera.position - middle
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    light = np.array(look.light) / np.linalg.norm(look.light)
    towards = np.clip(np.einsum("si,si->s", normal, view), 0, 1)
    main = np.clip((normal @ light + 0.25) / 1.25, 0, 1)
    bright = look.ambient * (0.45 + 0.40 * towards + 0.15 * normal[:, 1]) + (1 - look.ambient) * 1.25 * main
    bright = 0.12 + 0.90 * bright
    bright *= 0.68 + 0.32 * np.clip(towards * 1.6, 0, 1)  # edges turn dark, which parts finger from finger
    half = view + light
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    shine = puppet.gloss[shown] * np.clip(np.einsum("si,si->s", normal, half), 0, 1) ** 24
    # Blood under the skin keeps shadows warm.
    return puppet.colour[shown] * bright[:, None] ** np.array([0.88, 1.0, 1.06]) + shine[:, None]


def _face(
    puppet: Puppet, vertices: Array, corners: NDArray[np.int32], depth: Array, look: Look, camera: Camera
) -> tuple[list[NDArray[np.int32]], Array, list[float]]:
    """The painted polygons of the face that face the camera: corners, colours, depths."""
    patches = puppet.patches
    a, b, c = (vertices[patches.triangle[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    shown = np.flatnonzero(np.einsum("pi,pi->p", normal, camera.position - a) > 0)
    light = np.array(look.light) / np.linalg.norm(look.light)
    bright = 0.55 * look.ambient + 0.35 + (1 - look.ambient) * 0.7 * np.clip(normal[shown] @ light, 0, None)
    near = depth[patches.triangle[shown]].mean(axis=1) - patches.lift[shown]
    return [corners[patches.rows[i]] for i in shown], patches.colour[shown] * bright[:, None], near.tolist()
