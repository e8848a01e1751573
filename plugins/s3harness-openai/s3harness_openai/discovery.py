"""Getting to know the servers before anything is asked: who they are, which model they have, what they take."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import s3harness
from s3harness_openai.errors import Trouble, Unreachable, Words
from s3harness_openai.media_parts import frame_times
from s3harness_openai.options import Options
from s3harness_openai.served import Listed, choose_model, identity
from s3harness_openai.server_pool import Fleet, Server
from s3harness_openai.transport import Reply, Wire

HELLO_S = 10.0
TRY_EVERY_S = 1.0
PROBE_SIDE = 112
PROBE_S = 300.0

KEEP_CLIPS = frozenset({"vllm", "sglang", "lmdeploy"})
"""Servers that reuse what they have made of a clip, by the names that they give themselves."""

VERSIONS = {
    "vllm": ("/version", "version"),
    "sglang": ("/get_server_info", "version"),
    "llamacpp": ("/props", "build_info"),
}
"""Where servers tell their version, by the names that they give themselves: path and field."""

AWAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What is known of the servers: ``kind`` as they call themselves, ``version`` where they tell it."""

    model: str
    kind: str
    version: str = ""

    @property
    def is_vllm(self) -> bool:
        """Whether it is vLLM, which takes more than the others."""
        return self.kind == "vllm"

    @property
    def keeps_clips(self) -> bool:
        """Whether the first prompt of a clip is work saved for its others."""
        return self.kind in KEEP_CLIPS


async def meet(
    fleet: Fleet, wire: Wire, options: Options, card: s3harness.ModelCard, say: Callable[[str], None], words: Words
) -> Acquaintance:
    """Call on all servers. Those that are away are called on further, as long as one is there.

    Raises :class:`s3harness.S3HarnessError` if none is there in time, if one wants a key or does not have the model.
    """
    lists = await _model_lists(fleet, wire, options, say, words)
    chosen = choose_model(card, lists, options.model)
    for server in fleet.servers:
        if server.url in lists:
            await _identify(wire, server, card, chosen, lists[server.url])
    first = next(server for server in fleet.servers if server.url in lists)
    return Acquaintance(chosen, str(first.identity.get("server", "")), str(first.identity.get("version", "")))


async def _identify(
    wire: Wire, server: Server, card: s3harness.ModelCard, chosen: str, models: Sequence[Listed]
) -> None:
    """Write down for a server what it tells of its model and of itself."""
    listed = next((model for model in models if model.get("id") == chosen), {})
    kind = str(listed.get("owned_by") or "").lower()
    version = await _version(wire, server.url, *VERSIONS[kind]) if kind in VERSIONS else ""
    server.identity = identity(card, chosen, listed, kind, version)


async def come_back(wire: Wire, server: Server, card: s3harness.ModelCard, chosen: str, words: Words) -> bool:
    """Whether a server that was away answers again, and with the model that was chosen; it may have been restarted."""
    try:
        reply = await wire.get(f"{server.url}/models", HELLO_S)
        if reply.status in AWAY:
            return False
        models = _models(server.url, reply, words)
    except (Trouble, s3harness.S3HarnessError):
        return False
    names = [str(model.get("id")) for model in models]
    if not chosen:
        return False  # the servers that are there are still being met
    if names and chosen not in names:
        server.away = f"it is there again, and serves {', '.join(names)} instead of {chosen}"
        return False
    await _identify(wire, server, card, chosen, models)
    return True


