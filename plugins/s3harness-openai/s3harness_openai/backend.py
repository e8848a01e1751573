"""The backend: servers that speak the OpenAI protocol."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import s3harness
from s3harness_openai.client import Client
from s3harness_openai.meeting import Acquaintance, check_video, is_there, meet
from s3harness_openai.options import Options
from s3harness_openai.question import Question
from s3harness_openai.servers import Fleet, Server
from s3harness_openai.shown import Form, Manner, Showcase
from s3harness_openai.trouble import Words
from s3harness_openai.window import Window
from s3harness_openai.wire import Wire

SPARE_CONNECTIONS = 4


class OpenAIBackend(s3harness.Backend):
    """Asks the servers of ``-o base_url=ADDRESS[,ADDRESS…]``, which have one model; see :class:`Options` for the rest.

    Trouble is dealt with here, so that the runner asks once: servers that are away or busy are waited for.
    """

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self._options = Options.of(options, model.engines.get("openai", {}))
        key = self._options.api_key()
        self._words = Words((key,) if key else ())
        proxy = [self._options.proxy] if self._options.proxy else []
        self.hosts = s3harness.remote_hosts([*self._options.base_url, *proxy])
        self.remote = bool(self.hosts)
        most = self._options.in_flight * len(self._options.base_url)
        self.limits = s3harness.Limits(in_flight=most, timeout_s=math.inf, attempts=1)

    async def __aenter__(self) -> Self:
        """Call on the servers."""
        options = self._options
        self._wire = Wire(
            s3harness.Guard(frozenset(self.hosts)),
            most=self.limits.in_flight + SPARE_CONNECTIONS,
            key=options.api_key(),
            proxy=options.proxy,
            http2=options.http2,
        )
        self._fleet = Fleet(
            [Server(url, Window(options.in_flight)) for url in options.base_url],
            is_there=lambda server: is_there(self._wire, server),
            say=self.say,
            patience_s=options.patience_s,
            per_minute=options.requests_per_minute,
        )
        try:
            await self._get_ready()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        await self._close()

    def make_ready(self, clip: s3harness.Clip) -> None:
        """Encode a clip."""
        self._showcase.make(clip)

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """The answer of the least loaded server; raises what went wrong when nothing more can be done about it."""
        shown = self._showcase.at_hand(request.clip)
        if shown is None:
            shown = await asyncio.to_thread(self._showcase.make, request.clip)
        return await self._client.ask(
            Question(
                request,
                shown,
                self._known.model,
                self._options,
                self.model.prompt_placement == "text_first",
                self._known.is_vllm,
            )
        )

    async def _get_ready(self) -> None:
        self._known = await meet(self._fleet, self._wire, self._options, self.model, self.say, self._words)
        self.warms_by_clip = self._known.keeps_clips
        manner = _manner(self._options, self.model, self._known)
        if manner.with_times:
            there = next(server for server in self._fleet.servers if not server.away)
            await check_video(self._wire, there, self._known.model, self._words)
        self._showcase = Showcase(self.media, manner)
        self._client = Client(self._fleet, self._wire, self._options, self._words, self.note)

    async def _close(self) -> None:
        await self._fleet.close()
        await self._wire.close()


def _manner(options: Options, card: s3harness.ModelCard, known: Acquaintance) -> Manner:
    suits: Form = "jpeg_sequence" if known.is_vllm else "frames"
    form: Form = suits if options.media == "auto" else options.media
    if form == "jpeg_sequence" and not known.is_vllm:
        raise s3harness.UsageError(
            f"-o media=jpeg_sequence is for vLLM; the server calls itself {known.kind or 'nothing'}; use frames or mp4"
        )
    has_pictures = "video" in card.modalities
    return Manner(
        form=form,
        label="seconds" if options.labels == "auto" else options.labels,
        image=options.image,
        jpeg_quality=options.jpeg_quality,
        has_pictures=has_pictures,
        with_ids=options.media_ids and known.is_vllm,
        with_times=known.is_vllm and form == "jpeg_sequence" and has_pictures,
    )
