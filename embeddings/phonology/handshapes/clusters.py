"""Clusters of handshapes, from the hands of one sign up to all signs (UWB ChaLearn-SLR, 2021).

`sign_clusters` finds what the dominant hand does in the videos of one sign; `medoid_linkage` and `merge_medoids` gather
hands over all signs. All work on a table of distances: that of `hand_distance` (picture plane, as published) or that of
`palm_shape_distances`, which lays hands with depth into their palm's own frame and so compares handshapes whatever
way the hand is turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...clip import Pose
from ...skeletons import SKELETONS
from ..signer_space import MIN_CONFIDENCE
from .distance import JOINT_WEIGHTS, hand_distances

__all__ = [
    "SignCluster", "dominant_hand", "medoid_linkage", "merge_medoids", "palm_shape_distances", "palm_shapes",
    "representatives", "shoulder_unit", "sign_clusters",
]  # fmt: skip

Array = NDArray[np.floating]
Labels = NDArray[np.int64]


def palm_shapes(hands: Array, left: NDArray[np.bool_] | bool = False) -> NDArray[np.float64]:
    """(N, 21, 3) hands (N, 21, 3) in their palm's frame: origin wrist, y to the middle knuckle, z out of the palm.

    The unit is the distance wrist – middle knuckle; left hands are mirrored to right ones.

    Args:
        left: (N,) which are left hands, or one answer for all.
    """
    hands = np.asarray(hands, np.float64) - np.asarray(hands, np.float64)[:, :1]
    hands = hands * np.where(np.broadcast_to(left, len(hands)), -1.0, 1.0)[:, None, None] ** np.array([1, 0, 0])
    y = hands[:, 9]
    size = np.maximum(np.linalg.norm(y, axis=1), 1e-9)
    y = y / size[:, None]
    z = np.cross(hands[:, 5], hands[:, 17])
    z = z - (z * y).sum(1, keepdims=True) * y
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-9)
    axes = np.stack([np.cross(y, z), y, z], axis=1)
    return np.einsum("njc,nac->nja", hands, axes) / size[:, None, None]


def palm_shape_distances(
    shapes: Array, others: Array | None = None, weights: Array = JOINT_WEIGHTS
) -> NDArray[np.float64]:
    """(N, M) weighted root mean square distance of the joints of palm shapes (N, 21, 3), in palm lengths."""
    root = np.sqrt(np.asarray(weights, np.float64) / np.sum(weights))[None, :, None]
    a = (np.asarray(shapes) * root).reshape(len(shapes), -1)
    b = a if others is None else (np.asarray(others) * root).reshape(len(others), -1)
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))


def dominant_hand(poses: Sequence[Pose]) -> str:
    """The hand that travels farther over a signer's videos: "left" or "right" (ties: right).

    Only frames that show the hand count: the wrist of an arm that is out of the picture is guessed, and wanders.
    """
    way = {"left": 0.0, "right": 0.0}
    for pose in poses:
        for side in way:
            fingers = SKELETONS[pose.skeleton].hand(side)
            there = pose.confidence[:, fingers[1:]].mean(axis=1) >= MIN_CONFIDENCE
            track = np.where(there[:, None], pose.xy[:, fingers[0]], np.nan)
            way[side] += float(np.nansum(np.linalg.norm(np.diff(track, axis=0), axis=1)))
    return "left" if way["left"] > way["right"] else "right"


@dataclass(frozen=True, eq=False)
class SignCluster:
    """A handshape of one sign: the frames that show it, one per video at least.

    Attributes:
        seed: (video index, frame) it grew from.
        samples: (n,) video indexes; frames: (n,) frame numbers.
    """

    seed: tuple[int, int]
    samples: Labels
    frames: Labels


@dataclass(frozen=True)
class ClusterOptions:
    """Published constants of `sign_clusters`, distances in units of the distance neck–shoulder.

    Attributes:
        seeds: most confident frames per video; apart: frames between them; seed_confidence: of a seed.
        confidence: of a member; distance: of a member to its seed; same: below it a seed is no new cluster.
        acceptance: members up to (1 + acceptance) times the best distance of their video are kept.
        least: smallest cluster.
    """

    seeds: int = 5
    apart: int = 5
    seed_confidence: float = 0.6
    confidence: float = 0.5
    distance: float = 0.42
    same: float = 0.21
    acceptance: float = 0.0
    least: int = 5


@dataclass(frozen=True, eq=False)
class _Hands:
    """The usable hands of one video: frame numbers, joints, confidences."""

    frames: Labels
    hands: Array
    confidence: Array
    unit: float


def shoulder_unit(pose: Pose) -> float:
    """Pixels from the neck to the left shoulder in the first frame that has both: the unit of the published distances.

    Raises:
        ValueError: neck and shoulder are never seen.
    """
    mapped = pose.to("openpose-50")
    neck, shoulder = mapped.xy[:, mapped.joint("neck")], mapped.xy[:, mapped.joint("left_shoulder")]
    known = np.flatnonzero(np.isfinite(neck + shoulder).all(axis=1))
    if len(known) == 0:
        raise ValueError(f"{pose.source or 'the pose'}: neck and shoulder are never seen")
    return float(np.linalg.norm(neck[known[0]] - shoulder[known[0]]))


def _usable(pose: Pose, side: str, least: float) -> _Hands:
    mapped, unit = pose.to("openpose-50"), shoulder_unit(pose)
    first = 8 if side == "left" else 29
    hands, sure = mapped.xy[:, first : first + 21], mapped.confidence[:, first : first + 21].mean(axis=1)
    wrist = mapped.xy[:, mapped.joint(f"{side}_wrist")]
    begun = np.flatnonzero(np.isfinite(wrist).all(axis=1))
    away = np.zeros(len(mapped), bool)
    if len(begun):
        # near its start in both x and y, a hand rests or is on its way
        away = np.nan_to_num(np.abs(wrist - wrist[begun[0]]).max(axis=1)) > unit
    rows = np.flatnonzero(away & np.isfinite(hands).all(axis=(1, 2)) & (sure >= least))
    return _Hands(rows, hands[rows], sure[rows], unit)


def sign_clusters(
    poses: Sequence[Pose], hand: str | None = None, options: ClusterOptions | None = None
) -> list[SignCluster]:
    """The handshapes of one sign over its videos, largest cluster first.

    Seeds are each video's most confident frames with the hand away from rest; of equally confident ones (estimators
    that give a hand one confidence of 1) those that lie farthest apart in time. A seed gathers from every other video
    the frames with a small similarity-transform distance to it; a seed near a member of a cluster starts none.

    Args:
        hand: "left" or "right"; None takes the dominant one.
    """
    options = ClusterOptions() if options is None else options
    side = dominant_hand(poses) if hand is None else hand
    videos = [_usable(pose, side, options.confidence) for pose in poses]
    clusters: list[SignCluster] = []
    members: list[Array] = []
    for v, video in enumerate(videos):
        for at in _seeds(video, options):
            seed = video.hands[at][None]
            if members and hand_distances(np.concatenate(members), seed, video.unit).min() <= options.same:
                continue
            samples, frames, hands = [v], [int(video.frames[at])], [video.hands[at]]
            for w, other in enumerate(videos):
                if w == v or len(other.frames) == 0:
                    continue
                distance = hand_distances(other.hands, seed, video.unit)[:, 0]
                most = min(options.distance, float(distance.min()) * (1 + options.acceptance))
                keep = np.flatnonzero(distance <= most)
                samples += [w] * len(keep)
                frames += other.frames[keep].tolist()
                hands += list(other.hands[keep])
            if len(frames) >= options.least:
                clusters.append(SignCluster((v, frames[0]), np.array(samples), np.array(frames)))
                members.append(np.stack(hands))
    return sorted(clusters, key=lambda c: (-len(c.frames), c.seed))


def _seeds(video: _Hands, options: ClusterOptions) -> list[int]:
    """Rows of the seeds, the most confident first."""
    chosen: list[int] = []
    sure = np.round(video.confidence, 2)
    left = set(np.flatnonzero(video.confidence >= options.seed_confidence).tolist())
    while left and len(chosen) < options.seeds:
        at = max(left, key=lambda k: (sure[k], _apart(video.frames, k, chosen), -k))
        chosen.append(at)
        left = {k for k in left if abs(int(video.frames[k] - video.frames[at])) >= options.apart}
    return chosen


def _apart(frames: Labels, at: int, chosen: Sequence[int]) -> float:
    """Frames from one to the nearest of those chosen; to the middle of all, negative, while there is none."""
    if not chosen:
        return -abs(float(frames[at]) - float(frames[0] + frames[-1]) / 2)
    return float(np.abs(frames[list(chosen)] - frames[at]).min())


def medoid_linkage(distances: Array, stop: float) -> Labels:
    """(N,) cluster of each item: the clusters with the nearest medoids are joined while nearer than `stop`.

    A medoid is the member with the least sum of distances to the others (ties: the first). Neither SciPy nor
    scikit-learn has this linkage. Clusters are numbered by their first member.
    """
    table = _symmetric(distances)
    groups: dict[int, list[int]] = {i: [i] for i in range(len(table))}
    medoids = {i: i for i in groups}
    between = table.copy()
    np.fill_diagonal(between, np.inf)
    while len(groups) > 1:
        a, b = divmod(int(np.argmin(between)), len(table))
        if between[a, b] >= stop:
            break
        a, b = min(a, b), max(a, b)
        groups[a] += groups.pop(b)
        inner = table[np.ix_(groups[a], groups[a])]
        medoids[a] = groups[a][int(np.argmin(inner.sum(axis=1)))]
        between[b], between[:, b] = np.inf, np.inf
        others = [k for k in groups if k != a]
        between[a, others] = between[others, a] = table[medoids[a], [medoids[k] for k in others]]
    return _numbered(list(groups.values()), len(table))


def merge_medoids(
    distances: Array, labels: Labels, stop: float = 0.5, far: float = 0.75, most_far: float = 0.5, least: int = 10
) -> Labels:
    """(N,) clusters after joining those whose nearest medoids are nearer than `stop` (single linkage of medoids).

    A join is refused when more than `most_far` of the pairs of medoids across are farther apart than `far`. Items of
    clusters with fewer than `least` members get −1. A cluster that joins no other stays, where the published program
    drops it.
    """
    table = _symmetric(distances)
    medoids = representatives(table, labels, least)
    kept = [np.flatnonzero(labels == labels[m]) for m in medoids]
    groups, heads = [rows.tolist() for rows in kept], [[m] for m in medoids]
    pairs = sorted((float(table[a, b]), i, j) for i, a in enumerate(medoids) for j, b in enumerate(medoids) if i < j)
    home = list(range(len(groups)))
    for distance, i, j in pairs:
        a, b = home[i], home[j]
        if distance >= stop:
            break
        if a == b or (table[np.ix_(heads[a], heads[b])] > far).mean() > most_far:
            continue
        a, b = min(a, b), max(a, b)
        groups[a] += groups[b]
        heads[a] += heads[b]
        groups[b], heads[b] = [], []
        home = [a if k == b else k for k in home]
    return _numbered([g for g in groups if g], len(table))


def representatives(distances: Array, labels: Labels, least: int = 10) -> list[int]:
    """The medoid of each cluster with at least `least` members, by the clusters' numbers."""
    table = _symmetric(distances)
    members = [np.flatnonzero(labels == k) for k in np.unique(labels[labels >= 0])]
    return [int(m[np.argmin(table[np.ix_(m, m)].sum(axis=1))]) for m in members if len(m) >= least]


def _symmetric(distances: Array) -> NDArray[np.float64]:
    """Distances of fitting one onto the other differ by direction; the mean is taken."""
    table = np.asarray(distances, np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not np.isfinite(table).all():
        raise ValueError(f"distances have shape {table.shape}; expected a square table of finite numbers")
    return (table + table.T) / 2


def _numbered(groups: Sequence[Sequence[int]], count: int) -> Labels:
    labels = np.full(count, -1, np.int64)
    for number, group in enumerate(sorted(groups, key=min)):
        labels[list(group)] = number
    return labels
