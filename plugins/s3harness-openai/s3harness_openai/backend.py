"""The backend: servers that speak the OpenAI protocol."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import s3harness
from s3harness_openai.adapter_check import check_adapter
from s3harness_openai.client import ServerClient
from s3harness_openai.discovery import ServerInfo, check_video, count_replicas, discover, is_back
from s3harness_openai.dispatch import MEDIA_IDS, Dispatcher
from s3harness_openai.engines import Engine
from s3harness_openai.errors import redactor
from s3harness_openai.media_parts import ClipEncoder, EncodedClip, Form, Label, MediaFormat
from s3harness_openai.options import OpenAIOptions
from s3harness_openai.payload import ChatPayload
from s3harness_openai.served import is_model_of
from s3harness_openai.server_pool import AimdLimit, Server, ServerPool
from s3harness_openai.transport import GuardedTransport


@dataclass(frozen=True, slots=True)
class _Session:
    """Objects that exist while the backend is entered."""

    info: ServerInfo
    encoder: ClipEncoder
    turn_encoder: ClipEncoder
    dispatcher: Dispatcher


class OpenAIBackend(s3harness.Backend):
    """Sends requests to the servers of ``-o base_url=ADDRESS[,ADDRESS…]``, which serve one model.

    :class:`OpenAIOptions` describes the other options.
    """

    model_source = "server"
    takes_history = True
    takes_tools = True
    transport_options = frozenset(
        {"base_url", "api_key_env", "proxy", "media_ids", "in_flight", "requests_per_minute"}
        | {"organization", "project", "headers", "attempts", "timeout_s", "patience_s", "wait_s"}
    )

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self._options = OpenAIOptions.of(options, model.engines.get("openai", {}))
        self._redact = redactor(self._options.api_key(), self._options.azure_token())
        proxy = [self._options.proxy] if self._options.proxy else []
        self.hosts = s3harness.remote_hosts([*self._options.base_url, *proxy])
        self.remote = bool(self.hosts)
        self._limit(len(self._options.base_url))
        self._session: _Session | None = None
        self._served_model = ""
        self._servers: Sequence[Server] = ()

    def facts(self) -> Mapping[str, object]:
        """Return the engine, the form of the media and the parameters that servers did not take, for the manifest."""
        if self._session is None:
            return {}
        info, media = self._session.info, self._session.encoder.media_format
        image = f"jpeg {media.jpeg_quality}" if media.image == "jpeg" else media.image
        # A missing media id changes how a clip is sent and nothing of what the model sees.
        without = {parameter for server in self._servers for parameter in server.unsupported} - {MEDIA_IDS}
        return {
            "server": info.name or "unknown",
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
        transport = GuardedTransport(
            s3harness.Guard(frozenset(self.hosts)),
            proxy=options.proxy,
            log_send=self.log_send,
        )
        self._client = ServerClient(options, transport)
        self._pool = ServerPool(
            [Server(url=url, limit=AimdLimit(options.in_flight)) for url in options.base_url],
            probe=lambda server: is_back(self._client, server, self.model, self._served_model, self._redact),
            report_status=self.report_status,
            patience_s=options.patience_s,
            requests_per_minute=options.requests_per_minute,
        )
        self._servers = self._pool.servers
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
        encoder = session.turn_encoder if request.continues else session.encoder
        *earlier, clip = [await _encoded(encoder, clip) for clip in (*(e.clip for e in request.history), request.clip)]
        payload = ChatPayload(
            request=request,
            clip=clip,
            earlier=earlier,
            model=session.info.model,
            options=self._options,
            text_first=self.model.prompt_placement == "text_first",
            engine=session.info.engine,
            labels=encoder.media_format.label,
            marks=s3harness.reasoning_marks(self.model),
        )
        return await session.dispatcher.ask(payload)

    async def _start(self) -> _Session:
        info = await discover(
            pool=self._pool,
            client=self._client,
            options=self._options,
            card=self.model,
            report_status=self.report_status,
            redact=self._redact,
        )
        self._served_model = info.model
        self.prime_each_clip = self._pool.keeps_clips = info.engine.caches_prefixes
        self.context_length = _context_length(self._servers)
        await self._find_replicas(info.engine)
        media_format = _media_format(self._options, self.model, info)
        if media_format.with_times:
            server = next(server for server in self._servers if not server.unreachable)
            await check_video(self._client, server, info.model, self._redact)
        if info.base:
            await self._check_adapter(info, with_video=media_format.with_times)
        if media_format.form == "mp4":
            self.add_note("video was sent as files, of which the servers took frames as they saw fit")
        answers_as = self._options.answers_as
        dispatcher = Dispatcher(
            pool=self._pool,
            client=self._client,
            options=self._options,
            redact=self._redact,
            add_note=self.add_note,
            model_names=[answers_as] if answers_as else _model_names(info.model, self.model, self._servers),
        )
        encoder = ClipEncoder(self.media, media_format)
        turn_encoder = ClipEncoder(self.media, _for_conversations(media_format)) if media_format.with_times else encoder
        return _Session(info, encoder, turn_encoder, dispatcher)

    async def _find_replicas(self, engine: Engine) -> None:
        """Treat each data-parallel replica behind an address as a server, so that a clip stays with one of them."""
        for server in [server for server in self._pool.servers if not server.unreachable]:
            if (replicas := await count_replicas(self._client, server.url, engine)) > 1:
                self._pool.split(server, replicas, self._options.in_flight)
        self._servers = self._pool.servers
        self._limit(len(self._servers))

    def _limit(self, servers: int) -> None:
        # The runner must neither retry nor time out: the time in the queue of the pool would count against a request,
        # and a second retry would multiply the attempts of this one.
        in_flight = self._options.in_flight * servers
        self.limits = s3harness.Limits(in_flight=in_flight, timeout_s=math.inf, attempts=1)

    async def _check_adapter(self, info: ServerInfo, *, with_video: bool) -> None:
        server = next(server for server in self._servers if not server.unreachable)
        is_known = await check_adapter(self._client, server, info.model, info.base, with_video=with_video)
        seen = "changes its answers" if is_known else "may or may not change its answers"
        self.add_note(
            f"{s3harness.public_name(info.model)} is an adapter of {s3harness.public_name(info.base)} and {seen}; "
            "whether the server applies all of its layers cannot be seen from here"
        )

    async def _close(self) -> None:
        # The pool first: its probes use the client.
        await self._pool.close()
        await self._client.close()


def _context_length(servers: Sequence[Server]) -> int | None:
    """Return the least context in tokens that the lists of models name (vLLM and SGLang do); ``None`` if none does."""
    lengths = [server.identity.get("max_model_len") for server in servers]
    # A list of models is outside data: a length that is none is not taken.
    return min((n for n in lengths if isinstance(n, int) and not isinstance(n, bool) and n > 0), default=None)


async def _encoded(encoder: ClipEncoder, clip: s3harness.Clip) -> EncodedClip:
    if (cached := encoder.cached(clip)) is not None:
        return cached
    # In a thread, because encoding would hold up all requests of the event loop.
    return await asyncio.to_thread(encoder.encode, clip)


def _for_conversations(media_format: MediaFormat) -> MediaFormat:
    """Return the form of clips in conversations: single frames with their times.

    vLLM 0.32 takes the times of the frames of a video once a request, for all of its videos.
    """
    label: Label = "seconds" if media_format.label == "none" else media_format.label
    return replace(media_format, form="frames", label=label, with_times=False)


def _model_names(served: str, card: s3harness.ModelCard, servers: Sequence[Server]) -> list[str]:
    """Return the names that a reply may give the model: the served name, and those of its weights."""
    roots = [str(server.identity["root"]) for server in servers if "root" in server.identity]
    # The names of the card count only if the user has not said that another model is served for it.
    of_card = [name for name in (card.weights, card.name) if name] if is_model_of(served, card) else []
    return list(dict.fromkeys([served, *roots, *of_card]))


def _media_format(options: OpenAIOptions, card: s3harness.ModelCard, info: ServerInfo) -> MediaFormat:
    """Return the form in which clips are sent: that of the card, as far as the engine of the servers takes it."""
    engine, shows_images = info.engine, card.clip_form == "images"
    in_video = card.audio_in_video and card.hears() and not shows_images
    form: Form = "jpeg_sequence" if engine.takes_frame_times and not shows_images else "frames"
    if options.media != "auto":
        form = options.media
    elif in_video:
        form = "mp4"
    if form == "jpeg_sequence" and not engine.takes_frame_times:
        raise s3harness.UsageError(
            f"-o media=jpeg_sequence is for vLLM; the server calls itself {info.name or 'nothing'}; use frames or mp4"
        )
    # Sound beside the video would be another prompt than the one with which the model was trained.
    if in_video and (form != "mp4" or not engine.audio_in_video):
        raise s3harness.UsageError(
            "the card interleaves the sound with the video (audio_in_video), which servers do for video files alone, "
            "and vLLM and SGLang only; use one of these with -o media=mp4, or another backend"
        )
    automatic: Label = "times" if shows_images else "seconds"
    return MediaFormat(
        form=form,
        label=automatic if options.labels == "auto" else options.labels,
        image=options.image,
        jpeg_quality=options.jpeg_quality,
        has_frames="video" in card.modalities,
        has_audio=card.hears(),
        audio=engine.audio,
        in_video=engine.audio_in_video if in_video else {},
        with_ids=options.media_ids and engine.takes_frame_times,
        with_times=engine.takes_frame_times and form == "jpeg_sequence" and "video" in card.modalities,
    )
