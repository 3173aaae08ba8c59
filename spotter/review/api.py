"""What the page asks the server, and how it is answered: JSON in, JSON out, media as files.

Every function takes a request and gives a response; what it does to the project is in `desk`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ..project.log import LogError
from .desk import Desk
from .media import MediaError, frame_times
from .queue import ask_for, estimates, sample_of
from .skeletons import bones, piece
from .tiers import tiers_of

__all__ = ["review_routes"]

MOST_BINS = 8000

Endpoint = Callable[[Request], Awaitable[Response]]
DECISIONS = ThreadPoolExecutor(1, "decisions")
"""Decisions never wait for pictures or videos."""
READING = ThreadPoolExecutor(4, "reading")


def review_routes(desk: Desk) -> list[Route]:
    """The routes of a project's page."""

    def route(path: str, work: Callable[[Desk, Request], Any]) -> Route:
        return Route(path, _endpoint(lambda request: work(desk, request)))

    def posted(path: str, work: Callable[[Desk, dict[str, Any]], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                body = json.loads(await request.body())
            except ValueError as error:
                return _mistake(f"not readable as JSON ({error})")
            if not isinstance(body, dict):
                return _mistake("expected an object")
            return await _answered(lambda: work(desk, body), DECISIONS)

        return Route(path, endpoint, methods=["POST"])

    return [
        route("/api/start", lambda d, _: {**d.start(), "bones": bones()}),
        route("/api/hits", _hits),
        route("/api/changes", lambda d, r: d.changes(_whole(r, "since"), _whole(r, "searches"))),
        posted("/api/lines", _lines),
        route("/api/videos/{id}", _video),
        route("/api/videos/{id}/frames", _frames),
        route("/api/videos/{id}/skeleton", _skeleton),
        route("/api/videos/{id}/track", _track),
        route("/api/videos/{id}/tiers", lambda d, r: tiers_of(d, d.media.file(r.path_params["id"]).name)),
        route("/api/alignment", _alignment),
        route("/api/queue", lambda d, r: ask_for(d, r.query_params["sign"])),
        route("/api/estimates", lambda d, r: estimates(d, r.query_params["sign"])),
        posted("/api/sample", sample_of),
        posted("/api/find", _find),
        posted("/api/export", _export),
        route("/api/jobs/{id}", _job),
        route("/media/{id}", _media),
        route("/picture/{id}", _picture),
        route("/export/{name}", _exported),
    ]


def _endpoint(work: Callable[[Request], Any]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await _answered(lambda: work(request), READING)

    return endpoint


async def _answered(work: Callable[[], Any], pool: ThreadPoolExecutor) -> Response:
    """The work's value as a response; what a caller did wrong is one line that says what.

    Work that gives an awaitable (it waits for the process of heavy work) holds no thread while it waits.
    """
    try:
        value = await asyncio.get_running_loop().run_in_executor(pool, work)
        if inspect.isawaitable(value):
            value = await value
    except MediaError as error:
        return _mistake(str(error), 404)
    except (LogError, ValueError, KeyError, TypeError, OSError, RuntimeError) as error:
        text = f"expected {error}" if isinstance(error, KeyError) else str(error)
        return _mistake(text)
    return value if isinstance(value, Response) else JSONResponse(value)


def _mistake(text: str, status: int = 400) -> Response:
    return JSONResponse({"error": text}, status)


def _number(request: Request, name: str, default: float | None = None) -> float:
    given = request.query_params.get(name)
    if given is None and default is not None:
        return default
    value = float(given) if given is not None else float("nan")
    if not np.isfinite(value):
        raise ValueError(f"{name} is {given!r}; expected a number")
    return value


def _whole(request: Request, name: str) -> int:
    value = _number(request, name)
    if value < 0:
        raise ValueError(f"{name} is {value}; expected 0 or more")
    return int(value)


def _span(request: Request) -> tuple[float, float]:
    start, end = _number(request, "from"), _number(request, "to")
    if not 0 <= start < end <= 1e6:
        raise ValueError(f"from {start} to {end}; expected seconds with 0 <= from < to")
    return start, end


def _hits(desk: Desk, request: Request) -> dict[str, Any]:
    video = request.query_params.get("video")
    name = None if video is None else desk.media.file(video).name
    return {"hits": desk.hits(request.query_params.get("sign"), name), "last": desk.state.last}


def _lines(desk: Desk, body: dict[str, Any]) -> dict[str, Any]:
    who, rows = str(body.get("who") or "").strip(), body.get("lines")
    if not isinstance(rows, list) or len(rows) > 5000 or not all(isinstance(row, dict) for row in rows):
        raise ValueError("lines: expected a list of at most 5000 objects")
    return desk.write(who or desk.project.annotator, str(body.get("client") or ""), rows)


def _video(desk: Desk, request: Request) -> dict[str, Any]:
    file = desk.media.file(request.path_params["id"])
    facts = desk.media.facts(file.id)
    seconds = facts.get("duration") or desk.seconds.get(file.name) or 0.0
    return {"id": file.id, "name": file.name, **facts, "seconds": seconds}


def _frames(desk: Desk, request: Request) -> dict[str, Any]:
    file = desk.media.file(request.path_params["id"])
    start, end = _span(request)
    if not file.pictures:
        return {"times": []}
    path, _ = desk.media.playable(file.id)
    return {"times": frame_times(path, start, min(end, start + 120.0))}


async def _skeleton(desk: Desk, request: Request) -> Response:
    found = await piece(desk, desk.media.file(request.path_params["id"]), *_span(request))
    if found is None:
        return Response(status_code=204)
    return Response(found, media_type="application/octet-stream")


async def _track(desk: Desk, request: Request) -> dict[str, Any]:
    """The largest value in each of so many bins between two seconds; null where nothing is."""
    file = desk.media.file(request.path_params["id"])
    start, end = _span(request)
    bins = max(1, min(MOST_BINS, _whole(request, "bins")))
    first, step, values = await desk.track(request.query_params["sign"], file.name)
    edges = ((start + np.arange(bins + 1) * (end - start) / bins - first) / step).round().astype(int)
    edges = np.clip(edges, 0, len(values))
    peaks = [float(values[a : max(b, a + 1)].max()) if a < len(values) else None for a, b in pairwise(edges)]
    top = float(values.max()) if len(values) else 1.0
    low = float(np.quantile(values, 0.3)) if len(values) else 0.0
    return {"from": start, "to": end, "values": peaks, "low": low, "high": max(top, low + 0.05)}


async def _alignment(desk: Desk, request: Request) -> dict[str, Any]:
    video = desk.media.file(request.query_params["video"]).name
    start, end = _span(request)
    return {"path": await desk.alignment(request.query_params["exemplar"], video, start, end)}


def _find(desk: Desk, body: dict[str, Any]) -> dict[str, Any]:
    """Searches for signs (all, if none are named) with everything decided so far."""
    signs = body.get("signs")
    if signs is not None and (not isinstance(signs, list) or not all(isinstance(s, str) for s in signs)):
        raise ValueError("signs: expected a list of glosses")
    return desk.search_again(signs, str(body.get("who") or "")).settled()


def _export(desk: Desk, body: dict[str, Any]) -> dict[str, Any]:
    from ..project.export import export_project

    kinds = [str(kind) for kind in body.get("kinds") or ["eaf"]]
    statuses = tuple(str(s) for s in body.get("statuses") or ["accepted"])
    written = export_project(desk.project, kinds, statuses, str(body.get("who") or ""))
    desk.refresh()
    return {"files": [path.name for path in written], "folder": str(desk.project.at.exports)}


def _exported(desk: Desk, request: Request) -> Response:
    name = request.path_params["name"]
    here = {path.name: path for path in desk.project.at.exports.iterdir() if path.is_file()}
    if name not in here:
        raise MediaError(f"nothing exported is called {name!r}")
    return FileResponse(here[name], filename=name, media_type="application/octet-stream")


def _job(desk: Desk, request: Request) -> dict[str, Any]:
    job = desk.jobs.get(request.path_params["id"])
    if job is None:
        raise MediaError("no such job (the server was started again?)")
    return job.settled()


def _media(desk: Desk, request: Request) -> Response:
    path, kind = desk.media.playable(request.path_params["id"])
    # the same file is asked for piece by piece: the browser may keep what it has
    return FileResponse(path, media_type=kind, headers={"cache-control": "private, max-age=3600"})


def _picture(desk: Desk, request: Request) -> Response:
    height = int(np.clip(_whole(request, "height"), 24, 480))
    path = desk.media.picture(request.path_params["id"], _number(request, "at"), height)
    return FileResponse(path, media_type="image/jpeg", headers={"cache-control": "private, max-age=86400"})
