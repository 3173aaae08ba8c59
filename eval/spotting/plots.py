"""Pictures of spotting figures: precision over recall, F1 over IoU, boundary errors. Matplotlib loads on use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from safe_files import whole_file

from .report import SpottingReport

__all__ = ["draw_spotting"]


def draw_spotting(reports: Mapping[str, SpottingReport], path: str | Path) -> None:
    """One picture (.png, .svg, .pdf by the ending) of one or more systems on one set, side by side.

    Left: precision over recall with the AP and the best F1's point; systems without scores are left out. Middle:
    one-to-one F1 over the IoU. Right: which share of the matched detections is at most so far off, in ms.

    Raises:
        ValueError: no report.
    """
    if not reports:
        raise ValueError("no report to draw; expected at least one {name: report}")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 4.8), layout="constrained")
    curves, over_iou, errors = figure.subplots(1, 3)
    for place, (name, report) in enumerate(reports.items()):
        colour = f"C{place % 10}"
        if report.curve is not None and len(report.curve.score):
            curve = report.curve
            recall, precision = np.r_[0, curve.recall], np.r_[curve.precision[:1], curve.precision]
            label = f"{name}: AP {curve.average_precision:.3f}"
            curves.plot(recall, precision, color=colour, label=label, drawstyle="steps-post")
            cut, best = curve.best()
            curves.plot(
                best.recall, best.precision, "o", color=colour, label=f"best F1 {best.f1:.3f} at score {cut:.3g}"
            )
        threshold = [float(score.kind.rpartition("@")[2]) for score in report.per_iou]
        over_iou.plot(threshold, [score.f1 for score in report.per_iou], "o-", color=colour, label=name)
        for part, style in (("start", "-"), ("end", "--")):
            sizes = 1000 * np.sort(np.abs(getattr(report.boundaries, part)))
            share = np.arange(1, len(sizes) + 1) / max(len(sizes), 1)
            errors.plot(sizes, share, style, color=colour, label=f"{name}: {part}")
    first = next(iter(reports.values()))
    counts = f"{first.metadata['references']} references in {first.metadata['videos']} videos"
    curves.set(xlabel="recall", ylabel="precision", title=f"IoU ≥ {first.metadata['threshold']:g}, {counts}")
    over_iou.set(xlabel="IoU asked for", ylabel="one-to-one F1", title="F1 over the IoU")
    errors.set(xlabel="error, ms", ylabel="share of matched detections", title="boundaries (IoU ≥ 0.1)")
    for axes in (curves, over_iou, errors):
        axes.set_ylim(0, 1.03)
        axes.set_xlim(left=0)
        axes.grid(color="0.9")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
    curves.set_xlim(0, 1)
    over_iou.set_xlim(0, 1)
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=110)
