"""`perform`: plays a score on a signer's body: the figure in 3D, the spans, and the truth of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clip import Span
from .body import HEAD_JOINTS, Body, body_of
from .figure import FIGURE_JOINTS, Figure, figure_index
from .kinematics import hand_frame, hand_points, place_elbow, pole_vector, unit
from .keys import CHANNELS
from .motion import Event, Score, Timing, compose
from .phonology import DIRECTIONS, direction_name
from .sign import Sign
from .signer import Signer

__all__ = ["Performance", "Truth", "perform"]

Array = NDArray[np.floating]
_HEAD_ROWS = [figure_index(name) for name in HEAD_JOINTS]
_HANDS = {side: slice(figure_index(f"{side}_hand_wrist"), figure_index(f"{side}_hand_wrist") + 21)
          for side in ("left", "right")}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Truth:
    """What is so in every frame. Hands are in the order (left, right), the signer's own.

    Attributes:
        sign: (T,) label while a sign's own postures and movements last, else "".
        handshape: (T, 2) name of the planned handshape, "" in transitions and at rest.
        location: (T, 2) name of the place (`phonology.LOCATION_NAMES`), "" in transitions, on paths and at rest.
        orientation: (T, 2) where the palm faces: up, down, right, left, away or body; from the figure itself.
        movement: (T, 2) hold, a direction, circle, twist, …; "" in preparation, retraction and at rest.
        hold: (T, 2) bool, the hand is still at a posture.
        symmetric: (T,) bool, both hands mirror each other.
        angles: (T, 2, 16) radians of the fingers (`handshapes.ANGLES`).
        frames: (T, 2, 3, 3) rows: towards the thumb's side, finger direction, palm normal; world space.
    """

    sign: NDArray[np.str_]
    handshape: NDArray[np.str_]
    location: NDArray[np.str_]
    orientation: NDArray[np.str_]
    movement: NDArray[np.str_]
    hold: NDArray[np.bool_]
    symmetric: NDArray[np.bool_]
    angles: Array
    frames: Array


@dataclass(frozen=True, eq=False)
class Performance:
    """A signer signing.

    Attributes:
        figure: the body in 3D, (T, 64, 3).
        spans: what an annotator would mark: from hands in place to before the retraction.
        signer: who.
        score: the plan that was played, from which `truth` is told.
    """

    figure: Figure
    spans: tuple[Span, ...]
    signer: Signer
    score: Score
    angles: Array
    frames: Array

    def __len__(self) -> int:
        return len(self.figure)

    @property
    def truth(self) -> Truth:
        """What is so in every frame."""
        return _truth(self)


def perform(
    signs: Sequence[Sign | None],
    signer: Signer,
    rng: np.random.Generator,
    fps: float = 25.0,
    timing: Timing | None = None,
    counted: Sequence[bool] | None = None,
) -> Performance:
    """The signs one after another, from rest to rest, None being a pause; see `motion.compose`."""
    timing = Timing() if timing is None else timing
    score = compose(signs, signer, rng, fps, timing, counted)
    body = body_of(signer)
    controls = _play(score, signer, rng, fps, flowing=sum(s is not None for s in signs) > 1)
    xyz, frames, angles = _embody(controls, body)
    xyz = _enliven(xyz, frames, body, rng, fps)
    if signer.left_handed:
        xyz, frames, angles = _mirrored(xyz), frames[:, ::-1] * np.array([-1.0, 1.0, 1.0]), angles[:, ::-1]
    spans = tuple(Span(*span) for span in score.spans)
    return Performance(Figure(xyz.astype(np.float32), fps), spans, signer, score, angles, frames)


# --- motion ----------------------------------------------------------------------------------------------------


def _play(score: Score, signer: Signer, rng: np.random.Generator, fps: float, flowing: bool) -> Array:
    """Hand controls (T, 2, 27) of every frame, (dominant, other), each in its own space."""
    rows = np.stack(score.rows)
    if flowing and signer.undershoot > 0:
        middle = 0.5 * (rows[:-2, ..., :25] + rows[2:, ..., :25])
        near = np.linalg.norm(rows[:-2, ..., :3] - rows[2:, ..., :3], axis=-1, keepdims=True)
        rows[1:-1, ..., :25] += signer.undershoot * np.clip(1 - near / 0.6, 0, 0.6) * (middle - rows[1:-1, ..., :25])
    keys = np.array(score.frames)
    length = int(keys[-1]) + 1
    t = np.arange(length)
    j = np.clip(np.searchsorted(keys, t, "right") - 1, 0, len(keys) - 2)
    share = (t - keys[j]) / (keys[j + 1] - keys[j])
    weight = np.repeat(_minimum_jerk(share)[:, None], 27, axis=1)
    # The fingers are ready before the hand arrives.
    weight[:, CHANNELS["angles"]] = _minimum_jerk(np.clip(share / 0.85, 0, 1))[:, None]
    controls = rows[j] + (rows[j + 1] - rows[j]) * weight[:, None]
    _arch(controls, keys)
    for event in score.events:
        _apply(event, controls[event.start : event.end + 1])
    for _ in range(signer.smoothing if fps < 40 else 2 * signer.smoothing):
        controls = _smooth(controls)
    drift = _slow_noise(rng, length, 6, fps, 1.2).reshape(length, 2, 3)
    controls[..., CHANNELS["wrist"]] += 0.004 * drift
    return controls


def _minimum_jerk(share: Array) -> Array:
    """Flash and Hogan 1985: position over time of a reach without jerk, 0 to 1."""
    return share**3 * (10 - 15 * share + 6 * share**2)


def _arch(controls: Array, keys: NDArray[np.int_]) -> None:
    """Transitions swing a little away from the body, as joints make them."""
    wrists = controls[..., CHANNELS["wrist"]]
    for a, b in zip(keys[:-1], keys[1:], strict=True):
        distance = np.linalg.norm(wrists[b] - wrists[a], axis=-1)
        if distance.max() > 0.12:
            bump = np.sin(np.pi * np.arange(b - a + 1) / (b - a)) ** 2
            wrists[a : b + 1, :, 2] += bump[:, None] * np.clip(0.14 * distance, 0, 0.06)


def _apply(event: Event, part: Array) -> None:
    """Adds a movement to the controls (n, 2, 27) of its frames, in place."""
    n = len(part) - 1
    share = np.arange(n + 1) / n
    ramp = np.clip(np.minimum(share, 1 - share) * 5, 0, 1)
    hands = [(0, 0.0)] if event.phase is None else [(0, 0.0), (1, event.phase)]
    for hand, phase in hands:
        _MOVES[event.movement.kind](part[:, hand], event, share, ramp, phase)


def _basis(axis: Array) -> tuple[Array, Array]:
    first = unit(np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0]))
    return first, np.cross(axis, first)


def _circle(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    move = event.movement
    first, second = _basis(DIRECTIONS[move.direction])
    angle = 2 * np.pi * (move.repeats * share + phase)
    row[:, :3] += 0.5 * move.size * ramp[:, None] * (np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second)


def _arc(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    beside = _basis(DIRECTIONS[event.movement.direction])[1]
    row[:, :3] += (0.55 * event.movement.size * np.sin(np.pi * share))[:, None] * beside


def _zigzag(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    beside = _basis(DIRECTIONS[event.movement.direction])[0]
    row[:, :3] += (0.28 * event.movement.size * ramp * np.sin(5 * np.pi * share))[:, None] * beside


def _tap(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    lift = 0.5 * event.movement.size * np.abs(np.sin(np.pi * (event.movement.repeats * share + phase))) * ramp
    row[:, :3] += lift[:, None] * np.array(event.normal)


def _wiggle(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    angle = 2 * np.pi * (1.5 * event.movement.repeats * share[:, None] + phase + 0.23 * np.arange(4))
    row[:, 13:21:2] += np.where(row[:, 13:21:2] < 0.9, 0.42, 0.12) * ramp[:, None] * (np.sin(angle) + 0.6)


def _twist(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    angle = (0.75 * ramp * np.sin(2 * np.pi * (event.movement.repeats * share + phase)))[:, None]
    thumb = np.cross(row[:, 3:6], row[:, 6:9])
    row[:, 3:6] = np.cos(angle) * row[:, 3:6] + np.sin(angle) * thumb


def _nod(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    angle = (0.6 * ramp * np.sin(2 * np.pi * (event.movement.repeats * share + phase)))[:, None]
    palm, fingers = row[:, 3:6].copy(), row[:, 6:9].copy()
    row[:, 6:9] = np.cos(angle) * fingers + np.sin(angle) * palm
    row[:, 3:6] = np.cos(angle) * palm - np.sin(angle) * fingers


def _pulse(row: Array, event: Event, share: Array, ramp: Array, phase: float) -> None:
    other = event.movement.other
    if other is None:
        raise ValueError("a pulse needs the handshape it opens or closes to: Movement(kind='pulse', other=…)")
    weight = np.sin(np.pi * (event.movement.repeats * share + phase)) ** 2 * np.where(phase > 0, ramp, 1)
    row[:, CHANNELS["angles"]] += weight[:, None] * (other.radians - row[:, CHANNELS["angles"]])


_MOVES = {"circle": _circle, "arc": _arc, "zigzag": _zigzag, "tap": _tap, "wiggle": _wiggle, "twist": _twist,
          "nod": _nod, "pulse": _pulse}  # fmt: skip


def _smooth(controls: Array) -> Array:
    """One pass of the binomial kernel 1 4 6 4 1 over time; the ends stay."""
    if len(controls) < 5:
        return controls
    p = np.concatenate([controls[:1], controls[:1], controls, controls[-1:], controls[-1:]])
    return (p[:-4] + p[4:] + 4 * (p[1:-3] + p[3:-1]) + 6 * p[2:-2]) / 16


def _slow_noise(rng: np.random.Generator, length: int, width: int, fps: float, hertz: float) -> Array:
    """(length, width) smooth noise of about unit variance: cubic-like interpolation of normal knots."""
    knots = max(4, int(np.ceil(length / fps * hertz)) + 3)
    values = rng.normal(0, 1, (knots, width))
    position = np.linspace(0, knots - 1.001, length)
    low = position.astype(int)
    weight = _minimum_jerk(position - low)[:, None]
    return values[low] + (values[low + 1] - values[low]) * weight


# --- body ------------------------------------------------------------------------------------------------------


def _embody(controls: Array, body: Body) -> tuple[Array, Array, Array]:
    """World joints (T, 64, 3), hand frames (T, 2, 3, 3) and angles (T, 2, 16), (left, right) of a right-hander."""
    signer = body.signer
    controls = controls[:, ::-1]  # (other, dominant) = (left, right)
    angles = controls[..., CHANNELS["angles"]]
    frames = hand_frame(controls[..., CHANNELS["palm"]], controls[..., CHANNELS["fingers"]])
    local = hand_points(angles, signer.hand) @ frames
    wrist = controls[..., CHANNELS["wrist"]]
    wrist = wrist + _clear_of_body(wrist[..., None, :] + local, body)
    inmost = (wrist[..., None, 0] + local[..., 0]).min(axis=-1)
    wrist[..., 0] += controls[..., CHANNELS["apart"]] * np.clip(0.008 - inmost, 0, None)
    elbow, wrist = place_elbow(
        body.shoulder, wrist, signer.upper_arm, signer.forearm, pole_vector(controls[..., CHANNELS["swivel"]])
    )
    hands = wrist[..., None, :] + local
    xyz = np.repeat(body.rest[None], len(controls), axis=0)
    for h, (side, flip) in enumerate((("left", 1.0), ("right", -1.0))):
        mirror = np.array([flip, 1.0, 1.0])
        xyz[:, figure_index(f"{side}_elbow")] = elbow[:, h] * mirror
        xyz[:, figure_index(f"{side}_wrist")] = wrist[:, h] * mirror
        xyz[:, _HANDS[side]] = hands[:, h] * mirror
    frames = frames.copy()
    frames[:, 1] *= np.array([-1.0, 1.0, 1.0])
    return xyz, frames, angles


def _clear_of_body(hands: Array, body: Body) -> Array:
    """How far (T, 2, 3) hands (T, 2, 21, 3) must be moved so that none of their joints is inside torso or head."""
    half = body.signer.shoulder_width / 2
    x, y, z = hands[..., 0] / (0.95 * half), hands[..., 1], hands[..., 2]
    inside = np.clip(1 - x**2, 0, None) * np.clip((0.03 - y) / 0.06, 0, 1)
    surface = np.where(inside > 0, 0.105 * np.sqrt(inside), -1.0) + 0.004
    forward = np.clip(surface - z, 0, 0.3) * (inside > 0)
    move = np.zeros(hands.shape[:-2] + (3,))
    move[..., 2] = forward.max(axis=-1)
    scale = body.signer.head
    centre = np.array([0.0, 0.195, 0.012]) * scale
    radii = np.array([0.078, 0.118, 0.098]) * scale
    offset = (hands + move[..., None, :] - centre) / radii
    depth = np.clip(1 - np.sqrt(np.einsum("...i,...i->...", offset, offset)), 0, None)
    deepest = depth.argmax(axis=-1)[..., None, None]
    direction = np.take_along_axis(offset, deepest, axis=-2)[..., 0, :] + np.array([0.0, 0.0, 0.6])
    move += unit(direction) * depth.max(axis=-1)[..., None] * radii
    return move


def _enliven(xyz: Array, frames: Array, body: Body, rng: np.random.Generator, fps: float) -> Array:
    """Small slow motions of the head about the neck and of the whole body about the hips."""
    signer = body.signer
    slow = _slow_noise(rng, len(xyz), 6, fps, 0.8)
    head = _rotations(slow[:, :3] * signer.nod * np.array([0.8, 1.0, 0.5]))
    pivot = body.head_pivot
    xyz[:, _HEAD_ROWS] = (xyz[:, _HEAD_ROWS] - pivot) @ head.transpose(0, 2, 1) + pivot
    sway = _rotations(slow[:, 3:] * signer.sway).transpose(0, 2, 1)
    frames[:] = frames @ sway[:, None]
    return (xyz - body.hip) @ sway + body.hip


def _rotations(angles: Array) -> Array:
    """Matrices (T, 3, 3) of small turns (T, 3) about x, y and z, exactly orthogonal (Rodrigues)."""
    size = np.linalg.norm(angles, axis=-1)
    axis = angles / np.maximum(size, 1e-12)[:, None]
    cross = np.zeros((len(angles), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.transpose(0, 2, 1).copy()
    sin, cos = np.sin(size)[:, None, None], np.cos(size)[:, None, None]
    return np.eye(3) + sin * cross + (1 - cos) * (cross @ cross)


_MIRROR = [
    figure_index(name.replace("left", "#").replace("right", "left").replace("#", "right")) for name in FIGURE_JOINTS
]


def _mirrored(xyz: Array) -> Array:
    """The same body seen in a mirror, with left and right exchanged."""
    return xyz[:, _MIRROR] * np.array([-1.0, 1.0, 1.0])


def _truth(performance: Performance) -> Truth:
    score, length = performance.score, len(performance)
    sign = np.full(length, "", "<U64")
    text = {key: np.full((length, 2), "", "<U48") for key in ("handshape", "location", "movement")}
    hold = np.zeros((length, 2), bool)
    symmetric = np.zeros(length, bool)
    right_is_dominant = not performance.signer.left_handed
    for s in score.stretches:
        rows = slice(s.start, s.end)
        sign[rows], symmetric[rows] = s.sign, s.symmetric
        for h in range(2):  # 0 dominant, 1 other
            column = 1 - h if right_is_dominant else h
            moving = s.moving[h]
            if column == 0 and moving in ("left", "right"):  # the left hand's outside is the left
                moving = "left" if moving == "right" else "right"
            text["handshape"][rows, column] = s.handshape[h]
            text["location"][rows, column] = s.location[h]
            text["movement"][rows, column] = moving
            hold[rows, column] = s.held[h]
    # Signers' right is world −x; DIRECTIONS has "right" at +x of a right hand's own space.
    orientation = direction_name(performance.frames[:, :, 2] * np.array([-1.0, 1.0, 1.0]))
    return Truth(
        sign, text["handshape"], text["location"], orientation, text["movement"], hold, symmetric,
        performance.angles, performance.frames,
    )  # fmt: skip
