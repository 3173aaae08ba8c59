"""Making up signs: random ones that an arm can perform, and minimal pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .draws import Draws
from .handshapes import HANDSHAPES, Handshape, random_handshape
from .parameters import DIRECTIONS, LOCATIONS, PARAMETERS, Movement, Posture, Sign, differences, direction_name
from .signing.body import body_of
from .signing.embody import clear_of_body
from .signing.kinematics import hand_points
from .signing.postures import ANGLES, WRIST, solve_signs
from .signing.signer import CANONICAL

__all__ = ["feasible", "minimal_pair", "random_sign"]

_PLACE_WEIGHTS = {
    "neutral space": 7.0, "above head": 0.5, "upper face": 1.3, "eyes": 0.8, "nose": 0.9, "mouth": 1.3, "chin": 1.4,
    "cheeks": 1.6, "ears": 1.0, "neck": 0.9, "shoulders": 2.0, "chest": 2.6, "waist": 1.0, "arm": 0.0,
    "other hand": 0.0,
}  # fmt: skip
_KIND_WEIGHTS = {"hold": 2.0, "straight": 5.0, "arc": 2.0, "circle": 2.0, "zigzag": 0.7, "wiggle": 1.0, "twist": 1.5,
                 "nod": 1.0, "tap": 1.5, "pulse": 1.2}  # fmt: skip
_BASES = ("B-open", "B", "5", "A", "S", "index", "O", "C", "U")


def random_sign(rng: Draws, label: str) -> Sign:
    """A sign that a standard signer can perform with every palm direction within 50° of the one asked for."""
    for _ in range(200):
        sign = _draw(rng, label)
        if feasible(sign):
            return sign
    raise RuntimeError("no feasible sign in 200 draws; the inventory or the joint limits must have changed")


def feasible(sign: Sign) -> bool:
    """Whether a standard signer's arm does it with ease: palms face as named and within 50° of exactly so, and the
    hand gets to its place without passing through the body."""
    body = body_of(_EXACT)
    (keys,) = solve_signs([sign], body, Draws(0))
    palms = keys.frames[:, 2]
    wished = np.stack([DIRECTIONS[p.palm] for p in sign.postures])
    named = direction_name(palms) == np.array([p.palm for p in sign.postures])
    close = (palms * wished).sum(axis=1) > 0.64
    hands = keys.rows[:, 0, 0, None, WRIST] + hand_points(keys.rows[:, 0, 0, ANGLES], _EXACT.hand) @ keys.frames
    free = np.linalg.norm(clear_of_body(hands, body), axis=-1) < 0.02
    easy = keys.cost[:, 0].max() < _EASE and keys.cost[:, 1].max() < 2 * _EASE
    return bool(named.all() and close.all() and free.all() and easy)


_EASE = 0.9
"""Highest `reach.Reached.cost` at a posture; the far end of a movement may cost twice."""
_EXACT = replace(CANONICAL, sloppiness=0.0, place_error=0.0)


def _choose(rng: Draws, weights: dict[str, float]) -> str:
    total = sum(weights.values())
    return str(rng.choice(list(weights), p=[weight / total for weight in weights.values()]))


def _draw(rng: Draws, label: str) -> Sign:
    arrangement = _choose(rng, {"one-handed": 5.0, "symmetric": 2.5, "alternating": 1.0, "base-hand": 2.0})
    base = _base(rng) if arrangement == "base-hand" else None
    count = rng.choice([1, 2, 3], p=[0.62, 0.3, 0.08])
    postures = [_posture(rng, arrangement)]
    while len(postures) < count:
        postures.append(_next_posture(rng, postures[-1], arrangement))
    movements = [_movement(rng, p, light=count > 1) for p in postures]
    if count == 1 and movements[0].kind == "hold" and rng.random() < 0.6:
        movements = [_movement(rng, postures[0], light=False)]
    if arrangement == "alternating" and all(m.kind == "hold" for m in movements):
        movements[0] = replace(_movement(rng, postures[0], light=False, kind="circle"), repeats=2)
    return Sign(label, tuple(postures), tuple(movements), arrangement, base)


def _posture(rng: Draws, arrangement: str) -> Posture:
    weights = dict(_PLACE_WEIGHTS)
    if arrangement == "base-hand":
        weights = {"other hand": 6.0, "arm": 1.5, "neutral space": 1.5}
    elif arrangement == "one-handed":
        weights["arm"] = 0.4
    else:  # two hands meet in space more often than on the face
        weights |= {"neutral space": 14.0, "nose": 0.2, "mouth": 0.5, "neck": 0.2}
    location = _choose(rng, weights)
    shape = random_handshape(rng)
    palm = _choose(rng, _palm_weights(location))
    return Posture(
        handshape=shape,
        location=location,
        palm=palm,
        fingers=_choose(rng, _finger_weights(location)),
        part=_part(rng, shape, location),
        contact=bool(LOCATIONS[location].anchor != "space" and rng.random() < 0.65),
        side=_side(rng, location, arrangement),
        offset=_offset(rng, location, palm),
    )


def _palm_weights(location: str) -> dict[str, float]:
    if LOCATIONS[location].anchor in ("head", "torso"):
        return {"body": 4.0, "left": 3.0, "down": 1.5, "away": 1.2, "up": 0.6, "right": 0.3}
    return {"down": 3.0, "body": 2.0, "left": 2.5, "up": 2.0, "away": 2.0, "right": 0.4}


def _finger_weights(location: str) -> dict[str, float]:
    weights = {"up": 3.0, "away": 2.0, "left": 2.0, "down": 0.6}
    if LOCATIONS[location].anchor in ("head", "torso"):
        weights |= {"body": 2.5, "away": 0.5}
    return weights


def _part(rng: Draws, shape: Handshape, location: str) -> str:
    if LOCATIONS[location].anchor == "space":
        return "palm"
    flexions = shape.flexions
    weights = {"fingertips": 2.0, "thumb side": 0.8, "little side": 0.4, "knuckles": 0.5}
    if flexions[1] < 0.35:
        weights["index tip"] = 9.0 if shape.points else 3.0
    if shape.degrees[0] > 45 and flexions[0] < 0.3:
        weights["thumb tip"] = 1.5
    if LOCATIONS[location].anchor != "head":
        weights["palm"] = 3.0
    return _choose(rng, weights)


def _side(rng: Draws, location: str, arrangement: str) -> int:
    sides = LOCATIONS[location].sides
    if not sides or arrangement in ("symmetric", "alternating"):
        return 1
    return sides[rng.integers(len(sides))]


def _offset(rng: Draws, location: str, palm: str) -> tuple[float, float, float]:
    x, y, z = (rng.uniform(-1, 1) * s for s in LOCATIONS[location].scatter)
    if location == "neutral space" and palm == "away":  # a palm faces away from an upright forearm
        y, z = y + 0.15, z - 0.06
    return round(x, 3), round(y, 3), round(z, 3)


def _next_posture(rng: Draws, before: Posture, arrangement: str) -> Posture:
    """The next posture of a sign usually changes one or two things and keeps the rest (Brentari 1998)."""
    fresh = _posture(rng, arrangement)
    change = _choose(rng, {"handshape": 3.0, "place": 4.0, "palm": 2.0, "all": 1.0})
    if change == "handshape":
        return replace(before, handshape=fresh.handshape)
    if change == "palm":
        return replace(before, palm=fresh.palm, fingers=fresh.fingers)
    if change == "all":
        return fresh
    shape = before.handshape
    return replace(fresh, handshape=shape, palm=before.palm, fingers=before.fingers,
                   part=_part(rng, shape, fresh.location))  # fmt: skip


def _movement(rng: Draws, posture: Posture, light: bool, kind: str | None = None) -> Movement:
    weights = dict(_KIND_WEIGHTS)
    if light:
        weights |= {"hold": 12.0}
    if not posture.contact:
        weights["tap"] = 0.2
    kind = _choose(rng, weights) if kind is None else kind
    directions = dict.fromkeys(DIRECTIONS, 1.0)
    if LOCATIONS[posture.location].anchor in ("head", "torso"):
        directions |= {"body": 0.0, "away": 2.0}
    elif posture.location in ("arm", "other hand"):
        directions |= {"down": 0.3}
    return Movement(
        kind=kind,
        direction=_choose(rng, directions),
        size=round(rng.uniform(0.09, 0.2), 3),
        repeats=rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]),
        seconds=round(rng.uniform(0.22, 0.40), 3),
        other=random_handshape(rng, 1.0) if kind == "pulse" else None,
    )


def _base(rng: Draws) -> Posture:
    x, y, z = (rng.uniform(-1, 1) for _ in range(3))
    return Posture(
        handshape=HANDSHAPES[rng.choice(_BASES)],
        location="neutral space",
        palm=_choose(rng, {"up": 2.0, "left": 2.0, "down": 2.0, "body": 1.0}),
        fingers=_choose(rng, {"away": 2.0, "left": 2.0}),
        offset=(round(-0.06 + 0.04 * x, 3), round(-0.03 + 0.05 * y, 3), round(-0.03 + 0.03 * z, 3)),
    )


# --- minimal pairs ---------------------------------------------------------------------------------------------


def minimal_pair(sign: Sign, parameter: str, rng: Draws, label: str = "") -> Sign:
    """A feasible sign that differs from `sign` in exactly one of `sign.PARAMETERS`.

    What the postures share stays shared: if all have one handshape, all get the new one.

    Raises:
        ValueError: an unknown parameter.
    """
    if parameter not in PARAMETERS:
        raise ValueError(f"parameter {parameter!r} is not known; expected one of {', '.join(PARAMETERS)}")
    for _ in range(300):
        other = replace(_CHANGES[parameter](sign, rng), label=label if label else f"{sign.label}~{parameter}")
        if differences(sign, other) == (parameter,) and _clearly(sign, other, parameter) and feasible(other):
            return other
    raise RuntimeError(f"no minimal pair of {sign.label!r} in {parameter} in 300 draws")


def _clearly(sign: Sign, other: Sign, parameter: str) -> bool:
    """Whether the change is one that can be seen."""
    first, second = sign.postures[0], other.postures[0]
    if parameter == "handshape":
        return bool(np.abs(first.handshape.radians - second.handshape.radians)[4:].max() > 0.6)
    if parameter == "location":
        return first.location != second.location
    if parameter == "orientation":
        return first.palm != second.palm
    return True


def _handshape(sign: Sign, rng: Draws) -> Sign:
    old, new = sign.postures[0].handshape, random_handshape(rng)
    return replace(sign, postures=tuple(replace(p, handshape=new) if p.handshape == old else p for p in sign.postures))


def _location(sign: Sign, rng: Draws) -> Sign:
    old = sign.postures[0]
    new = _posture(rng, sign.arrangement)

    def moved(p: Posture) -> Posture:
        if (p.location, p.offset, p.side) != (old.location, old.offset, old.side):
            return p
        contact = new.contact if LOCATIONS[new.location].anchor != "space" else False
        part = _part(rng, p.handshape, new.location)
        return replace(p, location=new.location, offset=new.offset, side=new.side, contact=contact, part=part)

    return replace(sign, postures=tuple(moved(p) for p in sign.postures))


def _orientation(sign: Sign, rng: Draws) -> Sign:
    old = sign.postures[0].palm
    new = _choose(rng, dict.fromkeys((d for d in DIRECTIONS if d != old), 1.0))
    return replace(sign, postures=tuple(replace(p, palm=new) if p.palm == old else p for p in sign.postures))


def _changed_movement(sign: Sign, rng: Draws) -> Sign:
    k = next((i for i, m in enumerate(sign.movements) if m.kind != "hold"), 0)
    old = sign.movements[k]
    new = _movement(rng, sign.postures[k], light=False)
    if old.travels and rng.random() < 0.5:  # the closest neighbour: same kind, another direction
        new = replace(old, direction=new.direction)
    if (new.kind, new.direction) == (old.kind, old.direction) or (
        new.kind == old.kind and not new.travels and new.kind != "circle"
    ):
        return sign
    return replace(sign, movements=tuple(new if i == k else m for i, m in enumerate(sign.movements)))


def _arrangement(sign: Sign, rng: Draws) -> Sign:
    other = _choose(rng, {"one-handed": 1.0, "symmetric": 1.0, "alternating": 1.0, "base-hand": 1.0})
    if other == "alternating" and all(m.kind == "hold" for m in sign.movements):
        return sign
    base = _base(rng) if other == "base-hand" else None
    return replace(sign, arrangement=other, base=base)


_CHANGES = {"handshape": _handshape, "location": _location, "orientation": _orientation,
            "movement": _changed_movement, "arrangement": _arrangement}  # fmt: skip
