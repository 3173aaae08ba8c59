"""From postures to rows of hand controls: every posture of every sign of an utterance solved at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from ..handshapes import RELAXED
from ..parameters import DIRECTIONS, LOCATIONS, PARTS, Movement, Posture, Sign
from .body import Body
from .kinematics import hand_frame
from .reach import Reached, part_points, solve
from .signer import Signer

__all__ = ["ANGLES", "APART", "COLUMNS", "SWIVEL", "TURN", "WRIST", "Keys", "rest_row", "solve_signs"]

WRIST, TURN, ANGLES, SWIVEL, APART = slice(0, 3), slice(3, 6), slice(6, 22), 22, 23
"""Columns of a hand's control row, in the hand's own space: wrist (m), turn on the forearm, angles of the fingers,
elbow (rad), and 1 while the hands must not cross the midline."""
COLUMNS = 24

Array = NDArray[np.float64]


class Keys(NamedTuple):
    """One sign, solved.

    Attributes:
        rows: (P, 2 ends, 2 hands, 24) control rows: at the posture and at the far end of its movement, of the
            dominant and the other hand.
        normals: (P, 3) out of the body at the place.
        frames: (P, 3, 3) of the dominant hand at the posture, as of `kinematics.hand_frame`.
        cost: (P, 2) discomfort of the dominant arm at both ends, see `reach.Reached`.
        far_places: name of the place (P,) where the movement ends.
    """

    rows: Array
    normals: Array
    frames: Array
    cost: Array
    far_places: tuple[str, ...]


def rest_row(body: Body, rest: str | None = None) -> Array:
    """(2, 24): both hands at one of `signer.RESTS`; default where this signer keeps them."""
    signer = body.signer
    width, arm = signer.shoulder_width / 2, signer.upper_arm + signer.forearm
    wrist, turn, swivel = {
        "sides": ((width + 0.06, -0.965 * arm, 0.05), (0.25, -0.05, 0.0), 0.45),
        "clasped": ((0.075, -0.70 * arm, 0.17), (0.35, -0.25, -0.15), 0.65),
        "lap": ((0.12, -0.82 * arm, 0.24), (1.2, 0.05, 0.0), 0.45),
    }[signer.rest if rest is None else rest]
    row = np.zeros((2, COLUMNS))
    row[:, WRIST], row[:, TURN], row[:, ANGLES], row[:, SWIVEL] = wrist, turn, RELAXED.radians, swivel
    return row


def solve_signs(signs: Sequence[Sign], body: Body, rng: Draws) -> list[Keys]:
    """Every posture of every sign, solved together."""
    wanted = [(s, p, m) for s in signs for p, m in zip(s.postures, s.movements, strict=True)]
    if not wanted:
        return []
    count, signer = len(wanted), body.signer
    error = _errors(signs, signer, rng)
    base = _solve_bases([s for s, _, _ in wanted], body)
    targets, normals = np.zeros((2, count, 3)), np.zeros((count, 3))
    for i, (sign, posture, movement) in enumerate(wanted):
        targets[0, i], normals[i] = _target(sign, posture, body, base, i)
        step = DIRECTIONS[movement.direction] * movement.size * signer.amplitude if movement.travels else 0.0
        targets[1, i] = targets[0, i] + step
    targets += signer.place_error * error[:, :3]
    angles = _relax(np.stack([p.handshape.radians for _, p, _ in wanted]), error[:, 6:], signer)
    palms = np.stack([DIRECTIONS[p.palm] for _, p, _ in wanted]) + signer.sloppiness * error[:, 3:6]
    reached = _solve_ends(wanted, targets, palms, angles, body)
    rows = np.zeros((count, 2, 2, COLUMNS))
    rows[:, 0, 0], rows[:, 1, 0] = _row(reached, angles, slice(0, count)), _row(reached, angles, slice(count, None))
    _place_others(rows, wanted, base, body)
    far = tuple(_nearest_place(targets[1, i], body) for i in range(count))
    cost, frames = reached.cost.reshape(2, count).T, hand_frame(reached.palm, reached.fingers)
    keys, first = [], 0
    for sign in signs:
        part = slice(first, first + len(sign.postures))
        keys.append(Keys(rows[part], normals[part], np.asarray(frames[part], np.float64), cost[part], far[part]))
        first = part.stop
    return keys


def _errors(signs: Sequence[Sign], signer: Signer, rng: Draws) -> Array:
    """(K, 22) of about unit variance: place, palm and finger errors; mostly this signer's habit with this sign."""
    habits = []
    for sign in signs:
        own = Draws("habit", signer.name, sign.label)
        habits.append(own.normal(0, 0.8, (len(sign.postures), 22)))
    habit = np.concatenate(habits)
    return habit + rng.normal(0, 0.6, habit.shape)


