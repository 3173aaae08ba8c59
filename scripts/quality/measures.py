"""What `quality_report.py` measures: one-shot retrieval, spotting by every method, ablations, transfer, boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from embeddings.clip import Clip
from embeddings.pose import read_pose
from eval.isolated.retrieval import one_shot_retrieval
from eval.segments import Segment
from eval.spotting import challenge_f1
from eval.spotting.ceiling import length_ceiling
from scripts.real.sets import real_sets
from spotter import SpottingOptions
from spotter.comparison.figures import ComparisonPart, ComparisonSet, procedural_set
from spotter.comparison.methods import METHODS, Method, WindowMethod
from spotter.demo import DemoOptions, World, make_world
from spotter.detection import spans_of
from spotter.search.options import TransferOptions
from spotter.search.windows import RATIOS

FULL = METHODS["sign-spotter"]


UNSEEN_BY_REAL = ("ksl77-pairs", "fingerspelling")
"""Isolated collections that `sign-tcn-real` was not trained on; the first is of a language it knows 13 signs of."""


def second_checkpoint() -> list[WindowMethod]:
    """Our way with the checkpoint that has seen real recordings, and with the default one (last)."""
    if not isinstance(FULL, WindowMethod):
        raise TypeError(f"{FULL.name} is no window method")
    return [replace(FULL, name="with sign-tcn-real", encoder="sign-tcn-real"), replace(FULL, name="with default")]


def ablations() -> list[WindowMethod]:
    """Our way with one ingredient removed or replaced, and whole (last)."""
    if not isinstance(FULL, WindowMethod):
        raise TypeError(f"{FULL.name} is no window method")
    options = FULL.options

    def without(name: str, changed: SpottingOptions, threshold: float = FULL.threshold) -> WindowMethod:
        least = FULL.least if changed.calibrated else 0.2
        return replace(FULL, name=name, options=changed, threshold=threshold, least=least)

    return [
        without("with Top-K transfer", replace(options, transfer=TransferOptions(keep=0.5, minimum=0.6))),
        without("without alignment", replace(options, refine=False)),
        without("without the judge (cosines)", replace(options, calibrated=False), 0.6),
        without("window lengths by the exemplar's", replace(options, ratios=RATIOS)),
        without("windows of 16 frames for all signs", replace(options, window=16)),
        without("overlapping signs allowed", replace(options, exclusive=False)),
        without("full", options),
    ]


def transfers() -> list[WindowMethod]:
    """Our way with Top-K transfer of 0 to 3 iterations, with and without the guard; the published form; none (last)."""
    if not isinstance(FULL, WindowMethod):
        raise TypeError(f"{FULL.name} is no window method")
    made = []
    for guard in (True, False):
        for iterations in (1, 2, 3):
            name = f"{iterations} × with{'' if guard else 'out'} guard"
            options = TransferOptions(iterations=iterations, guard=guard)
            made.append(replace(FULL, name=name, options=replace(FULL.options, transfer=options)))
    published = replace(FULL.options, transfer=TransferOptions.published())
    made.append(replace(FULL, name="1 × as published (replaces the exemplar, no minimum)", options=published))
    made.append(replace(FULL, name="none", options=replace(FULL.options, transfer=None)))
    return made


@dataclass(frozen=True)
class Retrieval:
    """One-shot figures of a method on a collection; low and high: the middle 95 % of the draws of exemplars."""

    collection: str
    signs: int
    clips: int
    method: str
    top1: float
    low: float
    high: float
    mrr: float


def retrieval(folder: Path, methods: Sequence[Method], only: Sequence[str] = ()) -> Iterable[Retrieval]:
    """Every method on every isolated real collection, one exemplar a sign, queries by other signers.

    Args:
        only: these collections; all if empty.
    """
    for name, clips in real_sets(folder).items():
        if only and name not in only:
            continue
        if name == "ksl77-pairs":
            labels = [c.label for c in clips]
            clips = [c for c in clips if labels.count(c.label) == 2]
        signers = [str(c.signer).partition("|")[0] for c in clips]
        for method in methods:
            score = one_shot_retrieval(method.similarity(clips), [str(c.label) for c in clips], signers, ks=(1,))
            low, high = np.quantile(score.recall[1], [0.025, 0.975])
            top1, mrr = float(score.recall[1].mean()), float(score.mrr.mean())
            yield Retrieval(name, score.signs, len(clips), method.name, top1, float(low), float(high), mrr)


RENDERED = DemoOptions(seed=3050, signs=50, fillers=12, videos=10, seconds=400.0)
"""The rendered world that is reported: 50 signs, one exemplar each; no choice was made on it."""


def rendered_set(folder: Path, options: DemoOptions = RENDERED, exact: bool = False) -> ComparisonSet:
    """A world through rendered video and estimated poses; what the folder holds already is not made again."""
    from embeddings.pose import estimate_videos

    world = make_world(folder, options)
    found = dict(world.exact)
    if not exact:
        for result in estimate_videos([*world.queries, *world.exemplars], folder / "poses"):
            if result.output is None:
                raise ValueError(result.error)
            found[result.video.stem] = result.output
    exemplars = [replace(_clip(found[v.stem]), label=v.stem) for v in world.exemplars]
    queries = [_spanned(world, _clip(found[v.stem])) for v in world.queries]
    name = f"rendered:{options.seed}" + (", exact poses" if exact else "")
    return ComparisonSet(name, [ComparisonPart(exemplars, queries)])


def _clip(path: Path) -> Clip:
    pose = read_pose(path)
    return Clip(path.stem, pose.fps, pose)


def _spanned(world: World, clip: Clip) -> Clip:
    return replace(clip, spans=spans_of(world.truth[clip.name], clip.fps))


@dataclass(frozen=True)
class Boundaries:
    """Challenge F1 of the same detections with other spans, and what perfect ones of a fixed length reach."""

    ours: float
    fixed: float
    ceiling: float


def boundaries(chosen: ComparisonSet, found: Mapping[str, Sequence[Segment]]) -> Boundaries:
    """Our spans against 600 ms around the same middles, and the ceiling of 600 ms around the true middles."""
    truth = chosen.truth()
    fixed = {
        video: [Segment(video, s.sign, s.middle - 0.3, s.middle + 0.3, s.score) for s in segments]
        for video, segments in found.items()
    }
    return Boundaries(challenge_f1(truth, found).f1, challenge_f1(truth, fixed).f1, length_ceiling(truth, 0.6).f1)


def length_ratios(seed: int = 77, signs: int = 30) -> tuple[float, float, float]:
    """(10 %, median, 90 %) of a sign's length in signing over its length in its exemplar, procedural world."""
    chosen = procedural_set(seed, signs)
    own = {e.label: e.spans[0].end - e.spans[0].start for p in chosen.parts for e in p.exemplars if e.spans}
    shares = [
        (s.end - s.start) / own[s.label] for p in chosen.parts for q in p.queries for s in q.spans if s.label in own
    ]
    low, middle, high = np.quantile(shares, [0.1, 0.5, 0.9])
    return float(low), float(middle), float(high)


__all__ = [
    "RENDERED", "UNSEEN_BY_REAL", "Boundaries", "Retrieval", "ablations", "boundaries", "length_ratios",
    "rendered_set", "retrieval", "second_checkpoint", "transfers",
]  # fmt: skip
