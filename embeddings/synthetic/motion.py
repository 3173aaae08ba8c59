"""From signs to a score: key poses of both hands in time, and the movements laid over them.

A `Score` is what a conductor would write: rows of hand controls at whole frames, movement events between
frames, and who is where and why. `performance.py` plays it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .body import body_of
from .keys import Keys, rest_row, solve_signs
from .phonology import Movement, Posture, direction_name
from .sign import Sign
from .signer import Signer

__all__ = ["Event", "Score", "Stretch", "Timing", "compose"]

Array = NDArray[np.float64]


class Event(NamedTuple):
    """A movement over frames ``[start, end)``; ``phase`` is the other hand's lead in cycles, None if it is still."""

    start: int
    end: int
    movement: Movement
    normal: tuple[float, float, float]
    phase: float | None


class Stretch(NamedTuple):
    """Truth over frames ``[start, end)``, per hand (dominant, other).

    ``moving`` names the movement or is ""; its "right" is outwards to the hand's own side, for either hand.
    """

    start: int
    end: int
    sign: str
    handshape: tuple[str, str]
    location: tuple[str, str]
    moving: tuple[str, str]
    held: tuple[bool, bool]
    symmetric: bool


class Timing(NamedTuple):
    """How fast things go: seconds at tempo 1.

    Attributes:
        rest: (shortest, longest) stillness before and after.
        hold: (shortest, longest) stillness at a posture.
        reach: time of a transition of length zero; per_metre: more for each metre.
        hurry: divides everything.
    """

    rest: tuple[float, float] = (0.25, 0.6)
    hold: tuple[float, float] = (0.12, 0.30)
    reach: float = 0.20
    per_metre: float = 0.55
    hurry: float = 1.0


@dataclass
class Score:
    """Key rows (N, 2, 27) of (dominant, other) hand at frames (N,); events and truth between them."""

    frames: list[int] = field(default_factory=list)
    rows: list[Array] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    spans: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def now(self) -> int:
        return self.frames[-1]

    def key(self, row: Array, frames: int) -> tuple[int, int]:
        """The hands are at `row` after so many more frames; returns (from, to)."""
        start = self.now
        self.frames.append(start + max(1, frames))
        self.rows.append(row)
        return start, self.now


def compose(
    signs: Sequence[Sign | None],
    signer: Signer,
    rng: np.random.Generator,
    fps: float,
    timing: Timing,
    counted: Sequence[bool] | None = None,
) -> Score:
    """A score of the signs one after another, from rest to rest; None is a pause with the hands down.

    `counted` says which signs get a span (default: all).
    """
    body = body_of(signer)
    real = [sign for sign in signs if sign is not None]
    keys = iter(solve_signs(real, body, rng))
    rest = rest_row(body)
    score = Score([0], [rest])
    writer = _Writer(score, rng, fps / (signer.tempo * timing.hurry), timing, len(real) > 1, signer)
    score.key(rest, writer.frames(rng.uniform(*timing.rest)))
    for i, sign in enumerate(signs):
        if sign is None:
            writer.travel(rest)
            score.key(rest, writer.frames(rng.uniform(*timing.rest)))
        else:
            writer.sign(sign, next(keys), counted is None or counted[i])
    writer.travel(rest)
    score.key(rest, writer.frames(rng.uniform(*timing.rest)))
    return score


