"""The hands: where to look for them, 21 landmarks of each, and what to do when one is lost.

A hand is looked for where it was in the picture before, moved as the body's wrist has moved; there the region is
turned and scaled as the network likes it. Where nobody was followed, the region is guessed from the body's wrist, index
and pinky points. The network is run again on the region of the hand that it found whenever that region differs from
the one it was shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .body import Body
from .networks import Network
from .regions import Crops, Region

__all__ = [
    "HAND_POINTS", "Hand", "HandRules", "HandTracker", "is_raised", "read_hand", "read_hands", "region_from_body",
    "region_of", "same_hand", "shoulder_width", "swapped",
]  # fmt: skip

Array = NDArray[np.float32]
HAND_POINTS = 21
_WRIST, _PINKY, _INDEX = (15, 16), (17, 18), (19, 20)
"""Rows of the body's points, (left, right)."""
_PALM = np.array([0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18])
"""Landmarks of a hand that its region is measured by: the fingertips move too much."""
_DEPTH_SCALE = np.float32(1 / 0.4)
"""The network's depth comes in 0.4 of its width, as MediaPipe defines it."""


class Hand(NamedTuple):
    """Landmarks of one hand.

    Attributes:
        presence: in [0, 1], that there is a hand in the region.
        own_side: in [0, 1], that it is the hand it was taken for, the left or the right one.
        xy: (21, 2) pixels.
        z: (21,) pixels, relative to the wrist.
        metres: (21, 3) in the axes of the picture (x right, y down, z away), about the hand's middle.
    """

    presence: float
    own_side: float
    xy: Array
    z: Array
    metres: Array

    @property
    def trust(self) -> float:
        """How far a reading is believed, in [0, 1]: the presence, lowered where it looks like the other hand."""
        return self.presence * (0.3 + 0.7 * self.own_side)


def read_hand(network: Network, crops: Crops, region: Region, side: int) -> Hand:
    """Landmarks of the hand (0 left, 1 right) in a region."""
    marks, presence, right, metres = network(crops.cut(region, network.pixels))
    marks = marks.reshape(HAND_POINTS, 3) / np.float32(network.pixels)
    sin, cos = math.sin(region.angle), math.cos(region.angle)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], np.float32)
    return Hand(
        float(presence[0]), float(right[0] if side else 1 - right[0]), region.to_picture(marks[:, :2]),
        marks[:, 2] * np.float32(region.side) * _DEPTH_SCALE, metres.reshape(HAND_POINTS, 3) @ turn,
    )  # fmt: skip


def region_of(xy: Array) -> Region:
    """The region of a hand with these landmarks (21, 2): from the wrist upwards, twice as large as the palm with the
    fingers' first joints, moved towards the fingers by a tenth."""
    middle = (xy[5] + xy[13]) / 4 + xy[9] / 2
    angle = math.atan2(float(middle[0] - xy[0, 0]), float(xy[0, 1] - middle[1]))
    sin, cos = math.sin(angle), math.cos(angle)
    upright = xy[_PALM] @ np.array([[cos, -sin], [sin, cos]], np.float32)
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = (float(v) for v in (low + high) / 2)
    return Region(x * cos - y * sin, x * sin + y * cos, 2 * float((high - low).max()), angle).shifted(0.0, -0.1)


def region_from_body(body: Body, side: int) -> Region:
    """The region of a hand that nobody has seen yet, from the body's wrist, index and pinky points.

    The size is that of pull request 6313 to MediaPipe, which does not assume that the palm faces the camera.
    """
    wrist, index, pinky = (body.xy[rows[side]] for rows in (_WRIST, _INDEX, _PINKY))
    middle = (2 * index + pinky) / 3
    along = middle - wrist
    size = 1.36807 * float(np.hypot(*along)) + 0.57733 * float(np.hypot(*(index - pinky)))
    size = max(2.7 * size, 0.75 * shoulder_width(body))
    angle = math.atan2(float(along[0]), -float(along[1]))
    return Region(float(middle[0]), float(middle[1]), size, angle).shifted(0.0, -0.1)


def shoulder_width(body: Body) -> float:
    """Pixels; of a body seen from the side at least a third of the trunk's length."""
    xy = body.xy
    trunk = float(np.hypot(*((xy[11] + xy[12]) / 2 - (xy[23] + xy[24]) / 2)))
    return max(float(np.hypot(*(xy[11] - xy[12]))), trunk / 3, 1.0)


def is_raised(body: Body, side: int) -> bool:
    """Whether the wrist is above the lowest fifth of the trunk."""
    shoulders, hips = float(body.xy[[11, 12], 1].mean()), float(body.xy[[23, 24], 1].mean())
    return float(body.xy[_WRIST[side], 1]) < shoulders + 0.8 * (hips - shoulders)


def same_hand(first: Hand, second: Hand) -> bool:
    """Whether two readings are of one hand in the picture: most landmarks lie on each other."""
    size = max(float(np.ptp(first.xy, axis=0).max()), float(np.ptp(second.xy, axis=0).max()), 1.0)
    return float(np.median(np.linalg.norm(first.xy - second.xy, axis=1))) < 0.25 * size


def read_hands(trackers: Sequence[HandTracker], crops: Crops, body: Body) -> list[Hand | None]:
    """Both hands, (left, right); what one network takes for both hands is given to the side it looks like."""
    hands = [tracker.read(crops, body) for tracker in trackers]
    left, right = hands
    if left is not None and right is not None:
        if same_hand(left, right):
            loser = 0 if left.trust < right.trust else 1
            hands[loser] = trackers[loser].read(crops, body, taken=hands[1 - loser])
        elif swapped(left, right, body):
            hands = [_other_side(right), _other_side(left)]
    for tracker, hand in zip(trackers, hands, strict=True):
        tracker.keep(hand, body)
    return hands


