"""Search a corpus: exemplars against every window of every video → distinct places → aligned → ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..detection import Detection
from ..search.alignment import align
from ..search.standing import MOSTLY
from ..search.suppression import suppress
from .folder import Corpus
from .options import SearchOptions
from .video import CorpusError, StoredVideo

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["names_in_all", "search_corpora", "search_gallery"]

EXACT_ROWS = 300_000
"""So few rows (after filters) are compared one by one: as fast as the index, and nothing is missed."""


LEAST_SHARE = 0.5
"""Of its exemplar's frames that an aligned place starts from: stored windows are as short as most signs."""


class _Window(NamedTuple):
    """A window that is like an exemplar: [start, end) in frames."""

    video: StoredVideo
    start: float
    end: float
    score: float
    exemplar: int


def search_gallery(
    corpus: Corpus,
    gallery: Gallery,
    options: SearchOptions | None = None,
    encoder: Encoder | None = None,
) -> list[Detection]:
    """Where the gallery's signs occur in a corpus: per sign the best places, best first; scores are cosines.

    Args:
        gallery: exemplars made with the corpus's encoder.
        encoder: that encoder; where it can make windows of any length from stored frame features (`embed_features`, as
            the default one does), the aligned spans are scored too.

    Raises:
        ValueError: the gallery is empty or of another encoder; a filter names something unknown.
    """
    options = SearchOptions() if options is None else options
    if len(gallery) == 0:
        raise CorpusError("the gallery is empty; give an example clip of a sign")
    gallery.check_encoder(corpus.settings.encoder)
    chosen = corpus.choose(options.videos, options.signers, options.since, options.until, options.where)
    windows_of: list[list[_Window]] = [[] for _ in range(len(gallery))]
    if chosen:
        windows_of = _candidates(corpus, gallery.vectors, chosen, options.candidates or max(2000, 50 * options.most))
    hits: list[Detection] = []
    for sign in gallery.labels:
        windows = [w for e, label in enumerate(gallery.exemplar_labels) if label == sign for w in windows_of[e]]
        hits += _hits(sign, windows, gallery, options, encoder)
    return hits


def search_corpora(
    corpora: Sequence[Corpus], gallery: Gallery, options: SearchOptions | None = None, encoder: Encoder | None = None
) -> list[Detection]:
    """As `search_gallery`, in several corpora as if they were one.

    A video that is in more than one of them under the same name is called folder/name, after its corpus's folder.

    Raises:
        ValueError: no corpus; or one of them is of another encoder, or cannot be filtered so.
    """
    options = SearchOptions() if options is None else options
    if not corpora:
        raise CorpusError("no corpus to search; give at least one folder")
    if len(corpora) == 1:
        return search_gallery(corpora[0], gallery, options, encoder)
    hits: list[Detection] = []
    for corpus, names in zip(corpora, names_in_all(corpora), strict=True):
        found = search_gallery(corpus, gallery, _for_corpus(options, corpus, corpora), encoder)
        hits += [replace(hit, video=names.get(hit.video, hit.video)) for hit in found]
    best: list[Detection] = []
    for sign in gallery.labels:
        mine = sorted((hit for hit in hits if hit.sign == sign), key=lambda hit: (-hit.score, hit.video, hit.start))
        best += mine[: options.most]
    return best


def names_in_all(corpora: Sequence[Corpus]) -> list[dict[str, str]]:
    """Of each corpus, the names of videos that others have too, and what they are called among all."""
    times = Counter(name for corpus in corpora for name in corpus.videos)
    titles = [corpus.folder.resolve().name for corpus in corpora]
    titles = [
        title if titles.count(title) == 1 else str(corpus.folder) for title, corpus in zip(titles, corpora, strict=True)
    ]
    return [
        {name: f"{title}/{name}" for name in corpus.videos if times[name] > 1}
        for title, corpus in zip(titles, corpora, strict=True)
    ]


def _for_corpus(options: SearchOptions, corpus: Corpus, corpora: Sequence[Corpus]) -> SearchOptions:
    """The options for one of several: names of videos and signers need to be known in one of them only.

    Raises:
        CorpusError: a video or a signer is in none.
    """
    videos, signers = options.videos, options.signers
    if videos is not None:
        unknown = [name for name in videos if not any(name in one.videos for one in corpora)]
        if unknown:
            raise CorpusError(f"no corpus has a video {', '.join(map(repr, unknown))}")
        videos = [name for name in videos if name in corpus.videos]
    if signers:
        of_each = [{row["signer"] for row in one.facts.values()} for one in corpora]
        unknown = [signer for signer in signers if not any(signer in there for there in of_each)]
        if unknown:
            raise CorpusError(f"no corpus's facts.csv names a signer {', '.join(map(repr, unknown))}")
        here = {row["signer"] for row in corpus.facts.values()}
        signers = [signer for signer in signers if signer in here]
        if not signers:
            return replace(options, videos=[], signers=None)
    return replace(options, videos=videos, signers=signers)


