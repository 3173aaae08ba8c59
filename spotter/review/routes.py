"""What the review page and the search page are asked alike: answers as JSON, videos, pictures, jobs."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from .jobs import Jobs
from .media import Media, MediaError

__all__ = ["READING", "Holder", "answered", "endpoint", "job_route", "media_routes", "mistake", "number", "whole"]

READING = ThreadPoolExecutor(4, "reading")


class Holder(Protocol):
    """What the routes here need: videos with their lengths in seconds, and jobs."""

    @property
    def media(self) -> Media: ...

    @property
    def seconds(self) -> Mapping[str, float]: ...

    @property
    def jobs(self) -> Jobs: ...


def endpoint(work: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """A route's endpoint of a function that runs in a thread."""

    async def run(request: Request) -> Response:
        return await answered(lambda: work(request))

    return run


async def answered(work: Callable[[], Any], pool: ThreadPoolExecutor = READING) -> Response:
    """The work's value as a response; what a caller did wrong is one line that says what.

    Work that gives an awaitable (it waits for the process of heavy work) holds no thread while it waits.
    """
    try:
        value = await asyncio.get_running_loop().run_in_executor(pool, work)
        if inspect.isawaitable(value):
            value = await value
    except MediaError as error:
        return mistake(str(error), 404)
    except (ValueError, KeyError, TypeError, OSError, RuntimeError) as error:
        text = f"expected {error}" if isinstance(error, KeyError) else str(error)
        return mistake(text)
    return value if isinstance(value, Response) else JSONResponse(value)


def mistake(text: str, status: int = 400) -> Response:
    """What was wrong, in one line."""
    return JSONResponse({"error": text}, status)


def number(request: Request, name: str, default: float | None = None) -> float:
    """A number of the address.

    Raises:
        ValueError: it is missing, or no finite number.
    """
    given = request.query_params.get(name)
    if given is None and default is not None:
        return default
    value = float(given) if given is not None else float("nan")
    if not np.isfinite(value):
        raise ValueError(f"{name} is {given!r}; expected a number")
    return value


def whole(request: Request, name: str) -> int:
    """A whole number of the address, 0 or more; else `ValueError`."""
    value = number(request, name)
    if value < 0:
        raise ValueError(f"{name} is {value}; expected 0 or more")
    return int(value)


def media_routes(holder: Holder) -> list[Route]:
    """Facts of videos, videos in pieces, and still pictures."""
    return [
        Route("/api/videos/{id}", endpoint(lambda request: _video(holder, request))),
        Route("/media/{id}", endpoint(lambda request: _media(holder, request))),
        Route("/picture/{id}", endpoint(lambda request: _picture(holder, request))),
    ]


def job_route(holder: Holder) -> Route:
    """The state of a job."""
    return Route("/api/jobs/{id}", endpoint(lambda request: _job(holder, request)))


def _video(holder: Holder, request: Request) -> dict[str, Any]:
    file = holder.media.file(request.path_params["id"])
    facts = holder.media.facts(file.id)
    seconds = facts.get("duration") or holder.seconds.get(file.name) or 0.0
    return {"id": file.id, "name": file.name, **facts, "seconds": seconds}


def _media(holder: Holder, request: Request) -> Response:
    path, kind = holder.media.playable(request.path_params["id"])
    # the same file is asked for piece by piece: the browser may keep what it has
    return FileResponse(path, media_type=kind, headers={"cache-control": "private, max-age=3600"})


def _picture(holder: Holder, request: Request) -> Response:
    height = int(np.clip(whole(request, "height"), 24, 480))
    path = holder.media.picture(request.path_params["id"], number(request, "at"), height)
    return FileResponse(path, media_type="image/jpeg", headers={"cache-control": "private, max-age=86400"})


def _job(holder: Holder, request: Request) -> dict[str, Any]:
    job = holder.jobs.get(request.path_params["id"])
    if job is None:
        raise MediaError("no such job (the server was started again?)")
    return job.settled()
