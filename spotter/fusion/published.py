"""The search of the OSLWL entry of the 2022 sign spotting challenge, literally, with any number of networks.

Each sign has one example, each search clip one sign that it is known to hold. Windows of 16 frames at every frame; the
distance of a window is the weighted sum over networks of 1 − cosine: the mean over the 120 parts of the two pose
networks (81 and 39) and the network over pictures, each counting 1. The window with the least distance is the clip's
answer. Then the five clips of a sign whose answers are nearest give the sign a new example, the mean of their windows'
vectors of each network (each part of unit length again), and all of its clips are searched once more. A window w gives
the interval of frames [w, w + 15).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.prepared import prepared
from embeddings.recordings import PoseSource, source_name

from ..detection import Detection
from ..results import Detections, SpottingResult
from .ensemble import Ensemble
from .sources import JointSource
from .weights import published_weights

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder

__all__ = ["K", "STEP", "WINDOW", "PublishedSearch", "known_by_name", "nearest_windows"]

WINDOW, STEP, K = 16, 1, 5
"""Frames of a window, frames between windows, clips that give a sign its new example."""

SEARCH_CLIP = re.compile(r"p\d+_s(\d+)_n\d+")

Vectors = NDArray[np.float32]


def known_by_name(names: Iterable[str]) -> dict[str, str]:
    """Search clip → its sign, of names as the challenge gives them: `p01_s20_n003` holds the sign of class 20."""
    found = ((name, SEARCH_CLIP.fullmatch(name)) for name in names)
    return {name: str(int(match[1])) for name, match in found if match is not None}


@dataclass(frozen=True)
class Nearest:
    """A clip's answer: its nearest window's number, and its distance."""

    window: int
    distance: float


def nearest_windows(
    exemplars: Sequence[Vectors],
    clips: Mapping[str, Sequence[Vectors]],
    weights: Sequence[float],
    parts: Sequence[int],
    k: int = K,
) -> dict[str, Nearest]:
    """The answer of each clip of one sign.

    Args:
        exemplars: of each network, (D,) unit vector of the sign's example.
        clips: name → of each network, (W, D) unit vectors of the clip's windows.
        weights: of the networks' distances.
        parts: of how many unit vectors, each divided by √parts, a network's vector is made.
        k: clips that give the new example; 0 searches once.

    Raises:
        ValueError: a clip has no window, or networks have another number of windows.
    """
    for name, vectors in clips.items():
        counts = {len(v) for v in vectors}
        if len(counts) != 1 or 0 in counts:
            raise ValueError(f"{name}: {sorted(counts)} windows of its networks; expected as many of each, at least 1")
    found = {name: _nearest(exemplars, vectors, weights) for name, vectors in clips.items()}
    if not k or not clips:
        return found
    donors = sorted(found, key=lambda name: (found[name].distance, name))[:k]
    moved = [
        _unit_parts(np.mean([clips[name][m][found[name].window] for name in donors], axis=0), parts[m])
        for m in range(len(exemplars))
    ]
    return {name: _nearest(moved, vectors, weights) for name, vectors in clips.items()}


def _nearest(exemplars: Sequence[Vectors], clip: Sequence[Vectors], weights: Sequence[float]) -> Nearest:
    distance = sum(w * (1 - v.astype(np.float64) @ e) for w, v, e in zip(weights, clip, exemplars, strict=True))
    distances = np.asarray(distance, np.float64)
    window = int(distances.argmin())
    return Nearest(window, float(distances[window]))


def _unit_parts(vector: NDArray[np.floating], parts: int) -> Vectors:
    """A vector whose parts are each of unit length, over √parts."""
    rows = vector.reshape(parts, -1).astype(np.float64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return (rows.ravel() / np.sqrt(parts)).astype(np.float32)


class PublishedSearch:
    """The published search, with the interface of `EnsembleSearch`.

    Args:
        ensemble: its members' weights count as they are; see `with_published_weights`.
        known: search clip → its sign; clips that are not in it are not searched.
        k: clips that give a sign its new example.

    Raises:
        ValueError: a sign of a clip has no exemplar in some gallery, or several.
    """

    together = True
    chooses_at_end = True

    def __init__(
        self,
        ensemble: Ensemble,
        known: Mapping[str, str],
        poses: PoseSource | None = None,
        sources: Mapping[str, JointSource] | None = None,
        k: int = K,
    ) -> None:
        self.ensemble = ensemble.loaded()
        self.known, self.poses, self.sources, self.k = dict(known), poses, sources or {}, k
        self.encoders: list[Encoder] = [m.encoder for m in self.ensemble.members]  # type: ignore[misc]
        for encoder in self.encoders:
            if encoder.window != WINDOW:
                raise ValueError(f"encoder {encoder.name!r} sees {encoder.window} frames; the entry's see {WINDOW}")
        for sign in dict.fromkeys(self.known.values()):
            for member, encoder in zip(self.ensemble.members, self.encoders, strict=True):
                count = member.gallery.exemplar_labels.count(sign)
                if count != 1:
                    raise ValueError(
                        f"the gallery of {encoder.name!r} has {count} exemplars of {sign!r}; the published search "
                        "takes exactly one"
                    )

    def each(self, videos: Iterable[Any]) -> Iterator[SpottingResult]:
        """The result of each clip, in their order, when all are searched."""
        results: list[SpottingResult] = []
        windows: dict[str, list[Vectors]] = {}
        for source in videos:
            name = source_name(source)
            result = SpottingResult(name)
            results.append(result)
            try:
                if name not in self.known:
                    raise ValueError(
                        f"{name}: nobody says which sign it holds; name it p01_s20_n003 or give --known video,sign"
                    )
                windows[name], result.duration = self._windows(source, name)
            except (ValueError, KeyError, OSError) as error:
                result.error = str(error) if name in str(error) else f"{name}: {error}"
        answers = self._answers(windows)
        for result in results:
            if result.video in answers:
                sign, nearest, fps = answers[result.video]
                start, end = nearest.window / fps, (nearest.window + WINDOW - 1) / fps
                score = 1 - nearest.distance / sum(member.weight for member in self.ensemble.members)
                result.detections = Detections([Detection(result.video, sign, start, end, score)])
            yield result

    def choose(self, results: Sequence[SpottingResult]) -> None:
        """Nothing is left out: each clip has its one answer."""

    def _windows(self, source: Any, name: str) -> tuple[list[Vectors], float]:
        """(of each network, (W, D) vectors of the clip's windows; seconds of the clip)."""
        joint = self.sources.get(name)
        made, duration = [], 0.0
        for at, encoder in enumerate(self.encoders):
            own = source if joint is None else joint.sources[at]
            if own is None:
                raise ValueError(f"{name}: no recording has what encoder {encoder.name!r} needs")
            clip = prepared(own, encoder, self.poses)
            first = np.arange(0, max(1, len(clip) - WINDOW + 1), STEP, dtype=np.float64)
            made.append(clip.embed(np.stack([first, first + WINDOW], axis=1)))
            duration = clip.duration if at == 0 else duration
        least = min(len(vectors) for vectors in made)  # one recording may be a frame shorter than another
        return [vectors[:least] for vectors in made], duration

    def _answers(self, windows: Mapping[str, list[Vectors]]) -> dict[str, tuple[str, Nearest, float]]:
        """Clip → (its sign, its answer, frames per second)."""
        answers = {}
        weights = [member.weight for member in self.ensemble.members]
        parts = [encoder.parts for encoder in self.encoders]
        for sign in dict.fromkeys(self.known[name] for name in windows):
            rows = [m.gallery.exemplar_labels.index(sign) for m in self.ensemble.members]
            exemplars = [m.gallery.vectors[row] for m, row in zip(self.ensemble.members, rows, strict=True)]
            mine = {name: vectors for name, vectors in windows.items() if self.known[name] == sign}
            for name, nearest in nearest_windows(exemplars, mine, weights, parts, self.k).items():
                answers[name] = (sign, nearest, self.encoders[0].fps)
        return answers


def with_published_weights(ensemble: Ensemble, load: Callable[[str], Encoder] | None = None) -> Ensemble:
    """The ensemble with the entry's weights: pose networks by their share of all parts, networks over pictures 1."""
    from dataclasses import replace

    loaded = ensemble.loaded(load)
    names = [m.encoder.name for m in loaded.members if not isinstance(m.encoder, str)]
    weights = published_weights(names)
    members = tuple(replace(m, weight=w) for m, w in zip(loaded.members, weights, strict=True))
    return replace(loaded, members=members)
