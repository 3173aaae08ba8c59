"""What a training leaves to look at: `log.csv`, TensorBoard events, and a picture of the losses."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from safe_files import open_whole, reader, whole_file

from ..extras import extra

__all__ = ["TrainingLog", "columns", "draw_losses", "read_log"]

TERMS = ("#8a8a8a", "#2a9d5c", "#b58900", "#7b4ea3")
"""Colours of the loss terms."""
VALIDATION = ("validation_loss", "top1", "one_shot")


def columns(terms: Sequence[str]) -> tuple[str, ...]:
    """Columns of the log of a training with these loss terms."""
    return ("step", "epoch", "rate", "loss", *terms, "gradient", *VALIDATION, "seconds")


@reader(ValueError)
def read_log(path: Path) -> list[dict[str, float]]:
    """Rows of a `log.csv`; empty cells are left out. A last line that was cut off is passed over."""
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row.get("seconds"):
                rows.append({key: float(value) for key, value in row.items() if value})
    return rows


class TrainingLog:
    """Appends to `log.csv` and to TensorBoard; on going on, what came after `step` is taken back first.

    Args:
        terms: names of the losses.
    """

    def __init__(self, folder: Path, step: int, terms: Sequence[str]) -> None:
        with extra("train", "training"):
            from torch.utils.tensorboard import SummaryWriter

        self.path, names = folder / "log.csv", columns(terms)
        earlier = [row for row in read_log(self.path) if row["step"] <= step] if self.path.exists() and step else []
        with open_whole(self.path) as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows({k: f"{v:.9g}" for k, v in row.items()} for row in earlier)
        self.seconds = earlier[-1]["seconds"] if earlier else 0.0
        self._file: IO[str] = self.path.open("a", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, names, restval="")
        self._board: Any = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1 if step else None)

    def add(self, values: Mapping[str, float]) -> None:
        """One row; `values` holds "step" and "seconds" and any other of the columns; NaN is left out."""
        shown = {k: v for k, v in values.items() if v == v}
        self._writer.writerow({k: f"{v:.9g}" for k, v in shown.items()})
        self._file.flush()
        for name, value in shown.items():
            if name not in ("step", "epoch", "seconds"):
                side = "validation" if name in VALIDATION else "training"
                self._board.add_scalar(f"{side}/{name}", value, int(values["step"]))

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self._board.close()


def draw_losses(log: Path, picture: Path, title: str = "") -> None:
    """Losses over steps, and below them the validation's accuracies, as far as they were logged."""
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    rows = read_log(log)
    terms = [name for name in (rows[0] if rows else {}) if name not in columns(())]
    several = len(terms) > 1  # a term that stands alone is the loss
    figure = Figure(figsize=(8, 6))
    figure.set_layout_engine("constrained")
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 2)})
    for name, label, colour in (
        ("loss", "training", "#1f6fb2"), *((term, term.replace("_", " "), TERMS[k % len(TERMS)])
                                           for k, term in enumerate(terms)),
        ("validation_loss", "validation", "#d1601f"),
    ):  # fmt: skip
        points = np.array([(row["step"], row[name]) for row in rows if name in row])
        if not len(points) or (name in terms and not several):
            continue
        if name == "validation_loss":
            above.plot(*points.T, color=colour, marker="o", markersize=3, linewidth=1.2, label=label)
            continue
        width = max(1, len(points) // 60)
        smooth = np.convolve(np.pad(points[:, 1], (width // 2, width - 1 - width // 2), "edge"), np.ones(width) / width,
                             "valid")  # fmt: skip
        if name == "loss":
            above.plot(*points.T, color=colour, alpha=0.25, linewidth=0.6)
        above.plot(points[:, 0], smooth, color=colour, linewidth=1.6 if name == "loss" else 1.0, label=label)
    for name, label, colour in (("top1", "top-1", "#d1601f"), ("one_shot", "one-shot", "#7b4ea3")):
        points = np.array([(row["step"], row[name]) for row in rows if name in row])
        if len(points):
            below.plot(*points.T, color=colour, marker="o", markersize=3, linewidth=1.2, label=label)
    above.set(ylabel="loss", title=title)
    below.set(ylabel="accuracy (validation)", xlabel="optimiser step", ylim=(0, 1.02))
    below.yaxis.set_major_formatter(PercentFormatter(1.0))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False)
    with whole_file(picture) as partial:
        figure.savefig(partial, dpi=110, facecolor="white", format="png")