def _solve_ends(
    wanted: list[tuple[Sign, Posture, Movement]], targets: Array, palms: Array, angles: Array, body: Body
) -> Reached:
    """The postures (first K rows) and the far ends of their movements (last K)."""
    fingers = np.stack([DIRECTIONS[p.fingers] for _, p, _ in wanted])
    part = part_points(angles, body.signer.hand)[np.arange(len(wanted)), [PARTS.index(p.part) for _, p, _ in wanted]]
    return solve(
        targets.reshape(-1, 3), np.tile(palms, (2, 1)), np.tile(fingers, (2, 1)), np.tile(part, (2, 1)),
        body.shoulder, body.signer,
    )  # fmt: skip


def _solve_bases(signs: Sequence[Sign], body: Body) -> Reached | None:
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
    gap = 0.004 if posture.contact else 0.045
    if place.anchor not in ("arm", "hand"):
        point = body.place(posture.location, posture.side, posture.offset)
        normal = body.normal(posture.location, posture.side)
        return (point if place.anchor == "space" else point + gap * normal), normal
    if base is None or sign.base is None:
        # Without a hand held out, "arm" is the opposite upper arm hanging down, "other hand" the air before it.
        normal = np.array([-0.3, 0.0, 0.95])
        if place.anchor == "hand":
            return np.array([-0.05, -0.25, 0.28]), normal
        upper_arm = np.array([-body.shoulder[0] - 0.01, -0.55 * body.signer.upper_arm, 0.05])
        return upper_arm + gap * normal, normal
    mirror = np.array([-1.0, 1.0, 1.0])
    if place.anchor == "arm":
        normal, point = np.array([0.1, 0.95, 0.3]), 0.45 * base.elbow[i] + 0.55 * base.wrist[i]
    else:  # palm or back of the other hand, whichever looks more up, out and to the dominant side
        normal, point = base.palm[i] * mirror, base.wrist[i] + 0.5 * body.signer.hand * base.fingers[i]
        normal = normal * (1.0 if normal @ (0.6, 0.8, 0.3) > 0 else -1.0)
    thickness = 0.035 if place.anchor == "arm" else 0.018
    return point * mirror + (thickness + gap) * normal + np.array(posture.offset), normal


def _relax(angles: Array, error: Array, signer: Signer) -> Array:
    """Handshapes as this signer makes them: a little towards the relaxed hand, and never twice the same."""
    mixed = angles + (RELAXED.radians - angles) * min(0.5, 0.8 * signer.sloppiness) + 0.5 * signer.sloppiness * error
    mixed[:, 4:12] = np.clip(mixed[:, 4:12], -0.15, 1.85)
    return mixed


def _row(reached: Reached, angles: Array, part: slice) -> Array:
    columns = (reached.wrist, reached.turn, angles, reached.swivel[:, None], np.zeros((len(reached.swivel), 1)))
    return np.concatenate([c if c is angles else c[part] for c in columns], axis=1)


def _place_others(rows: Array, wanted: list[tuple[Sign, Posture, Movement]], base: Reached | None, body: Body) -> None:
    """Fills in the other hand: mirrored, base, or at rest."""
    rest = rest_row(body)[1]
    for i, (sign, _, movement) in enumerate(wanted):
        if sign.arrangement == "symmetric":
            rows[i, :, 1] = rows[i, :, 0]
        elif sign.arrangement == "alternating":
            rows[i, :, 1] = rows[i, ::-1, 0] if movement.travels else rows[i, :, 0]
        elif sign.base is not None and base is not None:
            angles = _relax(sign.base.handshape.radians[None], np.zeros((1, 16)), body.signer)
            rows[i, :, 1] = _row(Reached(*(x[i : i + 1] for x in base)), angles, slice(0, 1))
        else:
            rows[i, :, 1] = rest
        rows[i, :, :, APART] = float(sign.arrangement in ("symmetric", "alternating"))


def _nearest_place(point: Array, body: Body, within: float = 0.07) -> str:
    """Name of the place on the body nearest to a point of the dominant hand's own space, else neutral space."""
    names, points = body.surface
    distance = np.linalg.norm(points - point, axis=1)
    nearest = int(np.argmin(distance))
    return names[nearest] if distance[nearest] < within else "neutral space"
