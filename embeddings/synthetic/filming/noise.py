"""`Noise`: the errors of a pose estimator, laid over exact keypoints.

Jitter grows with speed; a hand is lost, swapped, taken for the face or badly seen in runs of frames; legs are
missing; what lies outside the frame is missing. Confidence follows the error, imperfectly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...clip import Pose
from ...skeletons import SKELETONS
from ..draws import Draws, on_grid

__all__ = ["NO_NOISE", "Noise", "random_noise"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """How bad the estimator is. Lengths are in shoulder widths; rates are runs per second and hand.

    Attributes:
        jitter: standard deviation of a still joint.
        speed_jitter: more of it per unit of speed (shoulder widths per second).
        tremble: share of the jitter that is white, the rest drifts over about five frames.
        hand_shift: standard deviation of the whole hand's shift in a badly seen run.
        lost: rate of runs in which a hand is missing; lost_seconds is their mean length.
        lost_fast: more of it per unit of the hand's speed.
        swapped: rate of runs in which left and right hand are exchanged.
        confused: rate of runs in which the hand is found on the face.
        blurred: rate of badly seen runs: large jitter, low confidence.
        legs: probability that the legs are missing throughout; face: that the face is.
        crop: share of the frame's height missing below (people filmed to the waist).
        outside: what lies outside the frame is missing (True) or guessed with low confidence (False).
    """

    jitter: float = 0.004
    speed_jitter: float = 0.004
    tremble: float = 0.5
    hand_shift: float = 0.04
    lost: float = 0.12
    lost_fast: float = 0.05
    lost_seconds: float = 0.2
    swapped: float = 0.02
    confused: float = 0.01
    blurred: float = 0.15
    legs: float = 0.5
    face: float = 0.0
    crop: float = 0.0
    outside: bool = False

    def scaled(self, factor: float) -> Noise:
        """The same estimator, `factor` times as bad (legs, crop and outside stay)."""
        grown = ("jitter", "speed_jitter", "hand_shift", "lost", "lost_fast", "swapped", "confused", "blurred")
        return replace(self, **{name: getattr(self, name) * factor for name in grown})

    def apply(self, pose: Pose, rng: Draws) -> Pose:
        """The pose as such an estimator would give it, in multiples of 2^-10 px; the input is not changed."""
        parts = _parts(pose.skeleton)
        xy, z = pose.xy.astype(np.float64), None if pose.z is None else pose.z.astype(np.float64)
        width = _shoulder_width(xy, parts)
        speed = _speed(xy, pose.fps) / width
        error = self._jitter(xy, speed, width, parts, rng)
        confidence = np.clip(1.0 - error / (0.12 * width) + rng.normal(0, 0.03, error.shape), 0.05, 1)
        for hand in parts.hands:
            self._blur(xy, confidence, hand, width, pose.fps, rng)
        self._swap(xy, z, parts, pose.fps, rng)
        for hand in parts.hands:
            self._confuse(xy, confidence, hand, parts, pose.fps, rng)
            self._lose(xy, confidence, hand, speed, pose.fps, rng)
        self._crop(xy, confidence, parts, pose.size, rng)
        missing = np.isnan(xy[..., 0])
        confidence[missing] = 0
        if z is not None:
            z[missing] = np.nan
        return replace(
            pose,
            xy=on_grid(xy, 10).astype(np.float32),
            confidence=on_grid(confidence, 16).astype(np.float32),
            z=None if z is None else on_grid(z, 10).astype(np.float32),
        )

    def _jitter(self, xy: Array, speed: Array, width: float, parts: _Parts, rng: Draws) -> Array:
        sigma = (self.jitter + self.speed_jitter * np.minimum(speed, 8)) * width
        white = rng.normal(0, 1, xy.shape)
        drift = rng.normal(0, 1, (len(xy) // 5 + 3, *xy.shape[1:]))
        position = np.linspace(0, len(drift) - 1.01, len(xy))
        low = position.astype(int)
        weight = (position - low)[:, None, None]
        drift = drift[low] + (drift[low + 1] - drift[low]) * weight
        shift = sigma[..., None] * (self.tremble * white + np.sqrt(1 - self.tremble**2) * drift)
        for hand in parts.hands:  # a hand is found as a whole: its joints mostly err together
            shift[:, hand] = 0.45 * shift[:, hand] + 0.89 * shift[:, hand[:1]]
        xy += shift
        return np.sqrt(np.einsum("tji,tji->tj", shift, shift))

    def _blur(self, xy: Array, confidence: Array, hand: NDArray[np.intp], width: float, fps: float, rng: Draws) -> None:
        for run in _runs(len(xy), self.blurred, 0.25, fps, rng):
            n = run.stop - run.start
            common = rng.normal(0, self.hand_shift * width, (1, 1, 2))
            own = rng.normal(0, 0.35 * self.hand_shift * width, (n, len(hand), 2))
            xy[run, hand] += common + own
            confidence[run, hand] *= rng.uniform(0.3, 0.8)

    def _swap(self, xy: Array, z: Array | None, parts: _Parts, fps: float, rng: Draws) -> None:
        left, right = parts.hands
        for run in _runs(len(xy), self.swapped, 0.2, fps, rng):
            for values in (xy,) if z is None else (xy, z):
                values[run, left], values[run, right] = values[run, right].copy(), values[run, left].copy()

    def _confuse(
        self, xy: Array, confidence: Array, hand: NDArray[np.intp], parts: _Parts, fps: float, rng: Draws
    ) -> None:
        for run in _runs(len(xy), self.confused, 0.2, fps, rng):
            points = xy[run, hand]
            xy[run, hand] = 0.6 * (points - points.mean(axis=1, keepdims=True)) + xy[run, parts.nose][:, None]
            confidence[run, hand] *= rng.uniform(0.4, 0.9)

    def _lose(self, xy: Array, confidence: Array, hand: NDArray[np.intp], speed: Array, fps: float, rng: Draws) -> None:
        rate = self.lost + self.lost_fast * np.minimum(speed[:, hand[len(hand) // 2]], 6)
        starts = np.flatnonzero(rng.random(len(xy)) < rate / fps)
        for start in starts:
            end = start + 1 + rng.geometric(1 / max(1.0, self.lost_seconds * fps))
            xy[start:end, hand] = np.nan
            confidence[start:end, hand] = 0

    def _crop(self, xy: Array, confidence: Array, parts: _Parts, size: tuple[int, int], rng: Draws) -> None:
        width, height = size
        for probability, joints in ((self.legs, parts.legs), (self.face, parts.face)):
            if len(joints) and rng.random() < probability:
                xy[:, joints] = np.nan
        x, y = xy[..., 0], xy[..., 1]
        with np.errstate(invalid="ignore"):
            outside = (x < 0) | (y < 0) | (x >= width) | (y >= height * (1 - self.crop))
        if outside.any():
            if self.outside:
                xy[outside] = np.nan
            else:
                confidence[outside] *= rng.uniform(0.02, 0.3)
                # A hand detector sees nothing where most of the hand is outside.
                for hand in parts.hands:
                    gone = outside[:, hand].mean(axis=1) > 0.5
                    xy[np.ix_(gone, hand)] = np.nan


NO_NOISE = Noise(0, 0, 0, 0, 0, 0, 0.2, 0, 0, 0, 0, 0, 0, False)
"""Changes nothing but what lies outside the frame."""


def random_noise(rng: Draws, severity: float = 1.0) -> Noise:
    """An estimator and recording to train on: from nearly clean to bad; `severity` scales the errors."""
    level = severity * on_grid(math.exp(rng.normal(-0.2, 0.7)), 20)
    return replace(
        Noise().scaled(level),
        tremble=rng.uniform(0.2, 0.8),
        lost_seconds=rng.uniform(0.08, 0.5),
        crop=rng.choice([0.0, 0.0, 0.0, 0.1, 0.2]),
        outside=rng.random() < 0.5,
    )


@dataclass(frozen=True)
class _Parts:
    hands: tuple[NDArray[np.intp], NDArray[np.intp]]
    legs: NDArray[np.intp]
    face: NDArray[np.intp]
    shoulders: tuple[int, int]
    nose: int


@lru_cache(maxsize=32)
def _parts(name: str) -> _Parts:
    skeleton = SKELETONS[name]

    def find(*words: str) -> NDArray[np.intp]:
        return np.array([i for i, j in enumerate(skeleton.joints) if any(w in j for w in words)], np.intp)

    def hand(side: str) -> NDArray[np.intp]:
        return np.array([i for i, j in enumerate(skeleton.joints) if j.startswith(f"{side}_hand_")], np.intp)

    nose = next((skeleton.index(n) for n in ("nose", "head", "spine3") if n in skeleton), 0)
    return _Parts(
        (hand("left"), hand("right")), find("knee", "ankle", "heel", "foot_index", "toe"), find("face_"),
        (skeleton.index("left_shoulder"), skeleton.index("right_shoulder")), nose,
    )  # fmt: skip


def _shoulder_width(xy: Array, parts: _Parts) -> float:
    left, right = parts.shoulders
    return max(1.0, float(np.median(np.hypot(*(xy[:, left] - xy[:, right]).T))))


def _speed(xy: Array, fps: float) -> Array:
    """Pixels per second (T, J)."""
    if len(xy) < 2:
        return np.zeros(xy.shape[:2])
    step = np.diff(xy, axis=0)
    step = np.sqrt(np.einsum("tji,tji->tj", step, step)) * fps
    return np.concatenate([step[:1], step])


def _runs(length: int, rate: float, seconds: float, fps: float, rng: Draws) -> list[slice]:
    """Runs of frames that begin at `rate` per second and last `seconds` on average."""
    count = rng.poisson(rate * length / fps)
    starts = rng.integers(0, length, count)
    lengths = rng.geometric(1 / max(1.0, seconds * fps), count)
    return [slice(int(s), int(min(length, s + n))) for s, n in zip(starts, lengths, strict=True)]
