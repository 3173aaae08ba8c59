"""The heavy work of the review page: functions that `worker` runs in a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..project.folder import Project
from ..project.refit import MOST, learn
from ..project.searching import Archive, Place
from ..project.state import State

__all__ = ["Bench", "alignment", "ask", "begin", "find", "skeleton", "track", "warm"]

Tell = Callable[[float], None]
JOINTS = "mediapipe-upper-67"
"""Skeleton that the page draws."""
MISSING = 65535


class Bench:
    """What tasks share: the project, its corpus with the encoder, the state of the log."""

    def __init__(self, folder: str, encoder: str) -> None:
        self.project = Project.open(folder)
        self.encoder = encoder
        self._state: State | None = None

    @cached_property
    def archive(self) -> Archive:
        return Archive(self.project, self.encoder)

    def state(self, until: int) -> State:
        """The state after line `until`."""
        if self._state is None or self._state.last > until:
            self._state = self.project.state(until)
            return self._state
        for search in self.project.log.searches(since=len(self._state.searches)):
            if search.base <= until:
                self._state.take_search(search, self.project.log.found(search.id))
        self._state.take(self.project.log.lines(since=self._state.last, until=until))
        return self._state


def begin(folder: str, encoder: str) -> Bench:
    """What the worker calls first."""
    return Bench(folder, encoder)


def warm(bench: Bench, tell: Tell) -> None:
    """Loads what every other task needs."""
    _ = bench.archive.encoder


def find(bench: Bench, tell: Tell, signs: Sequence[str] | None, until: int, most: int = MOST) -> dict[str, Any]:
    """Searches with everything decided up to a line; see `refit.learn`."""
    found = learn(bench.archive, bench.state(until), signs, most, tell=tell)
    return {"detections": found.detections, "detail": found.detail, "weights": bench.archive.weights}


def ask(bench: Bench, tell: Tell, sign: str, until: int) -> list[tuple[str, float, float]]:
    """Undecided places of a sign (video, start, end), the ones that teach most first."""
    from ..project.learning import ask_order

    found = learn(bench.archive, bench.state(until), [sign], tell=tell)
    one = found.hits[sign]
    rows = np.flatnonzero(one.labels == 0)
    order = rows[ask_order(one.z[rows], one.probabilities[rows], len(rows))]
    return [(one.places[i].video, one.places[i].start, one.places[i].end) for i in order]


def track(bench: Bench, tell: Tell, sign: str, video: str, until: int) -> tuple[float, float, NDArray[np.float32]]:
    """(first second, step, values) of a sign's similarity track, by the exemplars that were not accepted hits."""
    archive = bench.archive
    state = bench.state(until)
    gallery = archive.gallery(state, accepted=False)
    gallery = gallery if sign in gallery else archive.gallery(state)
    if sign not in gallery or video not in archive:
        return 0.0, 1.0, np.zeros(0, np.float32)
    seconds, values = archive.track(video, gallery.only([sign]).vectors)
    step = float(seconds[1] - seconds[0]) if len(seconds) > 1 else 1.0
    return float(seconds[0]) if len(seconds) else 0.0, step, values


def alignment(
    bench: Bench, tell: Tell, exemplar: str, place: Mapping[str, Any], until: int
) -> list[tuple[float, float]]:
    """Pairs (second in the hit's video, second in the exemplar's clip) along the cheapest alignment of both spans."""
    from dtaidistance import dtw_ndim

    archive = bench.archive
    gallery = archive.gallery(bench.state(until))
    if exemplar not in gallery.ids:
        raise ValueError(f"there is no exemplar {exemplar!r}")
    row = gallery.ids.index(exemplar)
    shown, facts = gallery.features[row], gallery.facts[row]
    hit = Place(str(place["video"]), float(place["start"]), float(place["end"]))
    features = archive.features(hit)
    if shown is None or len(shown) == 0:
        return [(hit.start, float(facts["start"])), (hit.end, float(facts["end"]))]
    one, other = (np.ascontiguousarray(_unit(x), np.float64) for x in (features, shown))
    path = np.array(dtw_ndim.warping_path(one, other), np.float64)
    x, y = _smooth_path(path, len(one), len(other))
    first, last = float(facts["start"]), float(facts["end"])
    seconds = hit.start + x * (hit.end - hit.start), first + y * (last - first)
    return [(round(float(a), 4), round(float(b), 4)) for a, b in zip(*seconds, strict=True)]


SMOOTH = 5
"""Frames over which a path is averaged: the cheapest one goes in jumps, and nobody can watch that."""


def _smooth_path(path: NDArray[np.float64], rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A rising line through a warping path (N, 2), from (0, 0) to (1, 1): shares of the one span, of the other."""
    sums, counts = np.zeros(rows), np.zeros(rows)
    np.add.at(sums, path[:, 0].astype(int), (path[:, 1] + 0.5) / columns)
    np.add.at(counts, path[:, 0].astype(int), 1)
    middle = sums / counts
    # mirrored at the ends, so that the average still goes from 0 to 1
    padded = np.concatenate([-middle[:SMOOTH][::-1], middle, 2 - middle[-SMOOTH:][::-1]])
    averaged = np.convolve(padded, np.ones(SMOOTH) / SMOOTH, mode="same")[min(SMOOTH, rows) :][:rows]
    y = np.maximum.accumulate(np.clip(averaged, 0, 1))
    x = (np.arange(rows) + 0.5) / rows
    return np.concatenate([[0], x, [1]]), np.concatenate([[0], y, [1]])


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-8)


def skeleton(bench: Bench, tell: Tell, path: str, target: str) -> dict[str, Any]:
    """Writes a pose file's joints as the page draws them: `.npy` (T, J, 2) uint16, shares of the picture · 65534;
    beside it a `.json` with what is returned.

    Returns:
        frames per second, and the picture's width over its height.
    """
    from embeddings.pose import read_pose
    from safe_files import open_whole, write_json

    pose = read_pose(Path(path))
    fps, (width, height) = pose.fps, pose.size
    xy = pose.to(JOINTS).xy / np.array([width, height], np.float32)
    seen = np.isfinite(xy).all(axis=2) & (np.abs(xy - 0.5) < 2).all(axis=2)
    # half a picture beyond each edge can be said
    values = np.clip((np.nan_to_num(xy) + 0.5) / 2 * 65534, 0, 65534).round().astype(np.uint16)
    values[~seen] = MISSING
    with open_whole(target, "wb") as file:
        np.save(file, values)
    said = {"fps": fps, "aspect": width / height, "frames": len(values)}
    write_json(Path(target).with_suffix(".json"), said)
    return said
