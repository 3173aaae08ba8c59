"""One picture: light, cull, sort and paint the quads of a placed `Puppet`, then lens and sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..draws import on_grid
from .backdrop import Backdrop
from .camera import Camera
from .look import Look
from .mesh import Puppet

__all__ = ["paint"]

Array = NDArray[np.floating]
_BITS = 3
"""Fractional bits of the painted coordinates."""


def paint(
    puppet: Puppet, vertices: Array, look: Look, camera: Camera, backdrop: Backdrop, frame: int
) -> NDArray[np.uint8]:
    """The picture (height, width, 3) of vertices (V, 3) in world space."""
    scale = backdrop.scale
    seen = camera.points(vertices)
    flat = (seen[:, :2] + 0.5) * scale - 0.5
    # points behind the camera project to anywhere; they are not painted, but must fit the integer
    corners = np.rint(np.clip(flat, -30000, 30000) * (1 << _BITS)).astype(np.int32)
    shown = _facing(puppet, corners, seen[:, 2], backdrop.wall.shape)
    quads = puppet.quads[shown]
    depth = seen[quads, 2].mean(axis=1) - puppet.lift[shown]
    extra, extra_colours, extra_depth = _face(puppet, vertices, corners, seen[:, 2], look, camera)
    shapes = list(corners[quads]) + extra
    colours = np.concatenate([_lit(puppet, vertices, shown, look, camera), extra_colours])
    tones = np.rint(np.clip(colours * (255 * look.gain), 0, 255)).tolist()
    # equal depths keep the order of the quads; rounded, so that they are equal on every machine
    order = np.argsort(-on_grid(np.concatenate([depth, extra_depth]), 20), kind="stable")
    picture = backdrop.wall.copy()
    fill = cv2.fillConvexPoly
    for i in order.tolist():
        fill(picture, shapes[i], tones[i], 8, _BITS)
    return backdrop.recorded(picture, look, frame)


def _facing(puppet: Puppet, corners: NDArray[np.int32], depth: Array, shape: tuple[int, ...]) -> NDArray[np.int_]:
    """Rows of the quads that face the camera and touch the picture."""
    a, b, c, d = (corners[puppet.quads[:, i]] for i in range(4))
    p, q = (c - a).astype(np.int64), (d - b).astype(np.int64)
    front = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0] < 0  # y points down
    low, high = np.minimum(a, c), np.maximum(a, c)
    rim, height, width = 40 << _BITS, shape[0] << _BITS, shape[1] << _BITS
    inside = (high[:, 0] > -rim) & (high[:, 1] > -rim) & (low[:, 0] < width + rim) & (low[:, 1] < height + rim)
    return np.flatnonzero(front & inside & (depth[puppet.quads[:, 0]] > 0.1))


def _lit(puppet: Puppet, vertices: Array, shown: NDArray[np.int_], look: Look, camera: Camera) -> Array:
    """Colours (S, 3) of the shown quads under a main light, light from all sides and some from the camera."""
    quads = puppet.quads
    points = vertices[: puppet.gather.shape[0]]
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
) -> tuple[list[NDArray[np.int32]], Array, Array]:
    """The painted polygons of the face that face the camera: corners, colours, depths."""
    patches = puppet.patches
    a, b, c = (vertices[patches.triangle[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    shown = np.flatnonzero(np.einsum("pi,pi->p", normal, camera.position - a) > 0)
    light = np.array(look.light) / np.linalg.norm(look.light)
    bright = 0.55 * look.ambient + 0.35 + (1 - look.ambient) * 0.7 * np.clip(normal[shown] @ light, 0, None)
    near = depth[patches.triangle[shown]].mean(axis=1) - patches.lift[shown]
    return [corners[patches.rows[i]] for i in shown], patches.colour[shown] * bright[:, None], near
