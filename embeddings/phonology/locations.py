"""Where a hand is: fifteen places, per hand and frame.

The places and their order are those of the published location vectors (UWB ChaLearn-SLR, 2021), which
`location_boxes` has. `locations` names one place per frame, `sign_locations` one per sign. What of the hand goes to a
place (a tip, the palm, the knuckles) is not known beforehand and faces and trunks differ, so the geometry of the hand's
parts to the body is judged by a small network (two hidden layers), trained by `spotter train locations` on the
procedural signer alone. Without its weights, `nearest_locations` decides by distance.

From a skeleton without a face (or while the face is lost) the places on the head are taken from a standard head above
the neck, in `STANDARD_HEAD`; the confidence of such frames is halved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frame_weights import frame_values
from .signer_space import SIDES, Array, SignerSpace

__all__ = [
    "LOCATIONS",
    "Located",
    "Places",
    "features",
    "hand_parts",
    "locations",
    "nearest_locations",
    "nearness",
    "places_of",
]

LOCATIONS: tuple[str, ...] = (
    "neutral space", "above head", "upper face", "eyes", "nose", "mouth", "chin", "cheeks", "ears", "neck",
    "shoulders", "chest", "waist", "arm", "other hand",
)  # fmt: skip
"""Names in the order of the location vector."""

STANDARD_HEAD: dict[str, tuple[float, float, float]] = {
    "nose": (0.0, 1.0, 0.72), "left_eye": (0.19, 1.2, 0.55), "right_eye": (-0.19, 1.2, 0.55),
    "mouth_left": (0.13, 0.78, 0.6), "mouth_right": (-0.13, 0.78, 0.6),
    "left_ear": (0.44, 1.07, 0.1), "right_ear": (-0.44, 1.07, 0.1),
}  # fmt: skip
"""Where the head's joints are when nobody says, in units of h from the neck."""

REACH: dict[str, float] = {
    "above head": 0.55, "upper face": 0.65, "eyes": 0.5, "nose": 0.42, "mouth": 0.38, "chin": 0.48, "cheeks": 0.52,
    "ears": 0.5, "neck": 0.42, "shoulders": 0.27, "chest": 0.42, "waist": 0.47, "arm": 0.3, "other hand": 0.28,
}  # fmt: skip
"""How near (units of h) a hand comes to be at a place; nearness is the distance divided by it."""
FAR = 9.0
TOUCHING = 0.8
"""Nearness below which a hand probably touches."""

DEPTH_WEIGHT = 1.0


@dataclass(frozen=True, eq=False)
class Places:
    """Anchors of the places in the signer's coordinates.

    Attributes:
        points: name → (T, K, 3), K alternatives of which the nearest counts (left and right cheek …).
        face: (T,) whether the face was seen.
    """

    points: dict[str, Array]
    face: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Located:
    """One place per frame and hand.

    Attributes:
        index: (T, 2) index into `LOCATIONS`, −1 where the hand was not seen.
        confidence: (T, 2) in [0, 1]: the probability of that place times the hand's confidence.
        share: (T, 2, 15) how probable each place is; rows sum to 1.
        contact: (T, 2) bool, the hand probably touches the place (with depth: truly near; without: overlap only).
    """

    index: NDArray[np.int64]
    confidence: Array
    share: Array
    contact: NDArray[np.bool_]

    @property
    def names(self) -> NDArray[np.str_]:
        """(T, 2) names, "" where the hand was not seen."""
        return np.array([*LOCATIONS, ""])[self.index]


def hand_parts(space: SignerSpace) -> Array:
    """(T, 2, P, 3) points of a hand that may be what goes to a place: tips, knuckles, palm, sides."""
    hands = space.hands
    knuckles = hands[:, :, [5, 9, 13, 17]].mean(axis=2)
    parts = [hands[:, :, 8], hands[:, :, 4], hands[:, :, [8, 12]].mean(axis=2), hands[:, :, 12], hands[:, :, 20]]
    parts += [space.palm, knuckles, hands[:, :, [0, 17]].mean(axis=2), hands[:, :, [1, 5]].mean(axis=2)]
    return np.stack(parts, axis=2)


def places_of(space: SignerSpace) -> Places:
    """Anchors of all places but neutral space, arm and other hand, which `locations` takes from the hands."""
    joints = {name: space.joint(name) for name in STANDARD_HEAD}
    face = np.isfinite(joints["nose"]).all(axis=1)
    head = {name: _or_standard(values, STANDARD_HEAD[name], space.deep) for name, values in joints.items()}
    eyes = (head["left_eye"] + head["right_eye"]) / 2
    mouth = (head["mouth_left"] + head["mouth_right"]) / 2
    # everything on the head scales with the distance from eyes to mouth, so that a nod or a big head does no harm
    down = mouth - eyes
    ahead = np.array([0.0, 0.0, 0.25 if space.deep else 0.0])
    side = (head["left_ear"] - head["right_ear"]) / 2
    middle = (head["nose"] + mouth + eyes) / 3
    torso = {
        "neck": [(0.0, 0.28, 0.35)],
        "shoulders": [(0.85, -0.05, 0.3), (-0.85, -0.05, 0.3)],
        "chest": [(0.0, -0.8, 0.62), (0.5, -0.8, 0.6), (-0.5, -0.8, 0.6)],
        "waist": [(0.0, -2.45, 0.65), (0.5, -2.4, 0.65), (-0.5, -2.4, 0.65)],
    }
    points = {
        "above head": np.stack([eyes - 3.0 * down], axis=1),
        "upper face": np.stack([eyes - 0.64 * down], axis=1),
        "eyes": np.stack([head["left_eye"], head["right_eye"]], axis=1),
        "nose": np.stack([head["nose"]], axis=1),
        "mouth": np.stack([mouth], axis=1),
        "chin": np.stack([mouth + 0.55 * down], axis=1),
        "cheeks": np.stack([middle + k * 0.68 * side - 0.8 * ahead for k in (1, -1)], axis=1),
        "ears": np.stack([head["left_ear"], head["right_ear"]], axis=1),
    }
    flat = np.array([1.0, 1.0, float(space.deep)])
    for name, anchors in torso.items():
        points[name] = np.broadcast_to(np.array(anchors) * flat, (len(space), len(anchors), 3))
    return Places(points, np.asarray(face))


