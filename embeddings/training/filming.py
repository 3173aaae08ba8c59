"""Performances in 3D, filmed anew for every batch: another camera, another body and another estimator's errors each
time that a sign is seen.

`embeddings.synthetic` films a clip once, the same on every machine. Here the same steps are done for a whole batch with
tensors, so that a training never sees a window twice from the same place. The errors are those of
`embeddings.synthetic.filming.noise`, without swapped hands and hands on the face, which are rare.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..pose.features import BODY
from .settings import Filming

__all__ = ["POINTS", "film", "frame_rates", "resampled"]

BODY_POINTS, HAND_POINTS = len(BODY), 21
POINTS = BODY_POINTS + 2 * HAND_POINTS
"""Points of a performance: those of `features.BODY`, then 21 of the left and 21 of the right hand."""
WRISTS = slice(5, 7)
HANDS = tuple(slice(BODY_POINTS + h * HAND_POINTS, BODY_POINTS + (h + 1) * HAND_POINTS) for h in (0, 1))
FPS = 25.0
FASTEST = 8.0
"""Shoulder widths a second from which on errors grow no more."""
DRIFT = 5
"""Frames over which slow errors keep their direction."""
TARGET = (0.0, -0.13, 0.05)
"""Metres: the middle of the picture, as `Camera` has it."""
SWAPPED = [0, 2, 1, 4, 3, 6, 5]
"""`features.BODY` in a mirror."""

Rng = np.random.Generator


def frame_rates(count: int, style: Filming, rng: Rng) -> NDArray[np.float64]:
    """(count,) the cameras' frame rates as shares of 25 a second."""
    low, high = np.log(style.rates)
    return np.where(rng.random(count) < style.slow, np.exp(rng.uniform(low, high, count)), 1.0)


def film(figures: Tensor, rng: Rng, style: Filming, rates: NDArray[np.float64]) -> Tensor:
    """What `embeddings.pose.features` would make of an estimator's pose of each performance.

    Args:
        figures: (B, T, 49, 3) metres in the axes of `Figure`: the body absolute, hands relative to the body's wrists.
        rates: (B,) frame rates as shares of 25 a second. Frame i of the figures is at time T/2 + (i − T/2)/rate.

    Returns:
        (B, T, 100) at 25 frames a second, as `BodyHands.flat`.
    """
    body, hands = _bodies(figures, rng, style)
    wrists = body[:, :, WRISTS].repeat_interleave(HAND_POINTS, dim=2)
    xy = _projected(torch.cat((body, wrists + hands), dim=2), rng, style)
    width = (xy[:, :, 1] - xy[:, :, 2]).norm(dim=-1).median(dim=1).values.clamp_min(0.05)
    xy, seen = _misjudged(xy, width[:, None, None], rng, style, rates)
    xy, seen = resampled(xy, seen, rates)
    values = _features(xy, seen)
    mirrored = torch.from_numpy(rng.random(len(values)) < style.mirror)
    if mirrored.any():
        values[mirrored] = _in_a_mirror(values[mirrored])
    return values


def _bodies(figures: Tensor, rng: Rng, style: Filming) -> tuple[Tensor, Tensor]:
    """Body and hands with other proportions, and performed a little differently."""
    count = len(figures)
    body, hands = figures[:, :, :BODY_POINTS].clone(), figures[:, :, BODY_POINTS:]
    # landmark models put the shoulders nearer to each other than the joints of the arms are
    shoulders = body[:, :, 1:3]
    middle = shoulders.mean(dim=2, keepdim=True)
    body[:, :, 1:3] = middle + (shoulders - middle) * _uniform(rng, *style.shoulders, (count, 1, 1, 1))
    if style.straightened[1] > 0:
        hands = _straightened(hands, _uniform(rng, *style.straightened, (count, 1, 1, 1, 1)))
    hands = hands * torch.exp(style.hand_size * _normal(rng, (count, 1, 1, 1)))
    if style.place:
        # a hand at rest stays where it is
        raised = ((body[:, :, WRISTS, 1:2] + 0.45) / 0.15).clamp(0, 1)
        amount = style.place * _uniform(rng, 0, 1, (count, 1, 1, 1))
        shift = amount * raised * (_normal(rng, (count, 1, 2, 3)) + 0.7 * _normal(rng, (count, 1, 1, 3)))
        body[:, :, WRISTS] += shift
        body[:, :, 3:5] += 0.5 * shift
    if style.turn:
        amount = style.turn * _uniform(rng, 0, 1, (count, 1, 1))
        turns = _rotations(amount * _normal(rng, (count, 2, 3)))
        hands = torch.einsum("bthjk,bhlk->bthjl", hands.unflatten(2, (2, HAND_POINTS)), turns).flatten(2, 3)
    return body, hands


