"""From signs to a score: when each posture is reached, how long it is held, what moves, and what is true then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws, on_grid
from ..parameters import Movement, Posture, Sign, direction_name
from .body import Body, body_of
from .moves import Event
from .postures import APART, SWIVEL, TURN, WRIST, Keys, rest_row, solve_signs
from .signer import Signer

__all__ = ["Score", "Phase", "Timing", "compose"]

Array = NDArray[np.float64]
_BACK = {"up": "down", "down": "up", "left": "right", "right": "left", "away": "body", "body": "away"}
_TWO_HANDED = ("symmetric", "alternating")


Pair = tuple[str, str]


class Phase(NamedTuple):
    """Truth over frames ``[start, end)``; pairs are (dominant, other) hand. Later phases overrule earlier ones.

    ``moving`` names the movement or is ""; its "right" is outwards to the hand's own side, for either hand.
    """

    start: int
    end: int
    sign: str
    handshape: Pair
    location: Pair
    moving: Pair
    held: tuple[bool, bool]
    touching: bool
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
    hold: tuple[float, float] = (0.10, 0.24)
    reach: float = 0.18
    per_metre: float = 0.55
    hurry: float = 1.0


@dataclass
class Score:
    """Rows (2, 24) of (dominant, other) hand at rising frames; the first is frame 0."""

    frames: list[int] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    spans: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def now(self) -> int:
        """Frame of the last row."""
        return self.frames[-1]

    def key(self, row: NDArray[np.float64], frames: int) -> tuple[int, int]:
        """The hands are at `row` after so many more frames (at least one); returns (from, to)."""
        start = self.now
        self.frames.append(start + max(1, frames))
        self.rows.append(row)
        return start, self.now


def compose(
    signs: Sequence[Sign | None],
    signer: Signer,
    rng: Draws,
    fps: float,
    timing: Timing,
    counted: Sequence[bool] | None = None,
) -> Score:
    """A score of the signs one after another, from rest to rest; None is a pause with the hands down.

    `counted` says which signs get a span (default: all).
    """
    body = body_of(signer)
    real = [_as_performed(sign, signer, rng) for sign in signs if sign is not None]
    solved = iter(zip(real, solve_signs(real, body, rng), strict=True))
    rest = rest_row(body)
    writer = _Writer(Score([0], [rest]), body, rng, fps, timing, flowing=len(real) > 1)
    writer.wait(rest)
    for i, sign in enumerate(signs):
        if sign is None:
            writer.travel(rest)
            writer.wait(rest)
        else:
            writer.sign(*next(solved), counted is None or counted[i])
    writer.travel(rest)
    writer.wait(rest)
    return writer.score


def _as_performed(sign: Sign, signer: Signer, rng: Draws) -> Sign:
    """Some signers now and then do a symmetric sign with one hand ("weak drop")."""
    if sign.arrangement == "symmetric" and rng.random() < signer.weak_drop:
        return replace(sign, arrangement="one-handed")
    return sign


class _Writer:
    """Writes signs into a score."""

    def __init__(self, score: Score, body: Body, rng: Draws, fps: float, timing: Timing, flowing: bool) -> None:
        self.score, self.rng, self.timing, self.flowing, self.signer = score, rng, timing, flowing, body.signer
        self.pace = fps / (body.signer.tempo * timing.hurry)
        self.rate = self.pace
        self.rest, self.waiting = rest_row(body)[1], rest_row(body, "clasped")[1]

    def frames(self, seconds: float) -> int:
        return max(1, round(seconds * self.rate))

    def wait(self, row: Array) -> None:
        self.score.key(row, self.frames(self.rng.uniform(*self.timing.rest)))

    def travel(self, row: Array) -> tuple[int, int]:
        """To another row in the time such a distance takes; returns its (from, to) frames."""
        last = self.score.rows[-1]
        distance = float(np.linalg.norm(row[:, WRIST] - last[:, WRIST], axis=1).max())
        turning = float(np.abs(row[:, SWIVEL] - last[:, SWIVEL]).max() + np.abs(row[:, TURN] - last[:, TURN]).max())
        seconds = self.timing.reach + self.timing.per_metre * distance + 0.04 * turning
        return self.score.key(row, self.frames(seconds * self.rng.uniform(0.85, 1.2)))

    def sign(self, sign: Sign, keys: Keys, counted: bool) -> None:
        """Everything from the way to the first posture to the last hold."""
        self.rate = self.pace * on_grid(math.exp(self.rng.normal(0, 0.12)), 30) if self.flowing else self.pace
        rows = self._with_idle_hand(keys.rows) if sign.arrangement == "one-handed" and self.flowing else keys.rows
        start = 0
        for k, (posture, movement) in enumerate(zip(sign.postures, sign.movements, strict=True)):
            before = self.score.rows[-1]
            a, b = self.travel(rows[k, 0])
            if k == 0:
                start = b
            else:
                self._tell_transition(sign, before, rows[k, 0], a, b)
            self._hold(sign, posture, posture.location, rows[k, 0])
            if movement.kind != "hold":
                self._move(sign, posture, movement, keys, rows[k], k)
        if counted:
            self.score.spans.append((sign.label, start, self.score.now + 1))

    def _with_idle_hand(self, rows: Array) -> Array:
        """In running signing the idle hand stays where it was, waits before the belly, or hangs."""
        draw = self.rng.random()
        other = self.score.rows[-1][1] if draw < 0.35 else self.waiting if draw < 0.7 else self.rest
        rows = rows.copy()
        rows[:, :, 1] = other
        rows[:, :, :, APART] = 0
        return rows

    def _hold(self, sign: Sign, posture: Posture, location: str, row: Array, longer: float = 1.0) -> None:
        a, b = self.score.key(row, self.frames(self.rng.uniform(*self.timing.hold) * longer))
        self._tell(sign, posture, location, a, b + 1, ("hold", "hold"), held=True)

    def _move(self, sign: Sign, posture: Posture, movement: Movement, keys: Keys, ends: Array, k: int) -> None:
        """A movement and the hold after it; `ends` (2, 2, 24) are its rows."""
        repeats = movement.repeats
        if self.flowing and repeats > 1 and self.rng.random() < 0.5:
            repeats -= 1
        seconds = movement.seconds * self.rng.uniform(0.9, 1.1)
        phase = {"symmetric": 0.0, "alternating": 0.5}.get(sign.arrangement)
        size = movement.size * self.signer.amplitude
        x, y, z = (float(v) for v in keys.normals[k])
        if movement.travels:
            event = None if movement.kind == "straight" else replace(movement, size=size, repeats=1)
            for r in range(repeats):
                a, b = self._stroke(sign, posture, movement.direction, ends[1], seconds)
                if event is not None:
                    self.score.events.append(Event(a, b, event, (x, y, z), None if phase is None else 0.0))
                if r + 1 < repeats:
                    self._stroke(sign, posture, _BACK[movement.direction], ends[0], 0.8 * seconds)
            self._hold(sign, posture, keys.far_places[k], ends[1], 1.25)
            return
        a, b = self.score.key(ends[0], self.frames(seconds * repeats))
        self.score.events.append(Event(a, b, replace(movement, size=size, repeats=repeats), (x, y, z), phase))
        self._tell(sign, posture, posture.location, a, b, (movement.kind, movement.kind))
        self._hold(sign, posture, posture.location, ends[0], 1.25)

    def _stroke(self, sign: Sign, posture: Posture, direction: str, row: Array, seconds: float) -> tuple[int, int]:
        a, b = self.score.key(row, self.frames(seconds))
        other = _BACK[direction] if sign.arrangement == "alternating" else direction
        self._tell(sign, posture, "", a + 1, b + 1, (direction, other))
        return a, b

    def _tell_transition(self, sign: Sign, before: Array, after: Array, a: int, b: int) -> None:
        """Between the postures of one sign the way itself is a movement where it is long and clear enough."""
        way = after[:, WRIST] - before[:, WRIST]
        length = np.linalg.norm(way, axis=1)
        clear = (length > 0.06) & (np.abs(way).max(axis=1) > 0.8 * length)
        names = direction_name(way)
        moving = (str(names[0]) if clear[0] else "", str(names[1]) if clear[1] else "")
        symmetric = sign.arrangement == "symmetric"
        self.score.phases.append(
            Phase(a + 1, b + 1, sign.label, ("", ""), ("", ""), moving, (False, False), False, symmetric)
        )

    def _tell(
        self, sign: Sign, posture: Posture, location: str, a: int, b: int, moving: tuple[str, str], held: bool = False
    ) -> None:
        shape = "" if "pulse" in moving else posture.handshape.name
        shapes, places, holds = (shape, ""), (location, ""), (held, False)
        if sign.arrangement in _TWO_HANDED:
            shapes, places, holds = (shape, shape), (location, location), (held, held)
        elif sign.base is not None:
            shapes, places, holds = (shape, sign.base.handshape.name), (location, sign.base.location), (held, True)
            moving = (moving[0], "hold")
        else:
            moving = (moving[0], "")
        touching = held and posture.contact and location == posture.location
        symmetric = sign.arrangement == "symmetric"
        self.score.phases.append(Phase(a, b, sign.label, shapes, places, moving, holds, touching, symmetric))
