"""All methods on one set: detections, every figure with its counts and interval, the p-value against our own way.

A set is exemplars and continuous queries with their true spans; one made of several parts (each with exemplars of its
own, as when every signer in turn gives the examples) is scored as a whole.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np

from .detection import Detection
from .methods import METHODS, Method
from .scoring import scorer

if TYPE_CHECKING:
    from embeddings.clip import Clip

__all__ = ["ComparisonPart", "ComparisonSet", "MethodRow", "compare", "open_set", "procedural_set", "table"]

Rows = dict[str, list[tuple[str, float, float, float]]]
"""Video → (sign, start s, end s, score)."""


@dataclass(frozen=True, eq=False)
class ComparisonPart:
    """Exemplars (clips with labels) and the queries (clips with spans) that are searched with them."""

    exemplars: Sequence[Clip]
    queries: Sequence[Clip]


@dataclass(frozen=True, eq=False)
class ComparisonSet:
    """A named set of parts; the queries' names differ."""

    name: str
    parts: Sequence[ComparisonPart]

    def truth(self) -> dict[str, list[tuple[str, float, float]]]:
        """Video → (sign, start s, end s) of the signs that are looked for."""
        return {
            query.name: [
                (s.label, s.start / query.fps, s.end / query.fps)
                for s in query.spans
                if s.label in {e.label for e in part.exemplars}
            ]
            for part in self.parts
            for query in part.queries
        }

    def durations(self) -> dict[str, float]:
        """Video → seconds."""
        return {query.name: len(query) / query.fps for part in self.parts for query in part.queries}

    def negatives(self) -> ComparisonSet:
        """The queries that hold none of the signs looked for."""
        truth = self.truth()
        parts = [ComparisonPart(p.exemplars, [q for q in p.queries if not truth[q.name]]) for p in self.parts]
        return ComparisonSet(self.name, parts)