def _straightened(hands: Tensor, amount: Tensor) -> Tensor:
    """Hands (B, T, 42, 3) whose fingers' last bones turn towards the bones before them; the thumbs stay."""
    fingers = hands.unflatten(2, (2, HAND_POINTS))[:, :, :, 5:].unflatten(3, (4, 4)).clone()
    before, last = fingers[..., 2, :] - fingers[..., 1, :], fingers[..., 3, :] - fingers[..., 2, :]
    length = last.norm(dim=-1, keepdim=True)
    mixed = (1 - amount) * _unit(last) + amount * _unit(before)
    fingers[..., 3, :] = fingers[..., 2, :] + length * _unit(mixed)
    others = hands.unflatten(2, (2, HAND_POINTS))[:, :, :, :5]
    return torch.cat((others, fingers.flatten(3, 4)), dim=3).flatten(2, 3)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp_min(1e-6)


def _projected(points: Tensor, rng: Rng, style: Filming) -> Tensor:
    """(B, T, J, 2) metres at the target's distance, y downwards, as a random camera each sees them."""
    count = len(points)
    yaw = np.clip(rng.normal(0, 0.45, count), -1, 1) * style.yaw
    pitch = np.clip(rng.normal(0.1, 0.45, count), -1, 1) * style.pitch
    roll = rng.normal(0, style.roll, count)
    nearest, furthest = np.log(style.distances)
    distance = np.exp(rng.uniform(nearest, furthest, count))
    sin_yaw, cos_yaw, sin_pitch, cos_pitch = np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch)
    ahead = -np.stack([sin_yaw * cos_pitch, sin_pitch, cos_yaw * cos_pitch], axis=1)
    right = np.stack([cos_yaw, np.zeros(count), -sin_yaw], axis=1)
    down = np.cross(ahead, right)
    sin_roll, cos_roll = np.sin(roll)[:, None], np.cos(roll)[:, None]
    axes = np.stack([cos_roll * right + sin_roll * down, cos_roll * down - sin_roll * right, ahead], axis=1)
    position = np.array(TARGET) - distance[:, None] * ahead
    seen = torch.einsum("btjk,blk->btjl", points - _tensor(position)[:, None, None], _tensor(axes))
    return seen[..., :2] / seen[..., 2:].clamp_min(0.05) * _tensor(distance)[:, None, None, None]


