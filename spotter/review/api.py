"""What the page asks the server, and how it is answered: JSON in, JSON out, media as files.

Every function takes a request and gives a response; what it does to the project is in `desk`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from safe_files import parse_json

from .desk import Desk
from .media import MediaError, frame_times
from .queue import ask_for, estimates, sample_of
from .routes import answered, endpoint, job_route, media_routes, mistake, number, whole
from .skeletons import bones, piece
from .tiers import tiers_of

__all__ = ["review_routes"]

MOST_BINS = 8000

DECISIONS = ThreadPoolExecutor(1, "decisions")
"""Decisions never wait for pictures or videos."""


def review_routes(desk: Desk) -> list[Route]:
    """The routes of a project's page."""

    def route(path: str, work: Callable[[Desk, Request], Any]) -> Route:
        return Route(path, endpoint(lambda request: work(desk, request)))

    def posted(path: str, work: Callable[[Desk, dict[str, Any]], Any]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                body = parse_json(await request.body())
            except ValueError as error:
                return mistake(f"not readable as JSON ({error})")
            if not isinstance(body, dict):
                return mistake("expected an object")
            return await answered(lambda: work(desk, body), DECISIONS)

        return Route(path, endpoint, methods=["POST"])

    return [
        route("/api/start", lambda d, _: {**d.start(), "bones": bones()}),
        route("/api/hits", _hits),
        route("/api/changes", lambda d, r: d.changes(whole(r, "since"), whole(r, "searches"))),
        posted("/api/lines", _lines),
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
        job_route(desk),
        *media_routes(desk),
        route("/export/{name}", _exported),
    ]


def _span(request: Request) -> tuple[float, float]:
    start, end = number(request, "from"), number(request, "to")
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
    bins = max(1, min(MOST_BINS, whole(request, "bins")))
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
