"""Dynamic batching: requests that come together are answered in one batch, by a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

MAX_WAIT_S = 0.02
"""A batch that is not full waits this long for another request, and again while more keep coming."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class DynamicBatcher(Generic[Item, Result]):
    """Processes items in batches of at most ``size`` with equal ``batch_key``, in the order in which they come.

    ``process`` runs in one thread; it returns a result, or an exception to raise, for each item.
    """

    def __init__(
        self,
        process: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        batch_key: Callable[[Item], object],
        size: int,
    ) -> None:
        self._process, self._batch_key, self._size = process, batch_key, size
        self._queue: list[tuple[Item, asyncio.Future[Result]]] = []
        self._has_items = asyncio.Event()
        self._is_closed = False
        # One thread: a model answers one batch at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="generate")
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._process_batches())

    async def submit(self, item: Item) -> Result:
        """Return the result of one item, or raise its exception."""
        future: asyncio.Future[Result] = self._loop.create_future()
        self._queue.append((item, future))
        self._has_items.set()
        return await future

    async def close(self, reason: Exception) -> None:
        """Wait for the batch under way; raise ``reason`` for all items that are still in the queue."""
        self._is_closed = True
        # Wakes the task where it waits for items.
        self._has_items.set()
        await asyncio.gather(self._task, return_exceptions=True)
        for _, future in self._queue:
            if not future.done():
                future.set_exception(reason)
        self._thread.shutdown()

    async def _process_batches(self) -> None:
        while await self._has_items.wait() and not self._is_closed:
            await self._wait_for_more()
            batch = self._next_batch()
            if batch:
                await self._process_batch(batch)
            if not self._queue and not self._is_closed:
                self._has_items.clear()

    async def _wait_for_more(self) -> None:
        """Wait while items keep coming and a batch is not full."""
        before = -1
        while before < len(self._queue) < self._size:
            before = len(self._queue)
            await asyncio.sleep(MAX_WAIT_S)

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """Remove and return the first item of the queue, together with others of the same key."""
        # A future that is done was cancelled: its request timed out in the queue.
        self._queue = [entry for entry in self._queue if not entry[1].done()]
        if not self._queue:
            return []
        key = self._batch_key(self._queue[0][0])
        batch = [entry for entry in self._queue if self._batch_key(entry[0]) == key][: self._size]
        # By the identity of futures: items may be equal, and tensors in them cannot be compared.
        removed = {id(future) for _, future in batch}
        self._queue = [entry for entry in self._queue if id(entry[1]) not in removed]
        return batch

    async def _process_batch(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._loop.run_in_executor(self._thread, self._process, [item for item, _ in batch])
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            # Cancelled while the batch was under way.
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
