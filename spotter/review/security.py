"""Who may talk to the server: one middleware before everything else.

The server listens on this machine, but every web page that somebody opens can send requests to this machine too, and
other users of it can open its ports. So: the `Host` must be ours (no DNS rebinding), an `Origin` or `Sec-Fetch-Site`
must be ours (no other page), and a cookie must be there that only the address with the token gives, which the person
who started the server has. Bodies that change something must be JSON or plain bytes and of a bounded size.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safe_files import write_text

__all__ = ["Gate", "POLICY", "session_secret"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
SAFE = ("GET", "HEAD")


def session_secret(path: Path) -> str:
    """The secret of a project's sessions, made once, in a folder that only its owner can open: a page that is open
    stays valid when the server is started again."""
    try:
        found = path.read_text(encoding="ascii").strip()
        if len(found) >= 32:
            return found
    except (OSError, UnicodeDecodeError):
        pass
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    made = secrets.token_urlsafe(32)
    write_text(path, made + "\n")
    return made


class Gate:
    """ASGI middleware: lets requests of our own page through, adds headers to every answer.

    Args:
        app: what is behind it.
        hosts: `Host` values that are ours, with port.
        token: what the start address must carry once.
        session: value of the cookie that it gives.
        cookie: its name; several servers on one machine need several names.
        largest: bytes of a request's body.
        open_paths: paths that need no cookie.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        token: str,
        session: str,
        cookie: str,
        largest: int = 4 << 20,
        open_paths: Iterable[str] = (),
    ) -> None:
        self.app, self.hosts = app, {h.lower() for h in hosts}
        self.token, self.session, self.cookie = token, session, cookie
        self.largest, self.open_paths = largest, frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no web sockets here
        refused = self._refused(Request(scope))
        if refused is not None:
            await refused(scope, receive, self._with_headers(send))
            return
        await self.app(scope, self._bounded(receive), self._with_headers(send))

    def _refused(self, request: Request) -> Response | None:
        headers = request.headers
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return PlainTextResponse("This server answers to its own address only.\n", 421)
        if not self._own_page(headers, host, request.method):
            return PlainTextResponse("Requests from other pages are refused.\n", 403)
        given = request.query_params.get("token")
        if given is not None and request.method in SAFE:
            return self._welcome(request, given)
        if request.url.path in self.open_paths:
            return None
        if not hmac.compare_digest(request.cookies.get(self.cookie, "").encode(), self.session.encode()):
            return PlainTextResponse(
                "Open the address that the server printed when it was started; it carries a token.\n", 401
            )
        if request.method not in SAFE:
            kind = headers.get("content-type", "").partition(";")[0].strip()
            # a form of another page can send neither of these without asking first
            if kind not in ("application/json", "application/octet-stream"):
                return PlainTextResponse("Expected application/json or application/octet-stream.\n", 415)
            length = headers.get("content-length", "")
            if not length.isdigit() or int(length) > self.largest:
                return PlainTextResponse(f"Expected a body of at most {self.largest} bytes.\n", 413)
        return None

    def _own_page(self, headers: Headers, host: str, method: str) -> bool:
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return False
        site = headers.get("sec-fetch-site")
        if site in (None, "same-origin", "none"):
            return True
        # a link in a mail or on another site may lead here, as long as it only shows the page
        return (
            method in SAFE
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )

    def _welcome(self, request: Request, given: str) -> Response:
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("This token is not valid (any more); see what the server printed.\n", 403)
        url = request.url.remove_query_params("token")
        target = url.path + (f"?{url.query}" if url.query else "")
        # two slashes at the beginning would name another host
        answer = RedirectResponse("/" + target.lstrip("/"), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(self.cookie, self.session, httponly=True, samesite="strict", path="/", secure=secure)
        return answer

    def _bounded(self, receive: Receive) -> Receive:
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.largest:
                return {"type": "http.disconnect"}
            return message

        return bounded

    @staticmethod
    def _with_headers(send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        return with_headers