class _Writer:
    """Writes signs into a score."""

    def __init__(
        self, score: Score, rng: np.random.Generator, rate: float, timing: Timing, flowing: bool, signer: Signer
    ) -> None:
        self.score, self.rng, self.rate, self.timing, self.flowing, self.signer = (
            score, rng, rate, timing, flowing, signer,
        )  # fmt: skip

    def frames(self, seconds: float) -> int:
        return max(1, round(seconds * self.rate))

    def travel(self, row: Array) -> tuple[int, int]:
        """To another row in the time such a distance takes."""
        last = self.score.rows[-1]
        distance = float(np.linalg.norm(row[:, :3] - last[:, :3], axis=1).max())
        seconds = self.timing.reach + self.timing.per_metre * distance
        return self.score.key(row, self.frames(seconds * self.rng.uniform(0.85, 1.2)))

    def sign(self, sign: Sign, keys: Keys, counted: bool) -> None:
        start = end = 0
        for k, (posture, movement) in enumerate(zip(sign.postures, sign.movements, strict=True)):
            a, b = self.travel(keys.rows[k, 0])
            if k == 0:
                start = b
            else:
                self._transition_truth(sign, keys.rows[k - 1], keys.rows[k, 0], a, b)
            self._hold(sign, posture, posture.location, keys.rows[k, 0], final=False)
            self._move(sign, posture, movement, keys, k)
            end = self.score.now
        if counted:
            self.score.spans.append((sign.label, start, end + 1))

    def _hold(self, sign: Sign, posture: Posture, location: str, row: Array, final: bool) -> None:
        low, high = self.timing.hold
        a, b = self.score.key(row, self.frames(self.rng.uniform(low, high) * (1.25 if final else 1.0)))
        self._truth(sign, posture, location, a, b + 1, ("hold", "hold"), held=True)

    def _move(self, sign: Sign, posture: Posture, movement: Movement, keys: Keys, k: int) -> None:
        if movement.kind == "hold":
            return
        repeats = movement.repeats
        if self.flowing and repeats > 1 and self.rng.random() < 0.5:
            repeats -= 1
        normal = tuple(float(x) for x in keys.normals[k])
        phase = {"symmetric": 0.0, "alternating": 0.5}.get(sign.arrangement)
        seconds = movement.seconds * self.rng.uniform(0.9, 1.1)
        if not movement.travels:
            a, b = self.score.key(keys.rows[k, 0], self.frames(seconds * repeats))
            once = Movement(movement.kind, movement.direction, movement.size * self.signer.amplitude, repeats,
                            movement.seconds, movement.other)  # fmt: skip
            self.score.events.append(Event(a, b, once, normal, phase))  # type: ignore[arg-type]
            self._truth(sign, posture, posture.location, a, b, _both(sign, movement.kind))
        else:
            for r in range(repeats):
                self._stroke(sign, posture, movement, keys, k, phase, seconds)
                if r + 1 < repeats:
                    self.score.key(keys.rows[k, 0], self.frames(seconds * 0.8))
        far = keys.far_places[k] if movement.travels else posture.location
        self._hold(sign, posture, far, keys.rows[k, 1], final=True)

    def _stroke(
        self, sign: Sign, posture: Posture, movement: Movement, keys: Keys, k: int, phase: float | None, seconds: float
    ) -> None:
        a, b = self.score.key(keys.rows[k, 1], self.frames(seconds))
        if movement.kind != "straight":
            single = Movement(movement.kind, movement.direction, movement.size * self.signer.amplitude)
            self.score.events.append(Event(a, b, single, (0.0, 0.0, 1.0), phase))
        back = {"up": "down", "down": "up", "left": "right", "right": "left", "away": "body", "body": "away"}
        other = back[movement.direction] if sign.arrangement == "alternating" else movement.direction
        moving = _both(sign, movement.direction, other)
        self._truth(sign, posture, "", a + 1, b, moving)

    def _transition_truth(self, sign: Sign, before: Array, after: Array, a: int, b: int) -> None:
        last = self.score.rows[-2]
        way = after[:, :3] - last[:, :3]
        length = np.linalg.norm(way, axis=1)
        names = direction_name(way)
        clear = [bool(length[h] > 0.06 and abs(way[h]).max() > 0.8 * length[h]) for h in range(2)]
        moving = (str(names[0]) if clear[0] else "", str(names[1]) if clear[1] else "")
        self._stretch(sign, ("", ""), ("", ""), a + 1, b, moving, (False, False))

    def _truth(
        self, sign: Sign, posture: Posture, location: str, a: int, b: int, moving: tuple[str, str], held: bool = False
    ) -> None:
        both = sign.arrangement in ("symmetric", "alternating")
        shapes = (posture.handshape.name, posture.handshape.name if both else "")
        places = (location, location if both else "")
        holds = (held, held and both)
        if sign.base is not None:
            shapes, places = (shapes[0], sign.base.handshape.name), (location, sign.base.location)
            moving, holds = (moving[0], "hold"), (held, True)
        elif not both:
            moving = (moving[0], "")
        self._stretch(sign, shapes, places, a, b, moving, holds)

    def _stretch(
        self, sign: Sign, shapes: tuple[str, str], places: tuple[str, str], a: int, b: int, moving: tuple[str, str],
        held: tuple[bool, bool],
    ) -> None:  # fmt: skip
        symmetric = sign.arrangement == "symmetric"
        self.score.stretches.append(Stretch(a, b, sign.label, shapes, places, moving, held, symmetric))


def _both(sign: Sign, dominant: str, other: str | None = None) -> tuple[str, str]:
    if sign.arrangement in ("symmetric", "alternating"):
        return dominant, dominant if other is None else other
    return dominant, ""
