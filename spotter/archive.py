"""Archives from Python: `index` stores every window of many recordings, `search_corpus` finds signs in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.recordings import PoseSource

from .corpus.folder import Corpus
from .corpus.indexing import index_videos, settings_for
from .corpus.options import IndexOptions, SearchOptions
from .corpus.search import search_gallery
from .enrolment import enroll, loaded_encoder
from .results import Detections

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["index", "search_corpus"]


def index(
    videos: Any,
    folder: str | Path = "corpus",
    encoder: str | Path | Encoder = "default",
    options: IndexOptions | None = None,
    poses: PoseSource | None = None,
    workers: int = 0,
    on_error: Callable[[Any, str], None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Corpus:
    """A corpus of recordings, to be searched; more recordings can be added by the same call.

    Args:
        videos: paths of recordings or of folders of them (docs/inputs.md). One that is in the corpus already, and was
            made from the same file, is passed over, so that a stopped run goes on.
        folder: of the corpus.
        encoder: name, checkpoint file, or an encoder already loaded.
        poses: pose estimator and where its poses are kept; default is `poses` inside the corpus.
        workers: processes that estimate poses; 0 is one per core.
        on_error: called with (recording, reason) for one that cannot be used; None raises when all others are done.
        progress: called with the name of each recording when it is stored.

    Raises:
        ValueError: a recording cannot be used (without `on_error`), or the folder holds a corpus of other options.
    """
    options = IndexOptions() if options is None else options
    network = loaded_encoder(encoder)
    corpus = Corpus.create(folder, settings_for(network, options.lengths, options.stride))
    source = PoseSource() if poses is None else poses
    source = source if source.folder is not None else replace(source, folder=Path(folder) / "poses")
    failures = []
    named = [videos] if isinstance(videos, str | Path) else list(videos)
    for result in index_videos(corpus, named, network, source, workers):
        if result.error:
            failures.append(result.error)
            if on_error is not None:
                on_error(result.source, result.error)
        if progress is not None:
            progress(result.source.name)
    with corpus.writing():
        corpus.build()
    if failures and on_error is None:
        raise ValueError(f"{len(failures)} recordings cannot be used, the first: {failures[0]}")
    return corpus


def search_corpus(
    corpus: Corpus | str | Path,
    signs: Gallery | Iterable[Any] | str | Path,
    options: SearchOptions | None = None,
    encoder: str | Path | Encoder = "default",
    poses: PoseSource | None = None,
) -> Detections:
    """Where signs occur in a corpus: per sign the best places, best first; scores are cosines.

    Args:
        corpus: opened, or its folder.
        signs: a gallery, or example clips as `enroll` takes them (`"HOUSE.mp4"`).
        encoder: the one that the corpus was made with.

    Raises:
        ValueError: the corpus or gallery is of another encoder; an example or filter cannot be used.
    """
    from gallery import Gallery

    opened = corpus if isinstance(corpus, Corpus) else Corpus.open(corpus)
    network = loaded_encoder(encoder)
    gallery = signs if isinstance(signs, Gallery) else enroll(signs, encoder=network, poses=poses)
    return Detections(search_gallery(opened, gallery, options, network))
