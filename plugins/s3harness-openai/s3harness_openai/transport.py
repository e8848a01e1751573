"""HTTP to servers: pooled connections, each checked when it is made; no redirects, no proxies of the environment."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httpcore2

import s3harness
from s3harness_openai.errors import Faulty, Slow, Unreachable
from s3harness_openai.line import Line

CONNECT_S = 10.0
KEEP_ALIVE_S = 60.0
MOST_BYTES = 32 * 1024**2
"""No answer is longer than this."""

PIECE_BYTES = 4 * 1024**2
"""A body is written in such pieces, each when the one before it is out: no more of it waits in memory. Pieces of 256 kB
make sending half as costly again."""

OK = 200

TURN_S = 0.5
"""No body waits longer than this for the one before it."""

Place = Literal["new", "repeated", "unknown"]
"""Of a reply: it is new, it came before, or nobody could tell that it did; the latter two are the last of their
connection."""

Placing = Callable[[bytes, bytes], Place]
"""Says it of a body, given that of what came before over the same connection."""

Body = Sequence[bytes]
"""A body in parts, so that what is the same in many bodies exists once."""


def _unknown(_body: bytes, _last: bytes) -> Place:
    """What is said where nobody looks: the connection is not kept."""
    return "unknown"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server replied, whole. ``place`` is whether it is the answer to what was asked, as far as can be told."""

    status: int
    body: bytes
    retry_after_s: float | None = None
    place: Place = "new"


class Wire:
    """A pool of connections to the servers of a run."""

    def __init__(
        self, guard: s3harness.Guard, *, most: int, key: str, proxy: str, sent: Callable[[str, int, str], None]
    ) -> None:
        self._sent = sent
        self._headers = [("Accept", "application/json"), ("User-Agent", "s3harness")]
        self._headers += [("Authorization", f"Bearer {key}")] if key else []
        self._pool = httpcore2.AsyncConnectionPool(
            proxy=httpcore2.Proxy(proxy) if proxy else None,
            max_connections=most,
            max_keepalive_connections=most,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=_Guarded(guard),
        )
        self._turns: defaultdict[str, _Turns] = defaultdict(_Turns)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def get(self, url: str, timeout_s: float) -> Reply:
        """The reply to a GET."""
        return await self._ask("GET", url, (), timeout_s, "", _unknown)

    async def post(
        self,
        url: str,
        body: Body,
        timeout_s: float,
        request_id: str = "",
        place: Placing = _unknown,
    ) -> Reply:
        """The reply to a POST of JSON, which asks the request of an id; ``place`` says it of the body of a reply.

        Raises :class:`Unreachable` if nothing could be sent, :class:`Slow` and :class:`Faulty` if no whole reply came,
        and :class:`s3harness.UsageError` if the address leads to a host that was not named.
        """
        return await self._ask("POST", url, body, timeout_s, request_id, place)

    async def _ask(
        self,
        method: str,
        url: str,
        body: Body,
        timeout_s: float,
        request_id: str,
        place: Placing,
    ) -> Reply:
        length = sum(map(len, body))
        headers = [("Host", urlsplit(url).netloc), *self._headers]
        if body:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(length))]
        is_out = await self._turns[urlsplit(url).netloc].take() if body else _nothing
        try:
            self._sent(urlsplit(url).netloc, length, request_id)
            async with (
                asyncio.timeout(timeout_s),
                self._pool.stream(
                    method,
                    url,
                    headers=headers,
                    content=_pieces(body, is_out) if body else None,
                    extensions={
                        "timeout": {"connect": min(CONNECT_S, timeout_s), "read": timeout_s, "write": timeout_s}
                    },
                ) as reply,
            ):
                whole = await _read(reply.aiter_stream())
                line = cast("Line", reply.extensions["network_stream"])
                found = place(whole, line.last) if reply.status == OK else "unknown"
                line.last = whole
                line.is_spoilt = found != "new"  # before the pool has it back and gives it to another request
                return Reply(reply.status, whole, _retry_after_s(reply.headers), found)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.ProxyError) as error:
            raise Unreachable(_why(error)) from error
        except (TimeoutError, httpcore2.TimeoutException) as error:
            raise Slow(f"no answer within {timeout_s:g} s") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise Faulty(f"the connection broke: {_why(error)}") from error
        finally:
            is_out()


class _Turns:
    """Lets bodies out one after the other, so that they come in the order of asking and the first is not the last."""

    def __init__(self) -> None:
        self._last: asyncio.Event | None = None

    async def take(self) -> Callable[[], None]:
        """Wait for the body before this one; what is returned is to be called when this one is out."""
        before, mine = self._last, asyncio.Event()
        self._last = mine
        if before is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN_S):
                    await before.wait()
        return mine.set


class _Guarded(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses alone."""

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
        """A connection to a host, to the address that was checked; checked again when it is there."""
        trouble: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in await self._addresses(host, port):
            try:
                stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
                continue
            try:
                self._guard.check(host, stream.get_extra_info("server_addr")[0])
            except BaseException:
                await stream.aclose()
                raise
            return Line(stream)
        raise trouble

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        try:
            return await asyncio.to_thread(self._guard.addresses, host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} has no address: {error.strerror}") from error


async def _pieces(body: Body, is_out: Callable[[], None]) -> AsyncIterator[bytes]:
    for part in body:
        for start in range(0, len(part), PIECE_BYTES):
            yield part[start : start + PIECE_BYTES]
    is_out()


async def _read(stream: AsyncIterator[bytes]) -> bytes:
    parts, length = [], 0
    async for part in stream:
        parts.append(part)
        length += len(part)
        if length > MOST_BYTES:
            raise Faulty(f"the reply is longer than {MOST_BYTES >> 20} MB")
    return b"".join(parts)


def _retry_after_s(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """The wait that a server asks for, given in milliseconds, in seconds, or as a date."""
    given = {name.lower(): value.decode("latin-1").strip() for name, value in headers}
    try:
        if b"retry-after-ms" in given:
            return max(0.0, float(given[b"retry-after-ms"]) / 1000)
        return max(0.0, float(given[b"retry-after"])) if b"retry-after" in given else None
    except ValueError:
        return _until(given.get(b"retry-after", ""))


def _until(date: str) -> float | None:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _nothing() -> None:
    pass


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__
