"""RWTH-BOSTON-104's hand and nose tracks as poses: wrists and nose as given, shoulders guessed from the nose.

The tracks hold no shoulders, elbows or fingers. The signer's size is the same in all videos, so the shoulders are set
one guessed width apart below the median nose; everything else is missing, as if an estimator had not seen it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embeddings.clip import Clip, Pose, Span
from embeddings.skeletons import SKELETONS
from eval.datasets import boston104

SHOULDER_WIDTH, NOSE_ABOVE = 55.0, 40.0
"""Pixels; about what the seated signers of the 312 × 242 pictures measure."""


def sentences(folder: Path) -> list[Clip]:
    """The 201 sentences with their word segments as spans; the signer's right hand lies at smaller x."""
    skeleton = SKELETONS["mediapipe-upper-67"]
    words: dict[str, list] = {}
    for sample in boston104.read(folder):
        words.setdefault(str(sample.source), []).append(sample)
    tracks = boston104.read_tracks(folder / "hands_condensed.csv")
    # which column is the hand at the pictures' left: the median over everything tells
    rows = np.concatenate(list(tracks.values()))
    mirrored = float(np.median(rows[:, 0, 0] - rows[:, 1, 0])) < 0
    clips = []
    for video, points in tracks.items():
        if video not in words:
            continue
        xy = np.full((len(points), len(skeleton.joints), 2), np.nan, np.float32)
        flipped = points * (-1, 1) + (312, 0) if mirrored else points
        nose = np.median(flipped[:, 2], axis=0)
        for joint, place in (("left_wrist", flipped[:, 0]), ("right_wrist", flipped[:, 1]), ("nose", flipped[:, 2])):
            xy[:, skeleton.index(joint)] = place
        for side, sign in (("left", 1), ("right", -1)):
            xy[:, skeleton.index(f"{side}_shoulder")] = nose + np.array([sign * SHOULDER_WIDTH / 2, NOSE_ABOVE])
        confidence = np.where(np.isnan(xy[..., 0]), 0, 1).astype(np.float32)
        pose = Pose(xy, confidence, skeleton.name, boston104.FPS, (312, 242), estimator="hand tracks")
        own = sorted(words[video], key=lambda s: s.start)
        spans = tuple(Span(str(s.label), int(s.start), min(int(s.end), len(points))) for s in own)
        clips.append(Clip(f"boston-{video}", boston104.FPS, pose, signer=str(own[0].signer), spans=spans))
    return clips
