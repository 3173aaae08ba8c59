"""Pictures of phonological results, for people: key-frame strips, contact sheets, confidences, stick figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safe_files import whole_file

from ..clip import Pose
from ..skeletons import SKELETONS
from .signer_space import MIN_CONFIDENCE

__all__ = ["contact_sheet", "draw_confidence", "draw_confusion", "keyframe_strip", "stick_figure", "write_picture"]

Image = NDArray[np.uint8]
LEFT_COLOUR, RIGHT_COLOUR, BODY_COLOUR = (31, 111, 178), (209, 96, 31), (70, 70, 70)
CAPTION = 18
"""Pixels of a caption's line."""


def write_picture(path: Path, picture: Image) -> None:
    """Writes a picture (H, W, 3) RGB by the ending of its name, whole or not at all."""
    from PIL import Image as Pictures

    with whole_file(path) as partial:
        Pictures.fromarray(picture).save(partial, format="JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG")


def _labelled(picture: Image, text: str) -> Image:
    """The picture with one line of words under it."""
    import cv2

    bar = np.full((CAPTION, picture.shape[1], 3), 255, np.uint8)
    words = text.encode("ascii", "replace").decode()
    cv2.putText(bar, words, (3, CAPTION - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20), 1, cv2.LINE_AA)
    return np.concatenate([picture, bar])


def _grid(pictures: Sequence[Image], columns: int) -> Image:
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * height, min(columns, len(pictures)) * width, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        y, x = k // columns * height, k % columns * width
        sheet[y : y + height, x : x + width] = picture
    return sheet


def stick_figure(pose: Pose, row: int, size: tuple[int, int] = (240, 240)) -> Image:
    """One frame of a pose as lines on white: left hand blue, right hand orange, the body grey; framed on the body."""
    import cv2

    skeleton = SKELETONS[pose.skeleton]
    left, right = (pose.xy[:, skeleton.index(f"{side}_shoulder")] for side in ("left", "right"))
    unit = max(float(np.nanmedian(np.linalg.norm(left - right, axis=1))) / 2, 1e-6)
    neck = np.nanmedian((left + right) / 2, axis=0)
    width, height = size
    scale = height / (5.2 * unit)
    points = (pose.xy[row] - neck) * scale + np.array([width / 2, height * 0.42])
    known = np.isfinite(points).all(axis=1) & (pose.confidence[row] >= MIN_CONFIDENCE)
    picture = np.full((height, width, 3), 255, np.uint8)
    hands = [set(skeleton.hand(side).tolist()) for side in ("left", "right")]
    legs = ("knee", "ankle", "heel", "foot", "toe")
    for a, b in skeleton.edges:
        if not (known[a] and known[b]) or any(part in skeleton.joints[b] for part in legs):
            continue
        side = next((k for k in (0, 1) if a in hands[k] and b in hands[k]), None)
        colour = BODY_COLOUR if side is None else (LEFT_COLOUR, RIGHT_COLOUR)[side]
        ends = [tuple(int(v) for v in np.clip(np.round(points[k]), -4000, 4000)) for k in (a, b)]
        cv2.line(picture, ends[0], ends[1], colour, 2 if side is None else 1, cv2.LINE_AA)
    return picture


def keyframe_strip(
    pose: Pose, chosen: NDArray[np.integer], frames: Mapping[int, Image] | None = None, columns: int = 8
) -> Image:
    """The chosen frames side by side with their times; stick figures where there are no pictures.

    Args:
        frames: frame number → picture (H, W, 3).
    """
    import cv2

    parts = []
    for number in chosen:
        given = None if frames is None else frames.get(int(number))
        if given is None:
            picture = stick_figure(pose, int(number), (160, 160))
        else:
            height, width = given.shape[:2]
            wide = max(1, round(160 * width / height))
            picture = cv2.resize(given, (wide, 160), interpolation=cv2.INTER_AREA).astype(np.uint8)
        parts.append(_labelled(picture, f"{int(number)}: {int(number) / pose.fps:.2f} s"))
    return _grid(parts, columns)


