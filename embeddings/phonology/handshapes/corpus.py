"""Handshapes of a corpus: from poses of many signs to clusters of hands over all signs (rows A7 and A8).

Per sign the frames of its sign clusters (`hand_clusters.sign_clusters`, of the dominant hand, detected per signer) are
gathered by medoid linkage, singletons dropped; the medoids of clusters that are large enough are joined over all signs.
Distances are the published ones in the picture plane ("picture"), or those of 3D palm shapes ("palm"), which do not
change when the hand turns; the latter need depth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from safe_files import whole_hdf5

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
    sign_clusters,
    write_sign_clusters,
)
from .distance import palm_distances

__all__ = [
    "STOPS", "CorpusHands", "HandSample", "LabelledPose", "cluster_corpus", "dominant_hands", "read_corpus_clusters",
    "write_corpus_clusters",
]  # fmt: skip

Distance = Literal["picture", "palm"]


class Stops(NamedTuple):
    """Distances: `within` a sign linkage ends, `between` signs medoids are joined, `far` apart a pair counts as far."""

    within: float
    between: float
    far: float


STOPS: dict[str, Stops] = {"picture": Stops(1.0, 0.5, 0.75), "palm": Stops(0.3, 0.2, 0.3)}
"""Published for "picture"; for "palm" in palm lengths, chosen on procedural signs."""


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
        joints: (N, 21, 2) pixels.
        within: (N,) cluster within the sign (numbered over all signs), −1 for singletons.
        labels: (N,) cluster over all signs, −1 for hands of clusters that are too small.
        signs: sign → its sign clusters.
    """

    samples: tuple[HandSample, ...]
    joints: NDArray[np.float32]
    within: Labels
    labels: Labels
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
    samples: list[HandSample] = []
    joints: list[NDArray[np.float32]] = []
    shapes: list[NDArray[np.float64]] = []
    for sign in sorted({v.sign for v in videos}):
        own = [v for v in videos if v.sign == sign]
        sides = [hands[v.signer] for v in own]
        # the published procedure knows one hand; left-handed signers are looked at in the mirror
        poses = [v.pose.mirrored() if side == "left" else v.pose for v, side in zip(own, sides, strict=True)]
        signs[sign] = sign_clusters(poses, "right", options)
        chosen = sorted({(int(v), int(f)) for c in signs[sign] for v, f in zip(c.samples, c.frames, strict=True)})
        spaces = {v: signer_space(poses[v]) for v, _ in chosen} if distance == "palm" else {}
        for v, frame in chosen:
            hand = poses[v].xy[frame, _right(poses[v])]
            if distance == "palm":
                shape = palm_shapes(spaces[v].hands[frame, 1][None])[0]
                if not np.isfinite(shape).all():
                    continue
                shapes.append(shape)
            samples.append(HandSample(own[v].video, sign, frame, sides[v]))
            joints.append(hand)
    picture = np.stack(joints).astype(np.float32) if joints else np.zeros((0, 21, 2), np.float32)
    within, labels = _linked(samples, picture, shapes, distance, least)
    return CorpusHands(tuple(samples), picture, within, labels, signs)


def _right(pose: Pose) -> NDArray[np.intp]:
    from ...skeletons import SKELETONS

    return SKELETONS[pose.skeleton].hand("right")


def _linked(
    samples: Sequence[HandSample],
    joints: NDArray[np.float32],
    shapes: Sequence[NDArray[np.float64]],
    distance: str,
    least: int,
) -> tuple[Labels, Labels]:
    """Clusters within signs, and over all signs."""
    if not samples:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    stops = STOPS[distance]
    table = palm_shape_distances(np.stack(shapes)) if distance == "palm" else palm_distances(joints, joints)
    within = np.full(len(samples), -1, np.int64)
    signs = np.array([s.sign for s in samples])
    for sign in np.unique(signs):
        rows = np.flatnonzero(signs == sign)
        own = medoid_linkage(table[np.ix_(rows, rows)], stops.within)
        counts = np.bincount(own)
        kept = np.flatnonzero(counts > 1)
        number = np.full(len(counts), -1, np.int64)
        number[kept] = within.max() + 1 + np.arange(len(kept))
        within[rows] = number[own]
    return within, merge_medoids(table, within, stops.between, stops.far, least=least)


def write_corpus_clusters(path: Path, found: CorpusHands) -> None:
    """HDF5, whole or not at all: the published keys, and what each hand is.

    `hand_clusters/[cluster]` indexes of its hands; `index_to_representative` (N,) the sign cluster a hand stands for;
    `hand_samples/{video, sign, frame, hand, joints}`; `sign_hand_clusters/[sign]/…` as `write_sign_clusters` says.
    """
    import h5py

    text = h5py.string_dtype()
    with whole_hdf5(path) as file:
        group = file.create_group("hand_clusters")
        for k in range(int(found.labels.max(initial=-1)) + 1):
            group[str(k)] = np.flatnonzero(found.labels == k)
        file["index_to_representative"] = found.within
        samples = file.create_group("hand_samples")
        for name in ("video", "sign", "hand"):
            samples.create_dataset(name, data=[getattr(s, name) for s in found.samples], dtype=text)
        samples["frame"] = np.array([s.frame for s in found.samples], np.int64)
        samples["joints"] = found.joints
        samples["cluster"] = found.labels
        write_sign_clusters(file.create_group("sign_hand_clusters"), found.signs)


def read_corpus_clusters(path: Path) -> tuple[list[HandSample], Labels]:
    """The hands (N) and their clusters over all signs (N,), −1 for none.

    Raises:
        ValueError: the file is missing or not one of `write_corpus_clusters`.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            group = file["hand_samples"]
            names = {key: [str(v) for v in group[key].asstr()[:]] for key in ("video", "sign", "hand")}
            frames, labels = group["frame"][:], np.asarray(group["cluster"][:], np.int64)
    except (OSError, KeyError) as error:
        raise ValueError(
            f"{path}: not a file of hand clusters ({error}); make one: spotter phonology clusters"
        ) from None
    rows = zip(names["video"], names["sign"], frames.tolist(), names["hand"], strict=True)
    return [HandSample(video, sign, int(frame), hand) for video, sign, frame, hand in rows], labels
