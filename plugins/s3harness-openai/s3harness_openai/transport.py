"""HTTP transport: pooled connections to checked addresses, no redirects, no proxies of the environment."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import re
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import httpcore2

import s3harness
from s3harness_openai.errors import ServerError, ServerTimeout, Unreachable

CONNECT_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 60.0
MAX_REPLY_BYTES = 32 * 1024**2
"""No answer is longer than this; a reply without an end would fill the memory."""

CHUNK_BYTES = 4 * 1024**2
"""A body is written in chunks of this size, each when the one before is sent, so that no more of it waits in memory.
Chunks of 256 kB make sending half as costly again."""

BODY_QUEUE_TIMEOUT_S = 0.5
"""No body waits longer than this for the one before it, which may go to a server that stopped reading."""

MAX_HEAD_BYTES = 1 << 20
"""A head that is longer is not searched for its end; httpcore2 rejects it much earlier."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)

Body = Sequence[bytes]
"""A body in parts, so that a part that many bodies share exists once in memory."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The complete reply of a server."""

    status: int
    body: bytes
    retry_after_s: float | None = None


class HttpTransport:
    """A pool of connections to the servers of a run; ``log_send`` records each request before it goes out."""

    def __init__(
        self,
        guard: s3harness.Guard,
        *,
        max_connections: int,
        key: str,
        proxy: str,
        log_send: Callable[[str, int, str], None],
    ) -> None:
        self._log_send = log_send
        self._headers = [("Accept", "application/json"), ("User-Agent", "s3harness")]
        self._headers += [("Authorization", f"Bearer {key}")] if key else []
        self._pool = httpcore2.AsyncConnectionPool(
            proxy=httpcore2.Proxy(proxy) if proxy else None,
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=_GuardedBackend(guard),
        )
        self._body_queues: defaultdict[str, _BodyQueue] = defaultdict(_BodyQueue)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def get(self, url: str, timeout_s: float) -> Reply:
        """Send a GET and return the reply; raises as :meth:`post` does."""
        return await self._request("GET", url, (), timeout_s, "")

    async def post(self, url: str, body: Body, timeout_s: float, request_id: str = "") -> Reply:
        """Send a POST of JSON and return the reply; ``request_id`` names the request in the audit log.

        Raises :class:`Unreachable` if nothing could be sent, :class:`ServerTimeout` and :class:`ServerError` if no
        complete reply came, and :class:`s3harness.UsageError` if the address leads to a host that was not allowed.
        """
        return await self._request("POST", url, body, timeout_s, request_id)

    async def _request(self, method: str, url: str, body: Body, timeout_s: float, request_id: str) -> Reply:
        host = urlsplit(url).netloc
        length = sum(map(len, body))
        headers = [("Host", host), *self._headers]
        if body:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(length))]
        mark_sent = await self._body_queues[host].enter() if body else _do_nothing
        try:
            # Logged before sending: what the log cannot hold must not leave this machine.
            self._log_send(host, length, request_id)
            async with (
                # httpcore2's timeouts count each read anew, so a server that sends byte by byte needs a limit in all.
                asyncio.timeout(timeout_s),
                self._pool.stream(
                    method,
                    url,
                    headers=headers,
                    content=_chunks(body, mark_sent) if body else None,
                    extensions={
                        "timeout": {"connect": min(CONNECT_TIMEOUT_S, timeout_s), "read": timeout_s, "write": timeout_s}
                    },
                ) as reply,
            ):
                whole = await _read(reply.aiter_stream())
                # llama-server with cpp-httplib 0.27 answers 503 while it loads, then takes the body that it did
                # not read for another request and sends a second reply (llama.cpp issue 17388). The flag is set here,
                # before the pool gets the connection back and gives it to another request.
                if reply.status != 200:
                    cast("CountingStream", reply.extensions["network_stream"]).is_reusable = False
                return Reply(reply.status, whole, _retry_after_s(reply.headers))
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.ProxyError) as error:
            raise Unreachable(_describe(error)) from error
        except (TimeoutError, httpcore2.TimeoutException) as error:
            raise ServerTimeout(f"no answer within {timeout_s:g} s") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise ServerError(f"the connection broke: {_describe(error)}") from error
        finally:
            # A request that fails before its body is sent must not hold up the next body.
            mark_sent()


class _BodyQueue:
    """Sends request bodies one after the other: sent at once they share the bandwidth, and the first may end last."""

    def __init__(self) -> None:
        self._last: asyncio.Event | None = None

    async def enter(self) -> Callable[[], None]:
        """Wait for the body before this one; return the function to call when this body is sent."""
        previous, own = self._last, asyncio.Event()
        self._last = own  # before the first await, or two bodies would wait for the same one
        if previous is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BODY_QUEUE_TIMEOUT_S):
                    await previous.wait()
        return own.set


