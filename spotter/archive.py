"""Archives from Python: `index` stores every window of many recordings, `search_corpus` finds signs in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.recordings import PoseSource

from .corpus.folder import Corpus
from .corpus.indexing import VideoEngine, index_videos, settings_for
from .corpus.options import IndexOptions, SearchOptions
from .corpus.search import search_corpora
from .corpus.share import Share
from .enrolment import enroll, loaded_encoder
from .results import Detections

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from gallery import Gallery
    from gallery.corpus_index import Engine

__all__ = ["index", "search_corpus"]


def index(
    videos: Any = (),
    folder: str | Path = "corpus",
    encoder: str | Path | Encoder = "default",
    options: IndexOptions | None = None,
    poses: PoseSource | None = None,
    workers: int = 0,
    on_error: Callable[[Any, str], None] | None = None,
    progress: Callable[[str], None] | None = None,
    *,
    share: Share | str | None = None,
    facts: Mapping[str, Mapping[str, str]] | None = None,
    remove: Sequence[str] = (),
    rebuild: bool = False,
    engine: VideoEngine | None = None,
    shards_on: Engine = map,
    building: Callable[[int, int], None] | None = None,
) -> Corpus:
    """A corpus of recordings, to be searched; more recordings can be added by the same call.

    Args:
        videos: paths of recordings or of folders of them (docs/inputs.md). One that is in the corpus already, and was
            made from the same file, is passed over, so that a stopped run goes on. Without any, a corpus that is there.
        folder: of the corpus.
        encoder: name, checkpoint file, or an encoder already loaded.
        poses: pose estimator and where its poses are kept; default is `poses` inside the corpus.
        workers: processes that estimate poses; 0 is one per core.
        on_error: called with (recording, reason) for one that cannot be used; None raises when all others are done.
        progress: called with the name of each recording when it is stored.
        share: only this part of the recordings (`"3/8"`), while other processes do the others. Then nothing but
            videos' files is written: a further call without videos takes them all in.
        facts: video → column → cell, merged into the corpus's facts.
        remove: names of videos that leave the corpus.
        rebuild: build the index of windows anew whatever the numbers say.
        engine: does the videos' work elsewhere (`corpus.cluster.RayEngine`); None does it here.
        shards_on: a `map` for the work on the index's shards (`corpus.cluster.mapper`).
        building: called with (rows done, all) while the index is built.

    Raises:
        ValueError: a recording cannot be used (without `on_error`), the folder holds a corpus of other options, or a
            part is asked to do what only the whole can.
    """
    share = Share.parse(share) if isinstance(share, str) else share
    if share is not None and (facts or remove or rebuild):
        raise ValueError(
            f"part {share} writes videos alone; facts, removal and rebuilding are for a call without a part"
        )
    options = IndexOptions() if options is None else options
    named = [videos] if isinstance(videos, str | Path) else list(videos)
    failures = []
    if named:
        network = loaded_encoder(encoder)
        corpus = Corpus.create(folder, settings_for(network, options.lengths, options.stride))
        source = PoseSource() if poses is None else poses
        source = source if source.folder is not None else replace(source, folder=Path(folder) / "poses")
        for result in index_videos(corpus, named, network, source, workers, engine, share):
            if result.error:
                failures.append(result.error)
                if on_error is not None:
                    on_error(result.source, result.error)
            if progress is not None:
                progress(result.source.name)
    else:
        corpus = Corpus.open(folder)
    if share is None:
        if facts:
            corpus.add_facts(facts)
        if remove:
            corpus.remove(remove)
        with corpus.writing():
            corpus.build(rebuild, building, shards_on)
            corpus.write_table()
    if failures and on_error is None:
        raise ValueError(f"{len(failures)} recordings cannot be used, the first: {failures[0]}")
    return corpus


def search_corpus(
    corpus: Corpus | str | Path | Sequence[Corpus | str | Path],
    signs: Gallery | Iterable[Any] | str | Path,
    options: SearchOptions | None = None,
    encoder: str | Path | Encoder = "default",
    poses: PoseSource | None = None,
) -> Detections:
    """Where signs occur in a corpus: per sign the best places, best first; scores are cosines.

    Args:
        corpus: opened, or its folder; several are searched as one.
        signs: a gallery, or example clips as `enroll` takes them (`"HOUSE.mp4"`).
        encoder: the one that the corpus was made with.

    Raises:
        ValueError: a corpus or the gallery is of another encoder; an example or filter cannot be used.
    """
    from gallery import Gallery

    several = [corpus] if isinstance(corpus, Corpus | str | Path) else list(corpus)
    opened = [one if isinstance(one, Corpus) else Corpus.open(one) for one in several]
    network = loaded_encoder(encoder)
    gallery = signs if isinstance(signs, Gallery) else enroll(signs, encoder=network, poses=poses)
    return Detections(search_corpora(opened, gallery, options, network))
