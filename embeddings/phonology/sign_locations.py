"""Where a sign is made: presence of the places by histogram, per hand (UWB ChaLearn-SLR, 2021).

What counts are the frames of the sign itself, given by spans: of a dictionary clip from hands-up to hands-down, of
continuous signing one span a sign. Within them a hand that lies where it rests outside of them counts for nothing, such
as the other hand of a one-handed sign. Neutral space is decided at the level of the sign: no place on the body has
enough of its frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .locations import LOCATIONS, Located, locations
from .signer_space import Array, SignerSpace

__all__ = ["SignLocation", "at_rest", "location_histogram", "sign_location", "sign_locations"]

LEAST_SHARE = 0.25
"""Share of a sign's frames from which a place on the body is the sign's."""
LOW = -1.5
"""A hand that rests is lower than this, in units of h above the neck."""
REST_REACH = 0.45
"""As near (units of h) to where it rests a hand is at rest."""
LEAST_RESTING_FRAMES = 3


@dataclass(frozen=True, eq=False)
class SignLocation:
    """The place of one sign.

    Attributes:
        start, end: frames [start, end).
        places: (left, right) a name of `LOCATIONS` each; "" for a hand that was not seen or rests.
        histogram: (2, 15) share of each hand's frames at each place; zeros where places has "".
    """

    start: int
    end: int
    places: tuple[str, str]
    histogram: Array


def location_histogram(located: Located, counted: NDArray[np.bool_] | None = None) -> Array:
    """(2, 15) share of each hand's frames at each place; zeros for a hand without any.

    Args:
        counted: (T, 2) the frames of each hand that count; None takes all in which it was seen.
    """
    index = located.index if counted is None else np.where(counted, located.index, -1)
    counts = np.stack([(index == k).sum(axis=0) for k in range(len(LOCATIONS))], axis=1).astype(float)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def sign_location(histogram: Array, least_share: float = LEAST_SHARE) -> tuple[str, str]:
    """The place per hand: the commonest one on the body where it has `least_share` or more, else neutral space.

    Args:
        histogram: (2, 15) of `location_histogram`; a row of zeros gives "".
    """
    names = []
    for share in histogram:
        best = 1 + int(np.argmax(share[1:]))
        names.append("" if share.sum() == 0 else LOCATIONS[best if share[best] >= least_share else 0])
    return names[0], names[1]


def at_rest(space: SignerSpace, spans: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """(T, 2) whether a hand lies where it rests outside of the spans; False throughout where nothing tells where.

    Args:
        spans: frames [start, end) of the signs.
    """
    outside = np.ones(len(space), bool)
    for start, end in spans:
        outside[start:end] = False
    resting = np.zeros((len(space), 2), bool)
    for hand in (0, 1):
        palm = space.palm[:, hand, :2]
        low = outside & space.seen[:, hand] & (np.nan_to_num(palm[:, 1]) < LOW)
        if low.sum() >= LEAST_RESTING_FRAMES:
            away = np.linalg.norm(palm - np.median(palm[low], axis=0), axis=1)
            resting[:, hand] = np.nan_to_num(away, nan=np.inf) < REST_REACH
    return resting


def sign_locations(
    space: SignerSpace, spans: Sequence[tuple[int, int]], located: Located | None = None
) -> list[SignLocation]:
    """The place of each sign.

    Args:
        spans: frames [start, end) of the signs, one or more.
        located: of `locations`, when it is known already.

    Raises:
        ValueError: a span is empty or not within the video.
    """
    located = locations(space) if located is None else located
    resting = at_rest(space, spans)
    found = []
    for start, end in spans:
        if not 0 <= start < end <= len(space):
            raise ValueError(f"the span {start} to {end} is not within the {len(space)} frames")
        counted = ~resting
        counted[:start], counted[end:] = False, False
        histogram = location_histogram(located, counted)
        found.append(SignLocation(start, end, sign_location(histogram), histogram))
    return found
