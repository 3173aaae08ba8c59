"""Sets to compare methods on: exemplars and continuous queries with their true spans, made, or read from a folder."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np

if TYPE_CHECKING:
    from embeddings.clip import Clip

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
            `exemplars/` (see `find_exemplars`), `queries/` (recordings) and `truth.csv`
            (video, sign, start, end in seconds); or a folder with the `manifest.csv` that `spotter data` wrote and
            `poses/` (or the media where the manifest says): the first sample of each sign in the split `train` is its
            exemplar, the videos of `test` are searched.

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
    folder = Path(text)
    return _prepared_set(folder) if (folder / "manifest.csv").exists() else _folder_set(folder)


def _prepared_set(folder: Path) -> ComparisonSet:
    from embeddings.clip import Span
    from embeddings.prepared import load_clip

    from ..scoring import scorer
    from .methods import METHODS

    encoder = METHODS["sign-spotter"].load()
    samples = scorer("eval.datasets.manifest").read(folder / "manifest.csv")
    seconds_of = scorer("eval.datasets.sample").seconds_of
    first: dict[str, Any] = {}
    videos: dict[str, list[Any]] = {}
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
        times = [(s.label, *seconds_of(s)) for s in held]
        own = [Span(x, round(a * clip.fps), len(clip) if b is None else round(b * clip.fps)) for x, a, b in times]
        queries.append(replace(clip, name=source, spans=tuple(own)))
    return ComparisonSet(folder.name, [ComparisonPart(shown, queries)])


def _media(folder: Path, sample: Any) -> Path:
    """The pose file of the video that a sample is a part of, else its media file."""
    stems = [Path(name).name for name in (sample.source, Path(sample.path).stem) if name]
    places = [folder / "poses" / f"{stem}{ending}" for stem in stems for ending in (".pose", ".h5", ".hdf5")]
    if sample.path:
        places.append(folder / sample.path)
    for place in places:
        if place.is_file():
            return place
    raise ValueError(f"{folder}: no pose or media of {sample.id!r}; run `spotter pose … -o {folder}/poses`")


def _folder_set(folder: Path) -> ComparisonSet:
    from embeddings.clip import Span
    from embeddings.prepared import load_clip
    from embeddings.recordings import find_recordings

    from ..enrolment import find_exemplars

    lacking = [n for n in ("exemplars", "queries", "truth.csv") if not (folder / n).exists()]
    if lacking:
        raise ValueError(f"{folder}: lacks {', '.join(lacking)}; a set is exemplars/, queries/ and truth.csv")
    from .methods import METHODS

    encoder = METHODS["sign-spotter"].load()
    examples = find_exemplars(folder / "exemplars", encoder.required_inputs)
    shown = [replace(load_clip(e.source, encoder), label=e.label) for e in examples]
    spans = _truth_rows(folder / "truth.csv")
    queries = []
    for recording in find_recordings([folder / "queries"], encoder.required_inputs):
        clip = load_clip(recording, encoder)
        own = [Span(s, round(a * clip.fps), round(b * clip.fps)) for s, a, b in spans.get(clip.name, [])]
        queries.append(replace(clip, spans=tuple(own)))
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
