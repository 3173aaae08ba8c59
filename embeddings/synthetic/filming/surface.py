"""Smooth surfaces for the rendered signer: solids blended from simple shapes, and tubes, as meshes of quads.

A solid is a signed distance function (negative inside). Round cones and ellipsoids melt into each other by a
smooth minimum, which gives webs between fingers and cheeks beside a nose for nothing; `surface` turns the solid
into quads by naive surface nets (Gibson 1998), each vertex then pulled onto the surface.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..draws import on_grid

__all__ = ["Mesh", "ellipsoid", "loft_quads", "outward", "ring_points", "round_cone", "smooth_union", "surface"]

Array = NDArray[np.floating]
Solid = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Quads that are counter-clockwise seen from outside: vertices (V, 3) in metres, quads (Q, 4) indices."""

    vertices: Array
    quads: NDArray[np.int32]

    @property
    def centres(self) -> Array:
        """(Q, 3)."""
        return self.vertices[self.quads].mean(axis=1)


def round_cone(points: Array, a: Array, b: Array, radius_a: float, radius_b: float) -> Array:
    """Signed distance (P,) to a bone from `a` to `b` whose radius changes evenly along it (a near-exact bound)."""
    axis = np.asarray(b, float) - a
    share = np.clip((points - a) @ axis / max(float(axis @ axis), 1e-12), 0, 1)
    offset = points - a - share[:, None] * axis
    return np.sqrt(np.einsum("pi,pi->p", offset, offset)) - (radius_a + (radius_b - radius_a) * share)


def ellipsoid(points: Array, centre: Array, radii: Array) -> Array:
    """Signed distance (P,) to an ellipsoid along its axes, exact to first order at its surface."""
    offset = points - centre
    size = np.linalg.norm(offset / radii, axis=1)
    slope = np.linalg.norm(offset / np.square(radii), axis=1)
    return size * (size - 1) / np.maximum(slope, 1e-6)


def smooth_union(distances: list[Array], blend: float) -> Array:
    """Soft minimum (P,) of signed distances; `blend` in metres is how far apart shapes begin to melt."""
    stacked = np.stack(distances)
    least = stacked.min(axis=0)
    return least - blend * np.log(np.exp((least - stacked) / blend).sum(axis=0))


def surface(solid: Solid, low: tuple[float, float, float], high: tuple[float, float, float], cell: float) -> Mesh:
    """The zero level of `solid` in the box from `low` to `high`, in quads of about `cell` metres."""
    axes = [a + cell * np.arange(math.ceil((b + cell - a) / cell)) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    # a point that lies on the surface must not be inside on one machine and outside on another
    values = on_grid(solid(grid.reshape(-1, 3)), 30).reshape(grid.shape[:3])
    vertices, number = _net_vertices(values, grid, cell)
    mesh = Mesh(vertices, _net_quads(values, number))
    for _ in range(2):
        mesh = Mesh(_pulled(mesh.vertices, solid, cell), mesh.quads)
    return mesh


def _net_vertices(values: Array, grid: Array, cell: float) -> tuple[Array, NDArray[np.int32]]:
    """One vertex per cell that the surface crosses, amid its crossings of the cell's edges."""
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    shape = tuple(n - 1 for n in values.shape)
    at = [values[tuple(slice(o, o + n) for o, n in zip(c, shape, strict=True))] for c in corners]
    inside = np.stack(at) < 0
    crossed = inside.any(axis=0) & ~inside.all(axis=0)
    number = np.full(shape, -1, np.int32)
    number[crossed] = np.arange(crossed.sum())
    level = np.stack([a[crossed] for a in at])  # (8, N)
    total, count = np.zeros((level.shape[1], 3)), np.zeros(level.shape[1])
    for i, first in enumerate(corners):
        for j in range(i + 1, 8):
            step = np.subtract(corners[j], first)
            if np.abs(step).sum() == 1:
                cut = (level[i] < 0) != (level[j] < 0)
                share = level[i][cut] / (level[i][cut] - level[j][cut])
                total[cut] += np.array(first) + share[:, None] * step
                count[cut] += 1
    return grid[:-1, :-1, :-1][crossed] + cell * total / count[:, None], number


def _net_quads(values: Array, number: NDArray[np.int32]) -> NDArray[np.int32]:
    """A quad around every grid edge that the surface crosses."""
    quads = []
    for axis in range(3):
        b, c = (axis + 1) % 3, (axis + 2) % 3
        inside = np.moveaxis(values, (axis, b, c), (0, 1, 2)) < 0
        cells = np.moveaxis(number, (axis, b, c), (0, 1, 2))
        lower, upper = inside[:-1, 1:-1, 1:-1], inside[1:, 1:-1, 1:-1]
        around = np.stack([cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, 1:, 1:], cells[:, :-1, 1:]], axis=-1)
        quads += [around[lower & ~upper], around[~lower & upper][:, ::-1]]
    return np.concatenate(quads)


def _pulled(vertices: Array, solid: Solid, cell: float) -> Array:
    """One Newton step onto the surface, never further than half a cell."""
    step = 0.1 * cell
    value = solid(vertices)
    slope = np.stack([(solid(vertices + step * e) - solid(vertices - step * e)) / (2 * step) for e in np.eye(3)], 1)
    move = value[:, None] * slope / np.maximum((slope**2).sum(axis=1, keepdims=True), 0.05)
    return vertices - np.clip(move, -cell / 2, cell / 2)


def loft_quads(rings: int, sides: int) -> NDArray[np.int32]:
    """Quads of a tube of `rings` × `sides` vertices, ring by ring."""
    ring, side = np.meshgrid(np.arange(rings - 1), np.arange(sides), indexing="ij")
    here, beside = ring * sides + side, ring * sides + (side + 1) % sides
    return np.stack([here, beside, beside + sides, here + sides], axis=-1).reshape(-1, 4).astype(np.int32)


def ring_points(middle: Array, across: Array, ahead: Array, sides: int) -> Array:
    """Vertices (R × sides, 3) of elliptic rings about `middle` (R, 3) with half axes `across` and `ahead` (R, 3)."""
    angle = np.arange(sides) * (2 * np.pi / sides)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return (middle[:, None] + cos * across[:, None] + sin * ahead[:, None]).reshape(-1, 3)


def outward(vertices: Array, quads: NDArray[np.int32]) -> NDArray[np.int32]:
    """The quads turned so that they are counter-clockwise seen from outside."""
    a, b, c, d = (vertices[quads[:, i]] for i in range(4))
    middle = (a + b + c + d) / 4 - vertices.mean(axis=0)
    volume = np.einsum("qi,qi->", np.cross(c - a, d - b), middle)
    return quads if volume > 0 else quads[:, ::-1]
