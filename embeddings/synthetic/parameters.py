"""The parameters a sign is built from: places, directions, movements, parts of the hand, arrangements.

Places are the fifteen areas of the location vector; directions are the six of the movement and orientation
features. Everything is written for the DOMINANT hand of a right-handed signer: "right" is outwards to that
hand's own side and "left" inwards across the body. `SIDEWAYS` space below has x to the hand's own side, y up,
z forward; a left-handed signer mirrors it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..phonology.locations import LOCATIONS as LOCATION_NAMES
from .handshapes import Handshape

__all__ = [
    "ARRANGEMENTS",
    "DIRECTIONS",
    "LOCATIONS",
    "Location",
    "MOVEMENT_KINDS",
    "Movement",
    "PARAMETERS",
    "PARTS",
    "Posture",
    "Sign",
    "differences",
    "direction_name",
]

Vector = tuple[float, float, float]

DIRECTIONS: dict[str, NDArray[np.float64]] = {
    "up": np.array([0.0, 1.0, 0.0]),
    "down": np.array([0.0, -1.0, 0.0]),
    "right": np.array([1.0, 0.0, 0.0]),
    "left": np.array([-1.0, 0.0, 0.0]),
    "away": np.array([0.0, 0.0, 1.0]),
    "body": np.array([0.0, 0.0, -1.0]),
}
"""Name → unit vector in the hand's own space (x to its own side)."""

ARRANGEMENTS: tuple[str, ...] = ("one-handed", "symmetric", "alternating", "base-hand")
MOVEMENT_KINDS: tuple[str, ...] = (
    "hold", "straight", "arc", "circle", "zigzag", "wiggle", "twist", "nod", "tap", "pulse",
)  # fmt: skip
PARTS: tuple[str, ...] = ("index tip", "thumb tip", "fingertips", "palm", "knuckles", "thumb side", "little side")
"""What of the hand goes to the place."""


@dataclass(frozen=True)
class Location:
    """A place on or before the body of a standard signer.

    Attributes:
        name: one of `embeddings.phonology.locations.LOCATIONS`.
        anchor: what it moves with: "head", "torso", "space", "arm" (the other forearm) or "hand" (the other hand).
        point: metres from the neck, x to the hand's own side; for "arm" and "hand" an offset from them.
        normal: unit vector out of the surface there.
        sides: which sides (+1 own, -1 opposite) a sign may choose; () for places on the midline.
        scatter: half-extents (m) within which signs place their targets.
    """

    name: str
    anchor: str
    point: Vector
    normal: Vector
    sides: tuple[int, ...] = ()
    scatter: Vector = (0.01, 0.005, 0.0)


_LOCATIONS = {
    place.name: place
    for place in (
        Location("neutral space", "space", (0.13, -0.21, 0.33), (0, 0, 1), (), (0.12, 0.11, 0.06)),
        Location("above head", "head", (0.06, 0.42, 0.06), (0, 0.8, 0.6), (), (0.06, 0.03, 0.03)),
        Location("upper face", "head", (0.02, 0.252, 0.098), (0.2, 0, 0.98), (), (0.02, 0.01, 0)),
        Location("eyes", "head", (0.036, 0.206, 0.096), (0.3, 0, 0.95), (1, -1), (0.006, 0.006, 0)),
        Location("nose", "head", (0.0, 0.172, 0.125), (0, 0, 1), (), (0.006, 0.008, 0)),
        Location("mouth", "head", (0.0, 0.134, 0.108), (0, 0, 1), (), (0.02, 0.005, 0)),
        Location("chin", "head", (0.0, 0.096, 0.092), (0, -0.3, 0.95), (), (0.02, 0.004, 0)),
        Location("cheeks", "head", (0.056, 0.155, 0.072), (0.6, 0, 0.8), (1, 1, -1), (0.006, 0.012, 0)),
        Location("ears", "head", (0.084, 0.185, 0.02), (0.9, 0, 0.44), (1,), (0.004, 0.015, 0.01)),
        Location("neck", "torso", (0.02, 0.045, 0.062), (0.1, 0, 0.99), (), (0.03, 0.012, 0)),
        Location("shoulders", "torso", (0.15, -0.015, 0.055), (0, 0.4, 0.92), (1, -1, -1), (0.015, 0.015, 0)),
        Location("chest", "torso", (0.02, -0.15, 0.115), (0, 0, 1), (), (0.09, 0.05, 0)),
        Location("waist", "torso", (0.08, -0.45, 0.125), (0, 0, 1), (), (0.06, 0.03, 0)),
        Location("arm", "arm", (0.0, 0.045, 0.01), (0, 1, 0), (), (0.0, 0.0, 0.0)),
        Location("other hand", "hand", (0.0, 0.03, 0.0), (0, 0.9, 0.44), (), (0.01, 0.005, 0.01)),
    )
}
LOCATIONS: dict[str, Location] = {name: _LOCATIONS[name] for name in LOCATION_NAMES}
"""The fifteen places, in the order (index 0 to 14) of the location vector."""


