"""Threads that nobody has to wait for: what hangs in one keeps neither the run nor the process from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

IDLE_S = 10.0


class PatientThreads(ThreadPoolExecutor):
    """A pool for ``asyncio.to_thread``, of threads that end with the process; one ends that has nothing to do."""

    def __init__(self, most: int) -> None:
        super().__init__(max_workers=1)
        self._most, self._idle, self._n = most, 0, 0
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._own = threading.Lock()

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Have something done by the next thread that is free."""
        future: Future[Result] = Future()
        self._jobs.put(lambda: _do(future, fn, args, kwargs))
        with self._own:
            if self._jobs.qsize() > self._idle and self._n < self._most:
                self._n += 1
                threading.Thread(target=self._work, daemon=True, name=f"s3harness-{self._n}").start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing: threads end by themselves."""

    def _work(self) -> None:
        while True:
            with self._own:
                self._idle += 1
            try:
                job = self._jobs.get(timeout=IDLE_S)
            except Empty:
                job = None
            with self._own:
                self._idle -= 1
                if job is None and self._jobs.empty():
                    self._n -= 1
                    return
            if job is not None:
                job()


def _do(future: Future[Result], fn: Callable[..., Result], args: Any, kwargs: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(fn(*args, **kwargs))
    except BaseException as error:
        future.set_exception(error)
