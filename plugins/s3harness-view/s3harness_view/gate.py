"""The gate before every page: who may ask, what a browser may do with the answer, and a log of all that is sent.

The server listens on the loopback interface alone. A request passes if it has the cookie that the address with the
token sets, if its ``Host`` is this server's own (another name for this machine is DNS rebinding), and if no page of
another origin made it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD"})
MOST_BODY_BYTES = 1 << 20
"""Bytes of a request's body; the longest is a report that a reader has written."""
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

LogSend = Callable[[str, int, str], None]
"""Enters what is about to be sent into an audit log: host, bytes, path. If it raises, nothing is sent."""


@dataclass
class Gate:
    """ASGI middleware around ``app``, for the server that listens on ``port``."""

    app: ASGIApp
    port: int
    log_send: LogSend
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def address(self) -> str:
        """The address that lets a browser in."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The name of the cookie; with the port, as browsers share cookies among all ports of a host."""
        return f"s3harness-view-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] != "http":
            # Neither WebSockets nor a life cycle are used; closing is all that may be answered.
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope)
        app: ASGIApp = self.app if refusal is None else refusal
        await app(scope, _bounded(receive), self._sender(scope, send))

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the response to a request that does not pass, or the one that lets a browser in; else ``None``."""
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self._hosts():
            return PlainTextResponse("This server answers to its own address alone.\n", 421)
        # Before the check of the site: an address may be opened from a mail or a chat.
        if self._has_token(scope):
            return self._entrance()
        checks = (
            # Same-site is not enough: all ports of this machine are one site.
            (headers.get("sec-fetch-site", "none") in ("none", "same-origin"), 403, "Other origins get nothing."),
            (self._has_cookie(headers), 403, "Open the address that s3harness printed in the terminal."),
            (self._may_write(scope, headers), 403, "Only this server's own pages may send data."),
            (_length(headers) <= MOST_BODY_BYTES, 413, f"At most {MOST_BODY_BYTES:,} bytes are taken."),
        )
        return next((PlainTextResponse(f"{why}\n", status) for passes, status, why in checks if not passes), None)

    def _may_write(self, scope: Scope, headers: Headers) -> bool:
        return scope["method"] in SAFE_METHODS or headers.get("origin") in {f"http://{host}" for host in self._hosts()}

    def _hosts(self) -> tuple[str, str]:
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    def _has_token(self, scope: Scope) -> bool:
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return scope["path"] == "/" and scope["method"] == "GET" and self._is_token(token)

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        return self.cookie in cookies and self._is_token(cookies[self.cookie].value)

    def _is_token(self, text: str) -> bool:
        # In constant time, and as bytes: compare_digest refuses text that is not ASCII.
        return secrets.compare_digest(text.encode(), self.token.encode())

    def _entrance(self) -> Response:
        """Return the response that sets the cookie, and takes the token out of the address."""
        response = Response(status_code=303, headers={"Location": "/"})
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
        return response

    def _sender(self, scope: Scope, send: Send) -> Send:
        async def logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                # Before the first byte: what cannot be logged must not be sent.
                self.log_send("127.0.0.1", int(headers.get("content-length") or 0), quote(scope["path"]))
            await send(message)

        return logged


def _length(headers: Headers) -> int:
    # h11 refuses a length that is no number before this is called.
    return int(headers.get("content-length") or 0)


def _bounded(receive: Receive) -> Receive:
    """Return a ``receive`` that ends the connection of a client that sends more than the limit."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        # A body in chunks states no length beforehand.
        return {"type": "http.disconnect"} if total > MOST_BODY_BYTES else message

    return counted
