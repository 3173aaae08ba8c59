"""The heavy work of the search page: a clip's bytes → pose → exemplar → its hits in several corpora.

A clip is never written to a disk where the system can avoid it (Linux), and nothing of it is kept.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embeddings.clip import Pose
    from embeddings.encoders.base import Encoder

    from ..corpus.folder import Corpus

__all__ = ["LONGEST", "Reader", "begin", "search", "warm"]

LONGEST = 30.0
"""Seconds of a clip."""
USUAL_RATES = (5.0, 120.0)
"""Frames per second; recordings of browsers without an index say others."""
Tell = Callable[[float], None]


class Reader:
    """What tasks share: the corpora, by name, and their encoder."""

    def __init__(self, corpora: Mapping[str, str], encoder: str, estimator: str) -> None:
        self.folders, self.name, self.estimator = dict(corpora), encoder, estimator

    @cached_property
    def encoder(self) -> Encoder:
        from embeddings.encoders import load_encoder

        return load_encoder(self.name)

    @cached_property
    def corpora(self) -> dict[str, Corpus]:
        from ..corpus.folder import Corpus

        return {name: Corpus.open(folder) for name, folder in self.folders.items()}


def begin(corpora: Mapping[str, str], encoder: str, estimator: str) -> Reader:
    """What the worker calls first."""
    return Reader(corpora, encoder, estimator)


def warm(reader: Reader, tell: Tell) -> None:
    """Loads what every search needs."""
    _ = reader.encoder, reader.corpora


def search(
    reader: Reader, tell: Tell, clip: bytes, corpora: Sequence[str], most: int = 50, whole: bool = False
) -> dict[str, Any]:
    """The best places of a clip's sign in corpora, best first.

    Args:
        clip: a video file's bytes, at most `LONGEST` seconds of it.
        corpora: names; all if there are none.
        most: hits of each corpus.
        whole: takes the clip whole; else the sign is where the hands are up (`spotter.enrolment.exemplar_span`).

    Raises:
        ValueError: no readable video, too long, nobody to be seen, or an encoder that needs more than poses.
    """
    from embeddings.clip import Clip
    from embeddings.recordings import parts_needed

    from ..corpus.options import SearchOptions
    from ..corpus.search import search_gallery
    from ..enrolment import Exemplar, enroll

    if parts_needed(reader.encoder.required_inputs) != {"pose"}:
        raise ValueError(f"encoder {reader.encoder.name!r} needs more than poses; this page searches by poses")
    with in_memory(clip) as path:
        pose = _pose(path, reader.estimator, lambda share: tell(0.9 * share))
    example = Clip("clip", pose.fps, replace(pose, source="clip"), label="clip")
    gallery = enroll([Exemplar("clip", example)], None, reader.encoder, trim=not whole)
    facts = gallery.facts[0]
    hits = []
    for name in corpora or list(reader.corpora):
        if name not in reader.corpora:
            raise ValueError(f"there is no corpus {name!r} here; there are {', '.join(reader.corpora)}")
        found = search_gallery(reader.corpora[name], gallery, SearchOptions(most), reader.encoder)
        hits += [(name, d.video, d.start, d.end, d.score) for d in found]
    hits.sort(key=lambda row: (-row[4], row[:3]))
    return {"start": float(facts["start"]), "end": float(facts["end"]), "hits": hits[:most]}


@contextlib.contextmanager
def in_memory(content: bytes) -> Iterator[Path]:
    """A path under which bytes can be read: of memory on Linux, else of a temporary file that is deleted after."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("clip")
        try:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(content)
            yield Path(f"/proc/self/fd/{handle}")
        finally:
            os.close(handle)
        return
    with tempfile.TemporaryDirectory(prefix="spotter-clip-") as folder:
        path = Path(folder) / "clip"
        path.write_bytes(content)
        yield path


def _pose(path: Path, estimator: str, tell: Tell) -> Pose:
    import numpy as np

    from embeddings.pose.estimate import estimate, make_estimator
    from embeddings.video import VideoError, probe

    try:
        info = probe(path)
        if info.duration > LONGEST + 0.5:
            raise ValueError(f"the clip lasts {info.duration:.0f} s; expected at most {LONGEST:.0f} s of one sign")
        rate = info.fps if USUAL_RATES[0] <= info.fps <= USUAL_RATES[1] else 25.0
        made = make_estimator(estimator)
        try:
            # a recording of a browser does not say how long it is
            pose = estimate(path, made, rate, end=LONGEST + 1, progress=tell)
        finally:
            made.close()
    except VideoError as error:
        raise ValueError(str(error).replace(str(path), "the clip")) from None
    if pose.duration > LONGEST + 0.5:
        raise ValueError(f"the clip is longer than {LONGEST:.0f} s; expected one sign")
    if not np.isfinite(pose.xy).all(axis=2).any():
        raise ValueError("nobody was found in the clip; expected a signer, head to waist, in good light")
    return pose