@dataclass(frozen=True)
class Posture:
    """What a hand is to be at a moment of a sign.

    Attributes:
        handshape: the fingers.
        location: a name of `LOCATIONS`.
        palm: direction (a key of `DIRECTIONS`) the palm faces.
        fingers: direction the fingers would like to point; the wrist's limits decide how nearly they do.
        part: what of the hand goes to the place, one of `PARTS`.
        contact: touches the place; else it stays `gap` before it.
        side: +1 own side, -1 opposite side of the body, for places that have sides.
        offset: metres from the place's middle, x to the hand's own side.
    """

    handshape: Handshape
    location: str
    palm: str
    fingers: str
    part: str = "palm"
    contact: bool = False
    side: int = 1
    offset: Vector = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        _known("location", self.location, LOCATIONS)
        _known("palm", self.palm, DIRECTIONS)
        _known("fingers", self.fingers, DIRECTIONS)
        _known("part", self.part, PARTS)


@dataclass(frozen=True)
class Movement:
    """What the hand does at a posture.

    Attributes:
        kind: one of `MOVEMENT_KINDS`. straight, arc and zigzag end elsewhere; the others come back.
        direction: where to (straight, arc, zigzag), or the circle's axis.
        size: metres of the path's extent.
        repeats: how often.
        seconds: of one repetition, at tempo 1.
        other: the handshape that `pulse` opens or closes to.
    """

    kind: str = "hold"
    direction: str = "up"
    size: float = 0.12
    repeats: int = 1
    seconds: float = 0.35
    other: Handshape | None = None

    def __post_init__(self) -> None:
        _known("movement kind", self.kind, MOVEMENT_KINDS)
        _known("direction", self.direction, DIRECTIONS)
        if self.repeats < 1:
            raise ValueError(f"a movement is repeated {self.repeats} times; expected at least 1")

    @property
    def travels(self) -> bool:
        """Whether one repetition ends at another point than it began."""
        return self.kind in ("straight", "arc", "zigzag")


def _known(what: str, value: str, among: Collection[str]) -> None:
    if value not in among:
        raise ValueError(f"{what} {value!r} is not known; expected one of {', '.join(among)}")


def direction_name(vectors: NDArray[np.floating]) -> NDArray[np.str_]:
    """Names (…,) of the nearest of the six directions for vectors (…, 3) in the hand's own space."""
    names = np.array(list(DIRECTIONS))
    return names[np.argmax(vectors @ np.stack(list(DIRECTIONS.values())).T, axis=-1)]


PARAMETERS: tuple[str, ...] = ("handshape", "location", "orientation", "movement", "arrangement")
"""What minimal pairs may differ in."""


@dataclass(frozen=True)
class Sign:
    """A sign of the procedural world, complete enough to be performed.

    Attributes:
        label: its gloss.
        postures: one to three, of the dominant hand, in order.
        movements: as many: what the hand does once it is at the posture.
        arrangement: one of `ARRANGEMENTS`.
        base: the other hand's posture, for "base-hand" only.
    """

    label: str
    postures: tuple[Posture, ...]
    movements: tuple[Movement, ...]
    arrangement: str = "one-handed"
    base: Posture | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.postures) <= 3:
            raise ValueError(f"sign {self.label!r} has {len(self.postures)} postures; expected one to three")
        if len(self.movements) != len(self.postures):
            raise ValueError(
                f"sign {self.label!r} has {len(self.movements)} movements for {len(self.postures)} postures; "
                "expected one each (use Movement() for a hold)"
            )
        if self.arrangement not in ARRANGEMENTS:
            raise ValueError(
                f"arrangement {self.arrangement!r} is not known; expected one of {', '.join(ARRANGEMENTS)}"
            )
        if (self.base is not None) != (self.arrangement == "base-hand"):
            raise ValueError(
                f"sign {self.label!r}: a base posture belongs to the arrangement 'base-hand' and only to it"
            )


def differences(first: Sign, second: Sign) -> tuple[str, ...]:
    """Names out of `PARAMETERS` in which two signs differ; () means they are homonyms."""

    def of(sign: Sign) -> tuple[object, ...]:
        p = sign.postures
        return (
            tuple(x.handshape for x in p),
            tuple((x.location, x.side, x.offset, x.part, x.contact) for x in p),
            tuple((x.palm, x.fingers) for x in p),
            sign.movements,
            (sign.arrangement, sign.base),
        )

    return tuple(name for name, a, b in zip(PARAMETERS, of(first), of(second), strict=True) if a != b)