def _or_standard(values: Array, standard: tuple[float, float, float], deep: bool) -> Array:
    """A joint of the head, from the standard head in frames where it is missing."""
    fallback = np.array(standard) * np.array([1.0, 1.0, float(deep)])
    return np.where(np.isfinite(values), values, fallback)


def nearness(space: SignerSpace) -> Array:
    """(T, 2, 15) distance of the hand's nearest part to each place over the place's reach; 1 for neutral space."""
    parts, places = hand_parts(space), places_of(space)
    weight = np.array([1.0, 1.0, DEPTH_WEIGHT if space.deep else 0.0])
    values = np.ones((len(space), 2, len(LOCATIONS)))
    for name, anchors in places.points.items():
        apart = (parts[:, :, :, None] - anchors[:, None, None]) * weight
        values[..., LOCATIONS.index(name)] = np.linalg.norm(apart, axis=-1).min(axis=(2, 3)) / REACH[name]
    values[..., LOCATIONS.index("arm")] = _to_other_arm(space, parts, weight) / REACH["arm"]
    values[..., LOCATIONS.index("other hand")] = _to_other_hand(space, parts, weight) / REACH["other hand"]
    return np.where(np.isfinite(values), values, FAR)


def features(space: SignerSpace) -> Array:
    """(T, 2, F) what a place is judged by, each hand as if it were a right hand with its own side at +x."""
    parts, places = hand_parts(space), places_of(space)
    own = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])[None, :, None]  # the left hand's own side is +x already
    head = [places.points[name].mean(axis=1) for name in ("eyes", "nose", "mouth", "chin", "ears")]
    head += [places.points[name][:, k] for name in ("ears", "cheeks") for k in (0, 1)]
    heads = np.stack(head, axis=1)[:, None]
    heads = np.concatenate([heads, heads[:, :, [0, 1, 2, 3, 4, 6, 5, 8, 7]]], axis=1) * own
    wrists = np.stack([space.joint(f"{side}_wrist") for side in SIDES], axis=1)
    elbows = np.stack([space.joint(f"{side}_elbow") for side in SIDES], axis=1)
    arms = np.stack([elbows, wrists, space.palm, elbows[:, ::-1], wrists[:, ::-1], space.palm[:, ::-1]], axis=2) * own
    to_nose = parts * own - heads[:, :, 1:2]
    lists = [parts * own, to_nose, heads, arms]
    flat = [np.nan_to_num(np.clip(x, -6, 6)).reshape(len(space), 2, -1) for x in lists]
    near = np.exp(-np.clip(nearness(space), 0, FAR))
    facts = np.stack([np.full((len(space), 2), float(space.deep)), space.seen[:, ::-1].astype(float)], axis=-1)
    return np.concatenate([*flat, near, facts], axis=-1)


def locations(space: SignerSpace) -> Located:
    """The place of each hand in each frame, see the module."""
    logits = frame_values("locations", features(space))
    share = np.exp(logits - logits.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    return _located(space, share.astype(np.float64))


def nearest_locations(space: SignerSpace) -> Located:
    """Places by distance alone: the nearest within its reach, else neutral space."""
    share = np.exp(-3 * nearness(space))
    return _located(space, share / share.sum(axis=-1, keepdims=True))


def _located(space: SignerSpace, share: Array) -> Located:
    near = nearness(space)
    index = np.argmax(share, axis=-1)
    confidence = share.max(axis=-1) * space.confidence * np.where(places_of(space).face, 1.0, 0.5)[:, None]
    there = np.take_along_axis(near, index[..., None], axis=-1)[..., 0]
    contact = space.seen & (index > 0) & (there < (TOUCHING if space.deep else 0.7 * TOUCHING))
    return Located(np.where(space.seen, index, -1), np.where(space.seen, confidence, 0.0), share, contact)


def _to_other_arm(space: SignerSpace, parts: Array, weight: Array) -> Array:
    """(T, 2) least distance of a hand's parts to the other forearm, elbow to shortly before the wrist."""
    result = []
    for hand, side in ((0, "right"), (1, "left")):
        elbow, wrist = space.joint(f"{side}_elbow")[:, None], space.joint(f"{side}_wrist")[:, None]
        along = (wrist - elbow) * weight
        from_elbow = (parts[:, hand] - elbow) * weight
        share = (from_elbow * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9)
        apart = from_elbow - np.clip(share, 0.15, 0.85)[..., None] * along
        result.append(np.linalg.norm(apart, axis=-1).min(axis=1))
    return np.stack(result, axis=1)


def _to_other_hand(space: SignerSpace, parts: Array, weight: Array) -> Array:
    """(T, 2) least distance of a hand's parts to the other palm."""
    other = space.palm[:, ::-1, None]
    return np.linalg.norm((parts - other) * weight, axis=-1).min(axis=2)
