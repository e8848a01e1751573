"""OpenAI's client, one for each server of a run, over one guarded pool of connections."""

from __future__ import annotations

import email.utils
import gc
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

import s3harness
from s3harness_openai.options import OpenAIOptions
from s3harness_openai.transport import REQUEST_ID, GuardedTransport

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_TIMEOUT_S = 10.0

CHUNK_BYTES = 4 * 1024**2
"""A body is written in chunks of this size, each when the one before is sent, so that no more of it waits in memory.
Chunks of 256 kB make sending half as costly again."""

Body = Sequence[bytes]
"""A body in parts, so that a part that many bodies share exists once in memory."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The complete reply of a server."""

    status: int
    body: bytes
    retry_after_s: float | None = None


class ServerClient:
    """Sends each request once, by OpenAI's client for the server's address; errors are those of the transport."""

    def __init__(self, options: OpenAIOptions, transport: GuardedTransport) -> None:
        self._options, self._key = options, options.api_key()
        self._has_key = bool(self._key or options.azure_token())
        # Without trust_env=False, proxies and keys (.netrc) of the environment would come into play.
        self._http = httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
        self._clients: dict[str, AsyncOpenAI] = {}
        _import_openai()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(self, server: str, path: str, timeout_s: float) -> Reply:
        """Send a GET to a path below the address of a server, or to an address, and return the reply."""
        return await self._send(server, "GET", path, timeout_s)

    async def post(
        self,
        server: str,
        path: str,
        body: Body,
        timeout_s: float,
        *,
        request_id: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a POST of JSON and return the reply; ``request_id`` names the request in the audit log."""
        REQUEST_ID.set(request_id)
        length = {"Content-Length": str(sum(map(len, body))), "Content-Type": "application/json"}
        return await self._send(server, "POST", path, timeout_s, body, {**length, **(headers or {})})

    async def _send(
        self,
        server: str,
        method: str,
        path: str,
        timeout_s: float,
        body: Body = (),
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        from openai import APIStatusError, Omit

        client = self._clients.get(server) or self._connect(server)
        # OpenAI's client takes no empty key, and servers that need none must not get another one.
        no_key = {} if self._has_key else {"Authorization": Omit()}
        options: Any = {
            "headers": {"Accept-Encoding": "identity", **(headers or {}), **no_key},
            "timeout": httpx2.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
        }
        try:
            if method == "GET":
                response = await client.get(path, cast_to=httpx2.Response, options=options)
            else:
                response = await client.post(path, cast_to=httpx2.Response, content=_chunks(body), options=options)
        except APIStatusError as error:
            response = error.response
        return Reply(response.status_code, response.content, retry_after_s(response.headers))

    def _connect(self, server: str) -> AsyncOpenAI:
        """Return a new client for a server; the environment of OpenAI's client counts for its own addresses alone."""
        from openai import AsyncAzureOpenAI, AsyncOpenAI, OpenAIError

        options = self._options
        common: Any = {"default_headers": dict(options.headers), "max_retries": 0, "http_client": self._http}
        client: AsyncOpenAI
        if options.api_version:
            try:
                client = AsyncAzureOpenAI(
                    azure_endpoint=server,
                    azure_deployment=options.model,
                    api_version=options.api_version,
                    api_key=self._key or None,
                    azure_ad_token=None if self._key else options.azure_token() or None,
                    **common,
                )
            except OpenAIError as error:
                raise s3harness.UsageError(f"Azure wants a key: -o api_key_env=NAME ({error})") from None
        else:
            client = AsyncOpenAI(base_url=server, api_key=self._key or "none", **common)
        # Set afterwards, because the client takes those of the environment instead of none.
        client.organization, client.project = options.account()
        self._clients[server] = client
        return client


def _import_openai() -> None:
    """Import OpenAI's client, which is not done above because it takes most of a second."""
    # It defines hundreds of classes: collecting garbage meanwhile takes a quarter of the time (openai 3.57), and going
    # through them again in every later collection some more.
    gc.disable()
    try:
        import openai  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()


async def _chunks(body: Body) -> AsyncIterator[bytes]:
    for part in body:
        for start in range(0, len(part), CHUNK_BYTES):
            yield part[start : start + CHUNK_BYTES]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that a server asks for, which it gives in milliseconds, in seconds, or as a date."""
    value = headers.get("retry-after", "").strip()
    try:
        # Azure and OpenAI send milliseconds too, which are the more precise.
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(value)) if value else None
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
