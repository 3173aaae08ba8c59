"""`Holistic`: body and hands of one person, from picture to picture.

    pictures ──► body (every BODY_SECONDS; between them on straight lines) ──► both hands of every picture ──► Keypoints
                  ▲ detector, where nobody is followed

The body is read first; where its next reading is known, the pictures between are given bodies and their hands are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..keypoints import Keypoints
from .body import BODY_POINTS, Body, between, detect_people, read_body
from .hands import HAND_POINTS, Hand, HandRules, HandTracker, read_hands, shoulder_width
from .networks import Network
from .people import check_choice, chosen, nearest
from .regions import Crops, Region

__all__ = ["Holistic"]

Frame = NDArray[np.uint8]
BODY_SECONDS = 0.08
"""The body is read so often; its points move on straight lines between."""
BODY_PRESENCE = 0.5
HAND_NETWORKS = ("full", "lite")
_WRISTS = (15, 16)


class Holistic:
    """33 body landmarks and 21 per hand (skeleton "mediapipe-holistic") by MediaPipe's networks in our own program.

    Confidence is the landmark's visibility for the body; for a hand it is its presence, lowered where it looks like
    the other hand. z is in pixels: relative to the hips' middle for the body, to the wrist for a hand, to which the
    body's wrist depth is added. The hands are also given in metres.

    Args:
        hands: network of the hands: "full", or "lite" (half the time, less exact).
        person: whom to follow where there are several, see `people.chosen`.
        min_presence: least presence of a hand that is reported, in [0, 1].
        body_seconds: how far apart two readings of the body may be; 0 reads it in every picture.
        near: (x, y, side) in pixels where that person is; by default it is found out.

    Raises:
        ValueError: a setting is out of range.
        ImportError: LiteRT is not installed.
    """

    skeleton = "mediapipe-holistic"

    def __init__(
        self,
        hands: str = "full",
        person: str | int = "largest",
        min_presence: float = 0.3,
        body_seconds: float = BODY_SECONDS,
        near: tuple[float, float, float] | None = None,
    ) -> None:
        if hands not in HAND_NETWORKS:
            raise ValueError(f"hand network {hands!r} is not known; expected one of {', '.join(HAND_NETWORKS)}")
        if not 0 <= min_presence <= 1 or not body_seconds >= 0:
            raise ValueError(f"min_presence {min_presence}, body_seconds {body_seconds}; expected [0, 1] and 0 or more")
        self.person, self.body_seconds = check_choice(person), body_seconds
        self._detector, self._network = Network("pose_detection"), Network("pose_landmark_full")
        network = Network(f"hand_landmark_{hands}")
        rules = HandRules(presence=min_presence)
        self._trackers = [HandTracker(network, side, rules) for side in range(2)]
        self._start = None if near is None else Region(*near, 0.0)
        self._place = self._start
        self._region: Region | None = None
        self.name = f"holistic 1 {hands}"
        self.people = 0  # most that were seen in one picture

    @staticmethod
    def settled(path: str | Path, settings: dict[str, Any], start: float, end: float) -> dict[str, Any]:
        """The settings with which all pieces of a long video follow the same person of several.

        Looks at five pictures of the first minute.
        """
        from ....video import read_frames

        if settings.get("near") is not None:
            return settings
        person, detector = check_choice(settings.get("person", "largest")), Network("pose_detection")
        places: list[Region] = []
        most = 0
        for i in range(5):
            at = start + min(60.0, end - start) * i / 5
            for _, frame in read_frames(path, start=at, end=end):
                people = detect_people(detector, frame)
                meant = chosen(people, person, (frame.shape[1], frame.shape[0]))
                most = max(most, len(people))
                places += [] if meant is None else [meant.region]
                break
        if most < 2 or not places:
            return settings
        return {**settings, "near": tuple(median(getattr(p, name) for p in places) for name in ("x", "y", "side"))}

    def detect(self, frame: Frame) -> Keypoints:
        """Keypoints of one picture (H, W, 3), the one after the last."""
        crops = Crops(frame)
        return self._read(crops, self._body(crops))

    def follow(self, frames: Iterable[Frame], fps: float) -> Iterator[Keypoints]:
        """Keypoints of pictures (H, W, 3) at `fps` frames a second."""
        step = max(1, int(self.body_seconds * fps + 1e-6))
        for tracker in self._trackers:
            tracker.set_rate(fps)
        last: Body | None = None
        waiting: list[Crops] = []
        for number, frame in enumerate(frames):
            crops = Crops(frame)
            if number % step:
                waiting.append(crops)
                continue
            body = self._body(crops)
            yield from self._between(waiting, last, body)
            yield self._read(crops, body)
            last, waiting = body, []
        for crops in waiting:
            yield self._read(crops, self._body(crops))

    def _between(self, waiting: list[Crops], first: Body | None, last: Body | None) -> Iterator[Keypoints]:
        for i, crops in enumerate(waiting, start=1):
            if first is not None and last is not None and _same_person(first, last):
                body: Body | None = between(first, last, i / (len(waiting) + 1))
            else:  # lost, found again or cut: a straight way says nothing
                body = self._glimpse(crops, [b.region for b in (first, last) if b is not None])
            yield self._read(crops, body)

    def _glimpse(self, crops: Crops, regions: list[Region]) -> Body | None:
        """The body in one of these regions; what is followed stays as it is."""
        for region in regions:
            body = read_body(self._network, crops, region)
            if body.presence >= BODY_PRESENCE and _steady(region, body.region):
                return body
        return None

    def _body(self, crops: Crops) -> Body | None:
        """The body where it was in the last picture, else of the person that the detector sees."""
        if self._region is not None:
            body = read_body(self._network, crops, self._region)
            if body.presence >= BODY_PRESENCE and _steady(self._region, body.region):
                self._place = self._region = body.region
                return body
            self._lose()
        people = detect_people(self._detector, crops.frame)
        self.people = max(self.people, len(people))
        height, width = crops.frame.shape[:2]
        person = chosen(people, self.person, (width, height)) if self._place is None else nearest(people, self._place)
        if person is None and self._place is not None and self._start is None and len(people) == 1:
            person = people[0]  # nobody else it could be
        if person is None:
            return None
        body = read_body(self._network, crops, person.region)
        if body.presence < BODY_PRESENCE or not _sound(body.region):
            return None
        self._place = self._region = body.region
        return body

    def _read(self, crops: Crops, body: Body | None) -> Keypoints:
        hands: list[Hand | None] = [None, None]
        if body is None:
            for tracker in self._trackers:
                tracker.forget()
        else:
            hands = read_hands(self._trackers, crops, body)
        return _keypoints(body, hands)

    def _lose(self) -> None:
        self._region = None
        for tracker in self._trackers:
            tracker.forget()

    def forget(self, frame: Frame | None = None) -> None:
        """Loses track of the person, as a fresh estimator would be."""
        self._lose()
        self._place = self._start

    def close(self) -> None:
        """Nothing is held open."""


def _keypoints(body: Body | None, hands: list[Hand | None]) -> Keypoints:
    values = np.full((BODY_POINTS + 2 * HAND_POINTS, 3), np.nan, np.float32)
    confidence = np.zeros(len(values), np.float32)
    metres = np.full((2, HAND_POINTS, 3), np.nan, np.float32)
    if body is not None:
        values[:BODY_POINTS, :2], values[:BODY_POINTS, 2] = body.xy, body.z
        confidence[:BODY_POINTS] = body.visibility
        for k, hand in enumerate(hands):
            if hand is not None:
                rows = slice(BODY_POINTS + HAND_POINTS * k, BODY_POINTS + HAND_POINTS * (k + 1))
                values[rows, :2], values[rows, 2] = hand.xy, hand.z + body.z[_WRISTS[k]]
                confidence[rows], metres[k] = hand.trust, hand.metres
    return Keypoints(values[:, :2].copy(), confidence, values[:, 2].copy(), metres)


def _sound(region: Region) -> bool:
    return bool(np.isfinite(region).all()) and region.side >= 8


def _steady(before: Region, after: Region) -> bool:
    """Whether a body may have moved so between two readings; else it is somebody else's, or nobody's."""
    return _sound(after) and after.away_from(before) < 0.35 and 0.6 < after.side / before.side < 1.7


def _same_person(first: Body, last: Body) -> bool:
    """Whether the trunk is where it was, so that what lies between can be drawn with straight lines."""
    moved = np.linalg.norm(first.xy[[11, 12]] - last.xy[[11, 12]], axis=1).max()
    return bool(moved < 0.5 * min(shoulder_width(first), shoulder_width(last)))