def swapped(left: Hand, right: Hand, body: Body, clearly: float = 0.2, reach: float = 0.35) -> bool:
    """Whether both hands look like the other one and lie near enough to the other's wrist to be it."""
    limit = reach * shoulder_width(body)
    near = all(
        float(np.hypot(*(hand.xy[0] - body.xy[_WRIST[side]]))) <= limit for hand, side in ((left, 1), (right, 0))
    )
    return near and left.own_side < clearly and right.own_side < clearly


def _other_side(hand: Hand) -> Hand:
    return hand._replace(own_side=1 - hand.own_side)


@dataclass(frozen=True)
class HandRules:
    """When a hand is looked for, and when it is believed.

    Attributes:
        presence: least presence of a hand that is reported.
        sure: trust from which no other region is tried.
        reach: shoulder widths by which a hand's wrist may be away from the body's.
        turn, stretch, shift: radians, ratio and share of the side by which the region of the hand may differ from the
            region that was read before it is read again.
        readings: at most so many runs of the network for a raised hand in a picture; half of it for a lowered one.
        rest: seconds for which a lowered hand that does not move is not read again.
        still: shoulder widths that a wrist may move in that time.
    """

    presence: float = 0.3
    sure: float = 0.8
    reach: float = 0.35
    turn: float = 0.15
    stretch: float = 1.1
    shift: float = 0.06
    readings: int = 4
    rest: float = 0.2
    still: float = 0.03


class HandTracker:
    """One hand from picture to picture.

    Args:
        side: 0 the signer's left, 1 the right.
    """

    def __init__(self, network: Network, side: int, rules: HandRules | None = None) -> None:
        self.network, self.side, self.rules = network, side, HandRules() if rules is None else rules
        self._last: Hand | None = None
        self._wrist: Array | None = None
        self._read_at: Array | None = None
        self._pause, self._waited = 1, 0

    def set_rate(self, fps: float) -> None:
        """Pictures a second; it says how many of them `HandRules.rest` is."""
        self._pause = max(1, int(self.rules.rest * fps))

    def forget(self) -> None:
        """The next picture has nothing to do with the last."""
        self._last = self._wrist = self._read_at = None
        self._waited = 0

    def read(self, crops: Crops, body: Body, taken: Hand | None = None) -> Hand | None:
        """The hand in a picture in which the body was found, or None where it is not to be seen.

        Args:
            taken: the other hand; a reading of the same hand does not count.
        """
        wrist = body.xy[_WRIST[self.side]]
        raised = is_raised(body, self.side)
        if taken is None and not raised and self._rests(wrist, body):
            self._waited += 1
            return None if self._last is None else self._last._replace(xy=self._last.xy + (wrist - self._wrist))
        self._waited, self._read_at = 0, wrist.copy()
        left = self.rules.readings if raised else max(1, self.rules.readings // 2)
        best: Hand | None = None
        for start in self._starts(crops, body, wrist):
            if left <= 0:
                break
            hand, used = self._settled(crops, start, left)
            left -= used
            if taken is not None and same_hand(hand, taken):
                continue
            if self._plausible(hand, body, wrist) and (best is None or hand.trust > best.trust):
                best = hand
            if best is not None and best.trust >= self.rules.sure:
                break
        return None if best is None or best.presence < self.rules.presence else best

    def keep(self, hand: Hand | None, body: Body) -> None:
        """Remembers what the picture showed, for the next one."""
        self._last, self._wrist = hand, body.xy[_WRIST[self.side]].copy()

    def _rests(self, wrist: Array, body: Body) -> bool:
        if self._read_at is None or self._waited + 1 >= self._pause:
            return False
        return float(np.hypot(*(wrist - self._read_at))) < self.rules.still * shoulder_width(body)

    def _starts(self, crops: Crops, body: Body, wrist: Array) -> list[Region]:
        """Where to look, the likeliest first."""
        starts = []
        if self._last is not None and self._wrist is not None:
            starts.append(region_of(self._last.xy + (wrist - self._wrist)))
        guess = region_from_body(body, self.side)
        height, width = crops.frame.shape[:2]
        half = guess.side / 2
        if -half < guess.x < width + half and -half < guess.y < height + half:
            starts.append(guess)
        return starts

    def _settled(self, crops: Crops, region: Region, most: int) -> tuple[Hand, int]:
        """The hand read on its own region, and how many readings that took."""
        hand = read_hand(self.network, crops, region, self.side)
        used = 1
        while used < min(most, 3) and hand.presence > 0.1:
            own = region_of(hand.xy)
            if self._alike(region, own):
                break
            again = read_hand(self.network, crops, own, self.side)
            used += 1
            if again.presence < 0.5 * hand.presence:
                break
            hand, region = again, own
        return hand, used

    def _alike(self, first: Region, second: Region) -> bool:
        turn = abs(math.remainder(first.angle - second.angle, 2 * math.pi))
        stretch = max(first.side, second.side) / max(1.0, min(first.side, second.side))
        return turn < self.rules.turn and stretch < self.rules.stretch and first.away_from(second) < self.rules.shift

    def _plausible(self, hand: Hand, body: Body, wrist: Array) -> bool:
        away = float(np.hypot(*(hand.xy[0] - wrist)))
        return away <= self.rules.reach * shoulder_width(body)
