"""`Signer`: a body and the habits of using it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..draws import Draws, on_grid

__all__ = ["CANONICAL", "RESTS", "Signer", "random_signer"]

RESTS: tuple[str, ...] = ("sides", "clasped", "lap")
"""Where the hands are between utterances."""


@dataclass(frozen=True)
class Signer:
    """Who signs. Lengths in metres.

    Attributes:
        name: unique within a world.
        shoulder_width, upper_arm, forearm, hand, torso: bone lengths; hand is wrist to middle fingertip.
        head: scale of the head, 1 is standard.
        left_handed: performs every sign mirrored.
        tempo: speed factor.
        amplitude: scale of movements and of excursions in neutral space.
        height, forward: shift (m) of neutral space, upwards and away from the body.
        undershoot: in [0, 1), how far targets between neighbours are missed in continuous signing.
        sloppiness: radians of finger and palm angles by which handshapes and orientations are relaxed.
        place_error: metres by which places are habitually missed.
        elbows: radians by which the elbows are held further out than comfort asks.
        weak_drop: probability of performing a symmetric sign with one hand.
        sway, nod: radians of the slow motion of body and head.
        smoothing: how many passes of a five-frame kernel (at 25 fps) round the motion off.
        rest: one of `RESTS`.
    """

    name: str = "signer-0"
    shoulder_width: float = 0.37
    upper_arm: float = 0.30
    forearm: float = 0.26
    hand: float = 0.19
    torso: float = 0.50
    head: float = 1.0
    left_handed: bool = False
    tempo: float = 1.0
    amplitude: float = 1.0
    height: float = 0.0
    forward: float = 0.0
    undershoot: float = 0.15
    sloppiness: float = 0.05
    place_error: float = 0.004
    elbows: float = 0.0
    weak_drop: float = 0.0
    sway: float = 0.015
    nod: float = 0.03
    smoothing: int = 1
    rest: str = "sides"

    def __post_init__(self) -> None:
        if self.rest not in RESTS:
            raise ValueError(f"rest {self.rest!r} is not known; expected one of {', '.join(RESTS)}")
        if not self.tempo > 0:
            raise ValueError(f"tempo is {self.tempo}; expected a positive speed factor")

    def mirrored(self) -> Signer:
        """The same signer with the other hand dominant."""
        return replace(self, left_handed=not self.left_handed)


CANONICAL = Signer()
"""A right-handed signer of standard build and careful habits."""


def random_signer(rng: Draws, name: str, left_handed: float = 0.12) -> Signer:
    """A plausible signer; `left_handed` is the probability of being so."""
    stature = rng.normal(1.0, 0.06)

    def length(standard: float, spread: float = 0.045) -> float:
        return float(standard * stature * np.clip(rng.normal(1, spread), 0.88, 1.12))

    return Signer(
        name=name,
        shoulder_width=length(0.37, 0.06),
        upper_arm=length(0.30),
        forearm=length(0.26),
        hand=length(0.19),
        torso=length(0.50),
        head=float(np.clip(rng.normal(1, 0.04), 0.9, 1.1)),
        left_handed=rng.random() < left_handed,
        tempo=on_grid(math.exp(rng.normal(0, 0.18)), 30),
        amplitude=float(np.clip(on_grid(math.exp(rng.normal(0, 0.2)), 30), 0.6, 1.5)),
        height=rng.normal(0, 0.035),
        forward=rng.normal(0, 0.025),
        undershoot=rng.uniform(0.05, 0.4),
        sloppiness=rng.uniform(0.03, 0.16),
        place_error=rng.uniform(0.003, 0.02),
        elbows=rng.normal(0, 0.2),
        weak_drop=max(0.0, rng.normal(-0.05, 0.1)),
        sway=rng.uniform(0.005, 0.04),
        nod=rng.uniform(0.015, 0.08),
        smoothing=rng.integers(0, 3),
        rest=rng.choice(RESTS, p=[0.5, 0.3, 0.2]),
    )
