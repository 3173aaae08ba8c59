"""The phonological description of a video: stretches of time per parameter and hand, and how two signs differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from .handshapes.clusters import dominant_hand, palm_shape_distances, palm_shapes
from .locations import Located, locations
from .movements import Moved, MovementSegment, movements
from .orientations import orientations
from .signer_space import SIDES, SignerSpace, signer_space

__all__ = ["PARAMETERS", "Comparison", "ParameterValue", "compare", "describe"]

PARAMETERS: tuple[str, ...] = ("location", "orientation", "movement", "contact", "symmetric")
SHORTEST_SECONDS = 0.12
"""Stretches of location and orientation that are shorter join their neighbour."""
RESTING = -1.9
"""Palms lower than this (units of h below the neck) with nothing else going on are taken to rest."""


@dataclass(frozen=True)
class ParameterValue:
    """One value of one parameter over a stretch of time.

    Attributes:
        parameter: one of `PARAMETERS`.
        hand: "left", "right" or "both".
        value: what it is, in words.
        start, end: seconds, half-open.
        confidence: in [0, 1].
    """

    parameter: str
    hand: str
    value: str
    start: float
    end: float
    confidence: float


def describe(pose: Pose) -> list[ParameterValue]:
    """All values, by parameter, hand and time.

    Raises:
        ValueError: the pose has no shoulders or no frames.
    """
    space = signer_space(pose)
    located, oriented = locations(space), orientations(space)
    moved = movements(space, located)
    shortest = max(1, round(SHORTEST_SECONDS * pose.fps))
    found: list[ParameterValue] = []
    for parameter, names, sure in (
        ("location", located.names, located.confidence),
        ("orientation", oriented.names, oriented.confidence),
    ):
        for hand, side in enumerate(SIDES):
            found += _values(parameter, side, names[:, hand], sure[:, hand], pose.fps, shortest)
    for side in SIDES:
        own = [segment for segment in moved.segments if segment.hand == side]
        found += [_of_movement("movement", _in_words(s), s, pose.fps) for s in own]
        found += [_of_movement("contact", s.contact, s, pose.fps) for s in own if s.contact]
    words = np.where(moved.symmetric, "symmetric", "")
    return found + _values("symmetric", "both", words, space.confidence.min(axis=1), pose.fps, shortest)


def _of_movement(parameter: str, value: str, s: MovementSegment, fps: float) -> ParameterValue:
    return ParameterValue(parameter, s.hand, value, s.start / fps, s.end / fps, s.confidence)


def _in_words(segment: MovementSegment) -> str:
    words = [segment.kind]
    if segment.away_from:
        words.append(f"away from {segment.away_from}")
    if segment.towards:
        words.append(f"towards {segment.towards}")
    words += [f"past {place}" for place in segment.passage]
    return ", ".join(words)


def _values(
    parameter: str, hand: str, names: NDArray[np.str_], sure: NDArray[np.floating], fps: float, shortest: int
) -> list[ParameterValue]:
    """Runs of equal names; runs that are too short take the name before them; "" is left out."""
    runs: list[list[int]] = []
    for t in range(len(names)):
        if runs and names[t] == names[runs[-1][0]]:
            runs[-1][1] = t + 1
        else:
            runs.append([t, t + 1])
    merged: list[list[int]] = []
    for start, end in runs:
        brief = end - start < shortest or (merged and names[merged[-1][0]] == names[start])
        if merged and merged[-1][1] == start and brief and names[start] != "" and names[merged[-1][0]] != "":
            merged[-1][1] = end
        else:
            merged.append([start, end])
    return [
        ParameterValue(parameter, hand, str(names[a]), a / fps, b / fps, float(np.mean(sure[a:b])))
        for a, b in merged
        if names[a] != ""
    ]


@dataclass(frozen=True)
class Comparison:
    """How far two signs are apart in each parameter.

    Attributes:
        distances: parameter → distance in [0, 1], 0 the same; NaN where one of them was not seen.
        differ: parameters whose distance is above their threshold, the most different first.
        values: parameter → (value of the first, of the second), in words.
    """

    distances: dict[str, float]
    differ: tuple[str, ...]
    values: dict[str, tuple[str, str]]


THRESHOLDS: dict[str, float] = {
    "handshape": 0.5, "location": 0.5, "orientation": 0.5, "movement": 0.5, "hands": 0.5,
}  # fmt: skip
SHAPE_APART = 0.5
"""Palm-shape distance (palm lengths) at which two handshapes are certainly different."""


@dataclass(frozen=True, eq=False)
class _Profile:
    space: SignerSpace
    located: Located
    moved: Moved
    hand: int
    rows: NDArray[np.bool_]
    share: dict[str, dict[str, float]]


def _profile(pose: Pose) -> _Profile:
    space = signer_space(pose)
    located, oriented = locations(space), orientations(space)
    moved = movements(space, located)
    hand = SIDES.index(dominant_hand([pose]))
    raised = space.seen[:, hand] & (np.nan_to_num(space.palm[:, hand, 1], nan=-9.0) > RESTING)
    rows = raised if raised.any() else space.seen[:, hand]
    # directions across are told from the dominant hand's own side, so that left-handed signers compare
    flip = {"left": "right", "right": "left"} if hand == 0 else {}
    share = {
        "location": _shares(located.names[rows, hand]),
        "orientation": _shares(np.array([flip.get(n, n) for n in oriented.names[rows, hand]])),
        "movement": _shares(np.array([flip.get(n, n) for n in moved.names[rows, hand]])),
        "hands": _shares(_hands_used(space, moved, hand)[rows]),
    }
    return _Profile(space, located, moved, hand, rows, share)


def _hands_used(space: SignerSpace, moved: Moved, hand: int) -> NDArray[np.str_]:
    other = np.nan_to_num(space.palm[:, 1 - hand, 1], nan=-9.0) > RESTING
    return np.where(moved.symmetric, "both, symmetric", np.where(other, "both", "one"))


def _shares(names: NDArray[np.str_]) -> dict[str, float]:
    values, counts = np.unique(names[names != ""], return_counts=True)
    return {str(v): float(c / counts.sum()) for v, c in zip(values, counts, strict=True)}


def compare(first: Pose, second: Pose) -> Comparison:
    """In which parameters two recordings of single signs differ.

    Location, orientation, movement and the use of the hands are compared as shares of time (half the sum of absolute
    differences); handshapes by the closest match of palm shapes between the two, both ways. Frames with the dominant
    hand at rest do not count.
    """
    a, b = _profile(first), _profile(second)
    distances: dict[str, float] = {}
    values: dict[str, tuple[str, str]] = {}
    for name in a.share:
        p, q = a.share[name], b.share[name]
        known = bool(p and q)
        distances[name] = 0.5 * sum(abs(p.get(k, 0) - q.get(k, 0)) for k in p.keys() | q.keys()) if known else np.nan
        values[name] = (_most(p), _most(q))
    distances["handshape"] = _shape_distance(a, b)
    values["handshape"] = ("", "")
    differ = [name for name, limit in THRESHOLDS.items() if distances[name] > limit]
    return Comparison(distances, tuple(sorted(differ, key=lambda n: -distances[n])), values)


def _most(share: dict[str, float]) -> str:
    return max(sorted(share), key=lambda k: share[k]) if share else ""


def _shape_distance(a: _Profile, b: _Profile) -> float:
    shapes = []
    for one in (a, b):
        hands = one.space.hands[one.rows, one.hand]
        hands = hands[np.isfinite(hands).all(axis=(1, 2))]
        if len(hands) == 0:
            return float("nan")
        shapes.append(palm_shapes(hands, one.hand == 0))
    table = palm_shape_distances(shapes[0], shapes[1])
    nearest = max(np.median(table.min(axis=0)), np.median(table.min(axis=1)))
    return float(min(nearest / SHAPE_APART, 1.0))
