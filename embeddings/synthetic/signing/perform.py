"""`perform`: a signer signing: the figure in 3D, the spans, and the truth of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...clip import Span
from ..draws import Draws, on_grid
from ..parameters import Sign, direction_name
from .body import body_of
from .embody import embody, enliven, mirrored, slow_noise
from .figure import Figure
from .moves import apply_event
from .postures import ANGLES, APART, WRIST
from .score import Score, Timing, compose
from .signer import Signer

__all__ = ["Performance", "Truth", "perform"]

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Truth:
    """Hands are in the order (left, right), the signer's own; so are the directions left and right.

    Attributes:
        sign: (T,) label while a sign's own postures and movements last, else "".
        handshape: (T, 2) name of the planned handshape; "" in transitions, while it changes, and at rest.
        location: (T, 2) name of the place (`phonology.locations.LOCATIONS`); "" in transitions, on paths and at rest.
        orientation: (T, 2) where the palm faces: up, down, right, left, away or body; told from the figure itself.
        movement: (T, 2) hold, up, down, right, left, away, body, circle, twist, nod, tap, wiggle or pulse; "" on
            unclear ways, in preparation and retraction, and at rest.
        hold: (T, 2) bool, the hand is still at a posture.
        contact: (T,) bool, the dominant hand touches its place.
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
    contact: NDArray[np.bool_]
    symmetric: NDArray[np.bool_]
    angles: NDArray[np.floating]
    frames: NDArray[np.floating]


def tell(score: Score, left_handed: bool, angles: NDArray[np.floating], frames: NDArray[np.floating]) -> Truth:
    """The truth of a score played by a right- or left-hander; angles and frames as in `Truth`."""
    length = len(angles)
    widest = max((len(n) for s in score.phases for n in s.handshape), default=1)
    sign = np.full(length, "", f"<U{max((len(s.sign) for s in score.phases), default=1)}")
    handshape = np.full((length, 2), "", f"<U{max(1, widest)}")
    location, movement = np.full((length, 2), "", "<U16"), np.full((length, 2), "", "<U16")
    hold, contact, symmetric = np.zeros((length, 2), bool), np.zeros(length, bool), np.zeros(length, bool)
    columns = (0, 1) if left_handed else (1, 0)
    for s in score.phases:
        rows = slice(s.start, s.end)
        sign[rows], symmetric[rows], contact[rows] = s.sign, s.symmetric, s.touching
        for h, column in enumerate(columns):
            handshape[rows, column], location[rows, column] = s.handshape[h], s.location[h]
            movement[rows, column] = _outwards(s.moving[h]) if column == 0 else s.moving[h]
            hold[rows, column] = s.held[h]
    # `direction_name` speaks of a right hand's own space, where the signer's right is +x; in the world it is −x.
    orientation = direction_name(frames[:, :, 2] * np.array([-1.0, 1.0, 1.0]))
    return Truth(sign, handshape, location, orientation, movement, hold, contact, symmetric, angles, frames)


def _outwards(direction: str) -> str:
    """A left hand's own side is the left."""
    return {"left": "right", "right": "left"}.get(direction, direction)


@dataclass(frozen=True, eq=False)
class Performance:
    """A signer signing.

    Attributes:
        figure: the body in 3D, (T, 64, 3).
        spans: what an annotator would mark: from hands in place to before the retraction.
        signer: who.
        score: the plan that was played.
        angles: (T, 2, 16) radians of the fingers, (left, right).
        frames: (T, 2, 3, 3) of the hands: rows thumb side, finger direction, palm normal; world space.
    """

    figure: Figure
    spans: tuple[Span, ...]
    signer: Signer
    score: Score
    angles: Array
    frames: Array

    def __len__(self) -> int:
        return len(self.figure)

    @cached_property
    def truth(self) -> Truth:
        """What is so in every frame; told when first asked for."""
        return tell(self.score, self.signer.left_handed, self.angles, self.frames)


