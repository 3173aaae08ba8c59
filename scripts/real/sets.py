"""Real landmark collections as `Clip`s, for the measuring scripts (never shipped, never trained on unless allowed).

Layout of a collection: `frames` float16 (sum_T, P, C) with x, y, z, visibility normalised by the image,
`offsets` (n+1), `label`, `signer`, `seq_id`, `point_names`; an undetected hand is all zeros.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip, Pose

SIZE = 1000
"""Nominal picture size in pixels; the collections do not record theirs, encoders normalise by the body."""

SKELETON_BY_POINTS = {75: "mediapipe-holistic", 67: "mediapipe-upper-67"}


def landmark_pose(frames: NDArray[np.float16], fps: float, aspect: float = 1.0) -> Pose:
    """(T, P, 4) normalised landmarks → a pose in pixels; a hand of zeros is missing.

    Args:
        aspect: width / height of the pictures.
    """
    values = frames.astype(np.float32)
    scale = np.array([SIZE * aspect, SIZE], np.float32)
    xy, z = values[..., :2] * scale, values[..., 2] * SIZE * aspect
    confidence = np.clip(values[..., 3], 0, 1) if values.shape[-1] > 3 else np.ones(xy.shape[:2], np.float32)
    body = values.shape[1] - 42
    for hand in (slice(body, body + 21), slice(body + 21, body + 42)):
        there = np.any(values[:, hand, :2] != 0, axis=(1, 2))
        confidence[:, hand] = there[:, None]
    missing = ~np.any(values[..., :2] != 0, axis=2)
    xy[missing] = np.nan
    z[missing] = np.nan
    confidence[missing] = 0
    size = (round(SIZE * aspect), SIZE)
    return Pose(xy, confidence, SKELETON_BY_POINTS[values.shape[1]], fps, size, z, estimator="mediapipe-holistic")


def read_collection(path: Path, fps: float = 25.0, aspect: float = 4 / 3) -> list[Clip]:
    """Every sequence of one `.npz` as a clip with label and signer."""
    with np.load(path, allow_pickle=False) as data:
        arrays = {key: data[key] for key in data.files}
    offsets, names = arrays["offsets"], arrays["seq_id"]
    rates = arrays.get("fps", np.full(len(names), fps))
    labels = arrays.get("label", np.array([""] * len(names)))
    signers = arrays.get("signer", np.array([""] * len(names)))
    clips = []
    for i, name in enumerate(names):
        pose = landmark_pose(arrays["frames"][offsets[i] : offsets[i + 1]], float(rates[i]), aspect)
        clips.append(Clip(str(name), float(rates[i]), pose, label=str(labels[i]), signer=str(signers[i])))
    return clips


def read_koala(folder: Path) -> list[Clip]:
    """61 clips of 41 signs; the file name holds the sign and which of two signers shows it."""
    clips = []
    for clip in read_collection(folder / "mediapipe_holistic.npz", aspect=640 / 360):
        label, _, example = clip.name.rpartition("_example")
        clips.append(
            Clip(clip.name, clip.fps, clip.pose, path=folder / f"{clip.name}.mp4", label=label, signer=example)
        )
    return clips


def real_sets(folder: Path) -> dict[str, list[Clip]]:
    """The isolated collections, by name; `<idle>` clips (no signing) are left out."""
    sets = {
        "ksl13": read_collection(folder / "ksl13_apache" / "ksl13.npz"),
        "traduttore-9": read_collection(folder / "traduttore_asl_mit" / "traduttore_asl_3signers.npz"),
        "traduttore-16": read_collection(folder / "traduttore_asl_mit" / "traduttore_asl.npz"),
        "ksl77-pairs": read_koala(folder / "ksl77_koala_videos"),
        "fingerspelling": read_collection(folder / "sts_fingerspelling" / "fingerspelling.npz"),
        "wlasl25": read_collection(folder / "wlasl25_in_the_wild" / "wlasl25.npz"),
    }
    return {name: [c for c in clips if c.label != "<idle>"] for name, clips in sets.items()}


def unlabelled_sets(folder: Path) -> dict[str, list[Clip]]:
    """The collections nobody has labelled, by name."""
    return {"signsuisse": read_collection(folder / "signsuisse_unlabelled" / "signsuisse.npz")}
