"""Which of several people is followed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .body import Person
from .regions import Region

__all__ = ["CHOICES", "check_choice", "chosen", "nearest"]

CHOICES = ("largest", "nearest-centre", "left", "right")


def check_choice(person: str | int) -> str | int:
    """One of `CHOICES`, or a number from 1 on.

    Raises:
        ValueError: neither.
    """
    if person in CHOICES:
        return person
    if str(person).isdecimal() and int(person) >= 1:
        return int(person)
    raise ValueError(
        f"person {person!r} is not known; expected {', '.join(CHOICES)} or a number from 1 (from the left)"
    )


def chosen(people: Sequence[Person], person: str | int, size: tuple[int, int]) -> Person | None:
    """The person that is meant, in a picture of (width, height) pixels; None where there are not so many.

    Args:
        person: "largest" (as the detector measures the body), "nearest-centre" of the picture, the outermost "left" or
            "right" as seen in the picture, or a number, counted from the left from 1.
    """
    if not people:
        return None
    from_left = sorted(people, key=lambda p: p.region.x)
    if person == "largest":
        return max(people, key=lambda p: p.region.side)
    if person == "nearest-centre":
        return min(people, key=lambda p: math.hypot(p.region.x - size[0] / 2, p.region.y - size[1] / 2))
    if person in ("left", "right"):
        return from_left[0 if person == "left" else -1]
    number = int(person)
    return from_left[number - 1] if number <= len(from_left) else None


def nearest(people: Sequence[Person], place: Region) -> Person | None:
    """The person closest to a place where somebody was seen; None where nobody is within one region's side of it."""
    near = [p for p in people if p.region.away_from(place) < 1.0]
    return min(near, key=lambda p: p.region.away_from(place)) if near else None