class CountingStream(httpcore2.AsyncNetworkStream):
    """A connection that is not used again after a reply with more bytes than its head announces.

    httpcore2 2.16 keeps such bytes, and takes them for the reply to the next request. Before it uses a connection again
    it asks whether there is something to read, and closes it if so: a surplus, and ``is_reusable = False``, say yes.
    """

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self._counter = _ReplyCounter()
        self._is_sending = False
        self.is_reusable = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read and count the next bytes."""
        data = await self._inner.read(max_bytes, timeout)
        self._is_sending = False
        self._counter.add(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes; the first ones after a read begin another request, and the count starts anew."""
        if not self._is_sending:
            self._is_sending, self._counter = True, _ReplyCounter()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Return this connection with encryption; the bytes counted are those inside of it."""
        return CountingStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Return a property of the connection; ``is_readable`` makes httpcore2 close it instead of using it again."""
        must_close = info == "is_readable" and (not self.is_reusable or self._counter.has_surplus)
        return must_close or self._inner.get_extra_info(info)


class _ReplyCounter:
    """Counts the bytes of one reply against the length that its head announces."""

    def __init__(self) -> None:
        self._head = b""
        self._remaining: int | None = None
        self._tail = b""
        self._is_chunked = False

    def add(self, data: bytes) -> None:
        if self._remaining is not None:
            self._remaining -= len(data)
        elif self._is_chunked:
            self._tail = (self._tail + data)[-5:]
        elif len(self._head) <= MAX_HEAD_BYTES:
            self._head += data
            self._parse_head()

    def _parse_head(self) -> None:
        head, end, body = self._head.partition(b"\r\n\r\n")
        # Informational replies (100, 103) have no body and only announce the real one. A loop and no recursion, because
        # a server may send thousands of them at once.
        while end and (status := _STATUS.match(head)) and status[1].startswith(b"1"):
            self._head = body
            head, end, body = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        if length := _CONTENT_LENGTH.search(head + b"\r\n"):
            self._remaining = int(length[1]) - len(body)
        elif _CHUNKED.search(head + b"\r\n"):
            self._is_chunked, self._tail = True, body[-5:]

    @property
    def has_surplus(self) -> bool:
        """Tell whether bytes came after the end of the reply."""
        # A reply without a length ends where the server closes the connection, so nothing can follow it.
        return (self._remaining is not None and self._remaining < 0) or (
            self._is_chunked and self._tail != b"0\r\n\r\n"
        )


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that the guard allows, and to no others."""

    def __init__(self, guard: s3harness.Guard) -> None:
        self._guard = guard
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to an allowed address of a host, and check the address of the connection once more."""
        last_error: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in await self._addresses(host, port):
            # The address and not the name is given, because a name may resolve to another address the next time.
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last_error = error
                continue
            try:
                self._guard.check(host, stream.get_extra_info("server_addr")[0])
            except BaseException:
                await stream.aclose()
                raise
            return CountingStream(stream)
        raise last_error

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        # Name resolution blocks, for seconds where a name server is away.
        try:
            return await asyncio.to_thread(self._guard.addresses, host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} has no address: {error.strerror}") from error


async def _chunks(body: Body, mark_sent: Callable[[], None]) -> AsyncIterator[bytes]:
    for part in body:
        for start in range(0, len(part), CHUNK_BYTES):
            yield part[start : start + CHUNK_BYTES]
    # httpcore2 asks for the next chunk when the last one is written, so here the whole body is out.
    mark_sent()


async def _read(stream: AsyncIterator[bytes]) -> bytes:
    parts, length = [], 0
    async for part in stream:
        parts.append(part)
        length += len(part)
        if length > MAX_REPLY_BYTES:
            raise ServerError(f"the reply is longer than {MAX_REPLY_BYTES >> 20} MB")
    return b"".join(parts)


def _retry_after_s(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Return the seconds to wait that a server asks for, which it gives in milliseconds, in seconds, or as a date."""
    values = {name.lower(): value.decode("latin-1").strip() for name, value in headers}
    try:
        # Azure and OpenAI send milliseconds too, which are the more precise.
        if b"retry-after-ms" in values:
            return max(0.0, float(values[b"retry-after-ms"]) / 1000)
        return max(0.0, float(values[b"retry-after"])) if b"retry-after" in values else None
    except ValueError:
        return _seconds_until(values.get(b"retry-after", ""))


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _do_nothing() -> None:
    pass


def _describe(error: BaseException) -> str:
    # Some of httpcore2's errors have no text.
    return str(error) or type(error).__name__