def _hits(
    sign: str, windows: Sequence[_Window], gallery: Gallery, options: SearchOptions, encoder: Encoder | None
) -> list[Detection]:
    """The best distinct places of one sign."""
    least = -np.inf if options.threshold is None else options.threshold
    # twice as many: two may turn out to be one when they are looked at closely
    places = _distinct(windows, options.overlap, 2 * options.most)
    if options.refine:
        places = [_aligned(w, gallery) for w in places]
        if encoder is not None and hasattr(encoder, "embed_features"):
            places = [_scored(w, gallery, encoder) for w in places]
    detections = []
    for window in _distinct([w for w in places if w.score >= least], options.overlap, options.most):
        fps, frames = window.video.fps, window.video.frames
        start, end = max(window.start, 0.0) / fps, min(window.end, float(frames)) / fps
        detections.append(Detection(window.video.name, sign, start, end, window.score))
    return detections


def _scored(window: _Window, gallery: Gallery, encoder: Any) -> _Window:
    """An aligned window with the mean of its cosine before the alignment and that of the span where it lies now.

    The first says whether the sign is about there, the second whether just there: the mean ranks better than either
    (`scripts/bench/corpus.py`).
    """
    if len(window.video.features) == 0:
        return window
    first = max(0, int(window.start) - 1)
    near = np.asarray(window.video.features[first : max(first + 1, int(window.end) + 2)], np.float32)
    span = np.array([[window.start - first, max(window.end, window.start + 1) - first]])
    cosine = float(encoder.embed_features(near, span)[0] @ gallery.vectors[window.exemplar])
    return window._replace(score=(window.score + cosine) / 2)


def _distinct(windows: Sequence[_Window], overlap: float, most: int) -> list[_Window]:
    """The best windows of which no two in a video overlap too much, best first."""
    ranked = sorted(windows, key=lambda w: (-w.score, w.video.name, w.start))
    places = suppress([(w.start, w.end) for w in ranked], [w.video.name for w in ranked], overlap, MOSTLY, most=most)
    return [ranked[i] for i in places]


def _aligned(window: _Window, gallery: Gallery) -> _Window:
    """The window moved to where its exemplar fits; a window much shorter than the exemplar is widened first."""
    exemplar, query = gallery.features[window.exemplar], window.video.features
    if exemplar is None or len(exemplar) == 0 or len(query) == 0:
        return window
    length = max(window.end - window.start, LEAST_SHARE * len(exemplar))
    middle = (window.start + window.end) / 2
    first = max(0, int(middle - 1.5 * length))
    near = np.asarray(query[first : max(first + 1, int(middle + 1.5 * length) + 1)], np.float32)
    start, end, _ = align(exemplar, near, middle - length / 2 - first, middle + length / 2 - first)
    return window._replace(start=start + first, end=end + first)


def _candidates(corpus: Corpus, queries: NDArray[np.float32], chosen: Sequence[str], k: int) -> list[list[_Window]]:
    """Per query the k most similar windows of the chosen videos, exactly scored."""
    from gallery.corpus_index import exact_top

    index = corpus.index()
    rows = sum(corpus.videos[name].rows for name in chosen)
    indexed: set[str] = set()
    windows_of: list[list[_Window]] = [[] for _ in queries]
    if index is not None and rows > EXACT_ROWS:
        known = {p.name: p.content for p in index.parts}
        indexed = {name for name in chosen if known.get(name) == corpus.videos[name].content}
        owners: list[StoredVideo | None] = [corpus.videos[p.name] if p.name in indexed else None for p in index.parts]
        allowed = None if all(owners) else np.repeat([o is not None for o in owners], np.diff(index.first))
        scores, ids = index.search(queries, k, lambda wanted: _rows(owners, index.first, wanted), allowed)
        _collect(windows_of, owners, index.first, scores, ids)
    rest: list[StoredVideo | None] = [corpus.videos[name] for name in chosen if name not in indexed]
    first = np.concatenate([[0], np.cumsum([v.rows for v in rest if v is not None])]).astype(np.int64)
    blocks = ((int(at), v.vectors) for at, v in zip(first, rest, strict=False) if v is not None)
    _collect(windows_of, rest, first, *exact_top(queries, blocks, k))
    for video in corpus.videos.values():
        video.forget()
    return windows_of


def _rows(
    owners: Sequence[StoredVideo | None], first: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.float16]:
    """Rows (n, D) by their ids, ascending, from the videos' files."""
    parts = np.searchsorted(first, wanted, side="right") - 1
    taken = []
    for part in np.unique(parts):
        video = owners[part]
        assert video is not None  # the index was told to leave the others out
        taken.append(video.vectors[wanted[parts == part] - first[part]])
    return np.concatenate(taken) if taken else np.zeros((0, 0), np.float16)


def _collect(
    windows_of: list[list[_Window]],
    owners: Sequence[StoredVideo | None],
    first: NDArray[np.int64],
    scores: NDArray[np.float32],
    ids: NDArray[np.int64],
) -> None:
    """Adds rows (Q, k) as windows of their videos to each query's."""
    for q in range(len(windows_of)):
        here = ids[q] >= 0
        parts = np.searchsorted(first, ids[q, here], side="right") - 1
        for part in np.unique(parts):
            video = owners[part]
            if video is None:
                continue
            mine = parts == part
            spans = video.windows(ids[q, here][mine] - first[part])
            windows_of[q] += [
                _Window(video, float(a), float(b), float(score), q)
                for (a, b), score in zip(spans, scores[q, here][mine], strict=True)
            ]
