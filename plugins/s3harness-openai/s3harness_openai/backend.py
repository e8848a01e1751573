"""The backend: servers that speak the OpenAI protocol."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import s3harness
from s3harness_openai.discovery import Acquaintance, check_video, come_back, meet
from s3harness_openai.dispatch import IDS, Client
from s3harness_openai.errors import Words
from s3harness_openai.media_parts import Form, Manner, Showcase
from s3harness_openai.options import Options
from s3harness_openai.payload import Question
from s3harness_openai.served import is_model_of
from s3harness_openai.server_pool import Fleet, Server
from s3harness_openai.transport import Wire
from s3harness_openai.window import Window

SPARE_CONNECTIONS = 4
"""For calling on servers while all requests are under way."""


@dataclass(frozen=True, slots=True)
class _AtWork:
    """What there is between entering and leaving."""

    known: Acquaintance
    showcase: Showcase
    client: Client


class OpenAIBackend(s3harness.Backend):
    """Asks the servers of ``-o base_url=ADDRESS[,ADDRESS…]``, which have one model; see :class:`Options` for the rest.

    Trouble is dealt with here, so that the runner asks once: servers that are away or busy are waited for.
    """

    incidental = frozenset(
        {"base_url", "api_key_env", "proxy", "media_ids", "in_flight", "requests_per_minute"}
        | {"attempts", "timeout_s", "patience_s", "wait_s"}
    )

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
        self._servers = [Server(url, Window(self._options.in_flight)) for url in self._options.base_url]
        self._at_work: _AtWork | None = None
        self._chosen = ""

    def facts(self) -> Mapping[str, object]:
        """Who answered, how clips were shown, and what the servers did not take."""
        if self._at_work is None:
            return {}
        known, manner = self._at_work.known, self._at_work.showcase.manner
        image = f"jpeg {manner.jpeg_quality}" if manner.image == "jpeg" else manner.image
        without = {part for server in self._servers for part in server.without} - {IDS}
        return {
            "server": known.kind or "unknown",
            "version": known.version,
            "model": s3harness.public_name(known.model),
            "servers": len(self._servers),
            "media": manner.form if manner.form == "mp4" else f"{manner.form}, {image}",
            "labels": manner.label if manner.form == "frames" else "none",
            "without": sorted(without),
        }

    def identity(self) -> Mapping[str, object]:
        """What the first server that is there tells of its model and of itself; each answer says it of its own."""
        return next((server.identity for server in self._servers if server.identity), {})

    async def __aenter__(self) -> Self:
        """Call on the servers."""
        options = self._options
        self._wire = Wire(
            s3harness.Guard(frozenset(self.hosts)),
            most=self.limits.in_flight + SPARE_CONNECTIONS,
            key=options.api_key(),
            proxy=options.proxy,
            sent=self.sent,
        )
        self._fleet = Fleet(
            self._servers,
            is_there=lambda server: come_back(self._wire, server, self.model, self._chosen, self._words),
            say=self.say,
            patience_s=options.patience_s,
            per_minute=options.requests_per_minute,
        )
        try:
            self._at_work = await self._get_ready()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up, and say how much of the prompts the servers did not read again, if they told."""
        if self._at_work is not None and (total := self._at_work.client.prompt_tokens):
            share = self._at_work.client.cached_tokens / total
            self.note(f"{share:.0%} of {total} prompt tokens came from the servers' prefix cache")
        await self._close()

    def make_ready(self, clip: s3harness.Clip) -> None:
        """Encode a clip."""
        assert self._at_work is not None
        self._at_work.showcase.make(clip)

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """The answer of the least loaded server; raises what went wrong when nothing more can be done about it."""
        assert self._at_work is not None
        at_work = self._at_work
        shown = at_work.showcase.at_hand(request.clip)
        if shown is None:
            shown = await asyncio.to_thread(at_work.showcase.make, request.clip)
        text_first = self.model.prompt_placement == "text_first"
        known = at_work.known
        return await at_work.client.ask(
            Question(
                request,
                shown,
                known.model,
                self._options,
                text_first,
                speaks_vllm=known.is_vllm,
                labels=at_work.showcase.manner.label,
            )
        )

    async def _get_ready(self) -> _AtWork:
        known = await meet(self._fleet, self._wire, self._options, self.model, self.say, self._words)
        self._chosen = known.model
        self.warms_by_clip = known.keeps_clips
        manner = _manner(self._options, self.model, known)
        if manner.with_times:
            there = next(server for server in self._servers if not server.away)
            await check_video(self._wire, there, known.model, self._words)
        if manner.form == "mp4":
            self.note("video was sent as files, of which the servers took frames as they saw fit")
        names = (
            [self._options.answers_as] if self._options.answers_as else _names(known.model, self.model, self._servers)
        )
        client = Client(self._fleet, self._wire, self._options, self._words, self.note, names)
        return _AtWork(known, Showcase(self.media, manner), client)

    async def _close(self) -> None:
        await self._fleet.close()
        await self._wire.close()


def _names(chosen: str, card: s3harness.ModelCard, servers: Sequence[Server]) -> list[str]:
    """The names that a reply may give the model: as it is served, and those of its weights if it is the card's."""
    roots = [str(server.identity["root"]) for server in servers if "root" in server.identity]
    own = [name for name in (card.weights, card.name) if name] if is_model_of(chosen, card) else []
    return list(dict.fromkeys([chosen, *roots, *own]))


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
        has_sound=card.hears(),
        with_ids=options.media_ids and known.is_vllm,
        with_times=known.is_vllm and form == "jpeg_sequence" and has_pictures,
    )
