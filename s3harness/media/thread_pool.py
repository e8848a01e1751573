"""Worker threads for what may hang: a file on a stalled mount, a stream that a decoder never gets through.

A thread that hangs cannot be ended. It is written off: whoever waits for its work is told so, another thread takes its
place, and because the threads are daemons the process can end without it.
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
"""So long threads may take to notice that they are not wanted any more."""


class StallWatchdog:
    """Tells whether a piece of work still moves, and ends it where it does not.

    The work calls :meth:`beat` whenever it has got a little further. It may take ``stall_s`` seconds from one beat to
    the next, and ``total_s`` in all.
    """

    def __init__(self, stall_s: float, total_s: float) -> None:
        self._stall_s, self._total_s = stall_s, total_s
        self._started: float | None = None
        self._last = 0.0
        self._given_up = ""

    def start(self) -> None:
        """The work begins."""
        self._started = self._last = time.monotonic()

    def heartbeat(self) -> None:
        """The work has got further. Raises :class:`MediaError` where it has been given up or takes too long in all."""
        now = time.monotonic()
        if self._started is not None and now - self._started > self._total_s:
            self._given_up = self._given_up or f"decoding took longer than {self._total_s:g} s (--media total_s=…)"
        if self._given_up:
            raise MediaError(self._given_up)
        self._last = now

    def give_up(self, why: str) -> None:
        """Let the next beat raise."""
        self._given_up = self._given_up or why

    def trouble(self) -> str:
        """Why the work is taken to hang; empty while it moves or has not begun."""
        if self._started is None or time.monotonic() - self._last <= self._stall_s:
            return ""
        return f"no data came from its file for {self._stall_s:g} s: the file or its disk hangs (--media stall_s=…)"

    def seconds_until_check(self) -> float:
        """In how many seconds it is worth looking again."""
        since = 0.0 if self._started is None else time.monotonic() - self._last
        return max(self._stall_s - since, 0.0) + 0.01


class Job(Generic[Result]):
    """A piece of work in a pool, and its result."""

    def __init__(
        self, work: Callable[[Callable[[], None]], Result], watch: StallWatchdog, replace: Callable[[], None]
    ) -> None:
        self._work, self._watch, self._replace = work, watch, replace
        self._future: Future[Result] = Future()

    def result(self) -> Result:
        """The result, waited for. Raises what the work raised, and :class:`MediaError` if it hangs."""
        while True:
            try:
                return self._future.result(self._watch.seconds_until_check())
            except NotYet:
                if self._future.done():
                    raise  # it was the work that timed out
                self._look()

    async def finished(self) -> Result:
        """As :meth:`result`, without blocking the event loop."""
        waited = asyncio.wrap_future(self._future)
        while not waited.done():
            await asyncio.wait({waited}, timeout=self._watch.seconds_until_check())
            if not self._future.done():
                self._look()
        return waited.result()

    def run(self) -> bool:
        """Do the work; false if it was written off meanwhile, and another thread has this one's place."""
        if not self._future.set_running_or_notify_cancel():
            return True
        self._watch.start()
        try:
            result = self._work(self._watch.heartbeat)
        except BaseException as error:
            return _settled(self._future.set_exception, error)
        return _settled(self._future.set_result, result)

    def stop(self) -> None:
        """The result is not wanted any more."""
        self._watch.give_up("the run was stopped")
        self._future.cancel()

    def _look(self) -> None:
        why = self._watch.trouble()
        if why:
            self._watch.give_up(why)
            if _settled(self._future.set_exception, MediaError(why)):
                self._replace()


class Pool:
    """At most ``workers`` threads at work, first come first served; each starts when it is first needed."""

    def __init__(self, workers: int, stall_s: float, total_s: float) -> None:
        self._workers, self._stall_s, self._total_s = workers, stall_s, total_s
        self._waiting: queue.SimpleQueue[Job[object] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._jobs: set[Job[object]] = set()
        self._lock = threading.Lock()

    def submit(self, work: Callable[[Callable[[], None]], Result]) -> Job[Result]:
        """Have ``work`` done; it is given a function to call whenever it has got further."""
        job: Job[Result] = Job(work, StallWatchdog(self._stall_s, self._total_s), self._start)
        with self._lock:
            self._jobs.add(job)  # type: ignore[arg-type]
            wants_thread = len(self._threads) < min(self._workers, len(self._jobs))
        self._waiting.put(job)  # type: ignore[arg-type]
        if wants_thread:
            self._start()
        return job

    def close(self) -> None:
        """Let go of what waits and give up what is under way; threads that hang are left behind."""
        with self._lock:
            jobs, threads = list(self._jobs), list(self._threads)
        for job in jobs:
            job.stop()
        for _ in threads:
            self._waiting.put(None)
        until = time.monotonic() + CLOSING_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _start(self) -> None:
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


def _settled(settle: Callable[[Outcome], None], outcome: Outcome) -> bool:
    """Whether this was what became of the work; something else may have before."""
    try:
        settle(outcome)
    except (InvalidStateError, CancelledError):
        return False
    return True