async def check_video(wire: Wire, server: Server, model: str, words: Words) -> None:
    """Show a vLLM two grey frames, and when they were; :class:`s3harness.S3HarnessError` if it takes no such thing.

    One that is not told takes the frames to be a second apart, and the first 32 of them alone.
    """
    clip = s3harness.Clip("", 0.0, 1.0, (0.0, 0.5), PROBE_SIDE**2)
    url = {"url": f"data:video/jpeg;base64,{','.join([_grey_picture()] * 2)}"}
    content: list[object] = [{"type": "video_url", "video_url": url}, {"type": "text", "text": "?"}]
    asked = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1, "temperature": 0}
    asked["media_io_kwargs"] = {"video": frame_times(clip.timestamps, clip)}
    try:
        reply = await wire.post(f"{server.url}/chat/completions", [json.dumps(asked).encode()], PROBE_S)
    except Trouble as trouble:
        raise s3harness.S3HarnessError(f"the server {server.url} did not answer a first question: {trouble}") from None
    if reply.status != 200:
        raise _unfit(server.url, words(reply.body.decode("utf-8", "replace")))


def _unfit(url: str, said: str) -> s3harness.S3HarnessError:
    if "trust-request-mm-kwargs" in said:
        return s3harness.S3HarnessError(
            f"the vLLM server {url} does not let a request say when its frames were, and would take the first 32 as a "
            "second apart; start it with --trust-request-mm-kwargs, or show single images: -o media=frames"
        )
    return s3harness.S3HarnessError(
        f"the vLLM server {url} takes no video as a sequence of pictures; show single images instead, -o media=frames, "
        f"or a file, -o media=mp4; it said: {said}"
    )


async def _model_lists(
    fleet: Fleet, wire: Wire, options: Options, say: Callable[[str], None], words: Words
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The models of each server that is there, by its address."""
    until = time.monotonic() + options.wait_s
    while True:
        found = await asyncio.gather(*(_greet(wire, server) for server in fleet.servers))
        there = {s.url: reply for s, reply in zip(fleet.servers, found, strict=True) if isinstance(reply, Reply)}
        if there:
            break
        why = "; ".join(f"{server.url}: {trouble}" for server, trouble in zip(fleet.servers, found, strict=True))
        if time.monotonic() >= until:
            raise s3harness.S3HarnessError(
                f"no server is there ({words(why)}); start it, give its address with -o base_url=ADDRESS, "
                "or wait for it with -o wait_s=SECONDS"
            )
        say("waiting for a server")
        await asyncio.sleep(TRY_EVERY_S)
    for server, reply in zip(fleet.servers, found, strict=True):
        if not isinstance(reply, Reply):
            fleet.is_away(server, reply)
    return {url: _models(url, reply, words) for url, reply in there.items()}


async def _greet(wire: Wire, server: Server) -> Reply | Trouble:
    try:
        reply = await wire.get(f"{server.url}/models", HELLO_S)
    except Trouble as trouble:
        return trouble
    return Unreachable(f"HTTP {reply.status}") if reply.status in AWAY else reply


def _models(url: str, reply: Reply, words: Words) -> Sequence[Mapping[str, Any]]:
    """The models of a list; none where a server has no such list."""
    if reply.status in (401, 403):
        raise s3harness.S3HarnessError(
            f"the server {url} wants a key (HTTP {reply.status}); put it into a variable of the environment and name "
            "that: -o api_key_env=NAME"
        )
    if 300 <= reply.status < 400:
        raise s3harness.S3HarnessError(f"the server {url} sends on to another address; name that one with -o base_url")
    try:
        found = s3harness.parse_json(reply.body) if reply.status == 200 else {}
    except ValueError:
        raise s3harness.S3HarnessError(
            f"what answers at {url} is no OpenAI-compatible server: {words(reply.body.decode('utf-8', 'replace'))}"
        ) from None
    listed = found.get("data") if isinstance(found, dict) else None
    return [model for model in listed if isinstance(model, dict)] if isinstance(listed, list) else []


async def _version(wire: Wire, url: str, path: str, key: str) -> str:
    parts = urlsplit(url)
    try:
        reply = await wire.get(f"{parts.scheme}://{parts.netloc}{path}", HELLO_S)
        return str(s3harness.parse_json(reply.body)[key])
    except (Trouble, s3harness.S3HarnessError, ValueError, KeyError, TypeError):
        return ""


def _grey_picture() -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (PROBE_SIDE, PROBE_SIDE), (127, 127, 127)).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()
