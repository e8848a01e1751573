"""The Ray actor: one worker with its engine in a process of its own, which streams its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

import ray

import s3harness
from s3harness_ray.cluster import WorkerResources

MAX_CONCURRENCY = 10_000
"""Calls that an actor takes at once; most of them wait, one for each plan. Ray's default is 1000 for async actors."""

Answer = tuple[str | s3harness.Request, s3harness.Response, str]
"""The id of a planned request, or a turn of a conversation; its response; and the key of the media that it showed."""


class EngineActor:
    """The actor. It gets the spec of its worker, and the plans that it is to carry out."""

    def __init__(self, worker_spec: s3harness.WorkerSpec) -> None:
        self._worker_spec = worker_spec
        self._notes: list[str] = []
        self._worker: s3harness.Worker | None = None

    async def load(self) -> AsyncIterator[str]:
        """Load the engine, and yield the phases that it reports."""
        async for phase in _stream_of(self._load):
            yield phase

    async def check_media(self, check: Any) -> Any:
        """Check that the engine uses the media of clips (:meth:`s3harness.Worker.check_media`)."""
        return await self._loaded_worker.check_media(check)

    async def context_length(self) -> int | None:
        """The tokens that the loaded engine takes, where it tells."""
        return self._loaded_worker.backend.context_length

    async def wait_for_room(self) -> None:
        """Wait until the worker can take another plan."""
        await self._loaded_worker.room()

    async def carry_out(self, plan: s3harness.VideoPlan) -> AsyncIterator[Answer]:
        """Answer all requests of a plan, and yield the answers in the order in which they come."""

        async def work(emit: Callable[[Answer], None]) -> None:
            admission = await self._loaded_worker.admit(plan)

            def write(request: s3harness.Request, response: s3harness.Response, media: str) -> None:
                emit((_name(request), response, media))

            await self._loaded_worker.carry_out(plan, admission, write)

        async for answer in _stream_of(work):
            yield answer

    async def close(self) -> list[str]:
        """Close the engine, and return its notes for the end of the run."""
        await self._loaded_worker.__aexit__(None, None, None)
        return self._notes

    async def _load(self, emit: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()

        # Engines report from their loading threads as well, and asyncio queues are not thread-safe.
        def report(phase: str) -> None:
            loop.call_soon_threadsafe(emit, phase)

        self._worker = self._worker_spec.worker()
        self._worker.backend.report_status = report
        self._worker.backend.add_note = self._notes.append
        await self._worker.__aenter__()

    @property
    def _loaded_worker(self) -> s3harness.Worker:
        if self._worker is None:
            raise s3harness.S3HarnessError("the engine is not loaded")
        return self._worker


def _name(request: s3harness.Request) -> str | s3harness.Request:
    """Return the id of a planned request, which the driver has; no turn of a conversation is in its plan."""
    return request if request.parent else request.id


def put_worker_spec(worker_spec: s3harness.WorkerSpec) -> Any:
    """Put a worker spec into Ray's object store once, for all actors that are created in the run."""
    return ray.put(worker_spec)


def create_actor(worker_spec: Any, resources: WorkerResources) -> Any:
    """Create an actor in a process of its own; its engine is not loaded yet."""
    options = {
        "num_cpus": resources.cpus,
        "num_gpus": resources.gpus,
        "max_concurrency": MAX_CONCURRENCY,
        # An actor that Ray restarted would have no engine, and its plans would be lost: the pool replaces it.
        "max_restarts": 0,
    }
    return ray.remote(EngineActor).options(**options).remote(worker_spec)


async def stream(method: Any, *arguments: object) -> AsyncIterator[Any]:
    """Call an actor's method and yield its items as they come. Raises ``RayActorError`` if the actor is lost."""
    async for reference in method.options(num_returns="streaming").remote(*arguments):
        yield await reference


def kill(actor: Any) -> None:
    """Kill an actor's process, whatever it is doing."""
    # Ray may be gone already, with all of its actors.
    with suppress(Exception):
        ray.kill(actor, no_restart=True)


async def _stream_of(work: Callable[[Callable[[Any], None]], Coroutine[Any, Any, None]]) -> AsyncIterator[Any]:
    """Run ``work`` and yield the items that it emits; then raise its exception, if it raised one."""
    items: asyncio.Queue[Any] = asyncio.Queue()
    end = object()
    task = asyncio.create_task(work(items.put_nowait))
    # A callback, as it runs after all items were put, even if the work is cancelled or fails.
    task.add_done_callback(lambda _: items.put_nowait(end))
    try:
        while (item := await items.get()) is not end:
            yield item
        await task
    finally:
        # Whoever reads the stream may leave early.
        task.cancel()
