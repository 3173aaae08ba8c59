"""The one place where a project meets the search: candidates, vectors, tracks and alignments from its corpus.

Everything here goes through `spotter.corpus` and the encoder's public methods; times are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..detection import Detection
from .folder import Project, ProjectError
from .state import State

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

    from ..corpus.folder import Corpus

__all__ = ["Archive", "Place"]

BLOCK = 16_384
"""Rows of the corpus that are in memory at once."""


@dataclass(frozen=True)
class Place:
    """A span of a video; seconds."""

    video: str
    start: float
    end: float


class Archive:
    """A project's corpus with the encoder that made it.

    Args:
        project: must hold a corpus.
        encoder: name or checkpoint file.

    Raises:
        ProjectError: the project has no corpus.
        ValueError: the corpus was made with another encoder.
    """

    def __init__(self, project: Project, encoder: str = "default") -> None:
        from ..corpus.folder import Corpus

        if not (project.at.corpus / "corpus.json").is_file():
            raise ProjectError(f"{project.folder}: no corpus yet; make it with spotter index inside the project")
        self.project, self._name = project, encoder
        self.corpus: Corpus = Corpus.open(project.at.corpus)

    @cached_property
    def encoder(self) -> Encoder:
        from embeddings.encoders import load_encoder

        network = load_encoder(self._name)
        if (network.id or network.name) != self.corpus.settings.encoder:
            raise ProjectError(
                f"{self.corpus.folder} was made with the encoder {self.corpus.settings.encoder!r}, not with "
                f"{network.id or network.name!r}; name its encoder, or index the videos again"
            )
        return network

    @property
    def weights(self) -> str:
        """Id of the encoder's weights."""
        return self.corpus.settings.encoder

    def __contains__(self, video: str) -> bool:
        return video in self.corpus.videos

    def duration(self, video: str) -> float:
        """Seconds of a video."""
        return self.corpus.videos[video].duration

    def gallery(self, state: State, accepted: bool = True, most: int = 12) -> Gallery:
        """The exemplars to search with: enrolled ones, drawn ones, and accepted hits.

        Args:
            accepted: whether accepted hits become exemplars (their video is noted as `donor`).
            most: accepted hits per sign; evenly over the videos, the longest-standing decisions first.
        """
        from gallery import Gallery

        from .folder import Layout

        at: Layout = self.project.at
        if (at.gallery / "gallery.json").is_file():
            gallery = Gallery.load(at.gallery)
            gallery.check_encoder(self.weights)
        else:
            gallery = Gallery(self.corpus.settings.dim, self.weights)
        rows = [(x.id, x.sign, Place(x.video, x.start, x.end)) for x in state.exemplars.values()]
        if accepted:
            rows += [(h.id, h.sign, Place(h.video, h.start, h.end)) for h in _donors(state, most)]
        rows = [row for row in rows if row[2].video in self.corpus.videos]
        if rows:
            places = [place for _, _, place in rows]
            features = [self.features(place) for place in places]
            facts = [
                {"source": p.video, "start": p.start, "end": p.end, "donor": p.video, "frames": len(f)}
                for p, f in zip(places, features, strict=True)
            ]
            gallery.add(self.vectors(places), [sign for _, sign, _ in rows], [i for i, _, _ in rows], facts, features)
        return gallery

    def candidates(self, gallery: Gallery, signs: Sequence[str], most: int) -> list[Detection]:
        """The best places of each sign, best first; the score is a cosine."""
        from ..corpus.options import SearchOptions
        from ..corpus.search import search_gallery

        if not signs:
            return []
        return search_gallery(self.corpus, gallery.only(signs), SearchOptions(most), self.encoder)

    def features(self, place: Place) -> NDArray[np.float32]:
        """Frame features (T, F) of a place, at least one frame."""
        stored = self.corpus.videos[place.video]
        first = int(np.clip(round(place.start * stored.fps), 0, max(stored.frames - 1, 0)))
        last = int(np.clip(round(place.end * stored.fps), first + 1, stored.frames))
        return np.asarray(stored.features[first:last], np.float32)

    def vectors(self, places: Sequence[Place]) -> NDArray[np.float32]:
        """Unit vectors (N, D) of places, made from the stored frame features.

        An encoder that cannot make them from features gives the stored window whose middle is nearest.
        """
        made = np.zeros((len(places), self.corpus.settings.dim), np.float32)
        embed = getattr(self.encoder, "embed_features", None)
        for rows in _groups(places):
            if embed is None:
                made[rows] = [self._nearest_window(places[i]) for i in rows]
            else:
                made[rows] = embed(*self._cut_out([places[i] for i in rows]))
        return made

    def _cut_out(self, places: Sequence[Place]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Features of places one after the other, each with a frame more on both sides, and their windows in them."""
        parts, windows, at = [], [], 0
        for place in places:
            stored = self.corpus.videos[place.video]
            start, end = place.start * stored.fps, max(place.end * stored.fps, place.start * stored.fps + 1)
            first, last = int(np.floor(start)) - 1, int(np.ceil(end)) + 1
            rows = np.clip(np.arange(first, last), 0, stored.frames - 1)
            parts.append(np.asarray(stored.features[rows[0] : rows[-1] + 1], np.float32)[rows - rows[0]])
            windows.append((start - first + at, end - first + at))
            at += len(rows)
        return np.concatenate(parts), np.array(windows)

    def _nearest_window(self, place: Place) -> NDArray[np.float32]:
        stored = self.corpus.videos[place.video]
        lengths, stride = stored.grid
        each = stored.rows // len(lengths)
        centre = (place.start + place.end) / 2 * stored.fps
        length = int(np.abs(np.asarray(lengths) - (place.end - place.start) * stored.fps).argmin())
        row = length * each + int(np.clip(round((centre - 0.5) / stride), 0, each - 1))
        return np.asarray(stored.vectors[row], np.float32)

    def background(self, count: int, seed: int = 0) -> NDArray[np.float32]:
        """(N, D) windows drawn from everywhere in the corpus, at most `count`: what signing looks like at large."""
        names = list(self.corpus.videos)
        rows = np.array([self.corpus.videos[name].rows for name in names])
        if rows.sum() == 0:
            return np.zeros((0, self.corpus.settings.dim), np.float32)
        rng = np.random.default_rng(seed)
        drawn = np.sort(rng.choice(int(rows.sum()), min(count, int(rows.sum())), replace=False))
        first = np.concatenate([[0], np.cumsum(rows)])
        parts = []
        for k, name in enumerate(names):
            inside = drawn[(drawn >= first[k]) & (drawn < first[k + 1])] - first[k]
            if len(inside):
                stored = self.corpus.videos[name]
                parts.append(np.asarray(stored.vectors[inside], np.float32))
                stored.forget()
        return np.concatenate(parts)

    def track(self, video: str, exemplars: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """(seconds (W,), best cosine (W,)) of a video's windows with exemplars (E, D)."""
        stored = self.corpus.videos[video]
        lengths, stride = stored.grid
        each = stored.rows // len(lengths)
        best = np.full(each, -1.0, np.float32)
        for at in range(0, stored.rows, BLOCK):
            similarity = (np.asarray(stored.vectors[at : at + BLOCK], np.float32) @ exemplars.T).max(axis=1)
            np.maximum.at(best, np.arange(at, at + len(similarity)) % each, similarity)
        stored.forget()
        seconds = (np.minimum(np.arange(each) * stride, max(stored.frames - 1, 0)) + 0.5) / stored.fps
        return seconds, best


def _donors(state: State, most: int) -> list[Any]:
    """Accepted hits that serve as exemplars: at most so many of a sign, in turn from every video."""
    by_sign: dict[str, dict[str, list[Any]]] = {}
    for hit in sorted(state.hits.values(), key=lambda h: (h.line, h.id)):
        if hit.status == "accepted":
            by_sign.setdefault(hit.sign, {}).setdefault(hit.video, []).append(hit)
    chosen: list[Any] = []
    for videos in by_sign.values():
        turns = _in_turn([videos[name] for name in sorted(videos)])
        chosen += [hit for _, hit in zip(range(most), turns, strict=False)]
    return chosen


def _in_turn(lists: Iterable[Sequence[Any]]) -> Iterator[Any]:
    waiting = [list(one) for one in lists]
    while any(waiting):
        for one in waiting:
            if one:
                yield one.pop(0)


def _groups(places: Sequence[Place], size: int = 256) -> Iterator[list[int]]:
    """Indexes of places by video, a few hundred at a time."""
    order = sorted(range(len(places)), key=lambda i: (places[i].video, places[i].start))
    for at in range(0, len(order), size):
        yield order[at : at + size]