def _misjudged(
    xy: Tensor, width: Tensor, rng: Rng, style: Filming, rates: NDArray[np.float64]
) -> tuple[Tensor, Tensor]:
    """Points with an estimator's errors, and which hands it sees (B, T, 2).

    Args:
        width: (B, 1, 1) shoulder widths in the unit of `xy`.
    """
    count, frames = xy.shape[:2]
    level = _tensor(rng.choice(style.severities, count) * np.exp(rng.normal(-0.2, 0.7, count)))[:, None, None]
    fps = FPS * rates[:, None]
    speed = torch.zeros(count, frames, POINTS)
    speed[:, 1:] = (xy[:, 1:] - xy[:, :-1]).norm(dim=-1) * _tensor(fps)[..., None] / width
    speed[:, 0] = speed[:, 1]
    sigma = ((style.jitter + style.speed_jitter * speed.clamp_max(FASTEST)) * level * width)[..., None]
    white = _uniform(rng, *style.tremble, (count, 1, 1, 1))
    shift = sigma * (white * _normal(rng, xy.shape) + (1 - white**2).sqrt() * _drift(rng, count, frames, POINTS))
    for hand in HANDS:  # an estimator sees a hand as a whole: its joints mostly err together
        shift[:, :, hand] = 0.45 * shift[:, :, hand] + 0.89 * shift[:, :, hand.start : hand.start + 1]
    shaky = _tensor(rng.choice(style.shaky, count))[:, None, None, None]
    shift[:, :, BODY_POINTS:] += shaky * width[..., None] * _normal(rng, (count, frames, 2 * HAND_POINTS, 2))
    shift[:, :, :BODY_POINTS] += style.misplaced * width[..., None] * _normal(rng, (count, 1, BODY_POINTS, 2))
    xy = xy + shift
    neck = ((xy[:, :, 1, 1] + xy[:, :, 2, 1]) / 2).median(dim=1).values
    edge = rng.uniform(*style.edges, count)
    edge = np.where(rng.random(count) < style.cropped, edge, np.inf)
    seconds = rng.uniform(0.08, 0.5, (count, 1))
    whole = rng.random((count, 2)) < style.never_seen
    drops = (rng.random((count, 1, 1)) < 0.5) & (rng.random((count, frames, 2)) < style.dropped)
    seen = np.ones((count, frames, 2), bool)
    for h, hand in enumerate(HANDS):
        bad = level[..., 0].numpy()
        blurred = torch.from_numpy(_runs(rng, 0.15 * bad, 0.25, fps, frames))[..., None, None]
        shift = _normal(rng, (count, 1, 1, 2)) + 0.35 * _normal(rng, (count, frames, HAND_POINTS, 2))
        xy[:, :, hand] += blurred * (0.04 * level * width)[..., None] * shift
        hurry = speed[:, :, hand.start + 9].clamp_max(6).numpy()
        lost = _runs(rng, bad * (0.12 + 0.05 * hurry), seconds, fps, frames)
        depth = ((xy[:, :, hand, 1].mean(dim=-1) - neck[:, None]) / width[..., 0]).numpy()
        seen[:, :, h] = ~(lost | whole[:, h : h + 1] | drops[:, :, h] | (depth > edge[:, None]))
    return xy, torch.from_numpy(seen)


def _runs(
    rng: Rng, rate: NDArray[np.floating], seconds: float | NDArray[np.float64], fps: NDArray[np.float64], frames: int
) -> NDArray[np.bool_]:
    """(B, T) True in runs that begin `rate` times a second and last `seconds` on average."""
    count = len(fps)
    starts = rng.random((count, frames)) < rate / fps
    lengths = rng.geometric(np.broadcast_to(1 / np.maximum(1.0, seconds * fps), (count, frames)))
    ends = np.maximum.accumulate(np.where(starts, np.arange(frames) + 1 + lengths, 0), axis=1)
    inside: NDArray[np.bool_] = np.arange(frames) < ends
    return inside