def perform(
    signs: Sequence[Sign | None],
    signer: Signer,
    rng: Draws,
    fps: float = 25.0,
    timing: Timing | None = None,
    counted: Sequence[bool] | None = None,
) -> Performance:
    """The signs one after another, from rest to rest, None being a pause; see `score.compose`.

    Positions are multiples of 2^-20 m, angles of 2^-24 rad, so that they are the same on every machine.
    """
    if not fps > 0:
        raise ValueError(f"fps is {fps}; expected a positive number of frames per second")
    score = compose(signs, signer, rng, fps, Timing() if timing is None else timing, counted)
    body = body_of(signer)
    controls = _play(score, signer, rng, fps, flowing=sum(s is not None for s in signs) > 1)
    xyz, frames, angles = embody(controls, body)
    xyz, frames = enliven(xyz, frames, body, rng, fps)
    if signer.left_handed:
        xyz, frames, angles = mirrored(xyz, frames, angles)
    spans = tuple(Span(*span) for span in score.spans)
    figure = Figure(on_grid(xyz, 20).astype(np.float32), fps)
    return Performance(figure, spans, signer, score, on_grid(angles, 24), on_grid(frames, 24))


def _play(score: Score, signer: Signer, rng: Draws, fps: float, flowing: bool) -> Array:
    """Control rows (T, 2, 24) of every frame, (dominant, other), each in its own space."""
    rows = np.stack(score.rows)
    if flowing:
        _undershoot(rows, signer.undershoot)
    keys = np.array(score.frames)
    length = int(keys[-1]) + 1
    j = np.clip(np.searchsorted(keys, np.arange(length), "right") - 1, 0, len(keys) - 2)
    share = (np.arange(length) - keys[j]) / (keys[j + 1] - keys[j])
    weight = np.repeat(_minimum_jerk(share)[:, None], rows.shape[-1], axis=1)
    # The fingers are ready before the hand arrives.
    weight[:, ANGLES] = _minimum_jerk(np.clip(share / 0.85, 0, 1))[:, None]
    controls = rows[j] + (rows[j + 1] - rows[j]) * weight[:, None]
    _arch(controls, keys)
    for event in score.events:
        apply_event(event, controls)
    for _ in range(round(signer.smoothing * fps / 25)):
        controls = np.asarray(_smooth(controls), np.float64)
    controls[..., WRIST] += 0.004 * slow_noise(rng, length, 6, fps, 1.2).reshape(length, 2, 3)
    return controls


def _minimum_jerk(share: Array) -> Array:
    """Flash and Hogan 1985: position over time of a reach without jerk, 0 to 1."""
    return share**3 * (10 - 15 * share + 6 * share**2)


def _undershoot(rows: Array, amount: float) -> None:
    """Pulls rows (N, 2, 24) towards the middle of their neighbours, where those are near; in place."""
    middle = 0.5 * (rows[:-2] + rows[2:])
    apart = np.linalg.norm(rows[:-2, :, WRIST] - rows[2:, :, WRIST], axis=-1, keepdims=True)
    pull = amount * np.clip(1 - apart / 0.6, 0, 0.6) * (middle - rows[1:-1])
    pull[..., APART] = 0
    rows[1:-1] += pull


def _arch(controls: Array, keys: NDArray[np.int_]) -> None:
    """Long ways swing a little away from the body, as joints make them; in place."""
    wrists = controls[..., WRIST]
    for a, b in pairwise(keys.tolist()):
        distance = np.linalg.norm(wrists[b] - wrists[a], axis=-1)
        if distance.max() > 0.12:
            bump = np.sin(np.pi * np.arange(b - a + 1) / (b - a)) ** 2
            wrists[a : b + 1, :, 2] += bump[:, None] * np.clip(0.14 * distance, 0, 0.06)


def _smooth(controls: Array) -> Array:
    """One pass of the binomial kernel 1 4 6 4 1 over time; the ends stay."""
    p = np.concatenate([controls[:1], controls[:1], controls, controls[-1:], controls[-1:]])
    return (p[:-4] + p[4:] + 4 * (p[1:-3] + p[3:-1]) + 6 * p[2:-2]) / 16
