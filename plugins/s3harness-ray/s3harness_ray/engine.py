"""What runs in a process of Ray's: one worker with its engine, which gives its answers as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

import ray

import s3harness
from s3harness_ray.cluster import Shares

CONCURRENCY = 10_000
"""Calls that an actor takes at once; most of them wait."""

Answer = tuple[str, s3harness.Response, str]
"""The id of a request, its response, and the key of the media that it showed."""


class Engine:
    """The actor. All it knows of the run is the recipe of its engine and the plans that it is given."""

    def __init__(self, recipe: s3harness.WorkerSpec) -> None:
        self._recipe = recipe
        self._notes: list[str] = []
        self._worker: s3harness.Worker | None = None

    async def load(self) -> AsyncIterator[str]:
        """Load the engine; gives what it says of that."""
        async for phase in _said(self._load):
            yield phase

    async def room(self) -> None:
        """Wait until there is use for another plan."""
        await self._loaded.room()

    async def carry_out(self, plan: s3harness.VideoPlan) -> AsyncIterator[Answer]:
        """Ask all that a plan asks; gives the answers in the order in which they come."""

        async def work(say: Callable[[Answer], None]) -> None:
            admission = await self._loaded.admit(plan)
            await self._loaded.carry_out(plan, admission, lambda request, *answer: say((request.id, *answer)))

        async for answer in _said(work):
            yield answer

    async def close(self) -> list[str]:
        """Let go of the engine; returns what it noted for the end of the run."""
        await self._loaded.__aexit__(None, None, None)
        return self._notes

    async def _load(self, say: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()

        def say_from_any_thread(phase: str) -> None:
            loop.call_soon_threadsafe(say, phase)

        self._worker = self._recipe.worker()
        self._worker.backend.say = say_from_any_thread
        self._worker.backend.note = self._notes.append
        await self._worker.__aenter__()

    @property
    def _loaded(self) -> s3harness.Worker:
        if self._worker is None:
            raise s3harness.S3HarnessError("the engine is not loaded")
        return self._worker


def put(recipe: s3harness.WorkerSpec) -> Any:
    """Put a recipe where all processes of the cluster find it."""
    return ray.put(recipe)


def new_engine(recipe: Any, shares: Shares) -> Any:
    """A new actor, in a process of its own, its engine not loaded yet."""
    how = {"num_cpus": shares.cpus, "num_gpus": shares.gpus, "max_concurrency": CONCURRENCY, "max_restarts": 0}
    return ray.remote(Engine).options(**how).remote(recipe)


async def told(method: Any, *arguments: object) -> AsyncIterator[Any]:
    """What an actor's method gives, as it gives it. Raises ``RayActorError`` if the actor is lost."""
    async for reference in method.options(num_returns="streaming").remote(*arguments):
        yield await reference


def end(engine: Any) -> None:
    """End an actor's process, whatever it is doing."""
    with suppress(Exception):
        ray.kill(engine, no_restart=True)


async def _said(work: Callable[[Callable[[Any], None]], Coroutine[Any, Any, None]]) -> AsyncIterator[Any]:
    """What a piece of work says, as it says it; then what it raised, if it did."""
    said: asyncio.Queue[Any] = asyncio.Queue()
    over = object()
    task = asyncio.create_task(work(said.put_nowait))
    task.add_done_callback(lambda _: said.put_nowait(over))
    try:
        while (word := await said.get()) is not over:
            yield word
        await task
    finally:
        task.cancel()
