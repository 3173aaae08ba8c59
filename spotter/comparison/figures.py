"""All methods on one set: detections, every figure with its counts and interval, the p-value against our own way.

A set is exemplars and continuous queries with their true spans; one made of several parts (each with exemplars of its
own, as when every signer in turn gives the examples) is scored as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.isolated.retrieval import exemplar_ranks
from eval.segments import Segment, by_video
from eval.significance import accuracy_of, bootstrap_interval, f1_of, holm, paired_bootstrap
from eval.spotting import challenge_f1, one_to_one_f1
from eval.spotting.boundaries import boundary_errors
from eval.spotting.curves import precision_recall
from eval.spotting.groups import counts_per_video
from eval.tables import Table
from safe_files import write_json, write_text

from ..detection import Detection
from .methods import METHODS, Method
from .sets import ComparisonPart, ComparisonSet, open_set, procedural_set

__all__ = [
    "ComparisonPart", "ComparisonSet", "MethodRow", "OneShot", "as_dict", "compare", "open_set", "procedural_set",
    "table", "write_comparison",
]  # fmt: skip

ByVideo = Mapping[str, Sequence[Detection]]


@dataclass(frozen=True)
class OneShot:
    """Recognition of single signs from one example each: every true span, cut out, among all exemplars.

    Attributes:
        right, clips: top-1 counts.
        low, high: 95 % interval of top-1 over videos.
        mrr: mean reciprocal rank.
        p_value: of top-1, paired bootstrap over videos against the last method, corrected for the number of methods
            (Holm); None for itself.
    """

    right: int
    clips: int
    low: float
    high: float
    mrr: float
    p_value: float | None = None

    @property
    def top1(self) -> float:
        return self.right / self.clips if self.clips else float("nan")


@dataclass(frozen=True)
class MethodRow:
    """A method's figures on a set.

    Attributes:
        challenge: F1 of the 2022 challenge.
        f1, low, high: one-to-one F1 at IoU 0.5 and its 95 % interval over videos; tp, fp, fn its counts.
        average_precision: over the score, at IoU 0.5.
        recall_at_one: share of the references found at one false alarm a minute.
        boundary: median absolute error of start and end, milliseconds, of the detections that touch their reference.
        p_value: paired bootstrap over videos against the last method, corrected for the number of methods (Holm); None
            for itself.
        ceiling: the highest one-to-one F1 that the method's answers can reach on this set; None: 1.
        one_shot: of the spans as single signs; None where it was not asked for.
        seconds: wall time of the search.
    """

    method: str
    challenge: float
    f1: float
    low: float
    high: float
    tp: int
    fp: int
    fn: int
    average_precision: float
    recall_at_one: float
    boundary: float
    p_value: float | None = None
    ceiling: float | None = None
    one_shot: OneShot | None = None
    seconds: float = float("nan")


def compare(
    chosen: ComparisonSet,
    methods: Sequence[Method] | None = None,
    progress: Callable[[str], None] | None = None,
    one_shot: bool = False,
) -> tuple[list[MethodRow], dict[str, ByVideo]]:
    """(a row per method in the given order, each method's detections above its threshold by video).

    Args:
        methods: all of `METHODS` by default; p-values are against the last one.
        one_shot: also recognise every true span as a single sign.

    Raises:
        ValueError: the set has fewer than two queries, or two of one name.
    """
    methods = list(METHODS.values()) if methods is None else list(methods)
    truth = chosen.truth()
    if len(truth) < 2 or len(truth) != sum(len(p.queries) for p in chosen.parts):
        raise ValueError(f"{chosen.name}: {len(truth)} differently named queries; expected at least 2, none twice")
    rows: list[MethodRow] = []
    above: dict[str, ByVideo] = {}
    counts: dict[str, Any] = {}
    singles: dict[str, NDArray[np.int64]] = {}
    for method in methods:
        begun = time.perf_counter()
        candidates = _search(chosen, method, truth)
        seconds = time.perf_counter() - begun
        above[method.name] = {v: [d for d in found if d.score >= method.threshold] for v, found in candidates.items()}
        counts[method.name] = counts_per_video(truth, above[method.name], 0.5)
        row = _row(method.name, truth, candidates, above[method.name], chosen.durations())
        recognised = None
        if one_shot:
            recognised, singles[method.name] = _one_shot(chosen, method)
        rows.append(replace(row, one_shot=recognised, seconds=seconds, ceiling=method.ceiling(truth)))
        if progress is not None:
            progress(method.name)
    return _with_p_values(rows, counts, singles), above


def _search(chosen: ComparisonSet, method: Method, truth: Mapping[str, Any]) -> dict[str, list[Detection]]:
    """Everything the method finds down to its least score."""
    parts = (method.detections(part.exemplars, part.queries, method.least) for part in chosen.parts)
    return by_video((d for found in parts for listed in found.values() for d in listed), truth)


def _with_p_values(rows: Sequence[MethodRow], counts: Mapping[str, Any], singles: Mapping[str, Any]) -> list[MethodRow]:
    last, others = rows[-1].method, [row.method for row in rows[:-1]]
    spotted = holm([paired_bootstrap(counts[last], counts[name], f1_of).p_value for name in others])
    recognised: list[float | None] = [None] * len(others)
    if singles:
        recognised = [*holm([paired_bootstrap(singles[last], singles[name], accuracy_of).p_value for name in others])]
    tested = [
        replace(row, p_value=p, one_shot=None if row.one_shot is None else replace(row.one_shot, p_value=single))
        for row, p, single in zip(rows[:-1], spotted, recognised, strict=True)
    ]
    return [*tested, rows[-1]]


def _one_shot(chosen: ComparisonSet, method: Method) -> tuple[OneShot, NDArray[np.int64]]:
    """(figures, (videos, 2) counts right and all) of every true span as a single sign."""
    videos = {name: row for row, name in enumerate(chosen.truth())}
    counts = np.zeros((len(videos), 2), np.int64)
    reciprocal: list[float] = []
    for part in chosen.parts:
        clips, count = chosen.isolated(part), len(part.exemplars)
        if not clips:
            continue
        similarity = method.similarity([*part.exemplars, *clips])[count:, :count]
        ranks = exemplar_ranks(similarity, [str(c.label) for c in clips], [str(e.label) for e in part.exemplars])
        np.add.at(counts, [videos[c.name] for c in clips], np.stack([ranks == 1, np.ones_like(ranks)], axis=1))
        reciprocal += (1 / ranks).tolist()
    interval = bootstrap_interval(counts, accuracy_of)
    right, clips_in_all = (int(n) for n in counts.sum(axis=0))
    mrr = float(np.mean(reciprocal)) if reciprocal else float("nan")
    return OneShot(right, clips_in_all, interval.low, interval.high, mrr), counts


def _row(
    name: str,
    truth: Mapping[str, Sequence[Segment]],
    candidates: ByVideo,
    above: ByVideo,
    durations: Mapping[str, float],
) -> MethodRow:
    strict = one_to_one_f1(truth, above, 0.5)
    interval = bootstrap_interval(counts_per_video(truth, above, 0.5), f1_of)
    curve = precision_recall(truth, candidates, 0.5)
    minutes = sum(durations.values()) / 60
    allowed = curve.tp[curve.fp <= minutes]
    errors = boundary_errors(truth, above)
    both = np.abs(np.concatenate([errors.start, errors.end]))
    return MethodRow(
        name, challenge_f1(truth, above).f1, strict.f1, interval.low, interval.high,
        strict.tp, strict.fp, strict.fn, curve.average_precision,
        float(allowed.max(initial=0)) / max(curve.references, 1),
        1000 * float(np.median(both)) if len(both) else float("nan"),
    )  # fmt: skip


def table(rows: Sequence[MethodRow]) -> Table:
    """The comparison as a table; the columns of one-shot recognition where it was asked for."""
    columns = [
        "method", "challenge F1", "F1@.5", "95 %", "TP/FP/FN", "AP", "recall at 1 false alarm/min", "boundary ms",
        "p vs last",
    ]  # fmt: skip
    cells = [
        [r.method, r.challenge, r.f1, f"[{r.low:.3f}, {r.high:.3f}]", f"{r.tp}/{r.fp}/{r.fn}", r.average_precision,
         r.recall_at_one, f"{r.boundary:.0f}" if np.isfinite(r.boundary) else "–",
         None if r.p_value is None else f"{r.p_value:.4f}"]
        for r in rows
    ]  # fmt: skip
    if any(r.ceiling is not None for r in rows):
        columns.append("F1 at most")
        cells = [[*line, r.ceiling] for line, r in zip(cells, rows, strict=True)]
    if any(r.one_shot is not None for r in rows):
        columns += ["one-shot top-1", "95 % top-1", "right/all", "MRR"]
        cells = [[*line, *_one_shot_cells(r.one_shot)] for line, r in zip(cells, rows, strict=True)]
    return Table(columns, cells, digits=3)


def _one_shot_cells(found: OneShot | None) -> list[Any]:
    if found is None:
        return [None] * 4
    return [found.top1, f"[{found.low:.3f}, {found.high:.3f}]", f"{found.right}/{found.clips}", found.mrr]


def as_dict(chosen: ComparisonSet, rows: Sequence[MethodRow]) -> dict[str, Any]:
    """Plain data for JSON: the set, its signs, references, videos and minutes, and every figure unrounded."""
    seconds = chosen.durations()
    return {
        "set": chosen.name,
        "signs": len({e.label for part in chosen.parts for e in part.exemplars}),
        "references": sum(map(len, chosen.truth().values())),
        "videos": len(seconds),
        "minutes": sum(seconds.values()) / 60,
        "methods": [_plain(asdict(row)) for row in rows],
    }


def write_comparison(folder: str | Path, chosen: ComparisonSet, rows: Sequence[MethodRow]) -> list[Path]:
    """Writes `comparison.json` (see `as_dict`), `.md` and `.tex` into the folder; each whole or not at all."""
    paths = [Path(folder) / f"comparison.{ending}" for ending in ("json", "md", "tex")]
    shown = table(rows)
    write_json(paths[0], as_dict(chosen, rows))
    write_text(paths[1], shown.markdown())
    write_text(paths[2], shown.latex())
    return paths


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """NaN is no JSON."""
    return {
        name: _plain(v) if isinstance(v, dict) else None if isinstance(v, float) and not np.isfinite(v) else v
        for name, v in values.items()
    }
