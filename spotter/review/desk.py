"""`Desk`: what the server of a project holds in memory: the state of the log, its videos, its jobs."""

from __future__ import annotations

import asyncio
import csv
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _sign_spotter import module_name

from ..project.exemplars import ExemplarView, enrolled_exemplars
from ..project.folder import Project
from ..project.log import Line, LogError
from ..project.refit import changes_of, open_orders
from ..project.state import Hit, State, checked
from .jobs import Job, Jobs
from .media import Media, media_id
from .worker import Task, Worker

__all__ = ["Desk"]

KEPT = 24
"""Tracks and alignments in memory."""


class Desk:
    """A project on the server. Methods may be called from several threads.

    Args:
        project: the project.
        encoder: name or checkpoint of the encoder of its corpus.
    """

    def __init__(self, project: Project, encoder: str = "default") -> None:
        self.project = project
        self.lock = threading.RLock()
        self.state: State = project.state()
        self.worker = Worker(module_name("spotter.review.tasks"), {"folder": str(project.folder), "encoder": encoder})
        self.media = Media(project.at.cache)
        self.media.add("video", project.videos)
        self.media.add("exemplar", project.exemplar_clips)
        self.jobs = Jobs()
        self._read: tuple[tuple[int, int], list[ExemplarView]] = ((-1, -1), [])
        self.seconds = _durations(project.at.corpus / "videos.csv")
        self._cache: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._waiting: dict[tuple[Any, ...], Task] = {}

    def close(self) -> None:
        """Ends the worker and the making of copies."""
        self.worker.close()
        self.media.close()
        self.project.close()

    def warm(self) -> None:
        """Starts the process for heavy work before somebody waits for it."""
        if (self.project.at.corpus / "corpus.json").is_file():
            self.worker.submit("warm")

    # what the page asks for

    def refresh(self) -> set[str]:
        """Takes in what other programs wrote into the log; returns the hits that they touched."""
        with self.lock:
            touched: set[str] = set()
            for search in self.project.log.searches(since=len(self.state.searches)):
                found = self.project.log.found(search.id)
                self.state.take_search(search, found)
                touched |= {f.hit for f in found}
            return touched | self.state.take(self.project.log.lines(since=self.state.last))

    def start(self) -> dict[str, Any]:
        """Everything that the page needs at its beginning."""
        with self.lock:
            self.refresh()
            project = self.project
            return {
                "project": project.settings.name or project.folder.name,
                "annotator": project.annotator,
                "last": self.state.last,
                "searches": [_search(s) for s in self.state.searches],
                "signs": self.signs(),
                "videos": [
                    {"id": f.id, "name": f.name, "seconds": self.seconds.get(f.name), "pictures": f.pictures}
                    for f in self.media.files.values() if f.kind == "video"
                ],
                "exemplars": {sign: [self._exemplar(x) for x in own] for sign, own in self.exemplars().items()},
                "searchable": (project.at.corpus / "corpus.json").is_file(),
            }  # fmt: skip

    def signs(self, only: set[str] | None = None) -> list[dict[str, Any]]:
        """Signs with the numbers of their hits, by name; of some signs only."""
        counts: dict[str, dict[str, int]] = {}
        with self.lock:
            names = {h.sign for h in self.state.hits.values()} | set(self.exemplars())
            for sign in names if only is None else names & only:
                counts[sign] = dict.fromkeys(("new", "accepted", "rejected", "unsure", "conflict"), 0)
            for hit in self.state.hits.values():
                if hit.sign in counts and self.state.current(hit):
                    counts[hit.sign][hit.status] += 1
                    counts[hit.sign]["conflict"] += bool(hit.conflict)
        return [{"sign": sign, **counts[sign]} for sign in sorted(counts)]

    def hits(self, sign: str | None = None, video: str | None = None) -> list[dict[str, Any]]:
        """Hits to show, of a sign or of a video, surest first."""
        with self.lock:
            found = [
                h for h in self.state.hits.values()
                if (sign is None or h.sign == sign) and (video is None or h.video == video) and self.state.current(h)
            ]  # fmt: skip
        return [self.hit(h) for h in sorted(found, key=lambda h: (-(h.score or 0.0), h.video, h.start, h.id))]

    def hit(self, hit: Hit) -> dict[str, Any]:
        """A hit for the page."""
        return {
            "id": hit.id, "video": media_id("video", hit.video), "name": hit.video, "sign": hit.sign,
            "start": hit.start, "end": hit.end, "status": hit.status, "score": hit.score, "search": hit.search,
            "foundSign": hit.found_sign, "foundStart": hit.found_start, "foundEnd": hit.found_end, "who": hit.who,
            "at": hit.at, "line": hit.line, "note": hit.note, "current": self.state.current(hit),
            "conflict": [_said(self.state.line(n)) for n in hit.conflict],
        }  # fmt: skip

    def exemplars(self) -> dict[str, list[ExemplarView]]:
        """Sign → what can be shown as its exemplar: enrolled clips, drawn spans, accepted hits."""
        found: dict[str, list[ExemplarView]] = {}
        for one in self._enrolled():
            found.setdefault(one.sign, []).append(one)
        for x in self.state.exemplars.values():
            found.setdefault(x.sign, []).append(ExemplarView(x.id, x.sign, "video", x.video, x.start, x.end, "drawn"))
        return found

    def _enrolled(self) -> list[ExemplarView]:
        """The gallery's exemplars, read again when its table has changed."""
        table = self.project.at.gallery / "exemplars.csv"
        facts = table.stat() if table.is_file() else None
        stamp = (facts.st_mtime_ns, facts.st_size) if facts is not None else (0, 0)
        if self._read[0] != stamp:
            self._read = (stamp, enrolled_exemplars(self.project))
        return self._read[1]

    def _exemplar(self, one: ExemplarView) -> dict[str, Any]:
        known = media_id(one.kind, one.name)
        return {
            "id": one.id, "media": known if known in self.media.files else "", "name": one.name, "start": one.start,
            "end": one.end, "origin": one.origin,
        }  # fmt: skip

    def changes(self, since: int, searches: int) -> dict[str, Any]:
        """What happened after line `since` and the first so many searches, by whomever."""
        with self.lock:
            self.refresh()
            if searches < len(self.state.searches):
                return {"last": self.state.last, "searches": len(self.state.searches), "anew": True}
            touched: set[str] = set()
            for n in range(since + 1, self.state.last + 1):
                touched |= self.state.names_of(n)
            return self._answer(touched)

    def _answer(self, touched: set[str]) -> dict[str, Any]:
        hits = [self.state.hits[name] for name in sorted(touched) if name in self.state.hits]
        signs = {h.sign for h in hits} | {h.found_sign for h in hits}
        drawn = bool(touched - set(self.state.hits))
        exemplars = (
            {sign: [self._exemplar(x) for x in own] for sign, own in self.exemplars().items()} if drawn else None
        )
        return {
            "last": self.state.last, "searches": len(self.state.searches), "hits": [self.hit(h) for h in hits],
            "signs": self.signs(None if drawn else signs), "exemplars": exemplars,
        }  # fmt: skip

    # decisions

    def write(self, who: str, client: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Appends lines; those that do not fit are refused one by one, with the reason, and the others written."""
        with self.lock:
            self.refresh()
            written: list[dict[str, Any]] = []
            refused: list[dict[str, str]] = []
            touched: set[str] = set()
            for row in rows:
                try:
                    line = checked(self.state, self._line(who, client, row))
                    (line,) = self.project.log.append([line])
                except (LogError, KeyError, TypeError, ValueError) as error:
                    refused.append({"token": str(row.get("token", "")), "why": str(error)})
                    continue
                if line.n > self.state.last:
                    touched |= self.state.take([line])
                else:  # sent twice
                    touched |= self.state.names_of(line.n)
                written.append({"token": line.token, "n": line.n})
            return {"written": written, "refused": refused, **self._answer(touched - {""})}

    def _line(self, who: str, client: str, row: Mapping[str, Any]) -> Line:
        detail = dict(row.get("detail") or {})
        name = str(row.get("hit", ""))
        if row["action"] == "undo" and "token" in detail:
            detail = {"line": self.state.numbered(str(detail["token"]))}
        for key in ("video",):
            if key in detail:
                detail[key] = self.media.file(str(detail[key])).name
        hit = self.state.hits.get(name)
        search = hit.search if hit is not None else ""
        weights = next((s.encoder for s in self.state.searches if s.id == search), "")
        base = int(row.get("base", 0))
        return Line(str(row["action"]), name, who, str(row["token"]), client, base, search, weights, detail)

    # heavy work

    def begin(self, kind: str, finish: Callable[[Any], Mapping[str, Any]], **arguments: Any) -> Job:
        """Starts a task of `tasks` as a job."""
        return self.jobs.begin(self.worker, kind, finish, **arguments)

    def search_again(self, signs: Sequence[str] | None, who: str = "") -> Job:
        """Starts a search with everything decided so far; its result says what changed."""
        with self.lock:
            self.refresh()
            known = list(self.exemplars()) + [h.sign for h in self.state.hits.values() if h.status == "accepted"]
            wanted = list(dict.fromkeys(signs if signs is not None else known))
            until = self.state.last
        if not wanted:
            raise ValueError("there is no exemplar yet; draw one, or enrol clips with spotter enroll")
        return self.begin("find", lambda found: self._searched(found, who), signs=wanted, until=until)

    def _searched(self, found: Mapping[str, Any], who: str) -> dict[str, Any]:
        detail = found["detail"]
        with self.lock:
            self.refresh()
            before = open_orders(self.state, detail["signs"])
            search = self.project.record("learned", found["detections"], found["weights"], detail, who, self.state)
            self.refresh()
            return {"search": search.id, "changes": changes_of(before, open_orders(self.state, detail["signs"]))}

    async def remembered(self, key: tuple[Any, ...], task: str, **arguments: Any) -> Any:
        """The result of a small task, kept for a while; several requests for the same wait for one task.

        Raises:
            ValueError: the task failed.
        """
        with self.lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
            waiting = self._waiting.get(key)
            if waiting is None:
                waiting = self._waiting[key] = self.worker.submit(task, **arguments)
        try:
            value = await asyncio.wrap_future(waiting.result)
        finally:
            with self.lock:
                self._waiting.pop(key, None)
        with self.lock:
            self._cache[key] = value
            while len(self._cache) > KEPT:
                self._cache.popitem(last=False)
        return value

    async def track(self, sign: str, video: str) -> tuple[float, float, NDArray[np.float32]]:
        """(first second, step in seconds, values (W,)) of a sign's similarity track."""
        key = ("track", sign, video, self._exemplars_version(sign))
        first, step, values = await self.remembered(key, "track", sign=sign, video=video, until=self.state.last)
        return first, step, values

    async def alignment(self, exemplar: str, video: str, start: float, end: float) -> list[list[float]]:
        """Pairs (second of the hit, second of the exemplar's clip) along the cheapest path."""
        key = ("alignment", exemplar, video, round(start, 3), round(end, 3))
        place = {"video": video, "start": start, "end": end}
        found = await self.remembered(key, "alignment", exemplar=exemplar, place=place, until=self.state.last)
        return [[float(a), float(b)] for a, b in found]

    def _exemplars_version(self, sign: str) -> int:
        own = [x.line for x in self.state.exemplars.values() if x.sign == sign]
        return max(own, default=0)


def _said(line: Line) -> dict[str, Any]:
    return {"who": line.who, "at": line.at, "action": line.action, "detail": dict(line.detail)}


def _search(search: Any) -> dict[str, Any]:
    return {"id": search.id, "at": search.at, "who": search.who, "kind": search.kind}


def _durations(table: Path) -> dict[str, float]:
    """Video → seconds, as the corpus's table has them."""
    try:
        with table.open(encoding="utf-8", newline="") as file:
            return {row["video"]: float(row["seconds"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError):
        return {}
