"""Several methods on the same set, side by side, with the p-value of each against the best."""

from __future__ import annotations

from collections.abc import Mapping

from ..segments import Segments, as_segments
from ..significance import bootstrap_interval, f1_of, paired_bootstrap
from ..tables import Table
from .curves import precision_recall
from .f1 import challenge_f1, one_to_one_f1
from .groups import counts_per_video

__all__ = ["compare_spotting"]


def compare_spotting(
    truth: Segments,
    methods: Mapping[str, Segments],
    threshold: float = 0.5,
    seconds: Mapping[str, float] | None = None,
    repeats: int = 10_000,
    seed: int = 0,
) -> Table:
    """The comparison table: one row per method, best one-to-one F1 first.

    Columns: method, challenge F1, one-to-one F1 with counts and its 95 % interval over videos, average precision
    where all detections carry a score, `p vs best`: paired bootstrap over videos against the method of the first row
    (empty there), and seconds where given.

    Raises:
        ValueError: no method, or fewer than two videos.
    """
    if not methods:
        raise ValueError("no method to compare; expected at least one {name: predictions}")
    predictions = {name: as_segments(detections) for name, detections in methods.items()}
    counts = {name: counts_per_video(truth, detections, threshold) for name, detections in predictions.items()}
    strict = {name: one_to_one_f1(truth, detections, threshold) for name, detections in predictions.items()}
    order = sorted(methods, key=lambda name: (-strict[name].f1, name))
    rows = []
    for name in order:
        score, detections = strict[name], predictions[name]
        interval = bootstrap_interval(counts[name], f1_of, repeats, seed=seed)
        scores = [s.score for video in truth for s in detections.get(video, ())]
        scored = bool(scores) and None not in scores
        p_value = None
        if name != order[0]:
            p_value = paired_bootstrap(counts[order[0]], counts[name], f1_of, repeats, seed=seed).p_value
        row = [
            name,
            challenge_f1(truth, detections).f1,
            score.f1,
            f"[{interval.low:.4f}, {interval.high:.4f}]",
            score.tp,
            score.fp,
            score.fn,
            precision_recall(truth, detections, threshold).average_precision if scored else None,
            p_value,
        ]
        rows.append([*row, seconds.get(name)] if seconds is not None else row)
    columns = ["method", "challenge F1", f"F1@{threshold:g}", "95 %", "TP", "FP", "FN", "AP", "p vs best"]
    return Table([*columns, "seconds"] if seconds is not None else columns, rows)
