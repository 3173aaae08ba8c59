"""Location vectors and the semantic vector (rows A14 and A19).

`location_vectors` follows the published boxes to the letter, in the picture plane. `semantic_vectors` joins them with
the handshape embeddings: 15 + 15 + E + E numbers, 2590 with the published 1280-d embedding; it is what the pose and VLE
transformers read. A hand that is missing keeps its last known value, zeros before its first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import Pose
from .keyframes import keyframes
from .locations import LOCATIONS, places_of
from .signer_space import Array, SignerSpace, signer_space

__all__ = ["location_vectors", "semantic_track", "semantic_vectors"]

SIZES: dict[str, tuple[float, float]] = {
    "above head": (2, 2), "upper face": (1, 0.5), "eyes": (0.35, 0.38), "nose": (0.3, 0.5), "mouth": (0.7, 0.2),
    "chin": (1, 0.5), "cheeks": (0.3, 0.8), "ears": (0.3, 0.8), "neck": (1, 0.5), "shoulders": (1, 1),
    "chest": (2.5, 1.5), "waist": (2, 1), "other hand": (1.8, 1.8),
}  # fmt: skip
"""Width and height of the published boxes, units of h; the arm has a distance instead."""
ARM_REACH = 0.3
SURE = 0.3
FACE = ("eyes", "nose", "mouth", "chin", "cheeks")


def location_vectors(space: SignerSpace) -> NDArray[np.float32]:
    """(T, 2, 15) rows that sum to one: how much a hand is at each of `LOCATIONS`; (left, right).

    Per place a score of one minus the distance over the half-diagonal, counted inside the box; neutral space is 1
    where no other place scores. The hand's points are its middle and its index tip: the tip alone when the index
    points, half and half otherwise, the middle alone below confidence 0.3. While the face is lost a hand at the
    standard head's place scores 0.2 on each of eyes, nose, mouth, chin and cheeks. A hand not seen is NaN.
    """
    middle, tip = _box_middle(space.hands), space.hands[:, :, 8]
    tip_weight = np.where(_points(space.hands), 1.0, 0.5)
    tip_weight = np.where((space.confidence < SURE) | ~np.isfinite(tip).all(axis=-1), 0.0, tip_weight)[..., None]
    places = places_of(space)
    anchors = {**places.points, **_published_anchors(space, places.points)}
    at_middle, at_tip = _scores(space, middle, anchors), _scores(space, tip, anchors)
    scores = np.nan_to_num(at_middle) * (1 - tip_weight) + np.nan_to_num(at_tip) * tip_weight
    face = [LOCATIONS.index(name) for name in FACE]
    lost = ~places.face[:, None] & (scores[..., face].sum(-1) > 0)
    scores[..., face] = np.where(lost[..., None], 0.2, scores[..., face])
    scores[..., 0] = (scores[..., 1:].sum(-1) <= 0).astype(float)
    scores /= scores.sum(-1, keepdims=True)
    scores[~space.seen] = np.nan
    return scores.astype(np.float32)


def _box_middle(hands: Array) -> Array:
    return (np.fmin.reduce(hands, axis=2) + np.fmax.reduce(hands, axis=2)) / 2


def _points(hands: Array) -> NDArray[np.bool_]:
    """(T, 2) the index is stretched and the ring and little fingers are not."""

    def reach(tip: int, knuckle: int) -> Array:
        whole = np.linalg.norm(np.diff(hands[:, :, knuckle : tip + 1], axis=2), axis=-1).sum(-1)
        return np.linalg.norm(hands[:, :, tip] - hands[:, :, knuckle], axis=-1) / np.maximum(whole, 1e-9)

    return (reach(8, 5) > 0.9) & (reach(16, 13) < 0.8) & (reach(20, 17) < 0.8)


def _published_anchors(space: SignerSpace, points: dict[str, Array]) -> dict[str, Array]:
    """Anchors where the published ones differ from those of `places_of`."""
    eyes, nose = points["eyes"].mean(axis=1, keepdims=True), points["nose"]
    bridge = eyes

    def at(x: float, y: float) -> Array:
        return np.array([x, y, 0.0])

    flat = np.zeros((len(space), 1, 3))
    return {
        "above head": bridge + at(0, 1.5), "upper face": bridge + at(0, 0.5), "nose": nose,
        "chin": points["chin"] - at(0, 0.1), "neck": flat - at(0, 1 / 3), "chest": flat - at(0, 0.5),
        "ears": np.concatenate([nose + at(0.6, 0.1), nose + at(-0.6, 0.1)], axis=1),
        "shoulders": np.concatenate([flat + at(1, 0), flat + at(-1, 0)], axis=1),
        "waist": points["waist"][:, :1] * np.array([0, 1, 0]),
    }  # fmt: skip


def _scores(space: SignerSpace, point: Array, anchors: dict[str, Array]) -> Array:
    """(T, 2, 15) of one point per hand, before neutral space."""
    scores = np.zeros((len(space), 2, len(LOCATIONS)))
    others = {"other hand": space.hands.mean(axis=2)[:, ::-1]}
    for name, (width, height) in SIZES.items():
        target = others[name][:, :, None] if name in others else anchors[name][:, None]
        apart = np.abs(point[:, :, None, :2] - target[..., :2])
        inside = (apart[..., 0] <= width / 2) & (apart[..., 1] <= height / 2)
        score = 1 - np.linalg.norm(apart, axis=-1) / np.hypot(width / 2, height / 2)
        best = np.where(inside, score, 0.0)
        scores[..., LOCATIONS.index(name)] = np.nan_to_num(best).max(axis=-1)
    scores[..., LOCATIONS.index("arm")] = _arm(space, point)
    return scores


def _arm(space: SignerSpace, point: Array) -> Array:
    result = np.zeros((len(space), 2))
    for hand, side in ((0, "right"), (1, "left")):
        elbow, wrist = space.joint(f"{side}_elbow")[:, :2], space.joint(f"{side}_wrist")[:, :2]
        along, to = wrist - elbow, point[:, hand, :2] - elbow
        share = np.clip((to * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9), 0, 1)
        distance = np.linalg.norm(to - share[:, None] * along, axis=-1)
        result[:, hand] = np.where(distance < ARM_REACH, 1 - distance / ARM_REACH, 0.0)
    return np.nan_to_num(result)


def semantic_vectors(places: NDArray[np.float32], embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, 30 + 2E) rows [places left | places right | embedding left | embedding right].

    Args:
        places: (T, 2, 15) of `location_vectors`; NaN rows are missing hands.
        embeddings: (T, 2, E) handshape embeddings, NaN rows where the hand was not seen.

    Raises:
        ValueError: the shapes do not agree.
    """
    if places.shape[1:] != (2, len(LOCATIONS)) or embeddings.ndim != 3 or embeddings.shape[:2] != places.shape[:2]:
        raise ValueError(f"places {places.shape} and embeddings {embeddings.shape}; expected (T, 2, 15) and (T, 2, E)")
    parts = [_held(values[:, hand]) for values in (places, embeddings) for hand in (0, 1)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def semantic_track(
    pose: Pose, embeddings: Path, video: str, count: int = 16
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Frame numbers (n,) and semantic vectors (n, 30 + 2E) of a video's key-frames.

    Args:
        embeddings: HDF5 file of `vle.predict_store` that holds `video`.
        count: key-frames; 0 takes every frame.

    Raises:
        ValueError: the file does not hold the video, or the pose has no shoulders.
    """
    from .handshapes.network import embedding_tracks

    hands = embedding_tracks(embeddings, video, len(pose))
    # gaps are filled over all frames first: a key-frame without a hand takes the hand last seen, not the last key-frame
    values = semantic_vectors(location_vectors(signer_space(pose)), hands)
    frames = np.arange(len(pose)) if count == 0 else keyframes(pose, count)
    return frames, values[frames]


def _held(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Missing rows take the last known one, zeros before the first."""
    known = np.isfinite(values).all(axis=1)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last[:, None] >= 0, values[np.maximum(last, 0)], 0.0).astype(np.float32)