def contact_sheet(images: Sequence[Image], captions: Sequence[str], columns: int = 10, most: int = 60) -> Image:
    """Pictures of one size in rows with their captions, `most` at most.

    Raises:
        ValueError: there are none, or captions and pictures are not as many.
    """
    if not images or len(images) != len(captions):
        raise ValueError(f"{len(images)} pictures and {len(captions)} captions; expected as many, at least one")
    return _grid([_labelled(i, c) for i, c in zip(images[:most], captions[:most], strict=True)], columns)


def hand_picture(joints: NDArray[np.floating], size: int = 96, left: bool = False) -> Image:
    """A hand (21, 2) or (21, 3) as lines, in its own box; for hands without a video."""
    import cv2

    points = np.asarray(joints, np.float64)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.84 * size / max(float((high - low).max()), 1e-6)
    points = (points - (low + high) / 2) * scale + size / 2
    picture = np.full((size, size, 3), 255, np.uint8)
    from ..skeletons import HAND_EDGES

    for a, b in HAND_EDGES:
        ends = [tuple(int(v) for v in np.round(points[k])) for k in (a, b)]
        cv2.line(picture, ends[0], ends[1], LEFT_COLOUR if left else RIGHT_COLOUR, 2, cv2.LINE_AA)
    return picture


def draw_confidence(path: Path, rows: Sequence[Mapping[str, Any]], least: float) -> None:
    """Bars per signer and hand: median confidence of the hands' joints, 5 % to 95 % as lines, share of frames kept.

    Args:
        rows: of `embeddings.phonology.handshapes.images.confidence_statistics`.
    """
    from matplotlib.figure import Figure

    signers = sorted({str(r["signer"]) for r in rows})
    figure = Figure(figsize=(max(5.0, 1.2 + 0.6 * len(signers)), 3.4), layout="constrained")
    axes = figure.subplots()
    for k, (side, colour) in enumerate((("left", "#1f6fb2"), ("right", "#d1601f"))):
        own = {str(r["signer"]): r for r in rows if r["hand"] == side}
        x = [i + 0.38 * k - 0.19 for i in range(len(signers))]
        middle = np.nan_to_num([float(own[s]["median"]) if s in own else 0.0 for s in signers])
        low = np.nan_to_num([float(own[s]["p05"]) if s in own else 0.0 for s in signers])
        high = np.nan_to_num([float(own[s]["p95"]) if s in own else 0.0 for s in signers])
        axes.bar(x, middle, 0.34, color=colour, alpha=0.75, label=f"{side} hand, median and 5–95 %")
        axes.vlines(x, low, high, color="#222222", lw=1)
        kept = [float(own[s]["kept"]) if s in own else 0.0 for s in signers]
        axes.plot(x, kept, "_", color="#222222", ms=11, mew=2, label="share of frames kept" if k else None)
    axes.axhline(least, color="#999999", lw=0.8, ls="--")
    axes.set_xticks(range(len(signers)), signers, rotation=45 if len(signers) > 6 else 0)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("confidence")
    axes.legend(fontsize=7, loc="lower right")
    _save(figure, path)


def draw_confusion(path: Path, tables: Mapping[str, tuple[Sequence[str], NDArray[np.integer]]]) -> None:
    """Confusion tables side by side, true values in rows, rows scaled to their sums; counts in the cells.

    Args:
        tables: title → (names, counts (N, N)).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(tables), 4.9), layout="constrained")
    for axes, (title, (names, counts)) in zip(
        np.atleast_1d(figure.subplots(1, len(tables))), tables.items(), strict=True
    ):
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
        for i, j in zip(*np.nonzero(counts), strict=True):
            dark = share[i, j] > 0.55
            axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=6, color="white" if dark else "black")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("said", fontsize=8)
        axes.set_ylabel("true", fontsize=8)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=90, facecolor="white", format=path.suffix.lstrip(".") or "png")
