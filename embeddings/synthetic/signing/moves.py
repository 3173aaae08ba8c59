"""The movements of a sign laid over a hand's control rows: circles, taps, twists, wiggling fingers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..parameters import DIRECTIONS, Movement
from .kinematics import unit
from .postures import ANGLES, TURN, WRIST

__all__ = ["Event", "apply_event"]

Array = NDArray[np.floating]


class Event(NamedTuple):
    """A movement over frames ``[start, end]``.

    Attributes:
        movement: what; its size is already this signer's.
        normal: out of the body at the place, in the hand's own space.
        phase: how many cycles the other hand is ahead; None if it does not move.
    """

    start: int
    end: int
    movement: Movement
    normal: tuple[float, float, float]
    phase: float | None


class _Time(NamedTuple):
    """Of the event's frames (n,): share of the whole in [0, 1], ramp that is 0 at both ends, cycles ahead."""

    share: Array
    ramp: Array
    phase: float

    def wave(self, repeats: float) -> Array:
        return np.sin(2 * np.pi * (repeats * self.share + self.phase))


def apply_event(event: Event, controls: Array) -> None:
    """Adds an event to the control rows (T, 2, 24) of (dominant, other) hand, in place."""
    part = controls[event.start : event.end + 1]
    share = np.linspace(0, 1, len(part))
    ramp = np.clip(np.minimum(share, 1 - share) * 5, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    _MOVES[event.movement.kind](part[:, 0], event, _Time(share, ramp, 0.0))
    if event.phase is not None:
        _MOVES[event.movement.kind](part[:, 1], event, _Time(share, ramp, event.phase))


def _beside(axis: Array) -> tuple[Array, Array]:
    """Two unit vectors at right angles to a direction and to each other; the first lies level where it can."""
    first = unit(np.cross(axis, [0.0, 1.0, 0.0] if abs(axis[1]) < 0.9 else [0.0, 0.0, 1.0]))
    return first, np.cross(axis, first)


def _circle(row: Array, event: Event, time: _Time) -> None:
    first, second = _beside(DIRECTIONS[event.movement.direction])
    angle = (2 * np.pi * (event.movement.repeats * time.share + time.phase))[:, None]
    row[:, WRIST] += 0.5 * event.movement.size * time.ramp[:, None] * (np.cos(angle) * first + np.sin(angle) * second)


def _arc(row: Array, event: Event, time: _Time) -> None:
    direction = event.movement.direction
    bulge = DIRECTIONS["away" if direction in ("up", "down") else "up"]
    row[:, WRIST] += (0.55 * event.movement.size * np.sin(np.pi * time.share))[:, None] * bulge


def _zigzag(row: Array, event: Event, time: _Time) -> None:
    first = _beside(DIRECTIONS[event.movement.direction])[0]
    row[:, WRIST] += (0.28 * event.movement.size * time.ramp * np.sin(5 * np.pi * time.share))[:, None] * first


def _tap(row: Array, event: Event, time: _Time) -> None:
    lift = np.abs(np.sin(np.pi * (event.movement.repeats * time.share + time.phase))) * time.ramp
    row[:, WRIST] += (0.5 * event.movement.size * lift)[:, None] * np.array(event.normal)


def _wiggle(row: Array, event: Event, time: _Time) -> None:
    knuckles = row[:, ANGLES][:, 4:12:2]
    cycle = 2 * np.pi * (1.5 * event.movement.repeats * time.share[:, None] + time.phase + 0.23 * np.arange(4))
    # Straight fingers flutter, folded ones hardly.
    knuckles += np.where(knuckles < 0.9, 0.42, 0.10) * time.ramp[:, None] * (np.sin(cycle) + 0.6)


def _twist(row: Array, event: Event, time: _Time) -> None:
    row[:, TURN.start] += 0.75 * time.ramp * time.wave(event.movement.repeats)


def _nod(row: Array, event: Event, time: _Time) -> None:
    row[:, TURN.start + 1] += 0.6 * time.ramp * time.wave(event.movement.repeats)


def _pulse(row: Array, event: Event, time: _Time) -> None:
    other = event.movement.other
    if other is None:
        raise ValueError("a pulse needs the handshape it opens or closes to: Movement('pulse', other=…)")
    weight = np.sin(np.pi * (event.movement.repeats * time.share + time.phase)) ** 2
    weight = weight * time.ramp if time.phase else weight
    row[:, ANGLES] += weight[:, None] * (other.radians - row[:, ANGLES])


_MOVES = {
    "circle": _circle, "arc": _arc, "zigzag": _zigzag, "tap": _tap, "wiggle": _wiggle, "twist": _twist, "nod": _nod,
    "pulse": _pulse,
}  # fmt: skip
