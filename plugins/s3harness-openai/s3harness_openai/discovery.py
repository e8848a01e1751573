"""Discover the servers before the first request: which engine they are, which model they serve, what they take."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import s3harness
from s3harness_openai.errors import TransientError, Unreachable, quote
from s3harness_openai.media_parts import frame_times
from s3harness_openai.options import OpenAIOptions
from s3harness_openai.served import ListedModel, choose_model, identity
from s3harness_openai.server_pool import Server, ServerPool
from s3harness_openai.transport import HttpTransport, Reply

LIST_TIMEOUT_S = 10.0
RETRY_INTERVAL_S = 1.0

TEST_SIDE = 112
"""Width and height of the test frames: divisible by 14, 16 and 28, the patch sizes of common vision encoders."""

TEST_TIMEOUT_S = 300.0
"""A server that has just started is slow with its first prompt."""

PREFIX_CACHING = frozenset({"vllm", "sglang", "lmdeploy"})
"""Engines that reuse what they computed for a clip, by the name that each gives itself."""

VERSION_ENDPOINTS = {
    "vllm": ("/version", "version"),
    "sglang": ("/get_server_info", "version"),
    "llamacpp": ("/props", "build_info"),
}
"""Path and field of the version of each engine, by the name that it gives itself."""

UNAVAILABLE = frozenset({502, 503, 504})
"""Status of a server that is still starting, or of a gateway that has no server behind it."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The model of the servers, their engine by the name that it gives itself, and its version where known."""

    model: str
    engine: str
    version: str = ""

    @property
    def is_vllm(self) -> bool:
        """Tell whether the engine is vLLM, which takes video with times, media ids and choices."""
        return self.engine == "vllm"

    @property
    def caches_prefixes(self) -> bool:
        """Tell whether the first prompt of a clip saves the engine work for the clip's other prompts."""
        return self.engine in PREFIX_CACHING


async def discover(
    *,
    pool: ServerPool,
    transport: HttpTransport,
    options: OpenAIOptions,
    card: s3harness.ModelCard,
    report_status: Callable[[str], None],
    redact: s3harness.Redactor,
) -> ServerInfo:
    """Ask all servers for their model, and set the identity of each; one that is away is probed further.

    Raises :class:`s3harness.S3HarnessError` if none is there in time, if one wants a key or does not have the model.
    """
    lists = await _list_models(pool, transport, options, report_status, redact)
    model = choose_model(card, lists, options.model)
    for server in pool.servers:
        if server.url in lists:
            await _identify(transport, server, card, model, lists[server.url])
    first = next(server for server in pool.servers if server.url in lists)
    return ServerInfo(model, str(first.identity.get("server", "")), str(first.identity.get("version", "")))


async def is_back(
    transport: HttpTransport, server: Server, card: s3harness.ModelCard, model: str, redact: s3harness.Redactor
) -> bool:
    """Probe a server that was away: tell whether it answers, and with the same model."""
    try:
        reply = await transport.get(f"{server.url}/models", LIST_TIMEOUT_S)
        if reply.status in UNAVAILABLE:
            return False
        models = _parse_models(server.url, reply, redact)
    except (TransientError, s3harness.S3HarnessError):
        return False
    # The model is not chosen yet while the other servers are being discovered.
    if not model:
        return False
    names = [str(entry.get("id")) for entry in models]
    # It may have been restarted with another model.
    if names and model not in names:
        server.unreachable = f"it is there again, but serves {', '.join(names)} instead of {model}"
        return False
    await _identify(transport, server, card, model, models)
    return True


async def check_video(transport: HttpTransport, server: Server, model: str, redact: s3harness.Redactor) -> None:
    """Send vLLM two grey frames with their times; :class:`s3harness.S3HarnessError` if it does not take them."""
    # Without --trust-request-mm-kwargs, vLLM takes the first 32 frames and places them a second apart: such answers
    # would look right and be about other times, so a run must not begin.
    clip = s3harness.Clip("", 0.0, 1.0, (0.0, 0.5), TEST_SIDE**2)
    url = {"url": f"data:video/jpeg;base64,{','.join([_grey_jpeg()] * 2)}"}
    content: list[object] = [{"type": "video_url", "video_url": url}, {"type": "text", "text": "?"}]
    fields = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1, "temperature": 0}
    fields["media_io_kwargs"] = {"video": frame_times(clip.timestamps, clip)}
    try:
        reply = await transport.post(f"{server.url}/chat/completions", [json.dumps(fields).encode()], TEST_TIMEOUT_S)
    except TransientError as error:
        raise s3harness.S3HarnessError(f"the server {server.url} did not answer a test request: {error}") from None
    if reply.status != 200:
        raise _no_video_error(server.url, quote(reply.body.decode("utf-8", "replace"), redact))


