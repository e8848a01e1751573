"""Worker threads for work that may hang: a file on a stalled mount, a stream that a decoder never gets through.

A thread that hangs cannot be ended. It is written off: the caller that waits for its work gets an error, another thread
takes its place, and because the threads are daemons the process can end without it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

from s3harness.errors import MediaError

Result = TypeVar("Result")
Outcome = TypeVar("Outcome")

CLOSING_S = 2.0
"""Seconds that :meth:`Pool.close` waits for threads to end."""


class StallWatchdog:
    """Finds that a piece of work hangs, and ends it.

    The work calls :meth:`heartbeat` whenever it has got a little further. It may take ``stall_s`` seconds from one
    heartbeat to the next, and ``total_s`` in all.
    """

    def __init__(self, stall_s: float, total_s: float) -> None:
        self._stall_s, self._total_s = stall_s, total_s
        self._started: float | None = None
        self._last = 0.0
        self._abort_reason = ""

    def start(self) -> None:
        """Begin to measure."""
        self._started = self._last = time.monotonic()

    def heartbeat(self) -> None:
        """Note that the work got further; raise :class:`MediaError` if it was aborted or takes too long in all."""
        now = time.monotonic()
        if self._started is not None and now - self._started > self._total_s:
            self.abort(f"decoding took longer than {self._total_s:g} s (--media total_s=…)")
        if self._abort_reason:
            raise MediaError(self._abort_reason)
        self._last = now

    def abort(self, reason: str) -> None:
        """Have the next heartbeat raise :class:`MediaError`; the first reason counts."""
        self._abort_reason = self._abort_reason or reason

    def stall_reason(self) -> str:
        """Say why the work is taken to hang; empty while it moves or has not begun."""
        if self._started is None or time.monotonic() - self._last <= self._stall_s:
            return ""
        return f"no data came from its file for {self._stall_s:g} s: the file or its disk hangs (--media stall_s=…)"

    def seconds_until_check(self) -> float:
        """Seconds after which :meth:`stall_reason` is worth another look."""
        since = 0.0 if self._started is None else time.monotonic() - self._last
        # A little more than is left, so that the look does not come just before the time is over.
        return max(self._stall_s - since, 0.0) + 0.01


class Job(Generic[Result]):
    """A piece of work in a pool, and its result."""

    def __init__(
        self,
        work: Callable[[Callable[[], None]], Result],
        watchdog: StallWatchdog,
        replace_thread: Callable[[], None],
    ) -> None:
        self._work, self._watchdog, self._replace_thread = work, watchdog, replace_thread
        self._future: Future[Result] = Future()

    def result(self) -> Result:
        """Wait for the result. Raises the error of the work, and :class:`MediaError` if the work hangs."""
        while True:
            try:
                return self._future.result(self._watchdog.seconds_until_check())
            except NotYet:
                # The same exception may be the work's own.
                if self._future.done():
                    raise
                self._check()

    async def finished(self) -> Result:
        """Wait for the result as :meth:`result` does, without blocking the event loop."""
        waited = asyncio.wrap_future(self._future)
        while not waited.done():
            await asyncio.wait({waited}, timeout=self._watchdog.seconds_until_check())
            # The thread's future may be done before the loop's is told.
            if not self._future.done():
                self._check()
        return waited.result()

    def run(self) -> bool:
        """Do the work; return false if it was written off meanwhile, and another thread has this one's place."""
        if not self._future.set_running_or_notify_cancel():
            return True
        self._watchdog.start()
        try:
            result = self._work(self._watchdog.heartbeat)
        except BaseException as error:
            return _settle(self._future.set_exception, error)
        return _settle(self._future.set_result, result)

    def cancel(self) -> None:
        """Cancel the work if it has not begun, and have it end at its next heartbeat if it has."""
        self._watchdog.abort("the run was stopped")
        self._future.cancel()

    def _check(self) -> None:
        reason = self._watchdog.stall_reason()
        if reason:
            # Should the thread come back to life, its next heartbeat ends it.
            self._watchdog.abort(reason)
            if _settle(self._future.set_exception, MediaError(reason)):
                self._replace_thread()


class Pool:
    """At most ``workers`` threads at work, first come first served; each starts when it is first needed."""

    def __init__(self, workers: int, stall_s: float, total_s: float) -> None:
        self._workers, self._stall_s, self._total_s = workers, stall_s, total_s
        self._waiting: queue.SimpleQueue[Job[object] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._jobs: set[Job[object]] = set()
        self._lock = threading.Lock()

    def submit(self, work: Callable[[Callable[[], None]], Result]) -> Job[Result]:
        """Queue ``work``, which gets a function to call whenever it has got further; return its job."""
        job: Job[Result] = Job(work, StallWatchdog(self._stall_s, self._total_s), self._start_thread)
        with self._lock:
            self._jobs.add(job)  # type: ignore[arg-type]
            wants_thread = len(self._threads) < min(self._workers, len(self._jobs))
        self._waiting.put(job)  # type: ignore[arg-type]
        if wants_thread:
            self._start_thread()
        return job

    def close(self) -> None:
        """Cancel all jobs and end the threads; threads that hang are left behind."""
        with self._lock:
            jobs, threads = list(self._jobs), list(self._threads)
        for job in jobs:
            job.cancel()
        for _ in threads:
            self._waiting.put(None)
        # One limit for all threads together, not for each.
        until = time.monotonic() + CLOSING_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _start_thread(self) -> None:
        # A daemon: the interpreter would wait at its end for any other thread that hangs.
        thread = threading.Thread(target=self._serve, name="decode", daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (job := self._waiting.get()) is not None:
            is_ours = job.run()
            with self._lock:
                self._jobs.discard(job)
                if not is_ours:
                    self._threads.remove(threading.current_thread())
                    return


def _settle(settle: Callable[[Outcome], None], outcome: Outcome) -> bool:
    """Set the outcome of a future; return false if it has one already, or was cancelled."""
    # Checking first would be a race: the watchdog and the work may come to an end at the same moment.
    try:
        settle(outcome)
    except (InvalidStateError, CancelledError):
        return False
    return True
