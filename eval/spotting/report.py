"""Every spotting figure of one system on one set, with its counts, ready to print, plot or save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..segments import Segments, as_segments
from ..significance import Interval, bootstrap_interval, f1_of
from ..tables import Table
from .alarms import FalseAlarms, false_alarms, false_alarms_on_negatives
from .boundaries import BoundaryErrors, HitRate, boundary_errors, hit_rate
from .ceiling import length_ceiling, median_lengths
from .curves import IOU_STEPS, PrecisionRecall, f1_per_iou, precision_recall
from .f1 import SpottingScore, challenge_f1, one_to_one_f1
from .groups import counts_per_video, per_sign, per_signer

__all__ = ["SpottingReport", "spotting_report"]


@dataclass(frozen=True)
class SpottingReport:
    """Scores of `spotting_report`.

    Attributes:
        interval: 95 % interval of the one-to-one F1, drawing videos; None with fewer than two videos.
        per_signer: empty where no signer is known.
        curve: None where the predictions carry no scores.
        ceiling: challenge F1 of centred windows with each sign's median length.
        alarms, negatives: None without durations.
    """

    challenge: SpottingScore
    strict: SpottingScore
    interval: Interval | None
    per_iou: list[SpottingScore]
    per_sign: dict[str, SpottingScore]
    per_signer: dict[str, SpottingScore]
    hits: HitRate
    boundaries: BoundaryErrors
    ceiling: SpottingScore
    curve: PrecisionRecall | None = None
    alarms: FalseAlarms | None = None
    negatives: FalseAlarms | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def table(self) -> Table:
        """One row a figure, counts beside the ratio."""
        rows: list[list[Any]] = [_score_row("challenge F1 (13 IoU thresholds)", self.challenge)]
        rows.append(_score_row(f"one-to-one F1, IoU ≥ {self.metadata['threshold']:g}", self.strict))
        if self.interval is not None:
            rows[-1][-1] = f"95 % over videos [{self.interval.low:.4f}, {self.interval.high:.4f}]"
        if self.curve is not None:
            rows.append(["average precision", self.curve.average_precision, None, None, None, "not cut by a threshold"])
        missed = self.hits.references - self.hits.hits
        note = f"middle within {self.hits.tolerance:g} s"
        rows.append(["hit rate", self.hits.rate, self.hits.hits, None, missed, note])
        errors = self._boundary_errors_ms()
        for name in ("start", "end"):
            note = (
                f"ms; p90 {errors[f'{name}_p90']:.0f}, bias {errors[f'{name}_bias']:+.0f}, {errors['pairs']:.0f} pairs"
            )
            rows.append([f"{name} error, median", errors[f"{name}_median"], None, None, None, note])
        if self.ceiling.tp:
            rows.append(_score_row("length ceiling (median per sign)", self.ceiling))
        for name, alarms in (("false alarms", self.alarms), ("false alarms on negatives", self.negatives)):
            if alarms is not None:
                note = f"an hour; {alarms.hours:.2f} h searched"
                rows.append([name, alarms.per_hour, None, alarms.count, None, note])
        return Table(["figure", "value", "TP", "FP", "FN", "note"], rows)

    def sign_table(self) -> Table:
        """One row per sign."""
        return _group_table("sign", self.per_sign)

    def signer_table(self) -> Table:
        """One row per signer."""
        return _group_table("signer", self.per_signer)

    def _boundary_errors_ms(self) -> dict[str, float]:
        """The summary of the boundaries in milliseconds, as the field tells them."""
        return {k: v if k == "pairs" else round(1000 * v, 6) for k, v in self.boundaries.summary().items()}

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        result: dict[str, Any] = {
            **self.metadata,
            "challenge": _score_dict(self.challenge),
            "one_to_one": _score_dict(self.strict),
            "one_to_one_interval": None if self.interval is None else [self.interval.low, self.interval.high],
            "per_iou": {score.kind: _score_dict(score) for score in self.per_iou},
            "per_sign": {name: _score_dict(score) for name, score in self.per_sign.items()},
            "per_signer": {name: _score_dict(score) for name, score in self.per_signer.items()},
            "hit_rate": {"rate": self.hits.rate, "hits": self.hits.hits, "references": self.hits.references},
            "boundary_errors_ms": {k: None if v != v else v for k, v in self._boundary_errors_ms().items()},
            "length_ceiling": _score_dict(self.ceiling),
        }
        if self.curve is not None:
            result["average_precision"] = self.curve.average_precision
        for name, alarms in (("false_alarms", self.alarms), ("false_alarms_on_negatives", self.negatives)):
            if alarms is not None:
                rate = alarms.per_hour if alarms.hours > 0 else None
                result[name] = {"count": alarms.count, "hours": alarms.hours, "per_hour": rate}
        return result


def _score_row(name: str, score: SpottingScore) -> list[Any]:
    return [name, score.f1, score.tp, score.fp, score.fn, f"P {score.precision:.4f}, R {score.recall:.4f}"]


def _score_dict(score: SpottingScore) -> dict[str, Any]:
    counts = {"tp": score.tp, "fp": score.fp, "fn": score.fn}
    return {**counts, "precision": score.precision, "recall": score.recall, "f1": score.f1}


def _group_table(name: str, scores: Mapping[str, SpottingScore]) -> Table:
    rows = [[key, s.f1, s.precision, s.recall, s.tp, s.fp, s.fn] for key, s in scores.items()]
    return Table([name, "F1", "precision", "recall", "TP", "FP", "FN"], rows)


def spotting_report(
    truth: Segments,
    predictions: Segments,
    durations: Mapping[str, float] | None = None,
    signers: Mapping[str, str] | None = None,
    threshold: float = 0.5,
    tolerance: float = 0.4,
    seed: int = 0,
) -> SpottingReport:
    """Every figure at once. Warns where `mismatch` says why they are all 0.

    Args:
        durations: video → seconds; false alarms an hour need them.
        signers: video → signer; by default read from names such as `p03_n012`, where they have that form.
        threshold: IoU of the one-to-one figures.
        tolerance: of the hit rate, seconds.
        seed: of the bootstrap.
    """
    truth, predictions = as_segments(truth), as_segments(predictions)
    counts = counts_per_video(truth, predictions, threshold)
    scored = any(predictions.values()) and all(s.score is not None for v in truth for s in predictions.get(v, ()))
    medians = {sign: length for sign, length in median_lengths(truth).items() if length > 0}
    with_length = {video: [s for s in rows if s.sign in medians] for video, rows in truth.items()}
    return SpottingReport(
        challenge=challenge_f1(truth, predictions),
        strict=one_to_one_f1(truth, predictions, threshold),
        interval=bootstrap_interval(counts, f1_of, seed=seed) if len(counts) > 1 else None,
        per_iou=f1_per_iou(truth, predictions, IOU_STEPS),
        per_sign=per_sign(truth, predictions, threshold),
        per_signer=_signers_where_known(truth, predictions, signers, threshold),
        hits=hit_rate(truth, predictions, tolerance),
        boundaries=boundary_errors(truth, predictions),
        ceiling=length_ceiling(with_length, medians),
        curve=precision_recall(truth, predictions, threshold) if scored else None,
        alarms=None if durations is None else false_alarms(truth, predictions, durations, threshold),
        negatives=None if durations is None else false_alarms_on_negatives(truth, predictions, durations),
        metadata={
            "videos": len(truth),
            "references": sum(len(rows) for rows in truth.values()),
            "predictions": sum(len(predictions.get(video, ())) for video in truth),
            "ignored_videos": sorted(set(predictions) - set(truth)),
            "threshold": threshold,
            "tolerance_ms": round(1000 * tolerance, 6),
            "seed": seed,
        },
    )


def _signers_where_known(
    truth: Segments, predictions: Segments, signers: Mapping[str, str] | None, threshold: float
) -> dict[str, SpottingScore]:
    if signers is not None:
        return per_signer(truth, predictions, signers, threshold)
    try:
        return per_signer(truth, predictions, None, threshold)
    except ValueError:  # names of another form say nothing of a signer, and nobody gave a table
        return {}
