"""`Sign`: a sign as its phonology, and in which parameters two signs differ."""

from __future__ import annotations

from dataclasses import dataclass

from .phonology import ARRANGEMENTS, Movement, Posture

__all__ = ["PARAMETERS", "Sign", "differences"]

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
