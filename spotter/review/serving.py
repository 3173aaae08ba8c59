"""`spotter serve`: a page on which a colleague searches one or several corpora with a clip; it changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from _sign_spotter import module_name

from ..project.endings import VIDEO_ENDINGS
from .jobs import Jobs
from .media import Media, media_id
from .pages import language_of, page
from .routes import answered, job_route, media_routes, mistake
from .serve_tasks import LONGEST
from .server import Address, gated
from .worker import Worker

__all__ = ["LARGEST", "SearchDesk", "Served", "search_app", "served"]

LARGEST = 64 << 20
"""Bytes of a clip."""
WAITING = 4
"""Searches that may wait; further ones are asked to come again."""
MOST = 200


@dataclass(frozen=True)
class Served:
    """A corpus that is searched.

    Attributes:
        name: for people.
        folder: of the corpus.
        videos: video → file, where it can be played.
        seconds: video → its length.
        encoder: id of the weights.
    """

    name: str
    folder: Path
    videos: Mapping[str, Path]
    seconds: Mapping[str, float]
    encoder: str


def served(folders: Sequence[Path]) -> list[Served]:
    """Corpora, or the corpora of projects, opened.

    Raises:
        ValueError: a folder holds neither, or they were made with different encoders.
    """
    found: list[Served] = []
    for folder in folders:
        one = _opened(folder)
        names = [other.name for other in found]
        number, name = 1, one.name
        while name in names:
            number += 1
            name = f"{one.name} ({number})"
        found.append(Served(name, one.folder, one.videos, one.seconds, one.encoder))
    encoders = {one.encoder for one in found}
    if len(encoders) > 1:
        raise ValueError(
            f"the corpora were made with different encoders ({', '.join(sorted(encoders))}); serve them one by one"
        )
    return found


def _opened(folder: Path) -> Served:
    from ..corpus.folder import Corpus
    from ..project.folder import Project
    from ..project.settings import FILE

    own: Mapping[str, Path] = {}
    there = folder.resolve()
    name, corpus_folder = there.parent.name if there.name == "corpus" else there.name, folder
    if (folder / FILE).is_file():
        project = Project.open(folder)
        own, corpus_folder = project.videos, project.at.corpus
        name = project.settings.name or name
        if not (corpus_folder / "corpus.json").is_file():
            raise ValueError(f"{folder}: the project has no corpus yet; make it with spotter review {folder}")
    corpus = Corpus.open(corpus_folder)
    files = {video: own.get(video, Path(stored.source)) for video, stored in corpus.videos.items()}
    videos = {v: path for v, path in files.items() if path.suffix.lower() in VIDEO_ENDINGS and path.exists()}
    seconds = {video: stored.duration for video, stored in corpus.videos.items()}
    return Served(name, corpus_folder, videos, seconds, corpus.settings.encoder)


class SearchDesk:
    """What the server of the search page holds: the corpora's videos, searches that run.

    Args:
        corpora: see `served`.
        encoder: name or checkpoint of their encoder.
        estimator: pose estimator for clips.
    """

    def __init__(self, corpora: Sequence[Served], encoder: str = "default", estimator: str = "holistic") -> None:
        self.corpora = {one.name: one for one in corpora}
        self.cache = Path(tempfile.mkdtemp(prefix="spotter-serve-"))
        self.media = Media(self.cache)
        self.seconds: dict[str, float] = {}
        for one in corpora:
            self.media.add("video", {_key(one.name, video): path for video, path in one.videos.items()})
            self.seconds |= {_key(one.name, video): length for video, length in one.seconds.items()}
        start = {"corpora": {o.name: str(o.folder) for o in corpora}, "encoder": encoder, "estimator": estimator}
        self.worker = Worker(module_name("spotter.review.serve_tasks"), start)
        self.jobs = Jobs()

    def warm(self) -> None:
        """Starts the process that searches before somebody waits for it."""
        self.worker.submit("warm")

    def close(self) -> None:
        """Ends the process and deletes what was made for the page."""
        self.worker.close()
        self.media.close()
        shutil.rmtree(self.cache, ignore_errors=True)

    def facts(self) -> dict[str, Any]:
        """What the page says about the corpora."""
        listed = [
            {"name": o.name, "videos": len(o.seconds), "hours": sum(o.seconds.values()) / 3600}
            for o in self.corpora.values()
        ]
        return {"corpora": listed, "longest": LONGEST, "largest": LARGEST}

    def search(self, clip: bytes, corpora: Sequence[str], most: int, whole: bool) -> dict[str, Any]:
        """Starts a search; the job's state.

        Raises:
            ValueError: there is no clip, or a corpus that is not here.
            OverflowError: too many are waiting.
        """
        if not clip:
            raise ValueError("the clip is empty (0 bytes)")
        unknown = [name for name in corpora if name not in self.corpora]
        if unknown:
            raise ValueError(f"there is no corpus {', '.join(unknown)} here; there are {', '.join(self.corpora)}")
        if self.jobs.running >= WAITING:
            raise OverflowError("several searches are waiting already; try again in a moment")
        arguments = {"clip": clip, "corpora": list(corpora), "most": max(1, min(MOST, most)), "whole": whole}
        return self.jobs.begin(self.worker, "search", self._found, **arguments).settled()

    def _found(self, result: Mapping[str, Any]) -> dict[str, Any]:
        hits = [
            {"corpus": corpus, "video": video, "start": start, "end": end, "score": score, "media": self._media(key)}
            for corpus, video, start, end, score in result["hits"]
            for key in [_key(corpus, video)]
        ]
        return {"start": result["start"], "end": result["end"], "hits": hits}

    def _media(self, key: str) -> str:
        one = media_id("video", key)
        return one if one in self.media.files else ""


def _key(corpus: str, video: str) -> str:
    return f"{corpus}\0{video}"


def search_app(desk: SearchDesk, address: Address, title: str = "", language: str = "en") -> Starlette:
    """The search page."""

    async def home(request: Request) -> Response:
        return page(request, "search.html", language_of(request, language), name=title or ", ".join(desk.corpora))

    async def facts(_: Request) -> Response:
        return JSONResponse(desk.facts())

    async def search(request: Request) -> Response:
        asked = request.query_params
        clip = await request.body()
        most = asked.get("most", "50")
        if not most.isdecimal():
            return mistake(f"most is {most!r}; expected a number")
        try:
            return await answered(partial(desk.search, clip, asked.getlist("corpus"), int(most), "whole" in asked))
        except OverflowError as error:
            return mistake(str(error), 503)

    routes = [
        Route("/", home),
        Route("/api/corpora", facts),
        Route("/api/search", search, methods=["POST"]),
        job_route(desk),
        *media_routes(desk),
    ]
    return gated(routes, address, desk.close, largest=LARGEST, begin=desk.warm)