async def _identify(
    transport: HttpTransport, server: Server, card: s3harness.ModelCard, model: str, entries: Sequence[ListedModel]
) -> None:
    """Set the identity of a server from its list of models and its version."""
    entry = next((entry for entry in entries if entry.get("id") == model), {})
    engine = str(entry.get("owned_by") or "").lower()
    version = await _version(transport, server.url, *VERSION_ENDPOINTS[engine]) if engine in VERSION_ENDPOINTS else ""
    server.identity = identity(card, model, entry, engine, version)


def _no_video_error(url: str, message: str) -> s3harness.S3HarnessError:
    if "trust-request-mm-kwargs" in message:
        return s3harness.S3HarnessError(
            f"the vLLM server {url} ignores the times of frames, and would take the first 32 as a second apart; start "
            "it with --trust-request-mm-kwargs, or send single images: -o media=frames"
        )
    return s3harness.S3HarnessError(
        f"the vLLM server {url} does not take video as a sequence of images; send single images instead, "
        f"-o media=frames, or a file, -o media=mp4; its message: {message}"
    )


async def _list_models(
    pool: ServerPool,
    transport: HttpTransport,
    options: OpenAIOptions,
    report_status: Callable[[str], None],
    redact: s3harness.Redactor,
) -> Mapping[str, Sequence[ListedModel]]:
    """Return the models of each server that is there, by its address."""
    deadline = time.monotonic() + options.wait_s
    while True:
        results = await asyncio.gather(*(_request_list(transport, server) for server in pool.servers))
        replies = {s.url: reply for s, reply in zip(pool.servers, results, strict=True) if isinstance(reply, Reply)}
        if replies:
            break
        reasons = "; ".join(f"{server.url}: {error}" for server, error in zip(pool.servers, results, strict=True))
        if time.monotonic() >= deadline:
            raise s3harness.S3HarnessError(
                f"no server is there ({quote(reasons, redact)}); start it, give its address with -o base_url=ADDRESS, "
                "or wait for it with -o wait_s=SECONDS"
            )
        report_status("waiting for a server")
        await asyncio.sleep(RETRY_INTERVAL_S)
    for server, result in zip(pool.servers, results, strict=True):
        if not isinstance(result, Reply):
            pool.mark_unreachable(server, result)
    return {url: _parse_models(url, reply, redact) for url, reply in replies.items()}


async def _request_list(transport: HttpTransport, server: Server) -> Reply | TransientError:
    # The error is returned, so that one server that is away does not cancel the requests to the others.
    try:
        reply = await transport.get(f"{server.url}/models", LIST_TIMEOUT_S)
    except TransientError as error:
        return error
    return Unreachable(f"HTTP {reply.status}") if reply.status in UNAVAILABLE else reply


def _parse_models(url: str, reply: Reply, redact: s3harness.Redactor) -> Sequence[ListedModel]:
    """Return the entries of a server's list of models; none where it has no such list."""
    if reply.status in (401, 403):
        raise s3harness.S3HarnessError(
            f"the server {url} wants a key (HTTP {reply.status}); put it into a variable of the environment and name "
            "that: -o api_key_env=NAME"
        )
    if 300 <= reply.status < 400:
        raise s3harness.S3HarnessError(f"the server {url} redirects to another address; use that one with -o base_url")
    # Any other status may come from a server that has no list, and answers completions all the same.
    try:
        data = s3harness.parse_json(reply.body) if reply.status == 200 else {}
    except ValueError:
        text = quote(reply.body.decode("utf-8", "replace"), redact)
        raise s3harness.S3HarnessError(f"the server {url} is no OpenAI-compatible server; it answers: {text}") from None
    entries = data.get("data") if isinstance(data, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


async def _version(transport: HttpTransport, url: str, path: str, field: str) -> str:
    """Return the version of an engine, empty where it does not report one: a run goes without it."""
    parts = urlsplit(url)
    # These endpoints stand beside /v1 and not below it.
    try:
        reply = await transport.get(f"{parts.scheme}://{parts.netloc}{path}", LIST_TIMEOUT_S)
        return str(s3harness.parse_json(reply.body)[field])
    except (TransientError, s3harness.S3HarnessError, ValueError, KeyError, TypeError):
        return ""


def _grey_jpeg() -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (TEST_SIDE, TEST_SIDE), (127, 127, 127)).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()
