"""Location vectors: how much a hand is in each of fifteen boxes about the body (UWB ChaLearn-SLR, 2021).

The published boxes lie in the picture and their centres are given in picture coordinates, where minus is up: above the
head is the bridge of the nose − 1.5 h, the neck is the neck's joint − h/3. Here y points up, so the signs are the other
way round. h is the distance from the neck to the left shoulder.

Differences from the published program, all on purpose:

- h is the video's median and the picture is levelled by the shoulders (`signer_space`): the boxes of the published
  program breathe with every frame's estimate of the shoulder.
- the arm is the segments shoulder – elbow – wrist; the program measures to endless lines, so that a hand straight
  above a raised forearm is at the arm. `literal=True` gives the lines.
- while the face is lost, only a hand at the place where the face should be gets the five places of the face; the
  program gives them to both hands wherever they are. `literal=True` does so too.
- the waist, disabled in the program, works.
- a skeleton without a face has its points estimated from nose, eyes, mouth and ears, or from a standard head.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from .locations import LOCATIONS, places_of
from .signer_space import Array, SignerSpace, signer_space

__all__ = ["location_vectors"]

SIZES: dict[str, tuple[float, float]] = {
    "above head": (2, 2), "upper face": (1, 0.5), "eyes": (0.35, 0.38), "nose": (0.3, 0.5), "mouth": (0.7, 0.2),
    "chin": (1, 0.5), "cheeks": (0.3, 0.8), "ears": (0.3, 0.8), "neck": (1, 0.5), "shoulders": (1, 1),
    "chest": (2.5, 1.5), "waist": (2, 1), "other hand": (1.8, 1.8),
}  # fmt: skip
"""Width and height of the published boxes, units of h; the arm has a distance instead."""
ARM_REACH = 0.3
SURE = 0.3
FACE = ("eyes", "nose", "mouth", "chin", "cheeks")
WAIST_BELOW_NECK = 2.45
"""Where the hips are (units of h) when the skeleton has none or they are out of the picture."""


def location_vectors(pose: Pose, literal: bool = False) -> NDArray[np.float32]:
    """(T, 2, 15) rows that sum to one: how much a hand is at each of `LOCATIONS`; (left, right).

    Per place a score of one minus the distance to the centre over the half-diagonal, counted inside the box; neutral
    space is 1 where no other place scores. The hand's points are its middle and its index tip: the tip alone when the
    index points, half and half otherwise, the middle alone below confidence 0.3. A hand not seen is NaN.

    Args:
        literal: the published program's arm and lost face, see the module.

    Raises:
        ValueError: the pose has no shoulders.
    """
    space = signer_space(pose, use_depth=False)
    middle, tip = _box_middle(space.hands), space.hands[:, :, 8]
    tip_weight = np.where(_points(space.hands), 1.0, 0.5)
    tip_weight = np.where((space.confidence < SURE) | ~np.isfinite(tip).all(axis=-1), 0.0, tip_weight)[..., None]
    face = places_of(space).face
    anchors = _anchors(space)
    at_middle, at_tip = (_scores(space, point, anchors, literal) for point in (middle, tip))
    scores = at_middle * (1 - tip_weight) + at_tip * tip_weight
    rows = [LOCATIONS.index(name) for name in FACE]
    lost = ~face[:, None] & (literal | (scores[..., rows].sum(-1) > 0))
    if literal:
        scores[lost] = 0.0
    scores[..., rows] = np.where(lost[..., None], 0.2, scores[..., rows])
    scores[..., 0] = (scores[..., 1:].sum(-1) <= 0).astype(float)
    scores /= scores.sum(-1, keepdims=True)
    scores[~space.seen] = np.nan
    return scores.astype(np.float32)


def _box_middle(hands: Array) -> Array:
    return (np.fmin.reduce(hands, axis=2) + np.fmax.reduce(hands, axis=2)) / 2


def _points(hands: Array) -> NDArray[np.bool_]:
    """(T, 2) the index is up and no other finger is: tip farther from its knuckle than half the hand's squared box."""
    flat = hands[..., :2]
    side = (np.fmax.reduce(flat, axis=2) - np.fmin.reduce(flat, axis=2)).max(axis=-1)
    up = np.stack([np.linalg.norm(flat[:, :, k + 3] - flat[:, :, k], axis=-1) > 0.5 * side for k in (5, 9, 13, 17)])
    return up[0] & ~up[1:].any(axis=0)


