"""From postures to rows of hand controls: every posture of every sign of an utterance solved at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .body import Body
from .handshapes import RELAXED
from .phonology import DIRECTIONS, LOCATIONS, PARTS, Movement, Posture
from .reach import Reached, part_points, solve
from .sign import Sign
from .signer import Signer

__all__ = ["CHANNELS", "Keys", "rest_row", "solve_signs"]

CHANNELS = {"wrist": slice(0, 3), "palm": slice(3, 6), "fingers": slice(6, 9), "angles": slice(9, 25), "swivel": 25,
            "apart": 26}  # fmt: skip
"""Columns of a hand's control row; ``apart`` is 1 while the hands must not cross the midline."""

Array = NDArray[np.float64]


class Keys(NamedTuple):
    """Solved control rows of one sign: (P, 2 ends, 2 hands, 27), outward normals (P, 3), far ends' places (P,)."""

    rows: Array
    normals: Array
    far_places: tuple[str, ...]


def rest_row(body: Body) -> Array:
    """(2, 27): both hands where this signer keeps them."""
    signer = body.signer
    width, arm = signer.shoulder_width / 2, signer.upper_arm + signer.forearm
    wrist, palm, fingers = {
        "sides": ((width + 0.05, -0.965 * arm, 0.05), (-0.9, 0, -0.4), (0, -1, 0.15)),
        "clasped": ((0.075, -0.36, 0.17), (-0.25, 0, -1), (-0.9, -0.45, 0.1)),
        "lap": ((0.12, -0.46, 0.22), (0, -1, 0), (-0.35, -0.1, 0.9)),
    }[signer.rest]
    row = np.zeros((2, 27))
    row[:, CHANNELS["wrist"]] = wrist
    row[:, CHANNELS["palm"]], row[:, CHANNELS["fingers"]] = palm, fingers
    row[:, CHANNELS["angles"]] = RELAXED.radians
    row[:, CHANNELS["swivel"]] = 0.45
    return row


def solve_signs(signs: Sequence[Sign], body: Body, rng: np.random.Generator) -> list[Keys]:
    """Rows of every posture of every sign, solved together."""
    signer = body.signer
    wanted = [(s, p, m) for s in signs for p, m in zip(s.postures, s.movements, strict=True)]
    if not wanted:
        return []
    count = len(wanted)
    base = _solve_bases([s for s, _, _ in wanted], body, rng)
    targets = np.zeros((2, count, 3))
    normals = np.zeros((count, 3))
    for i, (sign, posture, movement) in enumerate(wanted):
        targets[0, i], normals[i] = _target(sign, posture, body, base, i)
        step = DIRECTIONS[movement.direction] * movement.size * signer.amplitude if movement.travels else 0.0
        targets[1, i] = targets[0, i] + step
    targets += rng.normal(0, signer.place_error, (count, 3))
    angles = np.stack([p.handshape.radians for _, p, _ in wanted])
    angles = _relax(angles, signer, rng)
    solved = _solve_both_ends(wanted, targets, angles, body, rng)
    rows = np.zeros((count, 2, 2, 27))
    for end, reached in enumerate(solved):
        rows[:, end, 0] = _row(reached, angles)
    far = tuple(_nearest_place(targets[1, i], body) for i in range(count))
    _place_others(rows, wanted, base, body)
    keys, first = [], 0
    for sign in signs:
        last = first + len(sign.postures)
        keys.append(Keys(rows[first:last], normals[first:last], far[first:last]))
        first = last
    return keys


def _solve_both_ends(
    wanted: list[tuple[Sign, Posture, Movement]], targets: Array, angles: Array, body: Body, rng: np.random.Generator
) -> tuple[Reached, Reached]:
    palms = np.stack([DIRECTIONS[p.palm] for _, p, _ in wanted])
    palms = palms + rng.normal(0, body.signer.sloppiness, palms.shape)
    fingers = np.stack([DIRECTIONS[p.fingers] for _, p, _ in wanted])
    part = part_points(angles, body.signer.hand)[np.arange(len(wanted)), [PARTS.index(p.part) for _, p, _ in wanted]]
    stacked = solve(
        targets.reshape(-1, 3), np.tile(palms, (2, 1)), np.tile(fingers, (2, 1)), np.tile(part, (2, 1)),
        body.shoulder, body.signer,
    )  # fmt: skip
    count = len(wanted)
    return Reached(*(x[:count] for x in stacked)), Reached(*(x[count:] for x in stacked))


