"""Sets to compare methods on: exemplars and continuous queries with their true spans, made, or read from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np

from eval.segments import READABLE, Segment, read_segments

from ..detection import segments_of, spans_of

if TYPE_CHECKING:
    from embeddings.clip import Clip
    from eval.datasets import Sample

__all__ = ["ComparisonPart", "ComparisonSet", "open_set", "procedural_set"]


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

    def truth(self) -> dict[str, list[Segment]]:
        """Video → where the signs are that are looked for in it."""
        return {
            query.name: segments_of(query, (str(e.label) for e in part.exemplars))
            for part in self.parts
            for query in part.queries
        }

    def isolated(self, part: ComparisonPart) -> list[Clip]:
        """Every true span of a part as a clip of its own, in the order of `truth`; its name is its query's."""
        wanted = {e.label for e in part.exemplars}
        return [
            replace(query.cut(s.start, s.end), label=s.label, spans=())
            for query in part.queries
            for s in query.spans
            if s.label in wanted
        ]

    def durations(self) -> dict[str, float]:
        """Video → seconds."""
        return {query.name: len(query) / query.fps for part in self.parts for query in part.queries}

    def negatives(self) -> ComparisonSet:
        """The queries that hold none of the signs looked for."""
        truth = self.truth()
        parts = [ComparisonPart(p.exemplars, [q for q in p.queries if not truth[q.name]]) for p in self.parts]
        return ComparisonSet(self.name, parts)


UNDERSHOOT = ((1.0, 1.4, 1.8, 2.2), (0.0, 0.45, 0.6, 0.7))
"""Tempo → least undershoot of a signer: who signs faster misses targets further."""


def procedural_set(
    seed: int,
    signs: int = 12,
    videos: int = 8,
    each: int = 14,
    noise: float = 1.0,
    fillers: float = 0.7,
    tempo: float = 1.0,
) -> ComparisonSet:
    """A set of the procedural signer: exemplars by signer 0, queries by others before other cameras.

    Args:
        noise: of the pose estimator that is imitated (0: none, 1: usual).
        fillers: share of other signs between the ones looked for.
        tempo: how many times as fast as usual the queries' signers are; faster ones undershoot more.
    """
    from embeddings.synthetic import Draws, Noise, SignWorld

    world = SignWorld(seed, signs)
    rng = Draws("procedural set", seed)
    errors = Noise().scaled(noise) if noise > 0 else None
    exemplars = [world.clip(sign, noise=errors) for sign in world.signs]
    queries = []
    for i in range(videos):
        said = [world.signs[j] for j in rng.integers(0, len(world.signs), each)]
        who = world.signer(i + 1)
        least = float(np.interp(tempo, *UNDERSHOOT))
        who = replace(who, tempo=who.tempo * tempo, undershoot=max(who.undershoot, least))
        clip = world.continuous(said, signer=who, camera=i + 1, noise=errors, take=i, fillers=fillers, pauses=0.1)
        queries.append(replace(clip, name=f"query-{i}"))
    name = f"procedural:{seed}" + (f"?tempo={tempo:g}" if tempo != 1 else "")
    return ComparisonSet(name, [ComparisonPart(exemplars, queries)])


def open_set(
    source: str | Path, unit: str | None = None, fps: float | None = None, tiers: Sequence[str] | None = None
) -> ComparisonSet:
    """A set by name.

    Args:
        source: `procedural:SEED`, optionally `procedural:SEED?signs=50&videos=8&noise=0`; or a folder with
            `exemplars/` (see `find_exemplars`), `queries/` (recordings) and the ground truth, `truth.csv` or another
            form that `read_segments` reads (a folder is called `truth/`); or a folder with the `manifest.csv` that
            `spotter data` wrote and `poses/` (or the media where the manifest says): the first sample of each sign in
            the split `train` is its exemplar, the videos of `test` are searched.
        unit, fps, tiers: of that ground truth, see `read_segments`.

    Raises:
        ValueError: not such a name or folder.
    """
    text = str(source)
    if text.startswith("procedural:"):
        seed, _, asked = text.removeprefix("procedural:").partition("?")
        try:
            given = {key: float(values[-1]) for key, values in parse_qs(asked, strict_parsing=bool(asked)).items()}
            shares = ("noise", "fillers", "tempo")
            options: dict[str, Any] = {k: v if k in shares else int(v) for k, v in given.items()}
            return procedural_set(int(seed), **options)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{text!r}: expected procedural:SEED, optionally "
                f"?signs=…&videos=…&each=…&noise=…&fillers=…&tempo=… ({error})"
            ) from None
    folder = Path(text)
    if (folder / "manifest.csv").exists():
        return _prepared_set(folder)
    return _folder_set(folder, read_segments(_truth_file(folder), unit, fps, tiers))


