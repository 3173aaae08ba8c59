"""A small depth-buffered rasteriser of tapered capsules and ellipsoids, with one shading pass a frame.

Everything is in picture units: x right, y down, z away from the viewer, all in pixels. Round things are drawn by what
they are (no meshes), so each pixel has an exact surface normal and fingers look round at any size.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Canvas"]

Array = NDArray[np.float32]
FAR = np.float32(1e9)


@dataclass(eq=False)
class Canvas:
    """Buffers of one frame (H, W): depth, surface normal, material."""

    width: int
    height: int
    depth: Array = field(init=False)
    normal: Array = field(init=False)
    material: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.height, self.width)
        self.depth = np.full(shape, FAR, np.float32)
        self.normal = np.zeros((*shape, 3), np.float32)
        self.normal[..., 2] = 1.0
        self.material = np.zeros(shape, np.uint8)
        self._reach = (self.height, self.width, 0, 0)
        self._x = np.arange(self.width, dtype=np.float32)
        self._y = np.arange(self.height, dtype=np.float32)[:, None]

    def clear(self) -> None:
        """Empties the buffers for the next frame (only where something was drawn)."""
        if self.drawn is not None:
            self.depth[self.drawn] = FAR
            self.normal[self.drawn] = (0, 0, 1)
            self.material[self.drawn] = 0
        self._reach = (self.height, self.width, 0, 0)

    @property
    def drawn(self) -> tuple[slice, slice] | None:
        """Rows and columns that hold everything drawn since `clear`, with one pixel around; None if nothing was."""
        top, left, bottom, right = self._reach
        if top >= bottom or left >= right:
            return None
        return (
            slice(max(top - 1, 0), min(bottom + 1, self.height)),
            slice(max(left - 1, 0), min(right + 1, self.width)),
        )

    def _box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice] | None:
        left, top = max(int(np.floor(x0)), 0), max(int(np.floor(y0)), 0)
        right, bottom = min(int(np.ceil(x1)) + 1, self.width), min(int(np.ceil(y1)) + 1, self.height)
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None

    def capsule(self, a: Array, b: Array, radius_a: float, radius_b: float, material: int) -> None:
        """A tapered capsule from a to b, each (x, y, z)."""
        most = max(radius_a, radius_b)
        box = self._box(min(a[0], b[0]) - most, min(a[1], b[1]) - most, max(a[0], b[0]) + most, max(a[1], b[1]) + most)
        if box is None:
            return
        dx, dy, dz = (float(b[k] - a[k]) for k in range(3))
        px, py = self._x[box[1]] - np.float32(a[0]), self._y[box[0]] - np.float32(a[1])
        length = dx * dx + dy * dy
        along = (px * dx + py * dy) / np.float32(max(length, 1e-6))
        if length < 1.0:
            # seen end-on: the nearer end covers the other
            along = np.full(np.broadcast_shapes(px.shape, py.shape), 0.0 if a[2] < b[2] else 1.0, np.float32)
        along = np.clip(along, 0, 1)
        ox, oy = px - along * dx, py - along * dy
        radius = radius_a + along * (radius_b - radius_a)
        height = radius * radius - ox * ox - oy * oy
        inside = height > 0
        height = np.sqrt(np.maximum(height, 0))
        z = a[2] + along * dz - height
        self._put(box, inside, z, ox / radius, oy / radius, height / radius, material)

    def ellipsoid(self, centre: Array, radii: tuple[float, float, float], tilt: float, material: int) -> None:
        """An ellipsoid with half-axes `radii`, turned by `tilt` radians in the picture."""
        rx, ry, rz = radii
        reach = max(rx, ry)
        box = self._box(centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)
        if box is None:
            return
        px, py = self._x[box[1]] - np.float32(centre[0]), self._y[box[0]] - np.float32(centre[1])
        c, s = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
        u, v = (c * px + s * py) / rx, (c * py - s * px) / ry
        height = 1 - u * u - v * v
        inside = height > 0
        height = np.sqrt(np.maximum(height, 0))
        nu, nv, nz = u / rx, v / ry, height / rz
        scale = 1 / np.maximum(np.sqrt(nu * nu + nv * nv + nz * nz), 1e-6)
        self._put(
            box, inside, centre[2] - height * rz,
            (c * nu - s * nv) * scale, (s * nu + c * nv) * scale, nz * scale, material,
        )  # fmt: skip

    def _put(
        self,
        box: tuple[slice, slice],
        inside: NDArray[np.bool_],
        z: Array,
        nx: Array,
        ny: Array,
        nz: Array,
        material: int,
    ) -> None:
        rows, columns = box
        top, left, bottom, right = self._reach
        self._reach = (
            min(top, rows.start), min(left, columns.start), max(bottom, rows.stop), max(right, columns.stop),
        )  # fmt: skip
        depth = self.depth[box]
        shown = inside & (z < depth)
        np.copyto(depth, z, where=shown, casting="same_kind")
        normal = self.normal[box]
        for k, part in enumerate((nx, ny, nz)):
            np.copyto(normal[..., k], part, where=shown, casting="same_kind")
        np.copyto(self.material[box], np.uint8(material), where=shown)

    def shade(
        self,
        box: tuple[slice, slice],
        albedo: NDArray[np.uint8],
        light: Array,
        soft: int,
        ambient: float = 0.52,
        edge: float = 3.5,
    ) -> Array:
        """The lit picture of a box (h, w, 3), grey levels as float32.

        Args:
            albedo: (h, w, 3) colours.
            light: (3,) unit vector towards the light: x right, y down, z to the viewer.
            soft: a material that is shaded softly, as cloth is, so that the parts it is made of do not show.
            edge: a step in depth of more pixels than this to the neighbour in front is drawn as a dark crease.
        """
        import cv2

        normal, depth, material = self.normal[box], self.depth[box], self.material[box]
        level = ambient + (1 - ambient) * 1.15 * np.maximum(normal @ light, 0)
        level -= 0.16 * (1 - normal[..., 2]) ** 2
        size = max(3, self.height // 14)
        level = np.where(material == soft, cv2.blur(level, (size, size)), level)
        # how far each pixel lies behind its nearest neighbour
        front = cv2.erode(depth, np.ones((3, 3), np.uint8))
        level *= 1 - 0.42 * np.clip((depth - front - edge) / (3 * edge), 0, 1)
        return albedo * level[..., None]
