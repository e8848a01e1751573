"""Ending work that was stopped: the first Ctrl-C or SIGTERM ends it in order."""

from __future__ import annotations

import asyncio
import signal
import threading
from asyncio.tasks import _unregister_task
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, TypeVar, cast

THREADS = 64
BLOCKED_S = 600.0


def until_stopped(work: Coroutine[Any, Any, None], blocked_s: float = BLOCKED_S) -> None:
    """Run to the end, or to the first Ctrl-C or SIGTERM, which is raised as ``KeyboardInterrupt``.

    A request that blocks the event loop for ``blocked_s`` seconds fails, and threads that hang are not waited for.
    """

    async def main() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        loop.set_default_executor(DaemonThreadPool(THREADS))
        with on_sigterm(lambda *_: loop.call_soon_threadsafe(task.cancel)), unblocked(loop, blocked_s):
            await work

    try:
        asyncio.run(main())
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error
    except BaseExceptionGroup as group:
        raise _first(group) from group


@contextmanager
def on_sigterm(handler: Callable[..., object]) -> Iterator[None]:
    """Have SIGTERM handled like this for a while. Only the main thread may say so; in others nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


Result = TypeVar("Result")

IDLE_S = 10.0


class DaemonThreadPool(ThreadPoolExecutor):
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


ENDING_S = 5.0
"""What is cancelled may take so long to end."""
MOST_S = 3600.0
"""Nothing may block for longer, however long an answer may take."""
LOOKS = 4
"""So often within the time that it may stand still, the loop shows that it goes on."""


class StubbornError(Exception):
    """Something goes on although it was cancelled."""


class BlockedError(BaseException):
    """Raised inside a request that keeps the event loop waiting. No ``Exception``, which it might well catch."""


async def limited(work: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
    """What a request comes to; ``TimeoutError`` if it takes longer, :class:`StubbornError` if it cannot be ended."""
    task = asyncio.ensure_future(_request(work))
    try:
        done, _ = await asyncio.wait([task], timeout=timeout_s)
    except asyncio.CancelledError:
        await _end(task)
        raise
    if done:
        return task.result()
    await _end(task)
    if not task.done():
        raise StubbornError(f"no answer within {timeout_s:g} s, and generate() ignored its cancellation")
    raise TimeoutError


@contextmanager
def unblocked(loop: asyncio.AbstractEventLoop, seconds: float) -> Iterator[None]:
    """Raise :class:`BlockedError` in a request that keeps the loop from going on for so many seconds.

    Nothing but requests is interrupted: to load an engine may take its time. Only a loop of the main thread is looked
    after.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = min(seconds, MOST_S)

    look: asyncio.Handle

    def goes_on() -> None:
        nonlocal look
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        look = loop.call_later(seconds / LOOKS, goes_on)

    def stands_still(_: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code is _request.__code__:
                raise BlockedError(
                    f"generate() blocked the event loop for {seconds:g} s; it must run blocking work in a thread"
                )
            frame = frame.f_back

    before = signal.signal(signal.SIGALRM, stands_still)
    look = loop.call_soon(goes_on)
    try:
        yield
    finally:
        look.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


async def _request(work: Coroutine[Any, Any, Result]) -> Result:
    """A frame of its own, by which :func:`unblocked` knows what it interrupts; none leaves Python from here."""
    try:
        return await work
    except SystemExit as error:
        raise RuntimeError(f"generate() tried to end the process ({error})") from error


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel a task; one that does not end is left to itself, and no loop waits for it."""
    task.cancel()
    await asyncio.wait([task], timeout=ENDING_S)
    if task.done():
        task.cancelled() or task.exception()
        return
    _unregister_task(task)
    cast("Any", task)._log_destroy_pending = False
