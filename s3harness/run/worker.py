"""A worker: one engine and its media, at work on videos.

Videos are decoded in threads, a bounded number ahead of the engine, and their requests are asked in the order of the
plan, with as many under way as the engine's limits allow. Whatever goes wrong with one video or one request is its
failure alone. A worker does not know where its answers go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Self

from s3harness.errors import MediaError, S3HarnessError
from s3harness.guard.sockets import confined
from s3harness.media.options import MEGABYTE, MediaOptions, decoded_bytes
from s3harness.media.thread_pool import Pool
from s3harness.run.admission import Admission, DecodeAdmission, Order, PrioritySemaphore
from s3harness.run.plan import ClipRequests, VideoPlan
from s3harness.run.retry import ask
from s3harness.types import Clip, Request, Response

if TYPE_CHECKING:
    from s3harness.backends.base import Backend
    from s3harness.media import MediaStore

Answered = Callable[[Request, Response, str], None]
"""Takes a response and the key of the media that its request showed (empty for none)."""

CLIPS_AHEAD = 2
"""So many clips are made ready that the engine has not come to."""


class Worker:
    """Carries out the plans of videos. Enter it to load the engine.

    Once that is loaded, this process can connect to no other machine than the ``named`` hosts, and ``identity`` is
    whoever answers; each response carries it.
    """

    def __init__(self, backend: Backend, store: MediaStore, options: MediaOptions, named: Iterable[str] = ()) -> None:
        self.backend = backend
        self.identity: Mapping[str, object] = {}
        self._named = tuple(named)
        self._confined = contextlib.ExitStack()
        self._store = store
        self._pool = Pool(options.n_workers(), options.stall_s, options.total_s)
        self._gate = DecodeAdmission(options.n_ahead(), options.ahead_mb * MEGABYTE)
        self._ready = PrioritySemaphore(CLIPS_AHEAD)
        self._slots = PrioritySemaphore(backend.limits.in_flight)
        self._turns = count()

    async def __aenter__(self) -> Self:
        name = type(self.backend).__name__
        try:
            await self.backend.__aenter__()
            self.identity = dict(self.backend.identity())
        except S3HarnessError:
            raise
        except Exception as error:
            raise S3HarnessError(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
        self._confined.enter_context(confined(self._named))
        self._slots = PrioritySemaphore(self.backend.limits.in_flight)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the engine. One that fails to close has answered all the same: that is a note, no failure."""
        self._pool.close()
        with self._confined:
            try:
                await self.backend.__aexit__(kind, error, trace)
            except Exception as trouble:
                self.backend.add_note(
                    f"{type(self.backend).__name__} did not close: {type(trouble).__name__}: {trouble}"
                )

    async def room(self) -> None:
        """Wait until the worker has use for another plan."""
        await self._gate.room()

    async def admit(self, plan: VideoPlan) -> Admission:
        """Wait until there is room to decode a video ahead of the engine."""
        return await self._gate.enter(decoded_bytes(plan.clips) if self.backend.uses_media else 0)

    async def carry_out(self, plan: VideoPlan, admission: Admission, answered: Answered) -> None:
        """Decode a video, ask all of its requests, and let go of it."""
        try:
            await self._decode(plan)
            async with asyncio.TaskGroup() as group:
                for number, step in enumerate(plan.steps):
                    group.create_task(self._ask_clip(step, (admission.number, number), admission, answered))
        finally:
            self._gate.leave(admission)
            self._store.release(plan.video.id)

    async def _decode(self, plan: VideoPlan) -> None:
        """Have the store prepare the clips; what is wrong with them it says when they are asked for."""
        clips = [clip for clip in plan.clips if self._shows(clip)]
        if not clips:
            return
        try:
            await self._pool.submit(lambda beat: self._store.prepare(plan.video, clips, beat)).finished()
        except MediaError as error:
            self._store.give_up(plan.video.id, str(error))
        except Exception as error:
            self._store.give_up(plan.video.id, f"{type(error).__name__}: {error}")

    async def _ask_clip(self, step: ClipRequests, order: Order, admission: Admission, answered: Answered) -> None:
        requests = list(step.requests)
        warming = requests[:1] if self.backend.prime_each_clip else []
        await self._ready.claim(order)
        try:
            media = await self._media(step.clip)
            turn = (next(self._turns), 0)  # a clip that is begun is finished before one that was late is begun
            claims = self._claims(turn, warming or requests)
            await claims[0]
        except MediaError as error:
            for request in requests:
                answered(request, Response(request.id, status="failed", error=str(error)), "")
            return
        finally:
            self._ready.release()
        self._gate.begin(admission)
        for first in warming:
            answered(first, await self._answer(first), media)
            requests.remove(first)
            claims = self._claims(turn, requests)
            self._slots.release()
        async with asyncio.TaskGroup() as group:
            for request, claim in zip(requests, claims, strict=True):
                await claim
                group.create_task(self._ask(request, media, answered))
        self._store.finish(step.clip)

    def _claims(self, turn: Order, requests: Sequence[Request]) -> list[asyncio.Future[None]]:
        """Claim a place for each request, at once, so that no later clip comes between them."""
        return [self._slots.claim(turn) for _ in requests]

    async def _ask(self, request: Request, media: str, answered: Answered) -> None:
        try:
            answered(request, await self._answer(request), media)
        finally:
            self._slots.release()

    async def _answer(self, request: Request) -> Response:
        """The response to a request, with the identity of whoever gave it."""
        response = await ask(self.backend, request)
        return replace(response, identity={**self.identity, **(response.identity or {})})

    async def _media(self, clip: Clip) -> str:
        """The key of what a clip shows, which is then ready; :class:`MediaError` if it cannot be shown."""
        return await asyncio.to_thread(self._make_ready, clip) if self._shows(clip) else ""

    def _make_ready(self, clip: Clip) -> str:
        key = self._store.key(clip)
        with contextlib.suppress(Exception):
            self.backend.prefetch(clip)
        return key

    def _shows(self, clip: Clip) -> bool:
        return self.backend.uses_media and not clip.is_text_only
