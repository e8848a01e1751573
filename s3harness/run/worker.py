"""A worker: one engine and its media store, at work on videos.

Videos are decoded in threads, a bounded number ahead of the engine, and their requests are sent in the order of the
plan, with as many under way as the engine's limits allow. Whatever goes wrong with one video or one request is its
failure alone. A worker does not know where its responses go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Self

from s3harness.errors import MediaError, S3HarnessError
from s3harness.guard.sockets import confined
from s3harness.media.options import MEGABYTE, MediaOptions, decoded_bytes
from s3harness.media.thread_pool import Pool
from s3harness.run.admission import AdmittedVideo, ClipPrimer, DecodeAdmission, Order, PrioritySemaphore
from s3harness.run.conversation import Conversation, StrategyPlan
from s3harness.run.plan import ClipRequests, VideoPlan
from s3harness.run.retry import generate_with_retry
from s3harness.types import Clip, Request, Response, Video

if TYPE_CHECKING:
    from s3harness.backends.base import Backend
    from s3harness.run.media_check import MediaCheck, MediaCheckResult
    from s3harness.transforms.transformed_store import TransformingStore

OnResponse = Callable[[Request, Response, str], None]
"""Takes a request, its response, and the key of the media of its clip (empty if there are none)."""

CLIPS_AHEAD = 2
"""Number of clips whose media are prefetched before the engine begins with them."""


class Worker:
    """Carries out the plans of videos. Entering it loads the engine.

    Once the engine is loaded, this process can connect to no other machine than the ``named`` hosts, and ``identity``
    is that of the engine; each response carries it.
    """

    def __init__(
        self,
        backend: Backend,
        store: TransformingStore,
        options: MediaOptions,
        named: Iterable[str] = (),
        strategy: StrategyPlan | None = None,
    ) -> None:
        self.backend = backend
        self._strategy = strategy
        self.identity: Mapping[str, object] = {}
        self._named = tuple(named)
        self._confined = contextlib.ExitStack()
        self._store = store
        self._pool = Pool(options.n_workers(), options.stall_s, options.total_s)
        self._admission = DecodeAdmission(options.n_ahead(), options.ahead_mb * MEGABYTE)
        self._prefetched = PrioritySemaphore(CLIPS_AHEAD)
        self._under_way = PrioritySemaphore(backend.limits.in_flight)
        self._turns = count()

    async def __aenter__(self) -> Self:
        name = type(self.backend).__name__
        try:
            await self.backend.__aenter__()
            self.identity = dict(self.backend.identity())
        except S3HarnessError:
            raise
        # Anything else is a fault of the plugin, which is to be named.
        except Exception as error:
            raise S3HarnessError(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
        # Only now, as an engine may download its weights while it loads; from here on, data of patients are sent.
        self._confined.enter_context(confined(self._named))
        # The engine may know only after loading how many requests it can take at once.
        self._under_way = PrioritySemaphore(self.backend.limits.in_flight)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the engine. One that fails to close has answered all the same, so that is a note and no failure."""
        self._pool.close()
        with self._confined:
            try:
                await self.backend.__aexit__(kind, error, trace)
            except Exception as close_error:
                name = type(self.backend).__name__
                self.backend.add_note(f"{name} did not close: {type(close_error).__name__}: {close_error}")

    async def check_media(self, check: MediaCheck | None) -> MediaCheckResult | None:
        """Check that the loaded engine uses frames and sound; ``None`` without a check, or if it passed before."""
        from s3harness.run.media_check import check_media
        from s3harness.rundir.eyes import engine_hash

        if check is None or (engine := engine_hash(check.model, self.identity)) in check.passed:
            return None
        self.backend.report_status("checking that the model uses the clips")

        async def prepare(video: Video, clips: Sequence[Clip]) -> None:
            await self._prepare(video, clips)
            for clip in clips:
                await self._prefetch(clip)

        ask = partial(generate_with_retry, self.backend)
        return await check_media(check, engine, self._store, ask, prepare, self._hash_inputs)

    async def _hash_inputs(self, request: Request) -> str:
        """Return a hash of the model's inputs for a request; empty where the backend does not show them."""
        if not self.backend.can("model_inputs"):
            return ""
        try:
            return (await self.backend.model_inputs(request)).sha256()
        # The hash is a record and no answer: without it the run goes on.
        except Exception as error:
            self.backend.add_note(f"the model's inputs could not be hashed: {type(error).__name__}: {error}")
            return ""

    async def room(self) -> None:
        """Wait until the worker can take another plan."""
        await self._admission.wait_for_room()

    async def admit(self, plan: VideoPlan) -> AdmittedVideo:
        """Wait until there is room to decode a video ahead of the engine."""
        return await self._admission.enter(decoded_bytes(plan.clips) if self.backend.uses_media else 0)

    async def carry_out(self, plan: VideoPlan, admitted: AdmittedVideo, on_response: OnResponse) -> None:
        """Decode a video, send all of its requests, and release it."""
        try:
            await self._decode(plan)
            async with asyncio.TaskGroup() as group:
                for number, step in enumerate(plan.steps):
                    order = admitted.number, number
                    if self._strategy is None:
                        group.create_task(self._send_clip(step, order, admitted, on_response))
                    else:
                        group.create_task(self._converse_on_clip(plan, step, order, admitted, on_response))
        finally:
            self._admission.leave(admitted)
            self._store.release(plan.video.id)

    async def _decode(self, plan: VideoPlan) -> None:
        """Have the store prepare the clips; the store raises the error of a clip when the clip is asked for."""
        clips = [clip for clip in plan.clips if self._has_media(clip)]
        if clips:
            await self._prepare(plan.video, clips)

    async def _prepare(self, video: Video, clips: Sequence[Clip]) -> None:
        try:
            await self._pool.submit(lambda heartbeat: self._store.prepare(video, clips, heartbeat)).finished()
        except MediaError as error:
            # The thread hangs or was stopped: the store does not know it yet.
            self._store.give_up(video.id, str(error))
        except Exception as error:
            self._store.give_up(video.id, f"{type(error).__name__}: {error}")

    async def _send_clip(
        self, step: ClipRequests, order: Order, admitted: AdmittedVideo, on_response: OnResponse
    ) -> None:
        requests = list(step.requests)
        # Alone, the first request has the engine encode the clip once; sent together, each would find no cache entry.
        first = requests[:1] if self.backend.prime_each_clip else []
        await self._prefetched.claim(order)
        try:
            media = await self._prefetch(step.clip)
            # A turn and not the order of the plan: a clip that is begun is finished before one that was late is begun.
            turn = (next(self._turns), 0)
            claims = self._claim_places(turn, first or requests)
            await claims[0]
        except MediaError as error:
            for request in requests:
                on_response(request, Response(request.id, status="failed", error=str(error)), "")
            return
        finally:
            self._prefetched.release()
        self._admission.begin(admitted)
        for request in first:
            on_response(request, await self._response(request), media)
            requests.remove(request)
            # The others are claimed before the place of the first is released: no other clip gets it.
            claims = self._claim_places(turn, requests)
            self._under_way.release()
        async with asyncio.TaskGroup() as group:
            for request, claim in zip(requests, claims, strict=True):
                await claim
                group.create_task(self._send(request, media, on_response))
        self._store.finish(step.clip)

    async def _converse_on_clip(
        self, plan: VideoPlan, step: ClipRequests, order: Order, admitted: AdmittedVideo, on_response: OnResponse
    ) -> None:
        """Carry out the conversations that begin with the requests about a clip."""
        await self._prefetched.claim(order)
        try:
            await self._prefetch(step.clip)
            turn = (next(self._turns), 0)
            # As of a clip without conversations: the next one is prefetched when the engine has room for this one.
            await self._under_way.claim(turn)
            self._under_way.release()
        except MediaError as error:
            for request in step.requests:
                on_response(request, Response(request.id, status="failed", error=str(error)), "")
            return
        finally:
            self._prefetched.release()
        self._admission.begin(admitted)
        primer = ClipPrimer() if self.backend.prime_each_clip else None
        async with asyncio.TaskGroup() as group:
            for request in step.requests:
                group.create_task(self._converse(plan, request, turn, primer, on_response))
        self._store.finish(step.clip)

    async def _converse(
        self, plan: VideoPlan, request: Request, order: Order, primer: ClipPrimer | None, on_response: OnResponse
    ) -> None:
        """Carry out one conversation; a place is held during each turn, and none between two of them."""
        assert self._strategy is not None

        async def send(turn: Request) -> tuple[Response, str]:
            async with primer.turn_of(turn.clip) if primer else contextlib.nullcontext():
                return await self._send_turn(turn, order)

        async def prepare(clip: Clip) -> None:
            if self._has_media(clip):
                await self._prepare(plan.video, [clip])

        conversation = Conversation(
            plan=self._strategy,
            item=self._strategy.item(request, plan.video),
            video=plan.video,
            send=send,
            prepare=prepare,
            on_turn=on_response,
            answered=plan.turns.get(request.id, {}),
        )
        on_response(*await conversation.run())
        for clip in conversation.looked:
            self._store.finish(clip)

    async def _send_turn(self, request: Request, order: Order) -> tuple[Response, str]:
        """Send a turn when there is room; return its response, and the key of the media of its clip."""
        try:
            media = await self._prefetch(request.clip)
        except MediaError as error:
            return Response(request.id, status="failed", error=str(error)), ""
        await self._under_way.claim(order)
        try:
            return await self._response(request), media
        finally:
            self._under_way.release()

    def _claim_places(self, turn: Order, requests: Sequence[Request]) -> list[asyncio.Future[None]]:
        """Claim a place for each request, all at once, so that no later clip comes between them."""
        return [self._under_way.claim(turn) for _ in requests]

    async def _send(self, request: Request, media: str, on_response: OnResponse) -> None:
        try:
            on_response(request, await self._response(request), media)
        finally:
            self._under_way.release()

    async def _response(self, request: Request) -> Response:
        """Return the response to a request, with the identity of the engine that gave it."""
        response = await generate_with_retry(self.backend, request)
        # What a reply says of itself counts for more than what the engine said when it was loaded.
        return replace(response, identity={**self.identity, **(response.identity or {})})

    async def _prefetch(self, clip: Clip) -> str:
        """Have the backend prefetch a clip, and return its key; :class:`MediaError` if it cannot be shown."""
        return await asyncio.to_thread(self._prefetch_now, clip) if self._has_media(clip) else ""

    def _prefetch_now(self, clip: Clip) -> str:
        key = self._store.key(clip)
        # Prefetching only saves time: what is wrong comes up again when the request is sent, and is then its failure.
        with contextlib.suppress(Exception):
            self.backend.prefetch(clip)
        return key

    def _has_media(self, clip: Clip) -> bool:
        return self.backend.uses_media and not clip.is_text_only
