"""Carrying out a plan: decode ahead, ask, journal.

Videos are decoded in worker threads, a bounded number ahead of the engine, while their requests are asked in the
order of the plan with as many in flight as the backend's limits allow. Whatever goes wrong with one video or one
request is journalled as its failure; only a journal that cannot be written ends the run.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, get_args

from s3harness.backends.base import Backend, Limits
from s3harness.errors import MediaError, RetryableError, S3HarnessError
from s3harness.plugins import manager
from s3harness.run.journal import Journal
from s3harness.run.plan import Step, VideoPlan
from s3harness.run.redact import Redactor
from s3harness.types import Request, Response, ResponseStatus

if TYPE_CHECKING:
    from s3harness.media import MediaStore

BACKOFF_S = 0.5
MAX_BACKOFF_S = 60.0
LOOK_AHEAD = 2
DECODERS = 2


@dataclass
class Progress:
    """What has happened so far; ``changed`` is called after each journalled response."""

    total: int = 0
    done: int = 0
    failed: int = 0
    messages: list[str] = field(default_factory=list)
    changed: Callable[[Progress], None] = lambda _: None


@dataclass
class Execution:
    """One process carrying out a plan."""

    backend: Backend
    store: MediaStore
    journal: Journal
    redact: Redactor
    progress: Progress

    async def run(self, plans: Iterable[VideoPlan]) -> None:
        """Ask everything that is not answered yet.

        Raises :class:`~s3harness.errors.S3HarnessError` if the journal cannot be written or the engine not be loaded.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._engine())
            slots = asyncio.Semaphore(self.backend.limits.in_flight)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            prepared = await stack.enter_async_context(aclosing(self._prepared(self._open(plans))))
            async for plan, error in prepared:
                await self._ask_video(plan, error, slots, group)

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[None]:
        """The backend, loaded. One that fails to close has answered all the same: that is a message, no failure."""
        name = type(self.backend).__name__
        try:
            await self.backend.__aenter__()
        except S3HarnessError:
            raise
        except Exception as error:
            raise S3HarnessError(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
        try:
            yield
        finally:
            try:
                await self.backend.__aexit__(*sys.exc_info())
            except Exception as error:
                self.progress.messages.append(f"{name} did not close: {type(error).__name__}: {error}")

    def _open(self, plans: Iterable[VideoPlan]) -> Iterator[VideoPlan]:
        """The plans with what is still to be asked of each video, without the videos that are done."""
        for plan in plans:
            steps = tuple(
                Step(step.clip, todo)
                for step in plan.steps
                if (todo := tuple(r for r in step.requests if not self.journal.is_answered(r.id)))
            )
            if steps:
                yield replace(plan, steps=steps)

    async def _prepared(self, plans: Iterator[VideoPlan]) -> AsyncGenerator[tuple[VideoPlan, str], None]:
        """Each plan when its video is decoded, with what went wrong ("" if nothing); decodes ahead of the reader."""
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
        ahead: list[tuple[VideoPlan, asyncio.Future[str]]] = []
        try:
            for plan in plans:
                ahead.append((plan, loop.run_in_executor(pool, self._prepare, plan)))
                if len(ahead) > LOOK_AHEAD:
                    first, prepared = ahead.pop(0)
                    yield first, await prepared
            for first, prepared in ahead:
                yield first, await prepared
        finally:
            for _, prepared in ahead:
                prepared.cancel()
            pool.shutdown(wait=False, cancel_futures=True)

    def _prepare(self, plan: VideoPlan) -> str:
        if not self.backend.uses_media:
            return ""
        if plan.video.path is None:
            return "the data set has no file for this video"
        try:
            self.store.prepare(plan.video, plan.clips)
        except MediaError as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    async def _ask_video(self, plan: VideoPlan, error: str, slots: asyncio.Semaphore, group: asyncio.TaskGroup) -> None:
        left = sum(len(step.requests) for step in plan.steps)

        def answered() -> None:
            nonlocal left
            left -= 1
            if left == 0 and self.backend.uses_media:
                self.store.release(plan.video.id)

        for step in plan.steps:
            problem, media = (error, "") if error else self._media(step)
            for request in step.requests:
                if problem:
                    self._write(request, Response(request.id, status="failed", error=problem), "")
                    answered()
                else:
                    await slots.acquire()
                    group.create_task(self._ask(request, media, slots, answered))

    def _media(self, step: Step) -> tuple[str, str]:
        """What is wrong with a clip, and the key of its media."""
        if not self.backend.uses_media:
            return "", ""
        try:
            return "", self.store.key(step.clip)
        except MediaError as error:
            return str(error), ""

    async def _ask(self, request: Request, media: str, slots: asyncio.Semaphore, answered: Callable[[], None]) -> None:
        try:
            self._write(request, await ask(self.backend, request), media)
        finally:
            answered()
            slots.release()

    def _write(self, request: Request, response: Response, media: str) -> None:
        response = replace(response, error=self.redact(response.error))
        self.journal.write(request, response, media)
        self.progress.done += 1
        self.progress.failed += response.status == "failed"
        self.progress.messages += manager().response(request, response)
        self.progress.changed(self.progress)


def local(execution: Execution, plans: Iterable[VideoPlan]) -> Coroutine[Any, Any, None]:
    """The executor of one machine: this process does it all."""
    return execution.run(plans)


async def ask(backend: Backend, request: Request) -> Response:
    """A backend's response to a request, tried again with growing pauses where that may help; never raises.

    A pause is as long as the server asked for, otherwise drawn between half and all of an exponentially growing one.
    """
    limits = backend.limits
    started = time.perf_counter()
    for attempt in range(1, limits.attempts + 1):
        try:
            async with asyncio.timeout(limits.timeout_s):
                response = await backend.generate(request)
            return replace(_checked(response, request), attempts=attempt, latency_s=time.perf_counter() - started)
        except (RetryableError, TimeoutError, ConnectionError) as error:
            problem = _problem(error, limits)
            if attempt < limits.attempts:
                await asyncio.sleep(pause_s(attempt, getattr(error, "retry_after_s", None)))
        except asyncio.CancelledError as error:
            if _is_stopped():
                raise
            problem = _problem(error, limits)
            break
        except Exception as error:
            problem = _problem(error, limits)
            break
    return Response(request.id, status="failed", error=problem, attempts=attempt)


def pause_s(attempt: int, retry_after_s: float | None) -> float:
    """Seconds to wait after the given attempt, from 1."""
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), MAX_BACKOFF_S)
    return min(BACKOFF_S * 2.0 ** (attempt - 1), MAX_BACKOFF_S) * random.uniform(0.5, 1.0)


def _checked(response: object, request: Request) -> Response:
    """The response if it is one: a plugin may return anything."""
    if not isinstance(response, Response):
        raise TypeError(f"the backend returned {type(response).__name__}, a Response is expected")
    if not isinstance(response.text, str):
        raise TypeError(f"the response's text is {type(response.text).__name__}, a string is expected")
    if response.status not in get_args(ResponseStatus):
        raise ValueError(f"the response's status is {response.status!r}, one of {get_args(ResponseStatus)} is expected")
    numbers = (response.prompt_tokens, response.completion_tokens, dict(response.choice_probabilities or {}))
    try:
        json.dumps(numbers, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the response's tokens and probabilities cannot be written: {error}") from error
    return replace(response, request_id=request.id)


def _is_stopped() -> bool:
    """Whether it is the run that is being cancelled; an engine may cancel a request of its own."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _problem(error: BaseException, limits: Limits) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {limits.timeout_s:g} s"
    return str(error) if isinstance(error, MediaError) else f"{type(error).__name__}: {error}"
