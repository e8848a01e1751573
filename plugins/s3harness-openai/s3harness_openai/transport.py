"""HTTP transport under OpenAI's client: checked addresses, whole replies, and an audit log."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from typing import Any, cast

import anyio
import h11
import httpcore2
import httpx2

import s3harness
from s3harness_openai.errors import Rejected, ServerError, ServerTimeout, Unreachable

KEEP_ALIVE_S = 60.0
MAX_REPLY_BYTES = 32 * 1024**2
"""No answer is longer than this; a reply without an end would fill the memory."""

BODY_QUEUE_TIMEOUT_S = 0.5
"""No body waits longer than this for the one before it, which may go to a server that stopped reading."""

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The request of the run that is being sent, for the audit log; it never goes out itself."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """A pool of connections to the servers of a run; ``log_send`` records each request before it goes out.

    Raises :class:`Unreachable` if nothing could be sent, :class:`ServerTimeout` and :class:`ServerError` if no complete
    reply came, and :class:`s3harness.UsageError` if the address leads to a host that was not allowed.
    """

    def __init__(
        self,
        guard: s3harness.Guard,
        *,
        proxy: str,
        log_send: Callable[[str, int, str], None],
    ) -> None:
        self._log_send = log_send
        self._pool = httpcore2.AsyncConnectionPool(
            proxy=httpcore2.Proxy(proxy) if proxy else None,
            max_connections=None,  # the pool of servers limits the requests in flight
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=_GuardedBackend(guard),
        )
        self._body_queues: defaultdict[bytes, _BodyQueue] = defaultdict(_BodyQueue)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its complete reply, decompressed."""
        length = int(request.headers.get("Content-Length", 0))
        timeout_s = request.extensions["timeout"]["read"]
        host = request.url.netloc
        mark_sent = await self._body_queues[host].enter() if length else _do_nothing
        try:
            # Logged before sending: what the log cannot hold must not leave this machine.
            self._log_send(host.decode(), length, REQUEST_ID.get())
            async with (
                # httpcore2's timeouts count each read anew, so a server that sends byte by byte needs a limit in all.
                asyncio.timeout(timeout_s),
                self._pool.stream(
                    request.method,
                    str(request.url),
                    headers=request.headers.raw,
                    content=_marked(cast("httpx2.AsyncByteStream", request.stream), mark_sent) if length else None,
                    extensions=request.extensions,
                ) as reply,
            ):
                response = await _complete(reply)
                # llama-server with cpp-httplib 0.27 answers 503 while it loads, then takes the body that it did
                # not read for another request and sends a second reply (llama.cpp issue 17388). The flag is set here,
                # before the pool gets the connection back and gives it to another request.
                if reply.status != 200:
                    cast("CheckedStream", reply.extensions["network_stream"]).is_reusable = False
                return response
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.ProxyError) as error:
            raise Unreachable(_describe(error)) from error
        except (TimeoutError, httpcore2.TimeoutException) as error:
            raise ServerTimeout(f"no answer within {timeout_s:g} s") from error
        # anyio's errors of TLS connections pass through httpcore2 2.16 as they are.
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, anyio.EndOfStream) as error:
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


class CheckedStream(httpcore2.AsyncNetworkStream):
    """A connection that is not used again after a reply with more bytes than its head announces.

    httpcore2 2.16 keeps such bytes, and takes them for the reply to the next request. Before it uses a connection again
    it asks whether there is something to read, and closes it if so: a surplus, and ``is_reusable = False``, say yes.
    """

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self._parser: h11.Connection | None = None
        self.is_reusable = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read the next bytes, and follow where the reply ends."""
        data = await self._inner.read(max_bytes, timeout)
        self._parser = self._parser or _reply_parser()
        try:
            self._parser.receive_data(data)
            event: object = None
            while event not in (h11.NEED_DATA, h11.PAUSED) and not isinstance(event, h11.ConnectionClosed):
                event = self._parser.next_event()
        except h11.RemoteProtocolError:
            self.is_reusable = False  # httpcore2 meets the same error, and reports it
        if self._parser.their_state is h11.DONE and self._parser.trailing_data[0]:
            self.is_reusable = False
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes, to which the next bytes read are the reply."""
        self._parser = None
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Return this connection with encryption; replies are followed inside of it."""
        return CheckedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Return a property of the connection; ``is_readable`` makes httpcore2 close it instead of using it again."""
        return (info == "is_readable" and not self.is_reusable) or self._inner.get_extra_info(info)


def _reply_parser() -> h11.Connection:
    """Return a parser that expects the reply to a request."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="POST", target="/", headers=[("Host", "")]))
    parser.send(h11.EndOfMessage())
    return parser


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
            return CheckedStream(stream)
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


async def _marked(body: AsyncIterable[bytes], mark_sent: Callable[[], None]) -> AsyncIterator[bytes]:
    async for part in body:
        yield part
    # httpcore2 asks for the next chunk when the last one is written, so here the whole body is out.
    mark_sent()


async def _complete(reply: httpcore2.Response) -> httpx2.Response:
    """Return a reply with its whole body, decompressed."""
    coding = httpx2.Headers(reply.headers).get("Content-Encoding", "identity").strip().lower()
    # httpx2 would hand on compressed bytes that it cannot read as if they were the text.
    if coding not in ("identity", "gzip", "x-gzip", "deflate", ""):
        raise Rejected(f"the server compresses its replies as {coding}, though that was not requested; switch it off")
    coded = httpx2.Response(reply.status, headers=reply.headers, stream=_Stream(reply))
    body = bytearray()
    try:
        async for part in coded.aiter_bytes():
            body += part
            if len(body) > MAX_REPLY_BYTES:
                raise ServerError(f"the reply is longer than {MAX_REPLY_BYTES >> 20} MB")
    except httpx2.DecodingError as error:
        raise ServerError(f"the reply cannot be decompressed: {error}") from error
    headers = [
        (name, value)
        for name, value in reply.headers
        if name.lower() not in (b"content-encoding", b"content-length", b"transfer-encoding")
    ]
    return httpx2.Response(reply.status, headers=headers, content=bytes(body))


class _Stream(httpx2.AsyncByteStream):
    """The body of a reply as httpx2 reads it."""

    def __init__(self, reply: httpcore2.Response) -> None:
        self._reply = reply

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._reply.aiter_stream()


def _do_nothing() -> None:
    pass


def _describe(error: BaseException) -> str:
    # Some of httpcore2's errors have no text.
    return str(error) or type(error).__name__
