"""How surely hands were seen, per signer, so that thresholds can be chosen (UWB ChaLearn-SLR, 2021).

The published thresholds (.4 for hand images, .5 and .6 for clusters, .55 for embeddings) are for OpenPose, whose joints
have confidences of their own. MediaPipe tells of a hand only that it was seen: each joint has confidence 1, and a
threshold leaves nothing out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safe_files import open_hdf5

from .images import MIN_CONFIDENCE, SIDES

__all__ = ["confidence_statistics", "hand_confidences", "says_nothing"]


def hand_confidences(path: Path) -> dict[str, NDArray[np.float32]]:
    """Video → (T, 2) mean confidence of the joints of its left and right hand, of a file of hand images; empty where
    there is no file."""

    if not path.is_file():
        return {}
    with open_hdf5(path) as file:
        return {video: file[video]["confidence"][:] for video in file if "confidence" in file[video]}


def confidence_statistics(
    hands: Mapping[str, tuple[str, NDArray[np.floating]]], least: float = MIN_CONFIDENCE
) -> list[dict[str, str | float]]:
    """Per signer and hand how surely hands were found.

    Args:
        hands: video → (signer, (T, 2) confidences of left and right).
        least: the threshold whose share is given.

    Returns:
        Rows with signer, hand, frames, seen (share of frames with the hand), mean, p05, median, p95 of the confidence
        where it is seen, and kept (share of frames at or above `least`).
    """
    signers = sorted({signer for signer, _ in hands.values()})
    return [
        _row(signer, side, np.concatenate([track[:, k] for who, track in hands.values() if who == signer]), least)
        for signer in signers
        for k, side in enumerate(SIDES)
    ]


def _row(signer: str, side: str, sure: NDArray[np.floating], least: float) -> dict[str, str | float]:
    seen = sure[sure > 0]
    low, middle, high = np.percentile(seen, [5, 50, 95]) if len(seen) else (np.nan,) * 3
    return {
        "signer": signer,
        "hand": side,
        "frames": len(sure),
        "seen": float((sure > 0).mean()),
        "mean": float(seen.mean()) if len(seen) else float("nan"),
        "p05": float(low),
        "median": float(middle),
        "p95": float(high),
        "kept": float((sure >= least).mean()),
    }


def says_nothing(rows: Sequence[Mapping[str, str | float]]) -> bool:
    """Whether all hands that were seen have one confidence, so that no threshold tells them apart."""
    ends = [float(row[key]) for row in rows for key in ("p05", "p95") if not np.isnan(float(row[key]))]
    return len(ends) > 0 and max(ends) - min(ends) < 1e-3
