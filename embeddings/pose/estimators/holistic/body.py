"""The body: a detector for pictures in which nobody is followed, and 33 landmarks of a region that is."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .networks import Network
from .regions import Crops, Region

__all__ = ["BODY_POINTS", "Body", "Person", "between", "detect_people", "read_body"]

Array = NDArray[np.float32]
BODY_POINTS = 33


class Person(NamedTuple):
    """Somebody whom the detector sees: score in [0, 1], and the region for the landmarks."""

    score: float
    region: Region


class Body(NamedTuple):
    """Landmarks of a body.

    Attributes:
        presence: in [0, 1], that there is a body in the region at all.
        xy: (33, 2) pixels.
        z: (33,) pixels, relative to the middle of the hips.
        visibility: (33,) in [0, 1].
        region: in which to look in the next picture.
    """

    presence: float
    xy: Array
    z: Array
    visibility: Array
    region: Region


def _sigmoid(values: NDArray[np.floating]) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), np.float32)


@lru_cache(maxsize=1)
def _anchors() -> Array:
    """(2254, 2) middles of the detector's boxes in the unit square: two a cell of 28 and 14 cells a side, six of 7."""
    rows = []
    for cells, each in ((28, 2), (14, 2), (7, 6)):
        y, x = np.mgrid[0:cells, 0:cells]
        middles = np.stack([(x + 0.5) / cells, (y + 0.5) / cells], axis=-1).reshape(-1, 1, 2)
        rows.append(np.repeat(middles, each, axis=1).reshape(-1, 2))
    return np.concatenate(rows).astype(np.float32)


def detect_people(detector: Network, frame: NDArray[np.uint8], threshold: float = 0.5) -> list[Person]:
    """Everybody in a picture (H, W, 3), the surest first."""
    height, width = frame.shape[:2]
    whole = Region((width - 1) / 2, (height - 1) / 2, float(max(width, height)), 0.0)
    boxes, scores = detector(Crops(frame).cut(whole, detector.pixels), low=-1.0)
    score = _sigmoid(scores[:, 0])
    sure = np.flatnonzero(score >= threshold)
    if len(sure) == 0:
        return []
    values = boxes[sure] / detector.pixels
    middle = values[:, :2] + _anchors()[sure]
    points = values[:, 4:].reshape(-1, 4, 2) + _anchors()[sure, None]
    rows = np.concatenate([middle, values[:, 2:4], points.reshape(-1, 8)], axis=1)
    people = []
    for row, best in _merged(rows, score[sure]):
        hips, reach = whole.to_picture(row[4:].reshape(4, 2)[:2])
        people.append(Person(best, _upright(hips, reach)))
    return people


def _merged(rows: Array, scores: Array, overlap: float = 0.3) -> list[tuple[Array, float]]:
    """Boxes (N, 12) that overlap become their mean, weighted by their scores; the surest first."""
    order = np.argsort(-scores, kind="stable")
    rows, scores = rows[order], scores[order]
    low, high = rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2
    area = np.prod(high - low, axis=1)
    left = np.arange(len(rows))
    found = []
    while len(left):
        first = left[0]
        common = np.clip(np.minimum(high[left], high[first]) - np.maximum(low[left], low[first]), 0, None)
        shared = common.prod(axis=1)
        same = shared / (area[left] + area[first] - shared) > overlap
        same[0] = True
        mine = left[same]
        found.append((np.average(rows[mine], axis=0, weights=scores[mine]), float(scores[first])))
        left = left[~same]
    return found


def _upright(hips: Array, reach: Array) -> Region:
    """The region about the hips' middle whose circle goes through the second point, which is its upright."""
    dx, dy = float(reach[0] - hips[0]), float(reach[1] - hips[1])
    return Region(float(hips[0]), float(hips[1]), 2.5 * math.hypot(dx, dy), math.atan2(dx, -dy))


def read_body(network: Network, crops: Crops, region: Region) -> Body:
    """Landmarks of the body in a region."""
    marks, presence, heat = network(crops.cut(region, network.pixels))[:3]
    marks = marks.reshape(39, 5).copy()
    marks[:, :3] /= network.pixels
    marks[:, :2] = _sharpened(marks[:, :2], heat)
    xy = region.to_picture(marks[:, :2])
    return Body(
        float(presence[0]), xy[:BODY_POINTS], marks[:BODY_POINTS, 2] * np.float32(region.side),
        _sigmoid(marks[:BODY_POINTS, 3]), _upright(xy[33], xy[34]),
    )  # fmt: skip


def between(first: Body, last: Body, share: float) -> Body:
    """The body on the straight way from one to another, at a share in [0, 1] of it."""

    def mixed(a: Array, b: Array) -> Array:
        return np.asarray(a + (b - a) * np.float32(share), np.float32)

    return Body(
        min(first.presence, last.presence), mixed(first.xy, last.xy), mixed(first.z, last.z),
        mixed(first.visibility, last.visibility), first.region if share < 0.5 else last.region,
    )  # fmt: skip


def _sharpened(points: Array, heat: Array, reach: int = 3) -> Array:
    """Points (39, 2) moved to the middle of what the heat maps (64, 64, 39) show around them, where they are sure."""
    cells = heat.shape[0]
    out = points.copy()
    at = np.floor(points * cells).astype(int)
    offsets = np.arange(-reach, reach + 1)
    columns, rows = at[:, :1] + offsets, at[:, 1:] + offsets
    inside = ((columns >= 0) & (columns < cells))[:, None, :] & ((rows >= 0) & (rows < cells))[:, :, None]
    near = heat[
        np.clip(rows, 0, cells - 1)[:, :, None], np.clip(columns, 0, cells - 1)[:, None, :],
        np.arange(len(points))[:, None, None],
    ]  # fmt: skip
    weight = _sigmoid(near) * inside
    total = weight.sum(axis=(1, 2))
    centred = (at >= 0).all(axis=1) & (at < cells).all(axis=1)
    sure = centred & (weight.max(axis=(1, 2)) >= 0.5)
    x = (weight * columns[:, None, :]).sum(axis=(1, 2)) / np.maximum(total, 1e-9)
    y = (weight * rows[:, :, None]).sum(axis=(1, 2)) / np.maximum(total, 1e-9)
    out[sure] = np.stack([x, y], axis=1)[sure] / cells
    return out
