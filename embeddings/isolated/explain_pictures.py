"""Pictures of `embeddings.isolated.explain` for people: frames with heat, attention rows, bars of weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from safe_files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_attention", "draw_input_weights", "draw_saliency", "overlay", "write_table"]

PART_COLOURS = {"left hand": "#1f6fb2", "right hand": "#d1601f", "body": "#8a8a8a"}
COLUMNS = 8


def _resized(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    import cv2

    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR))


def _save(figure: Figure, path: Path) -> None:
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=110, facecolor="white", format=path.suffix.lstrip(".") or "png")


def overlay(image: NDArray[np.uint8], heat: NDArray[np.float32], strength: float = 0.75) -> NDArray[np.uint8]:
    """A frame (H, W, 3) under its heat (h, w) in [0, 1]: cold parts stay the picture in grey, hot ones glow."""
    from matplotlib import colormaps

    height, width = image.shape[:2]
    grown = np.clip(_resized(heat, width, height), 0, 1)[..., None]
    grey = image.astype(np.float32).mean(axis=-1, keepdims=True).repeat(3, axis=-1) * 0.85
    colour = colormaps["inferno"](0.25 + 0.75 * grown[..., 0])[..., :3] * 255
    share = strength * grown
    return np.clip(grey * (1 - share) + colour * share, 0, 255).astype(np.uint8)


def draw_saliency(
    path: Path | str,
    pictures: Mapping[str, NDArray[np.uint8]],
    maps: Mapping[str, NDArray[np.float32]],
    title: str = "",
    empty: Collection[str] = (),
) -> None:
    """A sheet: for each input its frames (T, H, W, 3) in rows of eight, heat (T, h, w) in [0, 1] over them.

    Args:
        empty: inputs whose map is zero throughout, which is written above them.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

    frames = len(next(iter(pictures.values())))
    columns, side = min(COLUMNS, frames), 112
    lines = -(-frames // columns)
    figure = Figure(figsize=(1.25 * columns + 1.2, 1.25 * lines * len(pictures) + 0.5 * len(pictures) + 0.5))
    figure.set_layout_engine("constrained")
    for axes, (name, images) in zip(
        figure.subplots(len(pictures), 1, squeeze=False)[:, 0], pictures.items(), strict=True
    ):
        sheet = np.full((lines * (side + 3), columns * (side + 3), 3), 255, np.uint8)
        for i, (image, heat) in enumerate(zip(images, maps[name], strict=True)):
            top, left = (i // columns) * (side + 3), (i % columns) * (side + 3)
            glowing = overlay(_resized(image, side, side), heat)
            sheet[top : top + side, left : left + side] = glowing
            axes.text(left + 4, top + 5, str(i), color="white", fontsize=8, va="top", weight="bold")
        axes.imshow(sheet)
        axes.set_axis_off()
        zero = " – zero throughout: nothing here speaks for the sign" if name in empty else ""
        axes.set_title(name.replace("_", " ") + zero, loc="left", fontsize=11)
    scale = ScalarMappable(cmap="inferno")
    scale.set_clim(0, 1)
    bar = figure.colorbar(scale, ax=figure.axes, shrink=0.6, ticks=[0, 1])
    bar.set_ticklabels(["none", "most in clip"])
    figure.suptitle(f"where the network looks: {title}" if title else "where the network looks", fontsize=12)
    _save(figure, Path(path))


def draw_attention(
    path: Path | str,
    mask: NDArray[np.float32],
    pictures: Mapping[str, NDArray[np.uint8]] | None = None,
    title: str = "",
) -> None:
    """A row of cells a head, (heads, T), over the frames they belong to; the number in a cell is its share in %."""
    from matplotlib.figure import Figure

    heads, frames = mask.shape
    strips = [] if pictures is None else [s for s in pictures.items() if len(s[1]) == frames]
    heights = [1.0] * len(strips) + [0.45 * heads]
    width = max(6.0, min(16.0, 0.75 * frames + 1.5))
    figure = Figure(figsize=(width, width / (frames + 2) * len(strips) + 0.34 * heads + 1.2))
    figure.set_layout_engine("constrained")
    plots = figure.subplots(len(heights), 1, squeeze=False, sharex=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (name, images) in zip(plots, strips, strict=False):
        row = np.concatenate([_resized(image, 96, 96) for image in images], axis=1)
        axes.imshow(row, extent=(-0.5, frames - 0.5, 0, 1), aspect="auto")
        axes.set(xticks=[], yticks=[0.5], yticklabels=[name.replace("_", " ")])
    axes = plots[-1]
    shown = axes.imshow(100 * mask, cmap="viridis", vmin=0, aspect="auto")
    if frames <= 20:
        for head, frame in np.ndindex(mask.shape):
            value = 100 * mask[head, frame]
            dark = value < 0.6 * 100 * mask.max()
            axes.text(frame, head, f"{value:.0f}", ha="center", va="center", fontsize=7, color="w" if dark else "k")
    axes.set(yticks=range(heads), yticklabels=[f"head {h + 1}" for h in range(heads)], xlabel="frame of the window")
    axes.set_xticks(range(0, frames, max(1, frames // 16)))
    figure.colorbar(shown, ax=axes, label="% of attention")
    figure.suptitle(f"attention of the last layer: {title}" if title else "attention of the last layer", fontsize=12)
    _save(figure, Path(path))


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """A table as CSV, six digits, whole or not at all."""
    with whole_file(path) as partial:
        table.to_csv(partial, index=False, float_format="%.6g")


def draw_input_weights(path: Path | str, table: pd.DataFrame) -> None:
    """Bars of every landmark of `explain.input_weights`, heaviest on top, the starting value 1 marked."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    figure = Figure(figsize=(7.5, 0.17 * len(table) + 1.3))
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    rows = np.arange(len(table))
    axes.barh(rows, table["mean"], color=[PART_COLOURS[part] for part in table["part"]], height=0.78)
    axes.plot(table["x"], rows, "k|", markersize=5)
    axes.plot(table["y"], rows, "k.", markersize=3)
    axes.axvline(1, color="black", linewidth=0.8, linestyle="--")
    axes.set_yticks(rows, [name.replace("_", " ") for name in table["landmark"]], fontsize=7)
    axes.set(ylim=(len(table) - 0.4, -0.6), xlabel="learned input weight (bar: mean of x | and y ·; dashed: start)")
    used = [part for part in PART_COLOURS if (table["part"] == part).any()]
    means = {part: table.loc[table["part"] == part, "mean"].mean() for part in used}
    axes.legend(
        [Patch(color=PART_COLOURS[p]) for p in used], [f"{p} (mean {means[p]:.2f})" for p in used], loc="lower right"
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("landmarks by learned input weight", fontsize=12)
    _save(figure, Path(path))