def _prepared_set(folder: Path) -> ComparisonSet:
    from embeddings.prepared import load_clip
    from eval.datasets import manifest, seconds_of

    from .methods import METHODS

    encoder = METHODS["sign-spotter"].load()
    samples = manifest.read(folder / "manifest.csv")
    first: dict[str, Sample] = {}
    videos: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.split == "train":
            first.setdefault(sample.label, sample)
        elif sample.split == "test":
            videos.setdefault(sample.source, []).append(sample)
    if not first or not videos:
        raise ValueError(f"{folder}: its manifest has no split train or no test; exemplars are taken from train")
    shown, queries = [], []
    for label, sample in first.items():
        clip = load_clip(_media(folder, sample), encoder)
        start, end = seconds_of(sample)
        last = len(clip) if end is None else min(round(end * clip.fps), len(clip))
        shown.append(replace(clip.cut(round(start * clip.fps), last), label=label, spans=()))
    for source, held in videos.items():
        clip = load_clip(_media(folder, held[0]), encoder)
        times = [(sample.label, *seconds_of(sample)) for sample in held]
        own = [Segment(source, x, a, len(clip) / clip.fps if b is None else b) for x, a, b in times]
        queries.append(replace(clip, name=source, spans=spans_of(own, clip.fps)))
    return ComparisonSet(folder.name, [ComparisonPart(shown, queries)])


def _media(folder: Path, sample: Sample) -> Path:
    """The pose file of the video that a sample is a part of, else its media file."""
    stems = [Path(name).name for name in (sample.source, Path(sample.path).stem) if name]
    places = [folder / "poses" / f"{stem}{ending}" for stem in stems for ending in (".pose", ".h5", ".hdf5")]
    if sample.path:
        places.append(folder / sample.path)
    for place in places:
        if place.is_file():
            return place
    raise ValueError(f"{folder}: no pose or media of {sample.id!r}; run `spotter pose … -o {folder}/poses`")


def _truth_file(folder: Path) -> Path:
    """The set's ground truth: `truth.csv`, another ending, or the folder `truth`.

    Raises:
        ValueError: it, `exemplars/` or `queries/` is not there, or there are several.
    """
    truths = [place for ending in ("", *READABLE) if (place := folder / f"truth{ending}").exists()]
    lacking = [name for name in ("exemplars", "queries") if not (folder / name).exists()]
    if not truths:
        lacking.append("truth.csv")
    if lacking:
        raise ValueError(f"{folder}: lacks {', '.join(lacking)}; a set is exemplars/, queries/ and truth.csv")
    if len(truths) > 1:
        raise ValueError(f"{folder}: holds {' and '.join(place.name for place in truths)}; expected one ground truth")
    return truths[0]


def _folder_set(folder: Path, truth: dict[str, list[Segment]]) -> ComparisonSet:
    from embeddings.prepared import load_clip
    from embeddings.recordings import find_recordings

    from ..enrolment import find_exemplars
    from .methods import METHODS

    encoder = METHODS["sign-spotter"].load()
    examples = find_exemplars(folder / "exemplars", encoder.required_inputs)
    shown = [replace(load_clip(e.source, encoder), label=e.label) for e in examples]
    queries = []
    for recording in find_recordings([folder / "queries"], encoder.required_inputs):
        clip = load_clip(recording, encoder)
        queries.append(replace(clip, spans=spans_of(truth.get(clip.name, ()), clip.fps)))
    unknown = sorted(set(truth) - {q.name for q in queries})
    if unknown:
        raise ValueError(f"{folder}: the ground truth names {unknown[0]!r}, which is not in queries/")
    return ComparisonSet(folder.name, [ComparisonPart(shown, queries)])
