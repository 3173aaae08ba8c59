"""The server of the review page: put together, started, announced."""

from __future__ import annotations

import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from safe_files import read_json, write_json

from ..project.folder import Project
from .api import review_routes
from .desk import Desk
from .pages import language_of, page, static_files
from .security import Gate, session_secret

__all__ = ["Address", "free_port", "gated", "review_app", "run"]

HOST = "127.0.0.1"
PORT = 8231


class Address:
    """Where a server is and what lets somebody in.

    Args:
        host, port: where it listens.
        session: value of the cookie.
        names: further names under which it may be asked for.
        secure: whether it speaks TLS.
    """

    def __init__(self, host: str, port: int, session: str, names: Sequence[str] = (), secure: bool = False) -> None:
        self.host, self.port, self.session, self.secure = host, port, session, secure
        self.token = secrets.token_urlsafe(24)
        own = ["127.0.0.1", "localhost", "[::1]"] if host in (HOST, "localhost", "::1") else [host]
        listed = dict.fromkeys([*own, *names])
        usual = 443 if secure else 80
        self.hosts = [f"{n}:{port}" for n in listed] + (list(listed) if port == usual else [])

    @property
    def cookie(self) -> str:
        """Name of the cookie: cookies do not tell ports apart."""
        return f"spotter-{self.port}"

    def url(self, name: str = "") -> str:
        """The address to open, with the token."""
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{name or self.host}:{self.port}/?token={self.token}"


def gated(
    routes: Sequence[BaseRoute],
    address: Address,
    close: Callable[[], None],
    largest: int = 4 << 20,
    begin: Callable[[], None] | None = None,
) -> Starlette:
    """An application behind the gate; `begin` is called when it starts, `close` when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if begin is not None:
            begin()
        yield
        close()

    gate = Middleware(
        Gate, hosts=address.hosts, token=address.token, session=address.session, cookie=address.cookie, largest=largest
    )
    return Starlette(routes=[*routes, Mount("/static", static_files())], middleware=[gate], lifespan=lifespan)


def review_app(desk: Desk, address: Address) -> Starlette:
    """The review page of a project."""

    async def home(request: Request) -> Response:
        language = language_of(request, desk.project.settings.language)
        return page(request, "review.html", language, name=desk.project.settings.name or desk.project.folder.name)

    return gated([Route("/", home), *review_routes(desk)], address, desk.close, begin=desk.warm)


def free_port(wanted: int, host: str = HOST) -> int:
    """The port itself when nobody listens there, else the next free one of the hundred after it.

    Raises:
        ValueError: none of them is free.
    """
    for port in range(wanted, wanted + 100):
        with socket.socket() as test:
            test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                test.bind((host, port))
            except OSError:
                continue
            return port
    raise ValueError(f"no free port from {wanted} to {wanted + 99}; name another with --port")


def remembered_port(project: Project) -> int:
    """The port that this project's page had the last time: what a browser remembers is tied to it."""

    try:
        return int(read_json(project.at.cache / "server.json")["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return PORT


def address_of(project: Project, port: int | None = None) -> Address:
    """The address of a project's page: the same port and session as the last time where possible."""
    chosen = free_port(remembered_port(project) if port is None else port)
    write_json(project.at.cache / "server.json", {"port": chosen})
    return Address(HOST, chosen, session_secret(project.at.cache / "session" / "secret"))


def run(
    app: Starlette,
    address: Address,
    announce: Callable[[str], None],
    browser: bool = True,
    certificate: tuple[Path, Path] | None = None,
) -> None:
    """Serves until it is interrupted.

    Args:
        announce: called with the address to open when the server listens.
        browser: open the address in the user's browser.
        certificate: (certificate, key) files of TLS.
    """
    import uvicorn

    tls: dict[str, Any] = (
        {} if certificate is None else {"ssl_certfile": str(certificate[0]), "ssl_keyfile": str(certificate[1])}
    )
    config = uvicorn.Config(
        app, host=address.host, port=address.port, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=1, **tls,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def when_ready() -> None:
        while not server.started and not server.should_exit:
            threading.Event().wait(0.05)
        if server.started:
            announce(address.url())
            if browser:
                webbrowser.open(address.url())

    threading.Thread(target=when_ready, daemon=True).start()
    try:
        server.run()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
