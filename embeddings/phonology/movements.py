"""What each hand does over short stretches of time.

A stretch is `[start, end)` in frames and one of: hold; up, down, right, left, away, body (the main direction of the
way; right and left are the signer's own, away is forward from the chest, body back to it); twisting (the wrist stays,
the hand turns). Of a moving stretch it is also said from which place of the body it leads away and towards which, and
which it passes on the way; of a hold, whether the hand touches the body there. `symmetric` says of every frame whether
the hands mirror each other.

Contact is judged by nearness, in the picture only where the pose has no depth: an overlap seen from the front may be a
hand in front of the body; its confidence says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from scipy.signal import savgol_filter

from ..interpolation import fill_gaps
from .locations import LOCATIONS, Located, locations
from .orientations import AXES, ORIENTATIONS, palm_normals
from .signer_space import SIDES, Array, SignerSpace

__all__ = ["MOVEMENTS", "Mirroring", "Moved", "MovementSegment", "movements", "symmetric_frames", "velocities"]

MOVEMENTS: tuple[str, ...] = ("hold", *ORIENTATIONS, "twisting")

SMOOTHING_SECONDS = 0.2
MOVING, STILL = 0.9, 0.45
"""Speeds (units of h per second): a hand moves from below the second over the first and back (hysteresis)."""
TWISTING = 2.5
"""Speed (radians per second) at which a hand turns about a still wrist."""
SHORTEST_SECONDS = 0.08
DEPTH_WEIGHT = 1.15
"""Depth is foreshortened by cameras; see scripts/bench/phonology.py."""
JUDGED_DEPTH_WEIGHT = 1.75
"""Depth that was judged moves too little, as all estimates under doubt do."""


@dataclass(frozen=True)
class MovementSegment:
    """One stretch of one hand's movement.

    Attributes:
        hand: "left" or "right".
        kind: one of `MOVEMENTS`.
        start, end: frames, half-open.
        away_from, towards: places of the body it leaves and reaches ("" for none).
        passage: places it passes on the way without staying.
        contact: the place it touches at its end, or during a hold ("" for none).
        confidence: in [0, 1].
    """

    hand: str
    kind: str
    start: int
    end: int
    away_from: str = ""
    towards: str = ""
    passage: tuple[str, ...] = ()
    contact: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, eq=False)
class Moved:
    """The movements of both hands.

    Attributes:
        segments: by hand and time; they cover every frame in which the hand was seen.
        index: (T, 2) per frame into `MOVEMENTS`, −1 where the hand was not seen.
        symmetric: (T,) bool.
    """

    segments: tuple[MovementSegment, ...]
    index: NDArray[np.int64]
    symmetric: NDArray[np.bool_]

    @property
    def names(self) -> NDArray[np.str_]:
        """(T, 2) names, "" where the hand was not seen."""
        return np.array([*MOVEMENTS, ""])[self.index]


def velocities(space: SignerSpace) -> Array:
    """(T, 2, 3) smoothed velocity of the wrists' and palms' middle, units of h per second; NaN where not seen."""
    result = np.full((len(space), 2, 3), np.nan)
    for hand in (0, 1):
        seen = np.flatnonzero(space.seen[:, hand])
        if len(seen) < 3:
            continue
        way = fill_gaps(np.where(space.seen[:, hand, None], space.palm[:, hand], np.nan))
        width = max(3, round(SMOOTHING_SECONDS * space.fps) | 1)
        if len(way) >= width:
            result[:, hand] = savgol_filter(way, width, 2 if width > 3 else 1, deriv=1, axis=0) * space.fps
        else:
            result[:, hand] = np.gradient(way, axis=0) * space.fps
        result[~space.seen[:, hand], hand] = np.nan
    return result


def movements(space: SignerSpace, located: Located | None = None) -> Moved:
    """Segments of both hands, see the module.

    Args:
        located: places of the hands, when they are known already.
    """
    located = locations(space) if located is None else located
    velocity, turning = velocities(space), _turning(space)
    index = _frame_kinds(velocity, turning, space.judged)
    segments: list[MovementSegment] = []
    for hand, side in enumerate(SIDES):
        index[:, hand] = _without_short(index[:, hand], max(1, round(SHORTEST_SECONDS * space.fps)))
        for start, end in _runs(index[:, hand]):
            kind = int(index[start, hand])
            if kind >= 0:
                sure = _confidence(velocity[start:end, hand], kind, float(space.confidence[start:end, hand].mean()))
                segments.append(_segment(side, hand, kind, start, end, located, sure))
    return Moved(tuple(segments), index, symmetric_frames(space))


def _frame_kinds(velocity: Array, turning: Array, judged: bool) -> NDArray[np.int64]:
    """(T, 2) into `MOVEMENTS`: direction, hold or twisting.

    With judged depth all frames of a way get the direction of the whole: no frame of it can be trusted alone. With
    exact depth each frame has its own, which tells ways that bend.
    """
    speed = np.linalg.norm(np.nan_to_num(velocity), axis=-1)
    weighted = np.nan_to_num(velocity) * np.array([1.0, 1.0, JUDGED_DEPTH_WEIGHT if judged else DEPTH_WEIGHT])
    direction = 1 + np.argmax(weighted @ AXES.T, axis=-1)
    moving = np.stack([_moving(speed[:, hand]) for hand in (0, 1)], axis=1)
    for hand in (0, 1) if judged else ():
        for start, end in _ways(weighted[:, hand], moving[:, hand]):
            direction[start:end, hand] = 1 + int(np.argmax(AXES @ weighted[start:end, hand].sum(axis=0)))
    index = np.where(moving, direction, np.where(turning > TWISTING, MOVEMENTS.index("twisting"), 0))
    return np.where(np.isfinite(velocity).all(axis=-1), index, -1)


def _ways(velocity: Array, moving: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches of movement, cut where the hand turns by more than a right angle from its way so far."""
    ways = []
    for first, last in _runs(moving.astype(np.int64)):
        if not moving[first]:
            continue
        start, so_far = first, velocity[first].copy()
        for t in range(first + 1, last):
            if velocity[t] @ so_far <= 0:
                ways.append((start, t))
                start, so_far = t, np.zeros_like(so_far)
            so_far += velocity[t]
        ways.append((start, last))
    return ways


