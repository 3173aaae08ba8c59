"""Pictures of a clip: which frames, how large, and the augmentation that is drawn once a clip.

De Coster et al. (CVPR Workshops 2021), as the paper has it: 16 frames at stride 2 from the temporal centre (the code
starts at (N − 16) // 4), square crops of 256 · 2^(−i/4) = 256, 215, 181, 152 px at five positions (the code reaches
four shapes only), one draw for all frames of a clip. A flip swaps the hands and mirrors the pose flow too, which the
code left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..encoders.frames import _resize

__all__ = [
    "FrameAugmentation", "augment_inputs", "crop_box", "draw_augmentation",
    "mirror_flow", "mirror_inputs", "recolour", ]  # fmt: skip


VTN_SCALES = tuple(2.0 ** (-i / 4) for i in range(4))
POSITIONS = ("centre", "top-left", "top-right", "bottom-left", "bottom-right")


def crop_box(side: int, scale: float, position: str) -> tuple[int, int, int]:
    """(left, top, length) of a square crop of int(side · scale) pixels in a side × side picture."""
    length = max(1, int(side * scale))
    free = side - length
    corners = {
        "centre": (free // 2, free // 2), "top-left": (0, 0), "top-right": (free, 0),
        "bottom-left": (0, free), "bottom-right": (free, free),
    }  # fmt: skip
    if position not in corners:
        raise ValueError(f"position {position!r} is not known; expected one of {', '.join(POSITIONS)}")
    return (*corners[position], length)


@dataclass(frozen=True)
class FrameAugmentation:
    """One draw, the same for every frame and stream of a clip; the default changes nothing but the size."""

    scale: float = 1.0
    position: str = "centre"
    flip: bool = False
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0


def draw_augmentation(
    rng: np.random.Generator, scales: tuple[float, ...] = VTN_SCALES, flip: float = 0.5
) -> FrameAugmentation:
    """Crop scale and position uniform, flip with probability `flip`, brightness, contrast and saturation each from
    U(.5, 1.5)."""
    return FrameAugmentation(
        scale=scales[int(rng.integers(len(scales)))],
        position=POSITIONS[int(rng.integers(len(POSITIONS)))],
        flip=bool(rng.random() < flip),
        brightness=float(rng.uniform(0.5, 1.5)),
        contrast=float(rng.uniform(0.5, 1.5)),
        saturation=float(rng.uniform(0.5, 1.5)),
    )


def recolour(images: NDArray[np.uint8], draw: FrameAugmentation) -> NDArray[np.uint8]:
    """Brightness, then contrast about the clip's mean grey, then saturation about each pixel's grey: (…, 3) uint8."""
    if draw.brightness == draw.contrast == draw.saturation == 1.0:
        return images
    weights = np.array((0.299, 0.587, 0.114), np.float32)  # ITU-R BT.601 luma
    values = np.clip(images.astype(np.float32) * draw.brightness, 0, 255)
    mean = float((values @ weights).mean())
    values = np.clip(mean + (values - mean) * draw.contrast, 0, 255)
    grey = (values @ weights)[..., None]
    values = np.clip(grey + (values - grey) * draw.saturation, 0, 255)
    return np.rint(values).astype(np.uint8)


def mirror_flow(flow: NDArray[np.float32], order: NDArray[np.intp]) -> NDArray[np.float32]:
    """Pose flow (T, 2K), K angles / π in (−1, 1] then K magnitudes, as the mirrored pose would give it.

    order: (K,) permutation that swaps left and right joints. A movement (dx, dy) becomes (−dx, dy), so an angle a
    becomes 1 − a for a ≥ 0 and −1 − a below; where nothing moves the angle stays 0.
    """
    joints = len(order)
    if flow.shape[-1] != 2 * joints:
        raise ValueError(f"flow has {flow.shape[-1]} columns; {joints} joints need {2 * joints}")
    angle, magnitude = flow[..., :joints][..., order], flow[..., joints:][..., order]
    mirrored = np.where(angle >= 0, 1 - angle, -1 - angle)
    return np.concatenate([np.where(magnitude == 0, angle, mirrored), magnitude], axis=-1).astype(np.float32)


def mirror_inputs(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Inputs of an image encoder seen in a mirror: pictures flipped, hands swapped, flow mirrored. Its own inverse."""
    mirrored: dict[str, NDArray[Any]] = {}
    for name, values in inputs.items():
        if name == "flow":
            from ..pose.flow import flow_mirror_order

            mirrored[name] = mirror_flow(values, flow_mirror_order())
        elif name == "depth":  # (T, 2, h, w): left, right
            mirrored[name] = values[:, ::-1, :, ::-1]
        else:
            other = {"left_hand": "right_hand", "right_hand": "left_hand"}.get(name, name)
            mirrored[other] = values[:, :, ::-1]
    return mirrored


def augment_inputs(
    inputs: Mapping[str, NDArray[Any]], draw: FrameAugmentation, size: int = 224
) -> dict[str, NDArray[Any]]:
    """Apply one draw to every input of a clip: square pictures (T, S, S, 3) become (T, size, size, 3).

    Depth (T, 2, S, S) is cropped and flipped but not recoloured; pose flow is only mirrored.
    """
    source = mirror_inputs(inputs) if draw.flip else inputs
    result: dict[str, NDArray[Any]] = {}
    for name in inputs:
        values = source[name]
        if name == "flow":
            result[name] = values
            continue
        depth = name == "depth"
        side = values.shape[-1] if depth else values.shape[1]
        left, top, length = crop_box(side, draw.scale, draw.position)
        rows, columns = slice(top, top + length), slice(left, left + length)
        if depth:
            pictures = values[:, :, rows, columns].reshape(-1, length, length)
            resized = np.stack([_resize(picture, size, size) for picture in pictures])
            result[name] = resized.reshape(-1, 2, size, size)
        else:
            resized = np.stack([_resize(picture, size, size) for picture in values[:, rows, columns]])
            result[name] = recolour(resized, draw)
    return result
