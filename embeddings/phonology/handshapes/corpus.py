"""Handshapes of a corpus: from poses of many signs to clusters of hands over all signs (UWB ChaLearn-SLR, 2021).

Per sign the frames of its sign clusters (`clusters.sign_clusters`, of the dominant hand, detected per signer) are
gathered by medoid linkage, singletons dropped; the medoids of clusters that are large enough are joined over all signs.
Distances are the published ones in the picture plane ("picture"), or those of 3D palm shapes ("palm"), which do not
change when the hand turns; the latter need depth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...clip import Pose
from ..signer_space import signer_space
from .clusters import (
    ClusterOptions,
    Labels,
    SignCluster,
    dominant_hand,
    medoid_linkage,
    merge_medoids,
    palm_shape_distances,
    palm_shapes,
    representatives,
    shoulder_unit,
    sign_clusters,
)
from .distance import palm_distances

__all__ = [
    "STOPS", "CorpusHands", "HandSample", "LabelledPose", "cluster_corpus", "dominant_hands",
]  # fmt: skip

Distance = Literal["picture", "palm"]


class Stops(NamedTuple):
    """Distances: `within` a sign linkage ends, `between` signs medoids are joined, `far` apart a pair counts as far."""

    within: float
    between: float
    far: float


STOPS: dict[str, Stops] = {"picture": Stops(1.0, 0.5, 0.75), "palm": Stops(0.3, 0.2, 0.3)}
"""Published for "picture", in units of neck–shoulder; for "palm" in palm lengths, chosen on procedural signs."""


@dataclass(frozen=True, eq=False)
class LabelledPose:
    """One video of one sign."""

    video: str
    sign: str
    signer: str
    pose: Pose


@dataclass(frozen=True)
class HandSample:
    """A hand in one frame: which video, sign, frame and side."""

    video: str
    sign: str
    frame: int
    hand: str


@dataclass(frozen=True, eq=False)
class CorpusHands:
    """Hands of a corpus and their clusters.

    Attributes:
        samples: the N hands.
        joints: (N, 21, 2) pixels; left hands are seen in the mirror.
        confidence: (N,) mean of the joints'.
        within: (N,) cluster within the sign (numbered over all signs), −1 for singletons.
        labels: (N,) cluster over all signs, −1 for hands of clusters that are too small.
        representatives: (R,) the hands that stand for the clusters of signs in the clusters over all signs.
        seeds: the hands from which the clusters of signs grew.
        signs: sign → its sign clusters.
    """

    samples: tuple[HandSample, ...]
    joints: NDArray[np.float32]
    confidence: NDArray[np.float32]
    within: Labels
    labels: Labels
    representatives: Labels
    seeds: frozenset[int]
    signs: Mapping[str, Sequence[SignCluster]]


def dominant_hands(videos: Sequence[LabelledPose]) -> dict[str, str]:
    """Signer → "left" or "right", by which hand travels farther over all of the signer's videos."""
    signers = sorted({v.signer for v in videos})
    return {signer: dominant_hand([v.pose for v in videos if v.signer == signer]) for signer in signers}


def cluster_corpus(
    videos: Sequence[LabelledPose],
    distance: Distance = "picture",
    options: ClusterOptions | None = None,
    least: int = 10,
    dominant: Mapping[str, str] | None = None,
) -> CorpusHands:
    """Clusters of the handshapes of all signs, see the module.

    Args:
        distance: "picture" or "palm".
        options: of the clusters of one sign.
        least: smallest cluster of a sign that takes part in joining over signs.
        dominant: signer → hand; None detects it.

    Raises:
        ValueError: no such distance, or poses without shoulders.
    """
    if distance not in STOPS:
        raise ValueError(f"distance {distance!r} is not known; expected one of {', '.join(STOPS)}")
    hands = dominant_hands(videos) if dominant is None else dominant
    signs: dict[str, list[SignCluster]] = {}
    gathered = _Gathered([], [], [], [], [], set())
    for sign in sorted({v.sign for v in videos}):
        own = [v for v in videos if v.sign == sign]
        sides = [hands[v.signer] for v in own]
        # the published procedure knows one hand; left-handed signers are looked at in the mirror
        poses = [v.pose.mirrored() if side == "left" else v.pose for v, side in zip(own, sides, strict=True)]
        signs[sign] = sign_clusters(poses, "right", options)
        _gather(gathered, own, sides, poses, signs[sign], distance)
    samples = gathered.samples
    joints = np.stack(gathered.joints).astype(np.float32) if samples else np.zeros((0, 21, 2), np.float32)
    within, labels, heads = _linked(gathered, joints, distance, least)
    sure = np.array(gathered.confidence, np.float32)
    return CorpusHands(tuple(samples), joints, sure, within, labels, heads, frozenset(gathered.seeds), signs)


class _Gathered(NamedTuple):
    """Hands of the signs so far: joints, 3D palm shapes (for "palm" alone), units; seeds are rows."""

    samples: list[HandSample]
    joints: list[NDArray[np.float32]]
    confidence: list[float]
    units: list[float]
    shapes: list[NDArray[np.float64]]
    seeds: set[int]


def _gather(
    into: _Gathered,
    videos: Sequence[LabelledPose],
    sides: Sequence[str],
    poses: Sequence[Pose],
    clusters: Sequence[SignCluster],
    distance: str,
) -> None:
    """Adds the hands of one sign's clusters, each once."""
    chosen = sorted({(int(v), int(f)) for c in clusters for v, f in zip(c.samples, c.frames, strict=True)})
    spaces = {v: signer_space(poses[v]) for v, _ in chosen} if distance == "palm" else {}
    units = {v: shoulder_unit(poses[v]) for v, _ in chosen}
    seeds = {c.seed for c in clusters}
    for v, frame in chosen:
        hand = _right(poses[v])
        if distance == "palm":
            shape = palm_shapes(spaces[v].hands[frame, 1][None])[0]
            if not np.isfinite(shape).all():
                continue
            into.shapes.append(shape)
        if (v, frame) in seeds:
            into.seeds.add(len(into.samples))
        into.samples.append(HandSample(videos[v].video, videos[v].sign, frame, sides[v]))
        into.joints.append(poses[v].xy[frame, hand])
        into.confidence.append(float(poses[v].confidence[frame, hand].mean()))
        into.units.append(units[v])


def _right(pose: Pose) -> NDArray[np.intp]:
    from ...skeletons import SKELETONS

    return SKELETONS[pose.skeleton].hand("right")


def _linked(hands: _Gathered, joints: NDArray[np.float32], distance: str, least: int) -> tuple[Labels, Labels, Labels]:
    """Clusters within signs, over all signs, and the hands that represent the former in the latter."""
    if not hands.samples:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    stops = STOPS[distance]
    if distance == "palm":
        table = palm_shape_distances(np.stack(hands.shapes))
    else:
        table = palm_distances(joints, joints, np.array(hands.units))
    within = np.full(len(joints), -1, np.int64)
    signs = np.array([s.sign for s in hands.samples])
    for sign in np.unique(signs):
        rows = np.flatnonzero(signs == sign)
        own = medoid_linkage(table[np.ix_(rows, rows)], stops.within)
        counts = np.bincount(own)
        kept = np.flatnonzero(counts > 1)
        number = np.full(len(counts), -1, np.int64)
        number[kept] = within.max() + 1 + np.arange(len(kept))
        within[rows] = number[own]
    labels = merge_medoids(table, within, stops.between, stops.far, least=least)
    return within, labels, np.array(representatives(table, within, least), np.int64)