def _moving(speed: Array) -> NDArray[np.bool_]:
    """(T,) frames of stretches above `STILL` that somewhere exceed `MOVING`."""
    above = speed > STILL
    result = np.zeros(len(speed), bool)
    for start, end in _runs(above.astype(np.int64)):
        result[start:end] = above[start] and bool((speed[start:end] > MOVING).any())
    return result


def _turning(space: SignerSpace) -> Array:
    """(T, 2) radians per second by which the palm's normal turns, over five frames."""
    normal, _ = palm_normals(space)
    step = 2
    turned = np.zeros(normal.shape[:2])
    if len(space) > 2 * step:
        cosine = np.clip((normal[2 * step :] * normal[: -2 * step]).sum(-1), -1, 1)
        turned[step:-step] = np.arccos(cosine) * space.fps / (2 * step)
    return np.nan_to_num(turned)


def _runs(index: NDArray[np.int64]) -> list[tuple[int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(index)) + 1).tolist(), len(index)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _without_short(index: NDArray[np.int64], shortest: int) -> NDArray[np.int64]:
    """Runs of fewer frames take the kind of the longer neighbour; frames not seen stay as they are."""
    index = index.copy()
    for start, end in sorted(_runs(index), key=lambda run: (run[1] - run[0], run[0])):
        if end - start >= shortest or index[start] < 0 or not (index[start:end] == index[start]).all():
            continue
        around = [(a, b) for a, b in _runs(index) if index[a] >= 0 and (b == start or a == end)]
        if around:
            a, _ = max(around, key=lambda run: run[1] - run[0])
            index[start:end] = index[a]
    return index


def _confidence(velocity: Array, kind: int, seen: float) -> float:
    if not 1 <= kind <= len(ORIENTATIONS):
        return seen
    way = np.nan_to_num(velocity).sum(axis=0)
    return seen * float(np.clip(AXES[kind - 1] @ way / max(float(np.linalg.norm(way)), 1e-9), 0, 1))


