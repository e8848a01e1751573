"""A connection that is not used again once more came over it than the answer to what was asked.

Over a kept connection the answer to a request is whatever comes next. A server or proxy that sends an answer twice
would have every later question of that connection answered with what belongs to the one before it.
"""

from __future__ import annotations

import re
import ssl
from typing import Any

import httpcore2

MOST_HEAD = 1 << 20
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)


class Line(httpcore2.AsyncNetworkStream):
    """A stream that counts what comes in answer to each request.

    Its pool asks it, before it is used again, whether something is there to be read, and closes it if so; it says so of
    what was read too much as well, and once it ``is_spoilt``. ``last`` is the last answer, as it was handed over.
    """

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self._reply = _Reply()
        self._is_asking = False
        self.is_spoilt = False
        self.last = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next."""
        data = await self._inner.read(max_bytes, timeout)
        self._is_asking = False
        self._reply.take(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send; what comes from now on is another answer."""
        if not self._is_asking:
            self._is_asking, self._reply = True, _Reply()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """The same, encrypted."""
        return Line(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        is_over = info == "is_readable" and (self.is_spoilt or self._reply.is_overrun)
        return is_over or self._inner.get_extra_info(info)


class _Reply:
    """The bytes of one answer, counted."""

    def __init__(self) -> None:
        self._head = b""
        self._left: int | None = None
        self._tail = b""
        self._is_chunked = False

    def take(self, data: bytes) -> None:
        if self._left is not None:
            self._left -= len(data)
        elif self._is_chunked:
            self._tail = (self._tail + data)[-5:]
        elif len(self._head) <= MOST_HEAD:
            self._head += data
            self._look()

    def _look(self) -> None:
        """Find the end of the head, past those that only announce another."""
        head, end, body = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        status = _STATUS.match(head)
        if status and status[1].startswith(b"1"):
            self._head = body
            self._look()
        elif length := _LENGTH.search(head + b"\r\n"):
            self._left = int(length[1]) - len(body)
        elif _CHUNKED.search(head + b"\r\n"):
            self._is_chunked, self._tail = True, body[-5:]

    @property
    def is_overrun(self) -> bool:
        """Whether more came than the answer; what has no known end is closed by the server."""
        return (self._left is not None and self._left < 0) or (self._is_chunked and self._tail != b"0\r\n\r\n")