def _anchors(space: SignerSpace) -> dict[str, Array]:
    """Centres of the boxes: name → (T, K, 3), K alternatives."""
    points, nose = places_of(space).points, places_of(space).points["nose"]
    eyes, mouth = points["eyes"].mean(axis=1, keepdims=True), points["mouth"]
    ears = points["ears"]
    bridge = _seen(space, "face_27", eyes[:, 0])[:, None]
    chin = _seen(space, "face_8", points["chin"][:, 0])[:, None]
    # the published cheeks are the contour's points 3 and 13, between the levels of nose and mouth, moved inwards
    contour = (nose + mouth) / 2 + 0.93 * (ears - ears.mean(axis=1, keepdims=True))
    left, right = _seen(space, "face_13", contour[:, 0]), _seen(space, "face_3", contour[:, 1])
    neck = np.nan_to_num(space.joint("neck"))[:, None]
    shoulders = np.stack([space.joint("left_shoulder"), space.joint("right_shoulder")], axis=1)
    hips = _seen(space, "mid_hip", np.broadcast_to([0.0, -WAIST_BELOW_NECK, 0.0], (len(space), 3)))[:, None]
    # x grows to the signer's left
    return {
        "above head": bridge + _by(0, 1.5),
        "upper face": bridge + _by(0, 0.5),
        "eyes": points["eyes"],
        "nose": nose,
        "mouth": mouth,
        "chin": chin + _by(0, 0.1),
        "cheeks": np.stack([left + _by(-1 / 6, 0), right + _by(1 / 6, 0)], axis=1),
        "ears": np.concatenate([nose + _by(0.6, -0.1), nose + _by(-0.6, -0.1)], axis=1),
        "neck": neck + _by(0, 1 / 3),
        "shoulders": shoulders,
        "chest": neck + _by(0, -0.5),
        "waist": hips,
    }


def _by(left: float, up: float) -> Array:
    return np.array([left, up, 0.0])


def _seen(space: SignerSpace, joint: str, otherwise: Array) -> Array:
    """(T, 3) a joint, or another point in frames that do not have it."""
    values = space.joint(joint)
    return np.where(np.isfinite(values[:, :2]).all(axis=1, keepdims=True), values, otherwise)


def _scores(space: SignerSpace, point: Array, anchors: dict[str, Array], endless: bool) -> Array:
    """(T, 2, 15) of one point per hand, before neutral space; 0 where the point is not known."""
    scores = np.zeros((len(space), 2, len(LOCATIONS)))
    for name, (width, height) in SIZES.items():
        # the centre of the other hand is the mean of its joints
        target = space.hands.mean(axis=2)[:, ::-1, None] if name == "other hand" else anchors[name][:, None]
        apart = np.abs(point[:, :, None, :2] - target[..., :2])
        inside = (apart[..., 0] <= width / 2) & (apart[..., 1] <= height / 2)
        score = 1 - np.linalg.norm(apart, axis=-1) / np.hypot(width / 2, height / 2)
        best = np.where(inside, score, 0.0)
        scores[..., LOCATIONS.index(name)] = np.nan_to_num(best).max(axis=-1)
    scores[..., LOCATIONS.index("arm")] = _arm(space, point, endless)
    return scores


def _arm(space: SignerSpace, point: Array, endless: bool) -> Array:
    """(T, 2) score of the distance to the other arm: upper arm or forearm, whichever is nearer."""
    result = np.zeros((len(space), 2))
    for hand, side in ((0, "right"), (1, "left")):
        shoulder, elbow, wrist = (space.joint(f"{side}_{name}")[:, :2] for name in ("shoulder", "elbow", "wrist"))
        for start, end in ((shoulder, elbow), (elbow, wrist)):
            along, to = end - start, point[:, hand, :2] - start
            share = (to * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9)
            share = share if endless else np.clip(share, 0, 1)
            distance = np.linalg.norm(to - share[:, None] * along, axis=-1)
            score = np.where(distance < ARM_REACH, 1 - distance / ARM_REACH, 0.0)
            result[:, hand] = np.fmax(result[:, hand], score)
    return result