def _segment(side: str, hand: int, kind: int, start: int, end: int, located: Located, sure: float) -> MovementSegment:
    names = located.names[start:end, hand]
    touched = located.contact[start:end, hand]
    last = str(names[-1])
    if kind in (0, MOVEMENTS.index("twisting")):
        usual = str(_commonest(names))
        contact = usual if touched.mean() > 0.5 and usual != LOCATIONS[0] else ""
        return MovementSegment(side, MOVEMENTS[kind], start, end, contact=contact, confidence=sure)
    first = str(names[0])
    passed = tuple(dict.fromkeys(str(n) for n in names if n not in (first, last, LOCATIONS[0], "")))
    away_from = first if first not in (last, LOCATIONS[0]) else ""
    towards = last if last not in (first, LOCATIONS[0]) else ""
    contact = last if touched[-1] and last != LOCATIONS[0] else ""
    return MovementSegment(side, MOVEMENTS[kind], start, end, away_from, towards, passed, contact, sure)


def _commonest(names: NDArray[np.str_]) -> str:
    values, counts = np.unique(names, return_counts=True)
    return str(values[np.argmax(counts)])


@dataclass(frozen=True)
class Mirroring:
    """How like mirror images the hands must be.

    Attributes:
        place: farthest (units of h) the hands may be from mirroring each other about the body's middle.
        shape: largest mean distance (units of h) of one hand's joints to the mirrored other's, about their middles.
        motion: largest difference of their velocities, as a share of their speed.
        share: of the evidence around that must be alike.
        depth: weight of depth in place and form; motion_depth: in velocities.
        seconds: around each frame that are looked at. Long on purpose: hands that move in turns (alternating signs)
            are mirror images at moments.
    """

    place: float = 0.7
    shape: float = 0.15
    motion: float = 0.8
    share: float = 0.7
    depth: float = 1.0
    motion_depth: float = 1.0
    seconds: float = 1.3


JUDGED_MIRRORING = Mirroring(place=1.2, shape=0.17, motion=1.2, share=0.6, depth=0.0, seconds=1.8)
"""For judged depth, which is not sure enough to tell the hands' places apart by."""
STILL_EVIDENCE = 0.3
"""Evidence of a frame without movement; each unit of speed (h per second, up to 3) adds 1: rest is always symmetric."""
LEAST_BOTH = 0.3
"""Share of the frames around that must show both hands; one that is lost for some frames leaves the others' word."""


def symmetric_frames(space: SignerSpace, mirroring: Mirroring | None = None) -> NDArray[np.bool_]:
    """(T,) whether the hands mirror each other in place, form and motion, by most of the evidence around each frame."""
    if mirroring is None:
        mirroring = JUDGED_MIRRORING if space.judged else Mirroring()
    mirror, weight = np.array([-1.0, 1.0, 1.0]), np.array([1.0, 1.0, mirroring.depth])
    left, right = space.hands[:, 0] * weight, space.hands[:, 1] * mirror * weight
    middles = left.mean(axis=1, keepdims=True), right.mean(axis=1, keepdims=True)
    apart = np.linalg.norm(middles[0] - middles[1], axis=-1)[:, 0]
    form = np.linalg.norm((left - middles[0]) - (right - middles[1]), axis=-1).mean(axis=1)
    velocity = velocities(space) * np.array([1.0, 1.0, mirroring.motion_depth])
    differ = np.linalg.norm(velocity[:, 0] - velocity[:, 1] * mirror, axis=-1)
    speed = np.linalg.norm(velocity, axis=-1).mean(axis=1)
    alike = (apart < mirroring.place) & (form < mirroring.shape)
    alike &= differ < np.maximum(0.6 * MOVING, mirroring.motion * speed)
    both = space.seen.all(axis=1) & np.isfinite(form)
    evidence = np.where(both, STILL_EVIDENCE + np.minimum(np.nan_to_num(speed), 3.0), 0.0)
    window = np.ones(max(1, min(round(mirroring.seconds * space.fps) | 1, len(alike))))
    counted = np.stack([alike * evidence, evidence, both, np.ones(len(alike))])
    similar, judged, seen, frames = correlate1d(counted, window, axis=1, mode="constant")
    return (similar > mirroring.share * judged) & (seen >= LEAST_BOTH * frames) & space.seen.any(axis=1)