def resampled(xy: Tensor, seen: Tensor, rates: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """Points (B, T, 49, 2) and seen hands (B, T, 2) of cameras of any rate at 25 frames a second, as `Pose.resample`: a
    hand that one of the two frames lacks is the other one's."""
    if (rates == 1).all():
        return xy, seen
    count, frames = xy.shape[:2]
    places = frames / 2 + (np.arange(frames) - frames / 2) * rates[:, None]
    low = torch.from_numpy(np.clip(places.astype(np.int64), 0, frames - 2))
    share = (torch.from_numpy(places) - low).clamp(0, 1).float()
    rows = torch.arange(count)[:, None]
    before, after = seen[rows, low], seen[rows, low + 1]
    weight = share[..., None].expand(-1, -1, 2)
    weight = torch.where(before & after, weight, (~before).float())
    each = torch.cat((share[..., None].expand(-1, -1, BODY_POINTS), weight.repeat_interleave(HAND_POINTS, 2)), dim=2)
    first = xy[rows, low]
    there = torch.where(share[..., None] == 0, before, before | after)
    return first + (xy[rows, low + 1] - first) * each[..., None], there


def _features(xy: Tensor, seen: Tensor) -> Tensor:
    """(B, T, 100) as `embeddings.pose.features.body_hands`, for many clips of one length."""
    count, frames = seen.shape[:2]
    width = (xy[:, :, 1] - xy[:, :, 2]).norm(dim=-1).median(dim=1).values.clamp_min(0.05)[:, None, None, None]
    neck = ((xy[:, :, 1] + xy[:, :, 2]) / 2).median(dim=1).values[:, None, None]
    body = (xy[:, :, :BODY_POINTS] - neck) / width
    hands = xy[:, :, BODY_POINTS:].unflatten(2, (2, HAND_POINTS))
    hands = (hands - hands[:, :, :, :1]) / width[..., None]
    nearest, never = _nearest(seen.numpy())
    hands = hands.gather(1, torch.from_numpy(nearest)[..., None, None].expand(-1, -1, -1, HAND_POINTS, 2))
    hands = hands.masked_fill(torch.from_numpy(never)[:, None, :, None, None], 0)
    return torch.cat((body.reshape(count, frames, -1), hands.reshape(count, frames, -1), seen.float()), dim=-1)


def _nearest(seen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each frame (B, T, 2) the nearest one that shows the hand (the earlier of two), and the hands (B, 2) that none
    shows."""
    frames = seen.shape[1]
    rows = np.arange(frames)[None, :, None]
    before = np.maximum.accumulate(np.where(seen, rows, -1), axis=1)
    after = np.minimum.accumulate(np.where(seen, rows, 2 * frames)[:, ::-1], axis=1)[:, ::-1]
    to_before = np.where(before < 0, 4 * frames, rows - before)
    to_after = np.where(after >= frames, 4 * frames, after - rows)
    nearest = np.where(to_before <= to_after, before, after).clip(0, frames - 1)
    return nearest, np.asarray(~seen.any(axis=1))


def _in_a_mirror(values: Tensor) -> Tensor:
    body, hands, seen = values.split((2 * BODY_POINTS, 4 * HAND_POINTS, 2), dim=-1)
    sides = values.new_tensor((-1.0, 1.0))
    body = body.unflatten(-1, (BODY_POINTS, 2))[..., SWAPPED, :] * sides
    hands = hands.unflatten(-1, (2, HAND_POINTS, 2)).flip(-3) * sides
    return torch.cat((body.flatten(-2), hands.flatten(-3), seen.flip(-1)), dim=-1)


def _drift(rng: Rng, count: int, frames: int, points: int) -> Tensor:
    """(B, T, J, 2) normal errors that change over about five frames."""
    knots = _normal(rng, (count, frames // DRIFT + 3, points, 2))
    places = np.linspace(0, knots.shape[1] - 1.01, frames)
    low = places.astype(np.int64)
    share = _tensor(places - low)[None, :, None, None]
    return knots[:, low] + (knots[:, low + 1] - knots[:, low]) * share


def _rotations(vectors: Tensor) -> Tensor:
    """Rotation matrices (…, 3, 3) of axis-angle vectors (…, 3), Rodrigues' formula."""
    angle = vectors.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    x, y, z = (vectors / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))
    angle = angle[..., None]
    return torch.eye(3) + angle.sin() * cross + (1 - angle.cos()) * (cross @ cross)


def _tensor(values: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def _normal(rng: Rng, shape: tuple[int, ...] | torch.Size) -> Tensor:
    return torch.from_numpy(rng.standard_normal(tuple(shape), dtype=np.float32))


def _uniform(rng: Rng, low: float, high: float, shape: tuple[int, ...]) -> Tensor:
    return _tensor(rng.uniform(low, high, shape))
