"""Discover the servers before the first request: which engine they are, which model they serve, what they take."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote as quote_url
from urllib.parse import urlsplit

import s3harness
from s3harness_openai.client import Reply, ServerClient
from s3harness_openai.engines import ENGINES, UNKNOWN, Engine
from s3harness_openai.errors import TransientError, Unreachable, quote
from s3harness_openai.media_parts import frame_times
from s3harness_openai.options import OpenAIOptions
from s3harness_openai.served import ListedModel, choose_model, identity
from s3harness_openai.server_pool import Server, ServerPool

LIST_TIMEOUT_S = 10.0
RETRY_INTERVAL_S = 1.0

MAX_PAGES = 50
"""A list of models that never ends is not followed further."""

TEST_SIDE = 112
"""Width and height of the test frames: divisible by 14, 16 and 28, the patch sizes of common vision encoders."""

TEST_TIMEOUT_S = 300.0
"""A server that has just started is slow with its first prompt."""

UNAVAILABLE = frozenset({502, 503, 504})
"""Status of a server that is still starting, or of a gateway that has no server behind it."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The model of the servers, their engine by the name that it gives itself, and its version where known.

    ``base`` is the model on which the served one is a LoRA adapter, by its name on the server; empty if it is none.
    """

    model: str
    name: str
    version: str = ""
    base: str = ""

    @property
    def engine(self) -> Engine:
        """The engine, by its name."""
        return ENGINES.get(self.name, UNKNOWN)


async def discover(
    *,
    pool: ServerPool,
    client: ServerClient,
    options: OpenAIOptions,
    card: s3harness.ModelCard,
    report_status: Callable[[str], None],
    redact: s3harness.Redactor,
) -> ServerInfo:
    """Ask all servers for their model, and set the identity of each; one that is away is probed further.

    Raises :class:`s3harness.S3HarnessError` if none is there in time, if one wants a key or does not have the model.
    """
    lists = await _list_models(pool, client, options, report_status, redact)
    model = choose_model(card, lists, options.model)
    for server in pool.servers:
        if server.url in lists:
            await _identify(client, server, card, model, lists[server.url])
    first = next(server for server in pool.servers if server.url in lists)
    entry = next((entry for entry in lists[first.url] if entry.get("id") == model), {})
    return ServerInfo(
        model,
        str(first.identity.get("server", "")),
        str(first.identity.get("version", "")),
        base=str(entry.get("parent") or ""),
    )


async def is_back(
    client: ServerClient, server: Server, card: s3harness.ModelCard, model: str, redact: s3harness.Redactor
) -> bool:
    """Probe a server that was away: tell whether it answers, and with the same model."""
    try:
        models = await _models(client, server, redact)
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
    await _identify(client, server, card, model, models)
    return True


async def check_video(client: ServerClient, server: Server, model: str, redact: s3harness.Redactor) -> None:
    """Send vLLM two grey frames with their times; :class:`s3harness.S3HarnessError` if it does not take them."""
    # Without --trust-request-mm-kwargs, vLLM takes the first 32 frames and places them a second apart: such answers
    # would look right and be about other times, so a run must not begin.
    clip = s3harness.Clip("", 0.0, 1.0, (0.0, 0.5), TEST_SIDE**2)
    url = {"url": f"data:video/jpeg;base64,{','.join([_grey_jpeg()] * 2)}"}
    content: list[object] = [{"type": "video_url", "video_url": url}, {"type": "text", "text": "?"}]
    fields = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1, "temperature": 0}
    fields["media_io_kwargs"] = {"video": frame_times(clip.timestamps, clip)}
    try:
        reply = await client.post(server.url, "/chat/completions", [json.dumps(fields).encode()], TEST_TIMEOUT_S)
    except TransientError as error:
        raise s3harness.S3HarnessError(f"the server {server.url} did not answer a test request: {error}") from None
    if reply.status != 200:
        raise _no_video_error(server.url, quote(reply.body.decode("utf-8", "replace"), redact))


async def _identify(
    client: ServerClient, server: Server, card: s3harness.ModelCard, model: str, entries: Sequence[ListedModel]
) -> None:
    """Set the identity of a server from its list of models and its version."""
    entry = next((entry for entry in entries if entry.get("id") == model), {})
    engine = str(entry.get("owned_by") or "").lower()
    endpoint = ENGINES.get(engine, UNKNOWN).version
    version = await _version(client, server.url, *endpoint) if endpoint else ""
    server.identity = identity(card, model, entry, engine, version)


async def count_replicas(client: ServerClient, url: str, engine: Engine) -> int:
    """Return the number of data-parallel replicas behind the address of a server, 1 where it tells of none."""
    if engine.replicas is None:
        return 1
    path, count = engine.replicas
    return max(1, count(await _text(client, url, path)))


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
    client: ServerClient,
    options: OpenAIOptions,
    report_status: Callable[[str], None],
    redact: s3harness.Redactor,
) -> Mapping[str, Sequence[ListedModel]]:
    """Return the models of each server that is there, by its address."""
    deadline = time.monotonic() + options.wait_s
    while True:
        results = await asyncio.gather(*(_models_or_error(client, server, redact) for server in pool.servers))
        errors = {s: each for s, each in zip(pool.servers, results, strict=True) if isinstance(each, TransientError)}
        if len(errors) < len(results):
            break
        reasons = "; ".join(f"{server.url}: {error}" for server, error in errors.items())
        if time.monotonic() >= deadline:
            raise s3harness.S3HarnessError(
                f"no server is there ({quote(reasons, redact)}); start it, give its address with -o base_url=ADDRESS, "
                "or wait for it with -o wait_s=SECONDS"
            )
        report_status("waiting for a server")
        await asyncio.sleep(RETRY_INTERVAL_S)
    for server, error in errors.items():
        pool.mark_unreachable(server, error)
    return {s.url: each for s, each in zip(pool.servers, results, strict=True) if not isinstance(each, TransientError)}


async def _models_or_error(
    client: ServerClient, server: Server, redact: s3harness.Redactor
) -> Sequence[ListedModel] | TransientError:
    # The error is returned, so that one server that is away does not cancel the requests to the others.
    try:
        return await _models(client, server, redact)
    except TransientError as error:
        return error


async def _models(client: ServerClient, server: Server, redact: s3harness.Redactor) -> Sequence[ListedModel]:
    """Return the entries of a server's list of models, of all its pages; none where it has no such list."""
    entries: list[ListedModel] = []
    path = "/models"
    for _ in range(MAX_PAGES):
        reply = await client.get(server.url, path, LIST_TIMEOUT_S)
        if reply.status in UNAVAILABLE:
            raise Unreachable(f"HTTP {reply.status}")
        page, has_more = _parse_models(server.url, reply, redact)
        entries += page
        if not (has_more and page):
            break
        path = f"/models?after={quote_url(str(page[-1].get('id')), safe='')}"
    return entries


def _parse_models(url: str, reply: Reply, redact: s3harness.Redactor) -> tuple[Sequence[ListedModel], bool]:
    """Return the entries of one page of a server's list of models, and whether there are more."""
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
    page = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return page, isinstance(data, dict) and data.get("has_more") is True


async def _version(client: ServerClient, url: str, path: str, field: str) -> str:
    """Return the version of an engine, empty where it does not report one: a run goes without it."""
    try:
        return str(s3harness.parse_json(await _text(client, url, path))[field])
    except (ValueError, KeyError, TypeError):
        return ""


async def _text(client: ServerClient, url: str, path: str) -> str:
    """Return the text at a path of a server, which stands beside /v1 and not below it; empty where there is none."""
    parts = urlsplit(url)
    try:
        reply = await client.get(url, f"{parts.scheme}://{parts.netloc}{path}", LIST_TIMEOUT_S)
    except (TransientError, s3harness.S3HarnessError):
        return ""
    return reply.body.decode("utf-8", "replace") if reply.status == 200 else ""


def _grey_jpeg() -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (TEST_SIDE, TEST_SIDE), (127, 127, 127)).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()
