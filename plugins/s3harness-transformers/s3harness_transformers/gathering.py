"""Gathering requests into batches, answered one after another in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

LINGER_S = 0.02
"""How long a batch that is not full waits for more."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gathering(Generic[Item, Result]):
    """Answers items in batches of at most ``size`` that are ``alike``, in the order of their coming.

    ``answer`` runs in one thread; it gives a result, or an exception to be raised, for each item.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        alike: Callable[[Item], object],
        size: int,
    ) -> None:
        self._answer, self._alike, self._size = answer, alike, size
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._came = asyncio.Event()
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="generate")
        self._loop = asyncio.get_running_loop()
        self._work = self._loop.create_task(self._serve())

    async def get(self, item: Item) -> Result:
        """The result of one item; raises what was given for it."""
        future: asyncio.Future[Result] = self._loop.create_future()
        self._waiting.append((item, future))
        self._came.set()
        return await future

    async def close(self, reason: Exception) -> None:
        """Wait for the batch under way; what waits still gets the ``reason`` raised."""
        self._closed = True
        self._came.set()
        await asyncio.gather(self._work, return_exceptions=True)
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(reason)
        self._thread.shutdown()

    async def _serve(self) -> None:
        while await self._came.wait() and not self._closed:
            await self._linger()
            batch = self._next()
            if batch:
                await self._carry_out(batch)
            if not self._waiting and not self._closed:
                self._came.clear()

    async def _linger(self) -> None:
        """Wait while more keep coming and a batch is not full."""
        before = -1
        while before < len(self._waiting) < self._size:
            before = len(self._waiting)
            await asyncio.sleep(LINGER_S)

    def _next(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """The first that still waits and those like it, taken out of the line."""
        self._waiting = [one for one in self._waiting if not one[1].done()]
        if not self._waiting:
            return []
        kind = self._alike(self._waiting[0][0])
        batch = [one for one in self._waiting if self._alike(one[0]) == kind][: self._size]
        taken = {id(future) for _, future in batch}
        self._waiting = [one for one in self._waiting if id(one[1]) not in taken]
        return batch

    async def _carry_out(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._loop.run_in_executor(self._thread, self._answer, [item for item, _ in batch])
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