def _solve_bases(signs: Sequence[Sign], body: Body, rng: np.random.Generator) -> Reached | None:
    """The other hand of base-hand signs, in its own space; rows of other signs are meaningless."""
    if not any(s.base is not None for s in signs):
        return None
    fallback = Posture(RELAXED, "neutral space", "left", "away")
    postures = [s.base if s.base is not None else fallback for s in signs]
    angles = np.stack([p.handshape.radians for p in postures])
    targets = np.stack([body.place(p.location, 1, p.offset) for p in postures])
    part = part_points(angles, body.signer.hand)[:, PARTS.index("palm")]
    palms = np.stack([DIRECTIONS[p.palm] for p in postures])
    fingers = np.stack([DIRECTIONS[p.fingers] for p in postures])
    return solve(targets, palms, fingers, part, body.shoulder, body.signer)


def _target(sign: Sign, posture: Posture, body: Body, base: Reached | None, i: int) -> tuple[Array, Array]:
    """Where the posture's part of the hand goes, and the normal there, in the dominant hand's own space."""
    place = LOCATIONS[posture.location]
    mirror = np.array([-1.0, 1.0, 1.0])
    normal = body.normal(posture.location, posture.side)
    gap = 0.004 if posture.contact else 0.05
    if place.anchor not in ("arm", "hand"):
        point = body.place(posture.location, posture.side, posture.offset)
        return (point if place.anchor == "space" else point + gap * normal), normal
    if base is None or sign.base is None:
        # Without a hand held out, "arm" is the opposite upper arm hanging down, "other hand" the air before it.
        point = np.array([-body.signer.shoulder_width / 2 - 0.01, -0.55 * body.signer.upper_arm, 0.055])
        return (point if place.anchor == "arm" else np.array([-0.05, -0.25, 0.28])), np.array([-0.3, 0.0, 0.95])
    if place.anchor == "arm":
        point = 0.45 * base.elbow[i] + 0.55 * base.wrist[i]
    else:
        point = base.wrist[i] + 0.5 * body.signer.hand * base.fingers[i]
    return point * mirror + np.array(place.point) + np.array(posture.offset) + gap * normal, normal


def _relax(angles: Array, signer: Signer, rng: np.random.Generator) -> Array:
    """Handshapes as this signer makes them: a little towards the relaxed hand, and never twice the same."""
    mixed = angles + (RELAXED.radians - angles) * min(0.5, signer.sloppiness)
    mixed = mixed + rng.normal(0, 0.5 * signer.sloppiness, angles.shape)
    mixed[:, 4:12] = np.clip(mixed[:, 4:12], -0.15, 1.85)
    return mixed


def _row(reached: Reached, angles: Array) -> Array:
    count = len(angles)
    return np.concatenate(
        [reached.wrist, reached.palm, reached.fingers, angles, reached.swivel[:, None], np.zeros((count, 1))], axis=1
    )


def _place_others(rows: Array, wanted: list[tuple[Sign, Posture, Movement]], base: Reached | None, body: Body) -> None:
    """Fills in the other hand: mirrored, base, or at rest."""
    rest = rest_row(body)[1]
    for i, (sign, _, movement) in enumerate(wanted):
        if sign.arrangement == "symmetric":
            rows[i, :, 1] = rows[i, :, 0]
        elif sign.arrangement == "alternating":
            rows[i, :, 1] = rows[i, ::-1, 0] if movement.travels else rows[i, :, 0]
        elif sign.base is not None and base is not None:
            angles = sign.base.handshape.radians
            rows[i, :, 1] = np.concatenate(
                [base.wrist[i], base.palm[i], base.fingers[i], angles, base.swivel[i : i + 1], [0.0]]
            )
        else:
            rows[i, :, 1] = rest
        rows[i, :, :, CHANNELS["apart"]] = float(sign.arrangement in ("symmetric", "alternating"))


def _nearest_place(point: Array, body: Body, within: float = 0.07) -> str:
    """Name of the place on the body nearest to a point of the dominant hand's own space, else neutral space."""
    best, name = within, "neutral space"
    for place in LOCATIONS.values():
        if place.anchor not in ("head", "torso"):
            continue
        for side in set(place.sides) or {1}:
            distance = float(np.linalg.norm(point - body.place(place.name, side, (0.0, 0.0, 0.0))))
            if distance < best:
                best, name = distance, place.name
    return name