@dataclass(frozen=True)
class MethodRow:
    """A method's figures on a set.

    Attributes:
        challenge: F1 of the 2022 challenge.
        f1, low, high: one-to-one F1 at IoU 0.5 and its 95 % interval over videos; tp, fp, fn its counts.
        average_precision: over the score, at IoU 0.5.
        recall_at_one: share of the references found at one false alarm a minute.
        boundary: median absolute error of start and end, milliseconds, of the detections that touch their reference.
        p_value: paired bootstrap over videos against the last method; None for itself.
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


def compare(
    chosen: ComparisonSet,
    methods: Sequence[Method] | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[list[MethodRow], dict[str, Rows]]:
    """(a row per method in the given order, each method's detections above its threshold).

    Args:
        methods: all of `METHODS` by default; p-values are against the last one.

    Raises:
        ValueError: the set has fewer than two queries, or two of one name.
    """
    methods = list(METHODS.values()) if methods is None else list(methods)
    truth = chosen.truth()
    if len(truth) < 2 or len(truth) != sum(len(p.queries) for p in chosen.parts):
        raise ValueError(f"{chosen.name}: {len(truth)} differently named queries; expected at least 2, none twice")
    rows: list[MethodRow] = []
    kept: dict[str, Rows] = {}
    counts: dict[str, Any] = {}
    for method in methods:
        everything: Rows = {name: [] for name in truth}
        for part in chosen.parts:
            for name, found in method.detections(part.exemplars, part.queries, method.least).items():
                everything[name] = _rows(found)
        kept[method.name] = {v: [r for r in found if r[3] >= method.threshold] for v, found in everything.items()}
        counts[method.name] = scorer("eval.groups").counts_per_video(truth, kept[method.name], 0.5)
        rows.append(_row(method.name, truth, everything, kept[method.name], chosen.durations()))
        if progress is not None:
            progress(method.name)
    significance = scorer("eval.significance")
    last = methods[-1].name
    for i, row in enumerate(rows[:-1]):
        test = significance.paired_bootstrap(counts[last], counts[row.method], significance.f1_of)
        rows[i] = replace(row, p_value=test.p_value)
    return rows, kept


def _rows(found: Sequence[Detection]) -> list[tuple[str, float, float, float]]:
    return [(d.sign, d.start, d.end, d.score) for d in found]


def _row(
    name: str,
    truth: Mapping[str, Sequence[tuple[str, float, float]]],
    everything: Rows,
    kept: Rows,
    durations: Mapping[str, float],
) -> MethodRow:
    spotting, significance = scorer(), scorer("eval.significance")
    strict = spotting.one_to_one_f1(truth, kept, 0.5)
    counts = scorer("eval.groups").counts_per_video(truth, kept, 0.5)
    interval = significance.bootstrap_interval(counts, significance.f1_of)
    curve = scorer("eval.curves").precision_recall(truth, everything, 0.5)
    minutes = sum(durations.values()) / 60
    allowed = curve.tp[curve.fp <= minutes]
    errors = scorer("eval.boundaries").boundary_errors(truth, kept)
    both = np.abs(np.concatenate([errors.start, errors.end]))
    return MethodRow(
        name, spotting.challenge_f1(truth, kept).f1, strict.f1, interval.low, interval.high,
        strict.tp, strict.fp, strict.fn, curve.average_precision,
        float(allowed.max(initial=0)) / max(curve.references, 1),
        1000 * float(np.median(both)) if len(both) else float("nan"),
    )  # fmt: skip


def table(rows: Sequence[MethodRow]) -> Any:
    """The comparison as an `eval.tables.Table`."""
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
    return scorer("eval.tables").Table(columns, cells, digits=3)


def procedural_set(
    seed: int, signs: int = 12, videos: int = 8, each: int = 14, noise: float = 1.0, fillers: float = 0.7
) -> ComparisonSet:
    """A set of the procedural signer: exemplars by signer 0, queries by others before other cameras.

    Args:
        noise: of the pose estimator that is imitated (0: none, 1: usual).
        fillers: share of other signs between the ones looked for.
    """
    from embeddings.synthetic import Noise, SignWorld

    world = SignWorld(seed, signs)
    rng = np.random.default_rng([seed, 7])
    errors = Noise().scaled(noise) if noise > 0 else None
    exemplars = [world.clip(sign, noise=errors) for sign in world.signs]
    queries = []
    for i in range(videos):
        said = [world.signs[j] for j in rng.integers(len(world.signs), size=each)]
        clip = world.continuous(said, signer=i + 1, camera=i + 1, noise=errors, take=i, fillers=fillers, pauses=0.1)
        queries.append(replace(clip, name=f"query-{i}"))
    return ComparisonSet(f"procedural:{seed}", [ComparisonPart(exemplars, queries)])


def open_set(source: str | Path) -> ComparisonSet:
    """A set by name.

    Args:
        source: `procedural:SEED`, optionally `procedural:SEED?signs=50&videos=8&noise=0`; or a folder with
            `exemplars/` (see `find_exemplars`), `queries/` (pose files or videos) and `truth.csv`
            (video, sign, start, end in seconds).

    Raises:
        ValueError: not such a name or folder.
    """
    text = str(source)
    if text.startswith("procedural:"):
        seed, _, asked = text.removeprefix("procedural:").partition("?")
        try:
            given = {key: float(values[-1]) for key, values in parse_qs(asked, strict_parsing=bool(asked)).items()}
            options: dict[str, Any] = {k: v if k in ("noise", "fillers") else int(v) for k, v in given.items()}
            return procedural_set(int(seed), **options)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{text!r}: expected procedural:SEED, optionally ?signs=…&videos=…&each=…&noise=…&fillers=… ({error})"
            ) from None
    return _folder_set(Path(text))


def _folder_set(folder: Path) -> ComparisonSet:
    from embeddings.clip import Span

    from .enrolment import find_exemplars
    from .sources import POSE_SUFFIXES, VIDEO_SUFFIXES, load_clip

    lacking = [n for n in ("exemplars", "queries", "truth.csv") if not (folder / n).exists()]
    if lacking:
        raise ValueError(f"{folder}: lacks {', '.join(lacking)}; a set is exemplars/, queries/ and truth.csv")
    encoder = METHODS["sign-spotter"].load()
    shown = [replace(load_clip(e.source, encoder, None), label=e.label) for e in find_exemplars(folder / "exemplars")]
    spans = _truth_rows(folder / "truth.csv")
    files = [f for f in sorted((folder / "queries").iterdir()) if f.suffix.lower() in (*VIDEO_SUFFIXES, *POSE_SUFFIXES)]
    queries = []
    for file in {f.stem: f for f in sorted(files, key=lambda f: f.suffix.lower() in POSE_SUFFIXES)}.values():
        clip = load_clip(file, encoder, None)
        own = [Span(s, round(a * clip.fps), round(b * clip.fps)) for s, a, b in spans.get(file.stem, [])]
        queries.append(replace(clip, name=file.stem, spans=tuple(own)))
    unknown = sorted(set(spans) - {q.name for q in queries})
    if unknown:
        raise ValueError(f"{folder}: truth.csv names {unknown[0]!r}, which is not in queries/")
    return ComparisonSet(folder.name, [ComparisonPart(shown, queries)])


def _truth_rows(path: Path) -> dict[str, list[tuple[str, float, float]]]:
    rows: dict[str, list[tuple[str, float, float]]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                start, end = float(row["start"]), float(row["end"])
                if not 0 <= start < end:
                    raise ValueError
                rows.setdefault(row["video"], []).append((row["sign"], start, end))
            except (KeyError, TypeError, ValueError):
                raise ValueError(
                    f"{path}, line {number}: expected video, sign, start, end with 0 <= start < end in seconds"
                ) from None
    return rows
