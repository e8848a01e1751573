"""The backend: servers that speak the OpenAI protocol."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import s3harness
from s3harness_openai.discovery import ServerInfo, check_video, discover, is_back
from s3harness_openai.dispatch import MEDIA_IDS, Dispatcher
from s3harness_openai.errors import redactor
from s3harness_openai.media_parts import ClipEncoder, Form, MediaFormat
from s3harness_openai.options import OpenAIOptions
from s3harness_openai.payload import ChatPayload
from s3harness_openai.served import is_model_of
from s3harness_openai.server_pool import AimdLimit, Server, ServerPool
from s3harness_openai.transport import HttpTransport

PROBE_CONNECTIONS = 4
"""Connections beyond those of the requests, so that servers can be probed while all requests are in flight."""


@dataclass(frozen=True, slots=True)
class _Session:
    """Objects that exist while the backend is entered."""

    info: ServerInfo
    encoder: ClipEncoder
    dispatcher: Dispatcher


class OpenAIBackend(s3harness.Backend):
    """Sends requests to the servers of ``-o base_url=ADDRESS[,ADDRESS…]``, which serve one model.

    :class:`OpenAIOptions` describes the other options.
    """

    transport_options = frozenset(
        {"base_url", "api_key_env", "proxy", "media_ids", "in_flight", "requests_per_minute"}
        | {"attempts", "timeout_s", "patience_s", "wait_s"}
    )

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self._options = OpenAIOptions.of(options, model.engines.get("openai", {}))
        self._redact = redactor(self._options.api_key())
        proxy = [self._options.proxy] if self._options.proxy else []
        self.hosts = s3harness.remote_hosts([*self._options.base_url, *proxy])
        self.remote = bool(self.hosts)
        in_flight = self._options.in_flight * len(self._options.base_url)
        # The runner must neither retry nor time out: the time in the queue of the pool would count against a request,
        # and a second retry would multiply the attempts of this one.
        self.limits = s3harness.Limits(in_flight=in_flight, timeout_s=math.inf, attempts=1)
        self._servers = [Server(url=url, limit=AimdLimit(self._options.in_flight)) for url in self._options.base_url]
        self._session: _Session | None = None
        self._served_model = ""

    def facts(self) -> Mapping[str, object]:
        """Return the engine, the form of the media and the parameters that servers did not take, for the manifest."""
        if self._session is None:
            return {}
        info, media = self._session.info, self._session.encoder.media_format
        image = f"jpeg {media.jpeg_quality}" if media.image == "jpeg" else media.image
        # A missing media id changes how a clip is sent and nothing of what the model sees.
        without = {parameter for server in self._servers for parameter in server.unsupported} - {MEDIA_IDS}
        return {
            "server": info.engine or "unknown",
            "version": info.version,
            "model": s3harness.public_name(info.model),
            "servers": len(self._servers),
            "media": media.form if media.form == "mp4" else f"{media.form}, {image}",
            "labels": media.label if media.form == "frames" else "none",
            "without": sorted(without),
        }

    def identity(self) -> Mapping[str, object]:
        """Return what the first server that is there reports of its model; each answer has that of its own server."""
        return next((server.identity for server in self._servers if server.identity), {})

    async def __aenter__(self) -> Self:
        """Discover the servers."""
        options = self._options
        self._transport = HttpTransport(
            s3harness.Guard(frozenset(self.hosts)),
            max_connections=self.limits.in_flight + PROBE_CONNECTIONS,
            key=options.api_key(),
            proxy=options.proxy,
            log_send=self.log_send,
        )
        self._pool = ServerPool(
            self._servers,
            probe=lambda server: is_back(self._transport, server, self.model, self._served_model, self._redact),
            report_status=self.report_status,
            patience_s=options.patience_s,
            requests_per_minute=options.requests_per_minute,
        )
        try:
            self._session = await self._start()
        except BaseException:
            # Python does not call __aexit__ when __aenter__ raises.
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections, and note the share of the prompts that came from the servers' prefix caches."""
        if self._session is not None and (total := self._session.dispatcher.prompt_tokens):
            share = self._session.dispatcher.cached_tokens / total
            self.add_note(f"{share:.0%} of {total} prompt tokens came from the servers' prefix cache")
        await self._close()

    def prefetch(self, clip: s3harness.Clip) -> None:
        """Encode a clip before its first request."""
        assert self._session is not None
        self._session.encoder.encode(clip)

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Return the answer of a server; raises the error that remains when another attempt would not help."""
        assert self._session is not None
        session = self._session
        clip = session.encoder.cached(request.clip)
        if clip is None:
            # In a thread, because encoding would hold up all requests of the event loop.
            clip = await asyncio.to_thread(session.encoder.encode, request.clip)
        payload = ChatPayload(
            request=request,
            clip=clip,
            model=session.info.model,
            options=self._options,
            text_first=self.model.prompt_placement == "text_first",
            is_for_vllm=session.info.is_vllm,
            labels=session.encoder.media_format.label,
        )
        return await session.dispatcher.ask(payload)

    async def _start(self) -> _Session:
        info = await discover(
            pool=self._pool,
            transport=self._transport,
            options=self._options,
            card=self.model,
            report_status=self.report_status,
            redact=self._redact,
        )
        self._served_model = info.model
        self.prime_each_clip = info.caches_prefixes
        media_format = _media_format(self._options, self.model, info)
        if media_format.with_times:
            server = next(server for server in self._servers if not server.unreachable)
            await check_video(self._transport, server, info.model, self._redact)
        if media_format.form == "mp4":
            self.add_note("video was sent as files, of which the servers took frames as they saw fit")
        answers_as = self._options.answers_as
        dispatcher = Dispatcher(
            pool=self._pool,
            transport=self._transport,
            options=self._options,
            redact=self._redact,
            add_note=self.add_note,
            model_names=[answers_as] if answers_as else _model_names(info.model, self.model, self._servers),
        )
        return _Session(info, ClipEncoder(self.media, media_format), dispatcher)

    async def _close(self) -> None:
        # The pool first: its probes use the transport.
        await self._pool.close()
        await self._transport.close()


def _model_names(served: str, card: s3harness.ModelCard, servers: Sequence[Server]) -> list[str]:
    """Return the names that a reply may give the model: the served name, and those of its weights."""
    roots = [str(server.identity["root"]) for server in servers if "root" in server.identity]
    # The names of the card count only if the user has not said that another model is served for it.
    of_card = [name for name in (card.weights, card.name) if name] if is_model_of(served, card) else []
    return list(dict.fromkeys([served, *roots, *of_card]))


def _media_format(options: OpenAIOptions, card: s3harness.ModelCard, info: ServerInfo) -> MediaFormat:
    automatic: Form = "jpeg_sequence" if info.is_vllm else "frames"
    form: Form = automatic if options.media == "auto" else options.media
    if form == "jpeg_sequence" and not info.is_vllm:
        raise s3harness.UsageError(
            f"-o media=jpeg_sequence is for vLLM; the server calls itself {info.engine or 'nothing'}; use frames or mp4"
        )
    has_frames = "video" in card.modalities
    return MediaFormat(
        form=form,
        label="seconds" if options.labels == "auto" else options.labels,
        image=options.image,
        jpeg_quality=options.jpeg_quality,
        has_frames=has_frames,
        has_audio=card.hears(),
        with_ids=options.media_ids and info.is_vllm,
        with_times=info.is_vllm and form == "jpeg_sequence" and has_frames,
    )
